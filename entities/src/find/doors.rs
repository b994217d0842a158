//! Doors, and what a command to one needs to know.

use std::collections::HashMap;

use domain::{
    device::Health,
    door::{LockState, Mode, Occupancy, Position},
    ids::{DeviceId, DoorId, SiteId},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, IdenStatic, Iterable, JoinType, ModelTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, LikeExpr},
};
use uuid::Uuid;

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::{device, door, vendor_account},
};

/// Which doors; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DoorFilter {
    /// At this site.
    pub site: Option<SiteId>,
    /// With the bolt like this.
    pub lock: Option<LockState>,
    /// With the leaf like this.
    pub position: Option<Position>,
    /// Following this rule.
    pub mode: Option<Mode>,
    /// Used like this.
    pub occupancy: Option<Occupancy>,
    /// On a device as well as this.
    pub health: Option<Health>,
    /// With this text in the name, in any case of letters.
    pub text: Option<String>,
}

fn query(scope: &Scope, filter: &DoorFilter) -> Select<door::Entity> {
    let mut query = door::Entity::find().filter(scope.doors());
    if let Some(site) = filter.site {
        query = query.filter(door::Column::SiteId.eq(site.0));
    }
    let values = [
        (door::Column::LockValue, filter.lock.map(LockState::as_str)),
        (door::Column::PositionValue, filter.position.map(Position::as_str)),
        (door::Column::ModeValue, filter.mode.map(Mode::as_str)),
        (door::Column::OccupancyValue, filter.occupancy.map(Occupancy::as_str)),
    ];
    for (column, value) in values {
        if let Some(value) = value {
            query = query.filter(column.eq(value));
        }
    }
    if let Some(health) = filter.health {
        let devices = device::Entity::find()
            .select_only()
            .column(device::Column::Id)
            .filter(device::Column::OrganizationId.eq(scope.organization().0))
            .filter(device::Column::Health.eq(health.as_str()))
            .into_query();
        query = query.filter(door::Column::DeviceId.in_subquery(devices));
    }
    if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
        let literal = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = LikeExpr::new(format!("%{literal}%")).escape('\\');
        query = query.filter(Expr::col((door::Entity, door::Column::NameFolded)).like(pattern));
    }
    query
}

/// A page of the visible doors.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &DoorFilter,
    request: PageRequest,
) -> Result<Page<door::Model>, StoreError> {
    page::fetch(database, query(scope, filter), door::Column::Id, request).await
}

/// How many doors are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &DoorFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The visible ones of these doors.
///
/// # Errors
/// The database failed.
pub async fn by_ids(database: &Database, scope: &Scope, ids: &[DoorId]) -> Result<Vec<door::Model>, StoreError> {
    Ok(door::Entity::find()
        .filter(scope.doors())
        .filter(door::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}

/// The visible doors of these devices, in the order of their positions.
///
/// # Errors
/// The database failed.
pub async fn by_devices(
    database: &Database,
    scope: &Scope,
    devices: &[DeviceId],
) -> Result<Vec<door::Model>, StoreError> {
    Ok(door::Entity::find()
        .filter(scope.doors())
        .filter(door::Column::DeviceId.is_in(devices.iter().map(|id| id.0)))
        .order_by_asc(door::Column::Position)
        .order_by_asc(door::Column::Id)
        .all(database.read())
        .await?)
}

/// Everything an action at a door needs to know before a command is written.
#[derive(Debug, Clone, FromQueryResult)]
pub struct DoorTarget {
    /// The door.
    #[sea_orm(nested(prefix = "door_"))]
    pub door: door::Model,
    /// The device that drives it.
    #[sea_orm(nested(prefix = "device_"))]
    pub device: device::Model,
    /// The account that reaches the device.
    #[sea_orm(nested(prefix = "account_"))]
    pub account: vendor_account::Model,
}

/// A visible door with its device and account, in one statement.
///
/// # Errors
/// The database failed.
pub async fn target(database: &Database, scope: &Scope, id: DoorId) -> Result<Option<DoorTarget>, StoreError> {
    let to_device = door::Entity::belongs_to(device::Entity).from(door::Column::DeviceId).to(device::Column::Id);
    let to_account = device::Entity::belongs_to(vendor_account::Entity)
        .from(device::Column::AccountId)
        .to(vendor_account::Column::Id);
    let query = door::Entity::find()
        .select_only()
        .filter(scope.doors())
        .filter(door::Column::Id.eq(id.0))
        .join(JoinType::InnerJoin, to_device.into())
        .join(JoinType::InnerJoin, to_account.into());
    let query = with_columns::<_, door::Entity>(query, "door_");
    let query = with_columns::<_, device::Entity>(query, "device_");
    let query = with_columns::<_, vendor_account::Entity>(query, "account_");
    Ok(query.into_model().one(database.read()).await?)
}

/// Adds every column of a joined table, named with a prefix so that several tables fit into one row.
pub(super) fn with_columns<E: EntityTrait, Joined: EntityTrait>(query: Select<E>, prefix: &str) -> Select<E> {
    Joined::Column::iter().fold(query, |query, column| query.column_as(column, format!("{prefix}{}", column.as_str())))
}

/// The same window of the visible doors at each of several sites, in one statement; a site without any is left out.
///
/// # Errors
/// The database failed.
pub async fn pages_at_sites(
    database: &Database,
    scope: &Scope,
    filter: &DoorFilter,
    sites: &[SiteId],
    request: PageRequest,
) -> Result<HashMap<SiteId, Page<door::Model>>, StoreError> {
    let columns = (door::Column::Id, door::Column::SiteId);
    windows_at_sites(database, query(scope, filter), columns, sites, request, |row| row.site_id).await
}

/// How many doors are visible at each of several sites; a site without any is left out.
///
/// # Errors
/// The database failed.
pub async fn counts_at_sites(
    database: &Database,
    scope: &Scope,
    filter: &DoorFilter,
    sites: &[SiteId],
) -> Result<HashMap<SiteId, u64>, StoreError> {
    tally_at_sites(database, query(scope, filter), (door::Column::Id, door::Column::SiteId), sites).await
}

/// Reads the same window of the lists of several sites.
pub(super) async fn windows_at_sites<E, Row>(
    database: &Database,
    query: Select<E>,
    columns: (E::Column, E::Column),
    sites: &[SiteId],
    request: PageRequest,
    site_of: impl Fn(&Row) -> Uuid,
) -> Result<HashMap<SiteId, Page<Row>>, StoreError>
where
    E: EntityTrait<Model = Row>,
    Row: FromQueryResult + Send + Sync + ModelTrait<Entity = E>,
{
    let sites: Vec<Uuid> = sites.iter().map(|site| site.0).collect();
    let pages = page::fetch_each(database, query, columns, &sites, request, site_of).await?;
    Ok(pages.into_iter().map(|(site, page)| (SiteId(site), page)).collect())
}

/// Counts the lists of several sites.
pub(super) async fn tally_at_sites<E: EntityTrait>(
    database: &Database,
    query: Select<E>,
    columns: (E::Column, E::Column),
    sites: &[SiteId],
) -> Result<HashMap<SiteId, u64>, StoreError> {
    let sites: Vec<Uuid> = sites.iter().map(|site| site.0).collect();
    let counts = page::count_each(database, query, columns, &sites).await?;
    Ok(counts.into_iter().map(|(site, count)| (SiteId(site), count)).collect())
}
