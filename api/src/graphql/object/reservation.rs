//! A stay, as the schema shows it, with its tokens and why it is as ready as it is.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::{
    access::{Denial, Principal, Role},
    clock::Timestamp,
    ids::{ReservationId, SiteId, UserId, VendorAccountId},
};
use entities::{page::Page, rows::reservation};
use futures::FutureExt;

use super::{AccessToken, Door, Site, User, VendorAccount, VendorRecord, neighbour};
use crate::{
    graphql::{
        connection::{Connection, PageArguments},
        context::Ask,
        query::{ReservationFilter, permit_stays},
        words::{Readiness, ReadinessCode, ReservationState},
    },
    loaders::{DoorsOfReservation, ReservationsOfGuest, ResourceOfAccount, TokensOfReservation},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Reservation(pub(super) Arc<reservation::Model>);

/// Whether a caller may look at stays, tokens and placements. They tell of people.
///
/// # Errors
/// The reason why not.
pub(crate) fn may_see_stays(principal: &Principal, now: Timestamp) -> Result<(), Denial> {
    principal.must_be(Role::Manager, now)
}

/// Reads a page of the stays of a guest.
///
/// # Errors
/// The caller may not look at stays, the filter can not be used, or what failed on our side.
pub(super) async fn stays_of(
    context: &Context<'_>,
    guest: UserId,
    filter: ReservationFilter,
    window: &PageArguments,
) -> Result<Connection<Reservation>> {
    permit_stays(context)?;
    let mut filter = filter.decode()?;
    let window = window.window::<Reservation>(false)?;
    let loaders = context.loaders()?.clone();
    let nothing = || Page { rows: Vec::new(), has_next: false, has_previous: false };
    if filter.guest.take().is_some_and(|wanted| wanted != guest) {
        return Ok(Connection::new(nothing(), Box::new(|| futures::future::ready(Ok(0)).boxed())));
    }
    let page = loaders.load(ReservationsOfGuest(guest, filter.clone(), window)).await?.unwrap_or_else(nothing);
    let total = move || {
        let (loaders, key) = (loaders.clone(), ReservationsOfGuest(guest, filter.clone(), ()));
        async move { Ok(loaders.load(key).await?.unwrap_or_default()) }.boxed()
    };
    Ok(Connection::new(page, Box::new(total)))
}

/// A stay, known to a property-management system or made here. Seen by a MANAGER who sees the whole organization.
#[Object(tag = "personal")]
impl Reservation {
    /// Its id (`rsv_…`).
    pub(crate) async fn id(&self) -> ID {
        ReservationId(self.0.id).to_string().into()
    }

    /// The number that people use; null if it has none.
    async fn number(&self) -> Option<&str> {
        self.0.number.as_deref()
    }

    /// The PMS's id of it; null for one made here.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// The account of the PMS that knows it; null for one made here.
    async fn vendor_account(&self, context: &Context<'_>) -> Option<Result<VendorAccount>> {
        neighbour(context, VendorAccountId(self.0.account_id?)).await
    }

    /// Who stays; null if nobody is named.
    async fn guest(&self, context: &Context<'_>) -> Option<Result<User>> {
        neighbour(context, UserId(self.0.guest_id?)).await
    }

    /// Where.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id)).await
    }

    /// The doors that the guest is to enter by.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn doors(&self, context: &Context<'_>) -> Option<Result<Vec<Door>>> {
        let doors = async {
            let found = context.loaders()?.load(DoorsOfReservation(ReservationId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(Door::from).collect())
        };
        Some(doors.await)
    }

    /// The PMS's id of the assigned room; null if none is.
    async fn resource_external_id(&self) -> Option<&str> {
        self.0.resource.as_deref()
    }

    /// The assigned room, as the PMS describes it; null if none is assigned, or it is not known.
    async fn resource(&self, context: &Context<'_>) -> Option<Result<VendorRecord>> {
        let account = VendorAccountId(self.0.account_id?);
        neighbour(context, ResourceOfAccount(account, self.0.resource.clone()?)).await
    }

    /// Where the stay stands.
    async fn state(&self) -> Result<ReservationState> {
        Ok(self.0.state()?.into())
    }

    /// When it is to begin.
    async fn starts_at(&self) -> Timestamp {
        self.0.starts_at
    }

    /// When it is to end.
    async fn ends_at(&self) -> Timestamp {
        self.0.ends_at
    }

    /// When the guest came in; null if not yet.
    async fn actual_start(&self) -> Option<Timestamp> {
        self.0.actual_start
    }

    /// When the guest left; null if not yet.
    async fn actual_end(&self) -> Option<Timestamp> {
        self.0.actual_end
    }

    /// Whether the guest will find the doors open.
    async fn readiness(&self) -> Result<Readiness> {
        Ok(self.0.readiness()?.into())
    }

    /// Why; at least one reason.
    async fn reasons(&self) -> Result<Vec<ReadinessReason>> {
        let reasons = self.0.reasons()?.into_iter();
        Ok(reasons
            .map(|reason| ReadinessReason {
                code: reason.code.into(),
                message: reason.message,
                subject_id: reason.subject.map(ID),
            })
            .collect())
    }

    /// What was issued for it, oldest first.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn access_tokens(&self, context: &Context<'_>) -> Option<Result<Vec<AccessToken>>> {
        let tokens = async {
            let found = context.loaders()?.load(TokensOfReservation(ReservationId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(AccessToken::from).collect())
        };
        Some(tokens.await)
    }

    /// When it last changed, by our clock.
    async fn changed_at(&self) -> Timestamp {
        self.0.changed_at
    }

    /// When it was created here.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Counts its changes.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// Why a stay is as ready as it is.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct ReadinessReason {
    /// For programs.
    code: ReadinessCode,
    /// For people.
    message: String,
    /// The id of the door or placement that it is about; null if it is about the whole.
    subject_id: Option<ID>,
}
