//! What the worker reads. It serves every tenant, so nothing here is scoped, and nothing here may reach a caller.

use std::sync::PoisonError;

use domain::{
    account::AccountState,
    clock::Timestamp,
    ids::{CommandId, DoorId, OrganizationId, VendorAccountId},
    lane::LaneId,
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

use crate::{
    Database, StoreError,
    rows::{command, door, lane, organization, site, vendor_account},
};

/// The unfinished commands of a lane, oldest first, at most `limit`.
///
/// # Errors
/// The database failed.
pub async fn open_commands(database: &Database, lane: LaneId, limit: u64) -> Result<Vec<command::Model>, StoreError> {
    Ok(command::Entity::find()
        .filter(command::Column::LaneId.eq(lane))
        .filter(command::Column::DueAt.is_not_null())
        .order_by_asc(command::Column::Id)
        .limit(limit)
        .all(database.read())
        .await?)
}

/// One command as it is now.
///
/// # Errors
/// The database failed.
pub async fn command(database: &Database, id: CommandId) -> Result<Option<command::Model>, StoreError> {
    Ok(command::Entity::find_by_id(id.0).one(database.read()).await?)
}

/// The command last sent to a door, riders left out.
///
/// # Errors
/// The database failed.
pub async fn last_sent(database: &Database, door: DoorId) -> Result<Option<command::Model>, StoreError> {
    Ok(command::Entity::find()
        .filter(command::Column::DoorId.eq(door.0))
        .filter(command::Column::DispatchedAt.is_not_null())
        .filter(command::Column::RidesOn.is_null())
        .order_by_desc(command::Column::DispatchedAt)
        .limit(1)
        .one(database.read())
        .await?)
}

/// Lanes with work that is overdue since `since` and that nobody holds at `now`.
///
/// # Errors
/// The database failed.
pub async fn overdue_lanes(
    database: &Database,
    since: Timestamp,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<LaneId>, StoreError> {
    let held = Query::select()
        .column(lane::Column::Id)
        .from(lane::Entity)
        .and_where(Expr::col(lane::Column::LeaseUntil).gt(now))
        .to_owned();
    let mut overdue: Vec<LaneId> = command::Entity::find()
        .select_only()
        .column(command::Column::LaneId)
        .distinct()
        .filter(command::Column::DueAt.lte(since))
        .filter(command::Column::LaneId.not_in_subquery(held))
        .limit(limit)
        .into_tuple()
        .all(database.read())
        .await?;
    if let Some(leases) = database.leases() {
        let leases = leases.lock().unwrap_or_else(PoisonError::into_inner);
        overdue.retain(|lane| leases.get(lane).is_none_or(|(_, until)| *until <= now));
    }
    Ok(overdue)
}

/// Everything a dispatch needs to know beside its command.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Destination {
    /// The vendor's id of the device.
    pub device_external_id: String,
    /// The vendor's type of the device.
    pub model: String,
    /// The vendor's id of the door.
    pub door_external_id: Option<String>,
    /// The door's position on the device.
    pub position: Option<i32>,
    /// The account.
    pub account_id: Uuid,
    /// A `domain::account::Vendor`.
    pub vendor: String,
    /// Where its API is.
    pub base_url: String,
    /// Sealed credentials.
    pub credentials: Vec<u8>,
    /// Counts their changes.
    pub credentials_version: i64,
    /// A `domain::account::AccountState`.
    pub account_state: String,
}

/// Where a command goes. `None` when its device, door or account is gone.
///
/// # Errors
/// The database failed.
pub async fn destination(database: &Database, command: &command::Model) -> Result<Option<Destination>, StoreError> {
    const SQL: &str = "SELECT device.external_id AS device_external_id, device.model AS model, \
        door.external_id AS door_external_id, door.position AS position, account.id AS account_id, \
        account.vendor AS vendor, account.base_url AS base_url, account.credentials AS credentials, \
        account.credentials_version AS credentials_version, account.state AS account_state \
        FROM devices device JOIN vendor_accounts account ON account.id = device.account_id \
        LEFT JOIN doors door ON door.id = $2 AND door.device_id = device.id WHERE device.id = $1";
    let backend = sea_orm::ConnectionTrait::get_database_backend(database.read());
    let values = [command.device_id.into(), command.door_id.into()];
    let statement = Statement::from_sql_and_values(backend, SQL, values);
    let found = Destination::find_by_statement(statement).one(database.read()).await?;
    Ok(found.filter(|destination| command.door_id.is_none() || destination.door_external_id.is_some()))
}

/// A vendor account, whatever its tenant.
///
/// # Errors
/// The database failed.
pub async fn account(database: &Database, id: VendorAccountId) -> Result<Option<vendor_account::Model>, StoreError> {
    Ok(vendor_account::Entity::find_by_id(id.0).one(database.read()).await?)
}

/// Accounts in use whose inventory was never complete or not since `since`, oldest first.
///
/// # Errors
/// The database failed.
pub async fn accounts_to_sync(
    database: &Database,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<VendorAccountId>, StoreError> {
    let ids: Vec<Uuid> = vendor_account::Entity::find()
        .select_only()
        .column(vendor_account::Column::Id)
        .filter(
            vendor_account::Column::State
                .is_in([AccountState::Connected, AccountState::Degraded].map(AccountState::as_str)),
        )
        .filter(vendor_account::Column::SyncedAt.is_null().or(vendor_account::Column::SyncedAt.lt(since)))
        .order_by_asc(vendor_account::Column::SyncedAt)
        .limit(limit)
        .into_tuple()
        .all(database.read())
        .await?;
    Ok(ids.into_iter().map(VendorAccountId).collect())
}

/// Every vendor account of an organization, for the start of the embedded house.
///
/// # Errors
/// The database failed.
pub async fn accounts_of(
    database: &Database,
    organization: OrganizationId,
) -> Result<Vec<vendor_account::Model>, StoreError> {
    Ok(vendor_account::Entity::find()
        .filter(vendor_account::Column::OrganizationId.eq(organization.0))
        .order_by_asc(vendor_account::Column::Id)
        .all(database.read())
        .await?)
}

/// The oldest organization, if there is one: the demo's in an embedded house.
///
/// # Errors
/// The database failed.
pub async fn first_organization(database: &Database) -> Result<Option<organization::Model>, StoreError> {
    Ok(organization::Entity::find().order_by_asc(organization::Column::Id).one(database.read()).await?)
}

/// A door, whatever its tenant.
///
/// # Errors
/// The database failed.
pub async fn door(database: &Database, id: DoorId) -> Result<Option<door::Model>, StoreError> {
    Ok(door::Entity::find_by_id(id.0).one(database.read()).await?)
}

/// The first doors of the installation, for the welcome of the embedded house.
///
/// # Errors
/// The database failed.
pub async fn doors(database: &Database, limit: u64) -> Result<Vec<door::Model>, StoreError> {
    Ok(door::Entity::find().order_by_asc(door::Column::Id).limit(limit).all(database.read()).await?)
}

/// The sites of an organization.
///
/// # Errors
/// The database failed.
pub async fn sites_of(database: &Database, organization: OrganizationId) -> Result<Vec<site::Model>, StoreError> {
    Ok(site::Entity::find()
        .filter(site::Column::OrganizationId.eq(organization.0))
        .order_by_asc(site::Column::Id)
        .all(database.read())
        .await?)
}
