//! Access tokens of stays.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use domain::{clock::Timestamp, secret::Secret};

use super::{
    payloads::{AccessTokenPayload, RevealAccessTokenPayload, payload},
    reservations::{change, texts},
};
use crate::{
    actions::stays::{NewToken, TokenGiven, issue_token, reveal_token, revoke_token, update_token},
    graphql::{context::Ask, words::TokenType},
};

/// What `issueAccessToken` takes.
#[derive(InputObject)]
pub(crate) struct IssueAccessTokenInput {
    /// The stay.
    reservation_id: ID,
    /// What its value is.
    token_type: TokenType,
    /// The value: a PIN of 4 to 8 digits that is not easy to guess, or the number of a tag, 1 to 20 digits. Sealed at once.
    /// A PIN is drawn without.
    value: Option<String>,
    /// From when on it is to open; with the stay and its time of grace without.
    valid_from: Option<Timestamp>,
    /// Until when it is to open; with the stay and its time of grace without.
    valid_until: Option<Timestamp>,
    /// The doors that it is to open, 100 at most; those of the stay without.
    door_ids: Option<Vec<ID>>,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same token, with
    /// the same value; with another order it is refused. Without a key every call issues another token.
    idempotency_key: Option<String>,
}

/// What `updateAccessToken` takes. What is absent stays.
#[derive(InputObject)]
pub(crate) struct UpdateAccessTokenInput {
    /// The token.
    access_token_id: ID,
    /// Another value, as for `issueAccessToken`. It takes the place of the one before at each lock.
    value: Option<String>,
    /// Whether another PIN is to be drawn.
    #[graphql(default = false)]
    draw_value: bool,
    /// From when on it is to open; null: with the stay.
    valid_from: MaybeUndefined<Timestamp>,
    /// Until when it is to open; null: with the stay.
    valid_until: MaybeUndefined<Timestamp>,
    /// The doors that it is to open, 100 at most; null: those of the stay.
    door_ids: MaybeUndefined<Vec<ID>>,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again changes nothing, and
    /// draws nothing; with another order it is refused.
    idempotency_key: Option<String>,
}

/// What `revokeAccessToken` takes.
#[derive(InputObject)]
pub(crate) struct RevokeAccessTokenInput {
    /// The token.
    access_token_id: ID,
    /// Why, for the events: 1 to 200 printable characters.
    reason: Option<String>,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again changes nothing; with
    /// another order it is refused.
    idempotency_key: Option<String>,
}

/// What `revealAccessToken` takes.
#[derive(InputObject)]
pub(crate) struct RevealAccessTokenInput {
    /// The token.
    access_token_id: ID,
    /// Why, for the events: 1 to 200 printable characters.
    reason: String,
}

#[derive(Default)]
pub(crate) struct TokenMutations;

#[Object]
impl TokenMutations {
    /// Issues a PIN or tag for a stay: it is placed in the locks in time, shown in the PMS once a lock has it, follows the
    /// stay, and is taken away afterwards. Needs MANAGER.
    async fn issue_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "For which stay, and what.")] input: IssueAccessTokenInput,
    ) -> Result<AccessTokenPayload> {
        let new = NewToken {
            reservation: input.reservation_id.0,
            token_type: input.token_type.into(),
            value: input.value.map(Secret::new),
            valid_from: input.valid_from,
            valid_until: input.valid_until,
            doors: input.door_ids.map(texts),
            idempotency_key: input.idempotency_key,
        };
        payload(issue_token(context.shared()?, &context.caller()?.session, new).await)
    }

    /// Changes a token in place, without a gap. Needs MANAGER.
    async fn update_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which token, and what of it.")] input: UpdateAccessTokenInput,
    ) -> Result<AccessTokenPayload> {
        let given = TokenGiven {
            token: input.access_token_id.0,
            value: input.value.map(Secret::new),
            draw: input.draw_value,
            valid_from: change(input.valid_from),
            valid_until: change(input.valid_until),
            doors: change(input.door_ids).map(|doors| doors.map(texts)),
            idempotency_key: input.idempotency_key,
        };
        payload(update_token(context.shared()?, &context.caller()?.session, given).await)
    }

    /// Has a token taken away everywhere, for good. It is REVOKED once each vendor was read back without it. Needs MANAGER.
    async fn revoke_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which token, and why.")] input: RevokeAccessTokenInput,
    ) -> Result<AccessTokenPayload> {
        let RevokeAccessTokenInput { access_token_id, reason, idempotency_key } = input;
        let (shared, session) = (context.shared()?, &context.caller()?.session);
        payload(revoke_token(shared, session, &access_token_id, reason, idempotency_key).await)
    }

    /// Shows the value of a token that is not revoked: the only place where a value is shown. Who looked, and why, is an
    /// event. Ten times a minute at most. Needs MANAGER.
    async fn reveal_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which token, and why.")] input: RevealAccessTokenInput,
    ) -> Result<RevealAccessTokenPayload> {
        let RevealAccessTokenInput { access_token_id, reason } = input;
        payload(reveal_token(context.shared()?, &context.caller()?.session, &access_token_id, &reason).await)
    }
}
