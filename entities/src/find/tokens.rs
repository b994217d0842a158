//! Access tokens. They tell of people: only principals who see the whole organization find any.

use domain::{
    ids::{AccessTokenId, DoorId, ReservationId, SiteId},
    stay::TokenState,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::{access_token, access_token_door},
};

/// Which tokens; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TokenFilter {
    /// Of this stay.
    pub reservation: Option<ReservationId>,
    /// At this site.
    pub site: Option<SiteId>,
    /// That open this door, or may still.
    pub door: Option<DoorId>,
    /// In one of these states; empty means any.
    pub states: Vec<TokenState>,
}

fn query(scope: &Scope, filter: &TokenFilter) -> Select<access_token::Entity> {
    let mut query = access_token::Entity::find().filter(scope.whole_organization(access_token::Column::OrganizationId));
    if let Some(reservation) = filter.reservation {
        query = query.filter(access_token::Column::ReservationId.eq(reservation.0));
    }
    if let Some(site) = filter.site {
        query = query.filter(access_token::Column::SiteId.eq(site.0));
    }
    if let Some(door) = filter.door {
        let at_door = access_token_door::Entity::find()
            .select_only()
            .column(access_token_door::Column::AccessTokenId)
            .filter(access_token_door::Column::DoorId.eq(door.0))
            .into_query();
        query = query.filter(access_token::Column::Id.in_subquery(at_door));
    }
    if !filter.states.is_empty() {
        query = query.filter(access_token::Column::State.is_in(filter.states.iter().map(|state| state.as_str())));
    }
    query
}

/// A page of the visible tokens.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &TokenFilter,
    request: PageRequest,
) -> Result<Page<access_token::Model>, StoreError> {
    page::fetch(database, query(scope, filter), access_token::Column::Id, request).await
}

/// How many tokens are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &TokenFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The visible ones of these tokens.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[AccessTokenId],
) -> Result<Vec<access_token::Model>, StoreError> {
    Ok(query(scope, &TokenFilter::default())
        .filter(access_token::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}

/// The visible tokens of these stays, oldest first.
///
/// # Errors
/// The database failed.
pub async fn by_reservations(
    database: &Database,
    scope: &Scope,
    reservations: &[ReservationId],
) -> Result<Vec<access_token::Model>, StoreError> {
    Ok(query(scope, &TokenFilter::default())
        .filter(access_token::Column::ReservationId.is_in(reservations.iter().map(|id| id.0)))
        .order_by_asc(access_token::Column::Id)
        .all(database.read())
        .await?)
}

/// Which doors these tokens open or may still open. The tokens were found in scope.
///
/// # Errors
/// The database failed.
pub async fn doors(database: &Database, ids: &[AccessTokenId]) -> Result<Vec<access_token_door::Model>, StoreError> {
    Ok(access_token_door::Entity::find()
        .filter(access_token_door::Column::AccessTokenId.is_in(ids.iter().map(|id| id.0)))
        .order_by_asc(access_token_door::Column::DoorId)
        .all(database.read())
        .await?)
}
