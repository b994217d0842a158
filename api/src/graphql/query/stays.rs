//! Stays, access tokens, and the rooms of a PMS that stand for no door.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{clock::Timestamp, ids::VendorAccountId};
use entities::find::{reservations, resources, tokens};

use super::{
    bounded,
    list::{connect, finder},
};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    context::{Ask, decode, decode_some},
    error::ApiError,
    node::find_one,
    object::{AccessToken, Reservation, VendorRecord, may_see_stays},
    words::{Readiness, ReservationState, TokenState},
};

finder!(reservations::ReservationFilter => Reservation, entities::find::reservations);
finder!(tokens::TokenFilter => AccessToken, entities::find::tokens);
finder!(resources::Unmapped => VendorRecord, entities::find::resources);

/// Which stays; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ReservationFilter {
    /// At this site.
    site_id: Option<ID>,
    /// In one of these states.
    states: Option<Vec<ReservationState>>,
    /// As ready as one of these.
    readiness: Option<Vec<Readiness>>,
    /// Not over before this time.
    from: Option<Timestamp>,
    /// Begun before this time.
    until: Option<Timestamp>,
    /// Of this guest.
    guest_id: Option<ID>,
    /// With this door.
    door_id: Option<ID>,
    /// With this number for people.
    number: Option<String>,
}

impl ReservationFilter {
    /// What the finder is asked for.
    ///
    /// # Errors
    /// A part that can not be used.
    pub(crate) fn decode(self) -> Result<reservations::ReservationFilter, ApiError> {
        let mut states: Vec<_> = self.states.unwrap_or_default().into_iter().map(Into::into).collect();
        let mut readiness: Vec<_> = self.readiness.unwrap_or_default().into_iter().map(Into::into).collect();
        states.sort_unstable();
        states.dedup();
        readiness.sort_unstable();
        readiness.dedup();
        Ok(reservations::ReservationFilter {
            site: decode_some(self.site_id.as_ref())?,
            states,
            readiness,
            from: self.from,
            until: self.until,
            guest: decode_some(self.guest_id.as_ref())?,
            door: decode_some(self.door_id.as_ref())?,
            number: bounded("number", self.number)?,
        })
    }
}

/// Which access tokens; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct AccessTokenFilter {
    /// Of this stay.
    reservation_id: Option<ID>,
    /// At this site.
    site_id: Option<ID>,
    /// That open this door, or may still.
    door_id: Option<ID>,
    /// In one of these states.
    states: Option<Vec<TokenState>>,
}

impl AccessTokenFilter {
    fn decode(self) -> Result<tokens::TokenFilter, ApiError> {
        Ok(tokens::TokenFilter {
            reservation: decode_some(self.reservation_id.as_ref())?,
            site: decode_some(self.site_id.as_ref())?,
            door: decode_some(self.door_id.as_ref())?,
            states: self.states.unwrap_or_default().into_iter().map(Into::into).collect(),
        })
    }
}

/// Whether the caller may look at stays.
///
/// # Errors
/// The caller is anonymous, or the reason why not.
pub(crate) fn permit(context: &Context<'_>) -> Result<(), ApiError> {
    let now = context.shared()?.clock.now();
    may_see_stays(&context.caller()?.session.principal, now).map_err(ApiError::Forbidden)
}

#[derive(Default)]
pub(crate) struct StayQueries;

#[Object]
impl StayQueries {
    /// Stays, oldest first. Needs MANAGER; none for callers who do not see the whole organization.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn reservations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which stays; all without.")] filter: Option<ReservationFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Reservation>>> {
        let list = async {
            permit(context)?;
            let filter = filter.unwrap_or_default().decode()?;
            connect(context, filter, &PageArguments { first, after, last, before }, false).await
        };
        Some(list.await)
    }

    /// The stay with this id; null if there is none that the caller sees.
    async fn reservation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Option<Result<Reservation>> {
        find_one(context, &id).await
    }

    /// Access tokens, oldest first. Needs MANAGER; none for callers who do not see the whole organization.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn access_tokens(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which tokens; all without.")] filter: Option<AccessTokenFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<AccessToken>>> {
        let list = async {
            permit(context)?;
            let filter = filter.unwrap_or_default().decode()?;
            connect(context, filter, &PageArguments { first, after, last, before }, false).await
        };
        Some(list.await)
    }

    /// The access token with this id; null if there is none that the caller sees. Its value is not shown.
    async fn access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Option<Result<AccessToken>> {
        find_one(context, &id).await
    }

    /// The rooms of a PMS that stand for no door yet, oldest first: guests there get no code. None for callers who do not
    /// see the whole organization.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn unmapped_resources(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account of the PMS.")] vendor_account_id: ID,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<VendorRecord>>> {
        let list = async {
            context.caller()?;
            let account: VendorAccountId = decode(&vendor_account_id)?;
            let window = PageArguments { first, after, last, before };
            connect(context, resources::Unmapped(account), &window, false).await
        };
        Some(list.await)
    }
}
