//! Events.

use domain::{
    event::EventType,
    ids::{CommandId, DeviceId, DoorId, EventId, SiteId},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Select};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::event,
};

/// Which events; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EventFilter {
    /// At this site.
    pub site: Option<SiteId>,
    /// At this door.
    pub door: Option<DoorId>,
    /// At this device.
    pub device: Option<DeviceId>,
    /// By this command.
    pub command: Option<CommandId>,
    /// Of one of these types; empty means any.
    pub types: Vec<EventType>,
}

pub(super) fn query(scope: &Scope, filter: &EventFilter) -> Select<event::Entity> {
    use event::Column::{CommandId, DeviceId, DoorId, EventType, OrganizationId, SiteId};
    let mut query = event::Entity::find().filter(scope.by_site_or_door(OrganizationId, SiteId, DoorId));
    if let Some(site) = filter.site {
        query = query.filter(SiteId.eq(site.0));
    }
    if let Some(door) = filter.door {
        query = query.filter(DoorId.eq(door.0));
    }
    if let Some(device) = filter.device {
        query = query.filter(DeviceId.eq(device.0));
    }
    if let Some(command) = filter.command {
        query = query.filter(CommandId.eq(command.0));
    }
    if !filter.types.is_empty() {
        query = query.filter(EventType.is_in(filter.types.iter().map(|kind| kind.as_str())));
    }
    query
}

/// A page of the visible events.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &EventFilter,
    request: PageRequest,
) -> Result<Page<event::Model>, StoreError> {
    page::fetch(database, query(scope, filter), event::Column::Id, request).await
}

/// How many events are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &EventFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The visible ones of these events.
///
/// # Errors
/// The database failed.
pub async fn by_ids(database: &Database, scope: &Scope, ids: &[EventId]) -> Result<Vec<event::Model>, StoreError> {
    Ok(query(scope, &EventFilter::default())
        .filter(event::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
