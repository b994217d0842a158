//! Stays. They tell of people: only principals who see the whole organization find any.

use std::collections::HashMap;

use domain::{
    clock::Timestamp,
    ids::{DoorId, ReservationId, SiteId, UserId},
    record::ReservationState,
    stay::Readiness,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use uuid::Uuid;

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::{reservation, reservation_door},
};

/// Which stays; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ReservationFilter {
    /// At this site.
    pub site: Option<SiteId>,
    /// In one of these states; empty means any.
    pub states: Vec<ReservationState>,
    /// As ready as one of these; empty means any.
    pub readiness: Vec<Readiness>,
    /// Not over before this time.
    pub from: Option<Timestamp>,
    /// Begun before this time.
    pub until: Option<Timestamp>,
    /// Of this guest.
    pub guest: Option<UserId>,
    /// With this door.
    pub door: Option<DoorId>,
    /// With this number for people.
    pub number: Option<String>,
}

fn query(scope: &Scope, filter: &ReservationFilter) -> Select<reservation::Entity> {
    let mut query = reservation::Entity::find().filter(scope.whole_organization(reservation::Column::OrganizationId));
    if let Some(site) = filter.site {
        query = query.filter(reservation::Column::SiteId.eq(site.0));
    }
    if !filter.states.is_empty() {
        query = query.filter(reservation::Column::State.is_in(filter.states.iter().map(|state| state.as_str())));
    }
    if !filter.readiness.is_empty() {
        query = query.filter(reservation::Column::Readiness.is_in(filter.readiness.iter().map(|word| word.as_str())));
    }
    if let Some(from) = filter.from {
        query = query.filter(reservation::Column::EndsAt.gt(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(reservation::Column::StartsAt.lt(until));
    }
    if let Some(guest) = filter.guest {
        query = query.filter(reservation::Column::GuestId.eq(guest.0));
    }
    if let Some(door) = filter.door {
        let at_door = reservation_door::Entity::find()
            .select_only()
            .column(reservation_door::Column::ReservationId)
            .filter(reservation_door::Column::DoorId.eq(door.0))
            .into_query();
        query = query.filter(reservation::Column::Id.in_subquery(at_door));
    }
    if let Some(number) = &filter.number {
        query = query.filter(reservation::Column::Number.eq(number.as_str()));
    }
    query
}

/// A page of the visible stays.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &ReservationFilter,
    request: PageRequest,
) -> Result<Page<reservation::Model>, StoreError> {
    page::fetch(database, query(scope, filter), reservation::Column::Id, request).await
}

/// How many stays are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &ReservationFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The visible ones of these stays.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[ReservationId],
) -> Result<Vec<reservation::Model>, StoreError> {
    Ok(query(scope, &ReservationFilter::default())
        .filter(reservation::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}

/// The same window of the visible stays of each of several guests, in one statement; a guest without any is left out.
///
/// # Errors
/// The database failed.
pub async fn pages_of_guests(
    database: &Database,
    scope: &Scope,
    filter: &ReservationFilter,
    guests: &[UserId],
    request: PageRequest,
) -> Result<HashMap<UserId, Page<reservation::Model>>, StoreError> {
    let ids: Vec<Uuid> = guests.iter().map(|guest| guest.0).collect();
    let columns = (reservation::Column::Id, reservation::Column::GuestId);
    let guest_of = |row: &reservation::Model| row.guest_id.unwrap_or_default();
    let pages = page::fetch_each(database, query(scope, filter), columns, &ids, request, guest_of).await?;
    Ok(pages.into_iter().map(|(guest, page)| (UserId(guest), page)).collect())
}

/// How many stays of each of several guests are visible; a guest without any is left out.
///
/// # Errors
/// The database failed.
pub async fn counts_of_guests(
    database: &Database,
    scope: &Scope,
    filter: &ReservationFilter,
    guests: &[UserId],
) -> Result<HashMap<UserId, u64>, StoreError> {
    let ids: Vec<Uuid> = guests.iter().map(|guest| guest.0).collect();
    let columns = (reservation::Column::Id, reservation::Column::GuestId);
    let counts = page::count_each(database, query(scope, filter), columns, &ids).await?;
    Ok(counts.into_iter().map(|(guest, count)| (UserId(guest), count)).collect())
}

/// Which doors belong to these stays, which were found in scope.
///
/// # Errors
/// The database failed.
pub async fn doors(database: &Database, ids: &[ReservationId]) -> Result<Vec<reservation_door::Model>, StoreError> {
    Ok(reservation_door::Entity::find()
        .filter(reservation_door::Column::ReservationId.is_in(ids.iter().map(|id| id.0)))
        .order_by_asc(reservation_door::Column::DoorId)
        .all(database.read())
        .await?)
}
