//! What the worker reads. It serves every tenant, so nothing here is scoped, and nothing here may reach a caller.

pub mod ledger;
pub mod placements;
pub mod stays;
pub(crate) mod watch;

use std::sync::PoisonError;

use domain::{
    account::AccountState,
    clock::Timestamp,
    command::{CommandKind, CommandState},
    ids::{CommandId, DoorId, OrganizationId, VendorAccountId},
    lane::LaneId,
    record::RecordRef,
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

use crate::{
    Database, StoreError,
    rows::{command, credential, door, lane, organization, record, site, sync_part, vendor_account, webhook_delivery},
};

/// The unfinished commands of a lane, oldest first, at most `limit`; and beyond these as many that take access away, which
/// must not wait for all that was asked for before them (rule 8).
///
/// # Errors
/// The database failed.
pub async fn open_commands(database: &Database, lane: LaneId, limit: u64) -> Result<Vec<command::Model>, StoreError> {
    let open = || {
        command::Entity::find()
            .filter(command::Column::LaneId.eq(lane))
            .filter(command::Column::DueAt.is_not_null())
            .order_by_asc(command::Column::Id)
            .limit(limit)
    };
    let mut rows = open().all(database.read()).await?;
    let is_full = u64::try_from(rows.len()).is_ok_and(|read| read >= limit);
    if let (true, Some(last)) = (is_full, rows.last().map(|row| row.id)) {
        let revoking = CommandKind::ALL.iter().filter(|kind| kind.revokes()).map(|kind| kind.as_str());
        let beyond = open()
            .filter(command::Column::Id.gt(last))
            .filter(command::Column::Kind.is_in(revoking))
            .all(database.read());
        rows.extend(beyond.await?);
    }
    Ok(rows)
}

/// Whether any credential has to be settled by `now`.
///
/// # Errors
/// The database failed.
pub async fn credentials_are_due(database: &Database, now: Timestamp) -> Result<bool, StoreError> {
    let due = credential::Entity::find()
        .select_only()
        .column(credential::Column::Id)
        .filter(credential::Column::DueAt.lte(now))
        .limit(1)
        .into_tuple::<Uuid>();
    Ok(due.one(database.read()).await?.is_some())
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
    /// The vendor's id of the device; absent for a command to the account.
    pub device_external_id: Option<String>,
    /// The vendor's type of the device.
    pub model: Option<String>,
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
        FROM vendor_accounts account LEFT JOIN devices device ON device.id = $1 AND device.account_id = account.id \
        LEFT JOIN doors door ON door.id = $2 AND door.device_id = device.id WHERE account.id = $3";
    let backend = sea_orm::ConnectionTrait::get_database_backend(database.read());
    let values = [command.device_id.into(), command.door_id.into(), command.account_id.into()];
    let statement = Statement::from_sql_and_values(backend, SQL, values);
    let found = Destination::find_by_statement(statement).one(database.read()).await?;
    Ok(found.filter(|to| {
        (command.device_id.is_none() || to.device_external_id.is_some())
            && (command.door_id.is_none() || to.door_external_id.is_some())
    }))
}

/// A vendor account, whatever its tenant.
///
/// # Errors
/// The database failed.
pub async fn account(database: &Database, id: VendorAccountId) -> Result<Option<vendor_account::Model>, StoreError> {
    Ok(vendor_account::Entity::find_by_id(id.0).one(database.read()).await?)
}

/// Accounts in use that were never synced to the end, or not since `since`, or whose sync somebody wishes for; oldest
/// first.
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
        .filter(
            vendor_account::Column::SyncedAt
                .is_null()
                .or(vendor_account::Column::SyncedAt.lt(since))
                .or(vendor_account::Column::SyncRequestedAt.is_not_null()),
        )
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

/// Commands at a door that were sent since `since` and whose outcome is still open: an observation may decide them.
///
/// # Errors
/// The database failed.
pub async fn undecided(database: &Database, door: DoorId, since: Timestamp) -> Result<Vec<command::Model>, StoreError> {
    let open = [CommandState::Dispatching, CommandState::Accepted, CommandState::OutcomeUnknown];
    Ok(command::Entity::find()
        .filter(command::Column::DoorId.eq(door.0))
        .filter(command::Column::State.is_in(open.map(CommandState::as_str)))
        .filter(command::Column::DispatchedAt.gte(since))
        .order_by_asc(command::Column::Id)
        .all(database.read())
        .await?)
}

/// Whether another command was sent to a door after `since` and until `until`, unless it certainly did nothing. Riders
/// are left out: they are the same pulse.
///
/// # Errors
/// The database failed.
pub async fn was_sent_between(
    database: &Database,
    door: DoorId,
    since: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let nothing = [CommandState::Failed, CommandState::Expired, CommandState::Canceled];
    Ok(command::Entity::find()
        .filter(command::Column::DoorId.eq(door.0))
        .filter(command::Column::RidesOn.is_null())
        .filter(command::Column::DispatchedAt.gt(since))
        .filter(command::Column::DispatchedAt.lte(until))
        .filter(command::Column::State.is_not_in(nothing.map(CommandState::as_str)))
        .one(database.read())
        .await?
        .is_some())
}

/// How far a part of an account's sync has come.
///
/// # Errors
/// The database failed.
pub async fn sync_part(
    database: &Database,
    account: VendorAccountId,
    part: &str,
) -> Result<Option<sync_part::Model>, StoreError> {
    Ok(sync_part::Entity::find_by_id((account.0, part.to_owned())).one(database.read()).await?)
}

/// Accounts with webhook deliveries that were due at `since` already.
///
/// # Errors
/// The database failed.
pub async fn accounts_with_deliveries(
    database: &Database,
    since: Timestamp,
) -> Result<Vec<VendorAccountId>, StoreError> {
    let ids: Vec<Uuid> = webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::AccountId)
        .distinct()
        .filter(webhook_delivery::Column::DueAt.lte(since))
        .limit(1_000)
        .into_tuple()
        .all(database.read())
        .await?;
    Ok(ids.into_iter().map(VendorAccountId).collect())
}

/// Whether a record of an account is known, missing or not.
///
/// # Errors
/// The database failed.
pub async fn knows_record(
    database: &Database,
    account: VendorAccountId,
    record: &RecordRef,
) -> Result<bool, StoreError> {
    let found = record::Entity::find()
        .filter(record::Column::AccountId.eq(account.0))
        .filter(record::Column::Kind.eq(record.kind.as_str()))
        .filter(record::Column::ExternalId.eq(record.external_id.as_str()))
        .one(database.read())
        .await?;
    Ok(found.is_some())
}
