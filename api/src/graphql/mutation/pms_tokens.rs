//! Access tokens that a property-management system shows at a reservation. They open nothing by themselves.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    change::{AccessTokenPlan, AccessTokenUpdate, Change, TokenPermissions},
    clock::Timestamp,
    secret::Secret,
};

use super::{
    change::{ask, inputs},
    payload::{CommandPayload, payload, send},
};
use crate::{
    actions::{Order, Refusal, Target, short_text},
    graphql::words::TokenType,
};

/// What a token opens, in the PMS's words.
#[derive(Debug, InputObject)]
pub(crate) struct TokenPermissionsInput {
    /// One's bed.
    #[graphql(default = false)]
    bed: bool,
    /// One's room.
    #[graphql(default = false)]
    room: bool,
    /// One's floor.
    #[graphql(default = false)]
    floor: bool,
    /// The building.
    #[graphql(default = false)]
    building: bool,
}

impl From<TokenPermissionsInput> for TokenPermissions {
    fn from(input: TokenPermissionsInput) -> Self {
        let TokenPermissionsInput { bed, room, floor, building } = input;
        Self { bed, room, floor, building }
    }
}

inputs! {
    /// What `addPmsAccessToken` takes.
    AddPmsAccessTokenInput {
        /// The reservation (`rec_…`, of kind RESERVATION).
        reservation_id: ID,
        /// The room (`rec_…`, of kind RESOURCE).
        resource_id: Option<ID>,
        /// The guest among several: the PMS's id of the companionship, as in the reservation's details.
        companionship: Option<String>,
        /// What the value is.
        token_type: TokenType,
        /// The value: 1 to 200 printable characters. Sealed at once, and shown to nobody.
        value: String,
        /// Our mark, by which the token is found again at the PMS: 1 to 100 characters; one of our own without.
        serial_number: Option<String>,
        /// From when on it is valid.
        valid_from: Timestamp,
        /// Until when.
        valid_until: Timestamp,
        /// What it opens.
        permissions: TokenPermissionsInput,
    }
    /// What `updatePmsAccessToken` takes. What is absent stays.
    UpdatePmsAccessTokenInput {
        /// The token (`rec_…`, of kind ACCESS_TOKEN).
        access_token_id: ID,
        /// Its new value: 1 to 200 printable characters. Sealed at once, and shown to nobody.
        value: Option<String>,
        /// From when on it is valid.
        valid_from: Option<Timestamp>,
        /// Until when.
        valid_until: Option<Timestamp>,
        /// What it opens.
        permissions: Option<TokenPermissionsInput>,
    }
    /// What `deletePmsAccessToken` takes.
    DeletePmsAccessTokenInput {
        /// The token (`rec_…`, of kind ACCESS_TOKEN).
        access_token_id: ID,
    }
}

/// The value of a token, in custody.
fn custody(value: String) -> Result<Secret, Refusal> {
    short_text("value", &value)?;
    Ok(Secret::new(value))
}

fn of_token(id: &ID) -> Target {
    Target::OfRecord { field: "accessTokenId", id: id.0.clone() }
}

#[derive(Default)]
pub(crate) struct PmsTokenMutations;

#[Object]
impl PmsTokenMutations {
    /// Has the PMS show an access token at a reservation. It opens nothing by itself. Needs MANAGER.
    async fn add_pms_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which reservation, and which token.")] input: AddPmsAccessTokenInput,
    ) -> Result<CommandPayload> {
        let secret = match custody(input.value) {
            Ok(secret) => secret,
            Err(refusal) => return payload(Ok(Err(refusal))),
        };
        let target = Target::OfRecord { field: "reservationId", id: input.reservation_id.0.clone() };
        let change = Change::AddPmsAccessToken(AccessTokenPlan {
            reservation: input.reservation_id.0,
            companionship: input.companionship,
            resource: input.resource_id.map(|id| id.0),
            token_type: input.token_type.into(),
            serial_number: input.serial_number.unwrap_or_default(),
            valid_from: input.valid_from,
            valid_until: input.valid_until,
            permissions: input.permissions.into(),
        });
        let order = Order {
            target,
            action: change.into(),
            secret: Some(secret),
            idempotency_key: input.idempotency_key,
            expires_at: input.expires_at,
        };
        send(context, order).await
    }

    /// Changes a token that the PMS shows. Needs MANAGER.
    async fn update_pms_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which token, and what of it.")] input: UpdatePmsAccessTokenInput,
    ) -> Result<CommandPayload> {
        let secret = match input.value.map(custody).transpose() {
            Ok(secret) => secret,
            Err(refusal) => return payload(Ok(Err(refusal))),
        };
        let target = of_token(&input.access_token_id);
        let update = AccessTokenUpdate {
            valid_from: input.valid_from,
            valid_until: input.valid_until,
            permissions: input.permissions.map(Into::into),
            new_value: secret.is_some(),
        };
        let order = Order {
            target,
            action: Change::UpdatePmsAccessToken { token: input.access_token_id.0, update }.into(),
            secret,
            idempotency_key: input.idempotency_key,
            expires_at: input.expires_at,
        };
        send(context, order).await
    }

    /// Takes a token off the PMS. Needs MANAGER.
    async fn delete_pms_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which token.")] input: DeletePmsAccessTokenInput,
    ) -> Result<CommandPayload> {
        let target = of_token(&input.access_token_id);
        let change = Change::DeletePmsAccessToken { token: input.access_token_id.0 };
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }
}
