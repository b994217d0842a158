//! Commands.

use domain::{
    command::{CommandKind, CommandState},
    ids::{CommandId, DeviceId, DoorId, SiteId, VendorAccountId},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Select};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::command,
};

/// Which commands; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CommandFilter {
    /// To this account, its devices or their doors.
    pub account: Option<VendorAccountId>,
    /// At this site.
    pub site: Option<SiteId>,
    /// To this door.
    pub door: Option<DoorId>,
    /// To this device or one of its doors.
    pub device: Option<DeviceId>,
    /// In this state.
    pub state: Option<CommandState>,
    /// Of this kind.
    pub kind: Option<CommandKind>,
}

fn query(scope: &Scope, filter: &CommandFilter) -> Select<command::Entity> {
    use command::Column::{AccountId, DeviceId, DoorId, Kind, SiteId, State};
    let mut query = command::Entity::find().filter(scope.commands());
    if let Some(account) = filter.account {
        query = query.filter(AccountId.eq(account.0));
    }
    if let Some(site) = filter.site {
        query = query.filter(SiteId.eq(site.0));
    }
    if let Some(door) = filter.door {
        query = query.filter(DoorId.eq(door.0));
    }
    if let Some(device) = filter.device {
        query = query.filter(DeviceId.eq(device.0));
    }
    if let Some(state) = filter.state {
        query = query.filter(State.eq(state.as_str()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(Kind.eq(kind.as_str()));
    }
    query
}

/// A page of the visible commands.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &CommandFilter,
    request: PageRequest,
) -> Result<Page<command::Model>, StoreError> {
    page::fetch(database, query(scope, filter), command::Column::Id, request).await
}

/// How many commands are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &CommandFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The visible ones of these commands.
///
/// # Errors
/// The database failed.
pub async fn by_ids(database: &Database, scope: &Scope, ids: &[CommandId]) -> Result<Vec<command::Model>, StoreError> {
    Ok(query(scope, &CommandFilter::default())
        .filter(command::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
