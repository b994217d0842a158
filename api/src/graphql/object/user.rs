//! A person, as the schema shows them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    clock::Timestamp,
    ids::{UserId, VendorAccountId},
};
use entities::rows::user;

use super::{
    AccessAssignment, Credential, Identity, Membership, Reservation, VendorAccount, may_see_people, neighbour,
    opening::{Openable, what_they_can_open},
    reservation::stays_of,
};
use crate::{
    graphql::{
        connection::{Connection, PageArguments, cost},
        context::Ask,
        error::ApiError,
        query::ReservationFilter,
    },
    loaders::{AssignmentsOfUser, CredentialsOfUser, IdentitiesOfUser, MembershipsOfUser},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct User(pub(super) Arc<user::Model>);

/// A person: who holds credentials, stays as a guest or may sign in. Seen by a MANAGER who sees the whole organization, and
/// by themselves.
#[Object(tag = "personal")]
impl User {
    /// Their id (`user_…`).
    pub(crate) async fn id(&self) -> ID {
        UserId(self.0.id).to_string().into()
    }

    /// Their name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Their e-mail address, if known.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Their telephone number, if known: digits with the country code.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// The account of the PMS that tells of them; null for whom it does not.
    async fn vendor_account(&self, context: &Context<'_>) -> Option<Result<VendorAccount>> {
        neighbour(context, VendorAccountId(self.0.account_id?)).await
    }

    /// The PMS's id of them; null for whom no PMS tells of.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// What they present at doors, revoked credentials too, oldest first. Needs MANAGER.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn credentials(&self, context: &Context<'_>) -> Option<Result<Vec<Credential>>> {
        let credentials = async {
            permit(context)?;
            let found = context.loaders()?.load(CredentialsOfUser(UserId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(Credential::from).collect())
        };
        Some(credentials.await)
    }

    /// The access levels that they have, and from when until when, oldest first. Needs MANAGER.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn access_levels(&self, context: &Context<'_>) -> Option<Result<Vec<AccessAssignment>>> {
        let assignments = async {
            permit(context)?;
            let found = context.loaders()?.load(AssignmentsOfUser(UserId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(AccessAssignment::from).collect())
        };
        Some(assignments.await)
    }

    /// What they may do when they sign in; empty for who may not. Needs MANAGER.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn memberships(&self, context: &Context<'_>) -> Option<Result<Vec<Membership>>> {
        let memberships = async {
            permit(context)?;
            let found = context.loaders()?.load(MembershipsOfUser(UserId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(Membership::from).collect())
        };
        Some(memberships.await)
    }

    /// Who they are at identity providers, oldest first; empty for who never signed in through one. Needs MANAGER.
    #[graphql(complexity = "1 + 2 * child_complexity")]
    async fn identities(&self, context: &Context<'_>) -> Option<Result<Vec<Identity>>> {
        let identities = async {
            permit(context)?;
            let found = context.loaders()?.load(IdentitiesOfUser(UserId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(Identity::from).collect())
        };
        Some(identities.await)
    }

    /// The doors that they can open, and how: what is known of them now is what is told, of the past as of the future.
    /// What opens to anybody who rings or calls is not among it. Needs MANAGER.
    #[graphql(complexity = "10 + cost(first, last, child_complexity)")]
    async fn can_open(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At this instant; now without.")] at: Option<Timestamp>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Openable>>> {
        let arguments = PageArguments { first, after, last, before };
        what_they_can_open(context, UserId(self.0.id), at, &arguments).await
    }

    /// Their stays, oldest first. Needs MANAGER.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn reservations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which stays; all without. A `guestId` in it must be this user's.")] filter: Option<
            ReservationFilter,
        >,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Reservation>>> {
        let window = PageArguments { first, after, last, before };
        Some(stays_of(context, UserId(self.0.id), filter.unwrap_or_default(), &window).await)
    }

    /// When they were erased: nothing personal is kept since; null if they were not.
    async fn erased_at(&self) -> Option<Timestamp> {
        self.0.erased_at
    }

    /// When they were added.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}

/// Whether the caller may look at what people hold and are assigned.
fn permit(context: &Context<'_>) -> Result<(), ApiError> {
    let now = context.shared()?.clock.now();
    may_see_people(&context.caller()?.session.principal, now).map_err(ApiError::Forbidden)
}
