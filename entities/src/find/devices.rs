//! Devices.

use std::collections::HashMap;

use domain::{
    device::Health,
    ids::{DeviceId, SiteId, VendorAccountId},
};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, JoinType, PaginatorTrait, QueryFilter, QuerySelect, Select};

use super::doors::{tally_at_sites, windows_at_sites, with_columns};
use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::{device, vendor_account},
};

/// Which devices; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DeviceFilter {
    /// Reached by this account.
    pub account: Option<VendorAccountId>,
    /// At this site.
    pub site: Option<SiteId>,
    /// As well as this.
    pub health: Option<Health>,
}

fn query(scope: &Scope, filter: &DeviceFilter) -> Select<device::Entity> {
    let mut query = device::Entity::find().filter(scope.devices());
    if let Some(account) = filter.account {
        query = query.filter(device::Column::AccountId.eq(account.0));
    }
    if let Some(site) = filter.site {
        query = query.filter(device::Column::SiteId.eq(site.0));
    }
    if let Some(health) = filter.health {
        query = query.filter(device::Column::Health.eq(health.as_str()));
    }
    query
}

/// A page of the visible devices.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &DeviceFilter,
    request: PageRequest,
) -> Result<Page<device::Model>, StoreError> {
    page::fetch(database, query(scope, filter), device::Column::Id, request).await
}

/// How many devices are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &DeviceFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The visible ones of these devices.
///
/// # Errors
/// The database failed.
pub async fn by_ids(database: &Database, scope: &Scope, ids: &[DeviceId]) -> Result<Vec<device::Model>, StoreError> {
    Ok(device::Entity::find()
        .filter(scope.devices())
        .filter(device::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}

/// Everything an action at a device needs to know before a command is written.
#[derive(Debug, Clone, FromQueryResult)]
pub struct DeviceTarget {
    /// The device.
    #[sea_orm(nested(prefix = "device_"))]
    pub device: device::Model,
    /// The account that reaches it.
    #[sea_orm(nested(prefix = "account_"))]
    pub account: vendor_account::Model,
}

/// A visible device with its account, in one statement.
///
/// # Errors
/// The database failed.
pub async fn target(database: &Database, scope: &Scope, id: DeviceId) -> Result<Option<DeviceTarget>, StoreError> {
    let to_account = device::Entity::belongs_to(vendor_account::Entity)
        .from(device::Column::AccountId)
        .to(vendor_account::Column::Id);
    let query = device::Entity::find()
        .select_only()
        .filter(scope.devices())
        .filter(device::Column::Id.eq(id.0))
        .join(JoinType::InnerJoin, to_account.into());
    let query = with_columns::<_, device::Entity>(query, "device_");
    let query = with_columns::<_, vendor_account::Entity>(query, "account_");
    Ok(query.into_model().one(database.read()).await?)
}

/// The same window of the visible devices at each of several sites, in one statement; a site without any is left out.
///
/// # Errors
/// The database failed.
pub async fn pages_at_sites(
    database: &Database,
    scope: &Scope,
    filter: &DeviceFilter,
    sites: &[SiteId],
    request: PageRequest,
) -> Result<HashMap<SiteId, Page<device::Model>>, StoreError> {
    let columns = (device::Column::Id, device::Column::SiteId);
    windows_at_sites(database, query(scope, filter), columns, sites, request, |row| row.site_id).await
}

/// How many devices are visible at each of several sites; a site without any is left out.
///
/// # Errors
/// The database failed.
pub async fn counts_at_sites(
    database: &Database,
    scope: &Scope,
    filter: &DeviceFilter,
    sites: &[SiteId],
) -> Result<HashMap<SiteId, u64>, StoreError> {
    tally_at_sites(database, query(scope, filter), (device::Column::Id, device::Column::SiteId), sites).await
}
