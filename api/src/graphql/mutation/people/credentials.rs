//! Credentials.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use domain::{clock::Timestamp, secret::Secret};

use super::{given, payload, payloads::CredentialPayload};
use crate::{
    actions::people::{
        CredentialGiven, CredentialOrder, Window, create_credential, reissue_credential, resume_credential,
        revoke_credential, suspend_credential, update_credential,
    },
    graphql::{context::Ask, words::CredentialType},
};

/// What `createCredential` takes.
#[derive(InputObject)]
pub(crate) struct CreateCredentialInput {
    /// Whose.
    user_id: ID,
    /// What it is.
    kind: CredentialType,
    /// A name for people.
    label: Option<String>,
    /// The number of a card, fob or tag (digits), of a telephone, or the e-mail address of a mobile key. The last two are
    /// the holder's own without. Not for a PIN.
    number: Option<String>,
    /// A PIN: digits only. Sealed at once, and shown to nobody.
    value: Option<String>,
    /// From when on it opens; always without.
    valid_from: Option<Timestamp>,
    /// Until when; for ever without.
    valid_until: Option<Timestamp>,
    /// The doors that it is for. Without any it opens those of its holder's access levels.
    #[graphql(default)]
    door_ids: Vec<ID>,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same credential;
    /// with another order it is refused. Without a key every call makes another one.
    idempotency_key: Option<String>,
}

/// What `updateCredential` takes. What is absent stays.
#[derive(InputObject)]
pub(crate) struct UpdateCredentialInput {
    /// The credential.
    credential_id: ID,
    /// A name for people; null takes it away.
    label: MaybeUndefined<String>,
    /// From when on it opens; null means always.
    valid_from: MaybeUndefined<Timestamp>,
    /// Until when; null means for ever.
    valid_until: MaybeUndefined<Timestamp>,
    /// The doors that it is for, in place of those before. An empty list means those of its holder's access levels.
    door_ids: Option<Vec<ID>>,
}

/// What `suspendCredential` takes.
#[derive(InputObject)]
pub(crate) struct SuspendCredentialInput {
    /// The credential.
    credential_id: ID,
}

/// What `resumeCredential` takes.
#[derive(InputObject)]
pub(crate) struct ResumeCredentialInput {
    /// The credential.
    credential_id: ID,
}

/// What `revokeCredential` takes.
#[derive(InputObject)]
pub(crate) struct RevokeCredentialInput {
    /// The credential.
    credential_id: ID,
}

/// What `reissueCredential` takes.
#[derive(InputObject)]
pub(crate) struct ReissueCredentialInput {
    /// The credential.
    credential_id: ID,
    /// Its new number, or the new e-mail address of a mobile key.
    number: Option<String>,
    /// Its new PIN: digits only. Sealed at once, and shown to nobody.
    value: Option<String>,
}

fn texts(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}

#[derive(Default)]
pub(crate) struct CredentialMutations;

#[Object]
impl CredentialMutations {
    /// Gives a person a card, fob, tag, PIN, telephone number or mobile key, and places it at the vendors of its doors. A
    /// PIN or number that somebody else has at one of them is refused; so is a credential that none of its doors can hold.
    /// Needs MANAGER and a key without limits.
    async fn create_credential(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What, and whose.")] input: CreateCredentialInput,
    ) -> Result<CredentialPayload> {
        let order = CredentialOrder {
            user: input.user_id.0,
            kind: input.kind.into(),
            label: input.label,
            number: input.number,
            value: input.value.map(Secret::new),
            from: input.valid_from,
            until: input.valid_until,
            doors: texts(input.door_ids),
            idempotency_key: input.idempotency_key,
        };
        payload(create_credential(context.shared()?, &context.caller()?.session, order).await)
    }

    /// Changes the name, time or doors of a credential. What is at vendors is changed in place. Needs MANAGER and a key
    /// without limits.
    async fn update_credential(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which, and what is to change.")] input: UpdateCredentialInput,
    ) -> Result<CredentialPayload> {
        let change = CredentialGiven {
            credential: input.credential_id.0,
            label: given(input.label),
            window: Window { from: given(input.valid_from), until: given(input.valid_until) },
            doors: input.door_ids.map(texts),
        };
        payload(update_credential(context.shared()?, &context.caller()?.session, change).await)
    }

    /// Stops a credential for now: it is taken away at its vendors, and may be resumed. Needs MANAGER and a key without
    /// limits.
    async fn suspend_credential(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which.")] input: SuspendCredentialInput,
    ) -> Result<CredentialPayload> {
        payload(suspend_credential(context.shared()?, &context.caller()?.session, &input.credential_id).await)
    }

    /// Lets a suspended credential open again. Needs MANAGER and a key without limits.
    async fn resume_credential(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which.")] input: ResumeCredentialInput,
    ) -> Result<CredentialPayload> {
        payload(resume_credential(context.shared()?, &context.caller()?.session, &input.credential_id).await)
    }

    /// Gives a credential another number or PIN. The old one is replaced in place at its vendors. Needs MANAGER and a key
    /// without limits.
    async fn reissue_credential(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which, and its new number or PIN.")] input: ReissueCredentialInput,
    ) -> Result<CredentialPayload> {
        let (shared, session) = (context.shared()?, &context.caller()?.session);
        let value = input.value.map(Secret::new);
        payload(reissue_credential(shared, session, &input.credential_id, input.number, value).await)
    }

    /// Takes a credential away for ever; a PIN is wiped. Its placements show when it is gone at its vendors. Needs MANAGER
    /// and a key without limits.
    async fn revoke_credential(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which.")] input: RevokeCredentialInput,
    ) -> Result<CredentialPayload> {
        payload(revoke_credential(context.shared()?, &context.caller()?.session, &input.credential_id).await)
    }
}
