//! API keys.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::clock::Timestamp;

use super::payload::UserError;
use crate::{
    actions::{
        Refusal,
        keys::{KeyGiven, KeyMade, KeysRevoked, create_key, revoke_key},
    },
    graphql::{
        context::Ask,
        object::ApiKey,
        words::{CommandKind, Role},
    },
};

/// What `createApiKey` takes. What is absent is inherited from the caller.
#[derive(InputObject)]
pub(crate) struct CreateApiKeyInput {
    /// A name for people.
    name: String,
    /// What it may do, at most the caller's own role.
    role: Role,
    /// The only sites that it sees, with `doorIds`.
    site_ids: Option<Vec<ID>>,
    /// The only doors that it sees, with `siteIds`.
    door_ids: Option<Vec<ID>>,
    /// The only commands that it may send.
    command_kinds: Option<Vec<CommandKind>>,
    /// From when on it does not count.
    expires_at: Option<Timestamp>,
    /// How many commands it may send; any number without. A key with a number changes nothing else.
    max_uses: Option<i32>,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same API key,
    /// which is not shown again; with another order it is refused. Without a key every call makes another one.
    idempotency_key: Option<String>,
}

/// What `revokeApiKey` takes.
#[derive(InputObject)]
pub(crate) struct RevokeApiKeyInput {
    /// The key.
    api_key_id: ID,
    /// Whether the keys that it made are revoked too, and those that they made. For a key that fell into wrong hands.
    #[graphql(default = false)]
    with_those_made_by_it: bool,
}

/// The answer of `createApiKey`.
#[derive(Default, SimpleObject)]
pub(crate) struct CreateApiKeyPayload {
    /// The key; null if it was refused.
    api_key: Option<ApiKey>,
    /// What is to be presented. Shown this once and kept nowhere; null if it was refused, or made and shown before.
    secret: Option<String>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// The answer of `revokeApiKey`.
#[derive(Default, SimpleObject)]
pub(crate) struct RevokeApiKeyPayload {
    /// The key; null if it was refused.
    api_key: Option<ApiKey>,
    /// The ids of the keys that counted until now.
    revoked_ids: Vec<ID>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

fn errors(refusal: Refusal) -> Vec<UserError> {
    vec![refusal.into()]
}

fn texts(ids: Option<Vec<ID>>) -> Option<Vec<String>> {
    ids.map(|ids| ids.into_iter().map(|id| id.0).collect())
}

#[derive(Default)]
pub(crate) struct KeyMutations;

#[Object]
impl KeyMutations {
    /// Makes an API key that may do no more than the caller. Needs MANAGER.
    async fn create_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it may do.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload> {
        let given = KeyGiven {
            name: input.name,
            role: input.role.into(),
            sites: texts(input.site_ids),
            doors: texts(input.door_ids),
            verbs: input.command_kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            expires_at: input.expires_at,
            max_uses: input.max_uses,
            idempotency_key: input.idempotency_key,
        };
        Ok(match create_key(context.shared()?, &context.caller()?.session, given).await? {
            Ok(KeyMade { key, secret }) => CreateApiKeyPayload {
                api_key: Some(std::sync::Arc::new(key).into()),
                secret: secret.map(|secret| secret.expose().to_owned()),
                user_errors: Vec::new(),
            },
            Err(refusal) => CreateApiKeyPayload { user_errors: errors(refusal), ..Default::default() },
        })
    }

    /// Revokes an API key, for ever and within two seconds. Needs MANAGER, and to have made it; ADMIN without limits for
    /// any other.
    async fn revoke_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which key.")] input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload> {
        let RevokeApiKeyInput { api_key_id, with_those_made_by_it } = input;
        let session = &context.caller()?.session;
        Ok(match revoke_key(context.shared()?, session, &api_key_id, with_those_made_by_it).await? {
            Ok(KeysRevoked { key, revoked }) => RevokeApiKeyPayload {
                api_key: Some(std::sync::Arc::new(key).into()),
                revoked_ids: revoked.into_iter().map(|id| id.to_string().into()).collect(),
                user_errors: Vec::new(),
            },
            Err(refusal) => RevokeApiKeyPayload { user_errors: errors(refusal), ..Default::default() },
        })
    }
}
