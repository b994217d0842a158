//! Sites.

use domain::ids::SiteId;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::site,
};

/// A page of the visible sites.
///
/// # Errors
/// The database failed.
pub async fn page(database: &Database, scope: &Scope, request: PageRequest) -> Result<Page<site::Model>, StoreError> {
    page::fetch(database, site::Entity::find().filter(scope.sites()), site::Column::Id, request).await
}

/// How many sites are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope) -> Result<u64, StoreError> {
    Ok(site::Entity::find().filter(scope.sites()).count(database.read()).await?)
}

/// The visible ones of these sites.
///
/// # Errors
/// The database failed.
pub async fn by_ids(database: &Database, scope: &Scope, ids: &[SiteId]) -> Result<Vec<site::Model>, StoreError> {
    Ok(site::Entity::find()
        .filter(scope.sites())
        .filter(site::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
