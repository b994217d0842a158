//! Who can open a door, and what a person can open, as the schema shows it. What follows from what is `domain::opening`.

use std::sync::Arc;

use async_graphql::{Context, Object, Result};
use domain::{
    access::Role,
    clock::Timestamp,
    ids::{DoorId, UserId},
    opening::{self, Via, Who},
};
use futures::FutureExt;
use uuid::Uuid;

use super::{
    AccessLevel, AccessToken, Credential, Door, Placement, Reservation, Schedule, User, VendorRecord, neighbour,
};
use crate::{
    graphql::{
        connection::{Connection, Listed, PageArguments, cost},
        context::Ask,
        error::ApiError,
        words::{OpeningCertainty, OpeningReason},
    },
    loaders::{DoorsForUser, Instant, OpenersOfDoor, PosturesOfDoor, window_on},
};

/// Whether the caller sees who can open what: `None` if not the whole organization, and so nobody. An empty list would
/// say that there is nobody.
///
/// # Errors
/// The role is too low.
fn sees_people(context: &Context<'_>) -> Option<Result<()>> {
    let asked = || {
        let principal = &context.caller()?.session.principal;
        if !principal.limits.sees_everything() {
            return Ok(false);
        }
        principal.must_be(Role::Manager, context.shared()?.clock.now()).map_err(ApiError::Forbidden)?;
        Ok::<bool, ApiError>(true)
    };
    match asked() {
        Ok(sees) => sees.then_some(Ok(())),
        Err(error) => Some(Err(error.into())),
    }
}

/// An argument of the schema, made the instant that is asked about.
fn instant(context: &Context<'_>, at: Option<Timestamp>) -> Result<Instant, ApiError> {
    Ok(Instant::new(at, context.shared()?.clock.now()))
}

/// A page of a list that was worked out.
fn page<T: Listed>(
    rows: Option<Arc<[Arc<T::Row>]>>,
    key: impl Fn(&T::Row) -> Uuid,
    arguments: &PageArguments,
) -> Result<Connection<T>, ApiError> {
    let window = arguments.window::<T>(false)?;
    let rows = rows.as_deref().unwrap_or_default();
    let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let total = move || futures::future::ready(Ok(count)).boxed();
    Ok(Connection::new(window_on(rows, key, window), Box::new(total)))
}

/// See the description in the schema.
pub(crate) struct WhoCanOpen {
    door: DoorId,
    instant: Instant,
}

impl WhoCanOpen {
    /// Who can open a door at an instant, or now.
    pub(super) fn of(context: &Context<'_>, door: DoorId, at: Option<Timestamp>) -> Result<Self> {
        Ok(Self { door, instant: instant(context, at)? })
    }
}

/// Who can open a door at an instant. What is known now is what is told, of the past as of the future: what was granted
/// then and is gone is not told, and neither is what will be changed.
#[Object]
impl WhoCanOpen {
    /// The instant.
    async fn at(&self) -> Timestamp {
        self.instant.at()
    }

    /// The paths that are open to anybody who rings or calls; empty if none is. For whoever sees the door.
    async fn anybody(&self, context: &Context<'_>) -> Option<Result<Vec<OpeningPath>>> {
        let anybody = async {
            let facts = context.loaders()?.load(PosturesOfDoor(self.door)).await?.unwrap_or_default();
            let open = opening::open_to_anybody(&facts, self.instant.at());
            Ok(open.into_iter().map(OpeningPath).collect())
        };
        Some(anybody.await)
    }

    /// The people who are known to be able to, each once, with every path. Needs MANAGER; null for callers who do not see
    /// the whole organization.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn people(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only who follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only who precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Opener>>> {
        let people = async {
            let openers = context.loaders()?.load(OpenersOfDoor(self.door, self.instant)).await?;
            let arguments = PageArguments { first, after, last, before };
            Ok(page(openers, |opener: &opening::Opener| opener.who.key(), &arguments)?)
        };
        match sees_people(context)? {
            Ok(()) => Some(people.await),
            Err(error) => Some(Err(error)),
        }
    }
}

/// The doors that a person can open at an instant, or now.
pub(super) async fn what_they_can_open(
    context: &Context<'_>,
    user: UserId,
    at: Option<Timestamp>,
    arguments: &PageArguments,
) -> Option<Result<Connection<Openable>>> {
    let doors = async {
        let doors = context.loaders()?.load(DoorsForUser(user, instant(context, at)?)).await?;
        Ok(page(doors, |openable: &opening::Openable| openable.door.0, arguments)?)
    };
    match sees_people(context)? {
        Ok(()) => Some(doors.await),
        Err(error) => Some(Err(error)),
    }
}

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Opener(Arc<opening::Opener>);

impl From<Arc<opening::Opener>> for Opener {
    fn from(opener: Arc<opening::Opener>) -> Self {
        Self(opener)
    }
}

impl Listed for Opener {
    type Row = opening::Opener;
    const PREFIX: &'static str = "opener";

    fn key(&self) -> Uuid {
        self.0.who.key()
    }
}

/// Somebody who can open a door: a user, the guest of a stay whose guest is not known, or somebody whom only the vendor
/// knows. One of the three is there.
#[Object]
impl Opener {
    /// The person.
    async fn user(&self, context: &Context<'_>) -> Option<Result<User>> {
        let Who::User(user) = self.0.who else { return None };
        neighbour(context, user).await
    }

    /// The stay whose guest is not known.
    async fn guest_of(&self, context: &Context<'_>) -> Option<Result<Reservation>> {
        let Who::GuestOf(reservation) = self.0.who else { return None };
        neighbour(context, reservation).await
    }

    /// The person, number or right as the vendor keeps it.
    async fn record(&self, context: &Context<'_>) -> Option<Result<VendorRecord>> {
        let Who::VendorRecord(record) = self.0.who else { return None };
        neighbour(context, record).await
    }

    /// Every path that is open to them.
    async fn paths(&self) -> Vec<OpeningPath> {
        self.0.openings.iter().copied().map(OpeningPath).collect()
    }
}

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Openable(Arc<opening::Openable>);

impl From<Arc<opening::Openable>> for Openable {
    fn from(openable: Arc<opening::Openable>) -> Self {
        Self(openable)
    }
}

impl Listed for Openable {
    type Row = opening::Openable;
    const PREFIX: &'static str = "openable";

    fn key(&self) -> Uuid {
        self.0.door.0
    }
}

/// A door that a person can open.
#[Object]
impl Openable {
    /// The door.
    async fn door(&self, context: &Context<'_>) -> Option<Result<Door>> {
        neighbour(context, self.0.door).await
    }

    /// Every path that is open to the person there.
    async fn paths(&self) -> Vec<OpeningPath> {
        self.0.openings.iter().copied().map(OpeningPath).collect()
    }
}

/// See the description in the schema.
pub(crate) struct OpeningPath(opening::Opening);

/// One path by which a door opens, with what it goes through. What it does not go through is null.
#[Object]
impl OpeningPath {
    /// Which kind of path it is.
    async fn reason(&self) -> OpeningReason {
        self.0.via.reason().into()
    }

    /// How sure it is.
    async fn certainty(&self) -> OpeningCertainty {
        self.0.certainty.into()
    }

    /// From when on it is open; null if always. A schedule may begin it later.
    async fn from(&self) -> Option<Timestamp> {
        self.0.span.from
    }

    /// Until when it is open; null if that is not known or never. A schedule may end it sooner.
    async fn until(&self) -> Option<Timestamp> {
        self.0.span.until
    }

    /// The token.
    async fn access_token(&self, context: &Context<'_>) -> Option<Result<AccessToken>> {
        let (Via::AccessToken { token, .. } | Via::RevocationNotConfirmed { token: Some(token), .. }) = self.0.via
        else {
            return None;
        };
        neighbour(context, token).await
    }

    /// The stay that the token is for.
    async fn reservation(&self, context: &Context<'_>) -> Option<Result<Reservation>> {
        let Via::AccessToken { reservation, .. } = self.0.via else { return None };
        neighbour(context, reservation).await
    }

    /// The credential.
    async fn credential(&self, context: &Context<'_>) -> Option<Result<Credential>> {
        let (Via::Credential(credential) | Via::RevocationNotConfirmed { credential: Some(credential), .. }) =
            self.0.via
        else {
            return None;
        };
        neighbour(context, credential).await
    }

    /// The access level.
    async fn access_level(&self, context: &Context<'_>) -> Option<Result<AccessLevel>> {
        let Via::AccessLevel { level, .. } = self.0.via else { return None };
        neighbour(context, level).await
    }

    /// The schedule of the access level: it is open by the clocks of its site.
    async fn schedule(&self, context: &Context<'_>) -> Option<Result<Schedule>> {
        let Via::AccessLevel { schedule, .. } = self.0.via else { return None };
        neighbour(context, schedule?).await
    }

    /// What may still be at the vendor.
    async fn placement(&self, context: &Context<'_>) -> Option<Result<Placement>> {
        let Via::RevocationNotConfirmed { placement, .. } = self.0.via else { return None };
        neighbour(context, placement).await
    }

    /// The person, number, right or schedule as the vendor keeps it.
    async fn record(&self, context: &Context<'_>) -> Option<Result<VendorRecord>> {
        let record = match self.0.via {
            Via::DeviceAccess(record) | Via::Phone(record) | Via::VendorAccessLevel { person: record, .. } => record,
            Via::AutoAccess(record) => record?,
            _ => return None,
        };
        neighbour(context, record).await
    }

    /// The access level as the vendor keeps it.
    async fn vendor_access_level(&self, context: &Context<'_>) -> Option<Result<VendorRecord>> {
        let Via::VendorAccessLevel { level, .. } = self.0.via else { return None };
        neighbour(context, level).await
    }
}
