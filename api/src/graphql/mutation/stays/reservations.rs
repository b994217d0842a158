//! Stays that no PMS knows.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use domain::clock::Timestamp;

use super::payloads::{ReservationPayload, payload};
use crate::{
    actions::stays::{GuestGiven, NewStay, StayGiven, cancel_reservation, create_reservation, update_reservation},
    graphql::context::Ask,
};

/// Who stays: somebody known, by `userId` alone, or somebody new, by `name` and what else is known.
#[derive(InputObject)]
pub(crate) struct GuestInput {
    /// Somebody known.
    user_id: Option<ID>,
    /// The name of somebody new: 1 to 200 printable characters.
    name: Option<String>,
    /// Their e-mail address.
    email: Option<String>,
    /// Their telephone number: 5 to 15 digits, the country code first.
    phone: Option<String>,
}

/// What `createReservation` takes.
#[derive(InputObject)]
pub(crate) struct CreateReservationInput {
    /// Where.
    site_id: ID,
    /// The number that people use: 1 to 200 printable characters.
    number: Option<String>,
    /// Who stays.
    guest: GuestInput,
    /// The doors that the guest is to enter by, 100 at most, all of them at the site.
    door_ids: Vec<ID>,
    /// When the stay is to begin.
    starts_at: Timestamp,
    /// When it is to end.
    ends_at: Timestamp,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same stay; with
    /// another order it is refused. Without a key every call makes another stay.
    idempotency_key: Option<String>,
}

/// What `updateReservation` takes. What is absent stays.
#[derive(InputObject)]
pub(crate) struct UpdateReservationInput {
    /// The stay.
    reservation_id: ID,
    /// Who stays now. What the guest before was given is taken away; the stay needs a token anew.
    guest: Option<GuestInput>,
    /// The doors in place of those before, 100 at most, all of them at the site of the stay.
    door_ids: Option<Vec<ID>>,
    /// When it is to begin.
    starts_at: Option<Timestamp>,
    /// When it is to end.
    ends_at: Option<Timestamp>,
    /// When the guest came in; null: not yet after all.
    actual_start: MaybeUndefined<Timestamp>,
    /// When the guest left; null: not yet after all. What opens for the stay is taken away.
    actual_end: MaybeUndefined<Timestamp>,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again changes nothing; with
    /// another order it is refused.
    idempotency_key: Option<String>,
}

/// What `cancelReservation` takes.
#[derive(InputObject)]
pub(crate) struct CancelReservationInput {
    /// The stay.
    reservation_id: ID,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again changes nothing; with
    /// another order it is refused.
    idempotency_key: Option<String>,
}

impl From<GuestInput> for GuestGiven {
    fn from(input: GuestInput) -> Self {
        let GuestInput { user_id, name, email, phone } = input;
        Self { user: user_id.map(|id| id.0), name, email, phone }
    }
}

pub(super) fn texts(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}

/// What is to change, if anything is.
pub(super) fn change<T>(given: MaybeUndefined<T>) -> Option<Option<T>> {
    match given {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

#[derive(Default)]
pub(crate) struct ReservationMutations;

#[Object]
impl ReservationMutations {
    /// Makes a stay that no PMS knows. Needs MANAGER.
    async fn create_reservation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who stays where, and when.")] input: CreateReservationInput,
    ) -> Result<ReservationPayload> {
        let new = NewStay {
            site: input.site_id.0,
            number: input.number,
            guest: input.guest.into(),
            doors: texts(input.door_ids),
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            idempotency_key: input.idempotency_key,
        };
        payload(create_reservation(context.shared()?, &context.caller()?.session, new).await)
    }

    /// Changes a stay that no PMS knows; what a PMS knows, the PMS decides. Its tokens follow without a gap. Needs MANAGER.
    async fn update_reservation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which stay, and what of it.")] input: UpdateReservationInput,
    ) -> Result<ReservationPayload> {
        let given = StayGiven {
            reservation: input.reservation_id.0,
            guest: input.guest.map(Into::into),
            doors: input.door_ids.map(texts),
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            actual_start: change(input.actual_start),
            actual_end: change(input.actual_end),
            idempotency_key: input.idempotency_key,
        };
        payload(update_reservation(context.shared()?, &context.caller()?.session, given).await)
    }

    /// Calls off a stay that no PMS knows; what a PMS knows, the PMS decides. Its tokens are taken away. Needs MANAGER.
    async fn cancel_reservation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which stay.")] input: CancelReservationInput,
    ) -> Result<ReservationPayload> {
        let CancelReservationInput { reservation_id, idempotency_key } = input;
        let (shared, session) = (context.shared()?, &context.caller()?.session);
        payload(cancel_reservation(shared, session, &reservation_id, idempotency_key).await)
    }
}
