//! Writing commands: accepting them once per key, calling them off, and recording each step of their way.
//! Every change is checked against the row's version: who was outrun writes nothing.

mod record;

use domain::{
    clock::Timestamp,
    command::{Action, CommandState, FailureCode, Progress, TimelineEntry, TimelineStep, cancel, superseded_by},
    event::EventType,
    ids::{ApiKeyId, CommandId, DeviceId, DoorId, IdSource, OrganizationId, SiteId, VendorAccountId},
    lane::LaneId,
    opening::Reason,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::OnConflict};

pub use record::{Recorded, Recording, record};

use super::{
    decisions,
    events::{self, NewEvent},
    keys,
};
use crate::{
    Database, StoreError,
    rows::{command, to_json},
};

/// A command that was authorised and checked, about to be written.
#[derive(Debug, Clone)]
pub struct NewCommand<'a> {
    /// Its id.
    pub id: CommandId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// Where.
    pub site: SiteId,
    /// The account that reaches it.
    pub account: VendorAccountId,
    /// The device that carries it out, unless it is for the account itself.
    pub device: Option<DeviceId>,
    /// The door, unless it is for the device or account itself.
    pub door: Option<DoorId>,
    /// What orders it.
    pub lane: LaneId,
    /// What to do.
    pub action: &'a Action,
    /// What must not be read in the action, sealed by the vault for table `commands`, column `sealed`, this id.
    pub sealed: Option<Vec<u8>>,
    /// The public id of the actor.
    pub requested_by: String,
    /// What they presented, as people may read it; nothing when the house orders by itself.
    pub credential: Option<String>,
    /// Why who asked may open the door although their role does not let them.
    pub own_way_in: Option<Reason>,
    /// The caller's key; without one every call is a command of its own.
    pub idempotency_key: Option<String>,
    /// From when on it must not be sent.
    pub expires_at: Option<Timestamp>,
}

/// What became of an acceptance.
#[derive(Debug, Clone)]
pub enum Accepted {
    /// It is written.
    New {
        /// The command.
        command: command::Model,
        /// Queued commands that it called off.
        superseded: Vec<command::Model>,
    },
    /// The same was asked for under this key before: the same command (rule 4).
    Repeated(command::Model),
    /// Something else was asked for under this key before.
    KeyReused,
    /// The API key has no uses left.
    UsedUp,
}

/// Writes a command with its event, and calls off what it supersedes, in one transaction. Once per key. If the uses of
/// the caller's API key are counted, this is one: a repetition is none.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn accept(
    database: &Database,
    ids: &dyn IdSource,
    new: NewCommand<'_>,
    counted: Option<ApiKeyId>,
    now: Timestamp,
) -> Result<Accepted, StoreError> {
    let transaction = database.begin().await?;
    match accept_within(&transaction, ids, &new, now).await? {
        Some((command, superseded)) => {
            if let Some(key) = counted
                && !keys::count_use(&transaction, key).await?
            {
                transaction.rollback().await?;
                return Ok(Accepted::UsedUp);
            }
            transaction.commit().await?;
            Ok(Accepted::New { command, superseded })
        }
        None => {
            transaction.rollback().await?;
            earlier(database, &first_row(&new, now)?).await
        }
    }
}

/// The same within a transaction of the caller's. Returns the command and those that it called off; `None`: its key was
/// used before.
///
/// # Errors
/// The database failed.
pub async fn accept_within(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    new: &NewCommand<'_>,
    now: Timestamp,
) -> Result<Option<(command::Model, Vec<command::Model>)>, StoreError> {
    let row = first_row(new, now)?;
    let once = OnConflict::columns([
        command::Column::OrganizationId,
        command::Column::RequestedBy,
        command::Column::IdempotencyKey,
    ])
    .do_nothing()
    .to_owned();
    let active = command::ActiveModel::from(row.clone()).reset_all();
    let inserted = command::Entity::insert(active).on_conflict(once).exec_without_returning(transaction).await?;
    if inserted == 0 {
        return Ok(None);
    }
    let superseded = supersede(transaction, ids, &row, new.action, now).await?;
    let asked = NewEvent::of_command(
        &row,
        EventType::CommandRequested,
        now,
        decisions::allowed(new.action, new.credential.as_deref(), new.own_way_in),
    );
    events::append(transaction, ids, vec![asked]).await?;
    Ok(Some((row, superseded)))
}

fn first_row(new: &NewCommand<'_>, now: Timestamp) -> Result<command::Model, StoreError> {
    let requested = TimelineEntry {
        at: now,
        vendor_at: None,
        step: TimelineStep::Requested,
        state: CommandState::Queued,
        detail: None,
    };
    Ok(command::Model {
        id: new.id.0,
        organization_id: new.organization.0,
        site_id: new.site.0,
        account_id: new.account.0,
        device_id: new.device.map(|device| device.0),
        door_id: new.door.map(|door| door.0),
        lane_id: new.lane,
        kind: new.action.kind().as_str().to_owned(),
        action: to_json("commands", "action", new.action)?,
        sealed: new.sealed.clone(),
        state: CommandState::Queued.as_str().to_owned(),
        evidence: domain::command::Evidence::None.as_str().to_owned(),
        requested_by: new.requested_by.clone(),
        by_own_right: new.own_way_in.is_some(),
        idempotency_key: new.idempotency_key.clone().unwrap_or_else(|| new.id.to_string()),
        created_at: now,
        expires_at: new.expires_at,
        dispatched_at: None,
        finished_at: None,
        settle_by: None,
        due_at: Some(now),
        attempts: 0,
        polls: 0,
        vendor_reference: None,
        may_have_left: false,
        rides_on: None,
        failure_code: None,
        failure_message: None,
        result: None,
        timeline: to_json("commands", "timeline", &[requested])?,
        version: 1,
    })
}

/// What was asked for under this key before, if anything: for an order that could not be accepted any more, but was.
///
/// # Errors
/// The database failed.
pub async fn accepted_before(
    database: &Database,
    new: &NewCommand<'_>,
    now: Timestamp,
) -> Result<Option<command::Model>, StoreError> {
    match earlier(database, &first_row(new, now)?).await? {
        Accepted::Repeated(row) => Ok(Some(row)),
        _ => Ok(None),
    }
}

async fn earlier(database: &Database, wanted: &command::Model) -> Result<Accepted, StoreError> {
    let found = command::Entity::find()
        .filter(command::Column::OrganizationId.eq(wanted.organization_id))
        .filter(command::Column::RequestedBy.eq(wanted.requested_by.as_str()))
        .filter(command::Column::IdempotencyKey.eq(wanted.idempotency_key.as_str()))
        .one(database.read())
        .await?;
    match found {
        Some(row)
            if row.action == wanted.action
                && row.account_id == wanted.account_id
                && row.device_id == wanted.device_id
                && row.door_id == wanted.door_id =>
        {
            Ok(Accepted::Repeated(row))
        }
        _ => Ok(Accepted::KeyReused),
    }
}

async fn supersede(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    by: &command::Model,
    action: &Action,
    now: Timestamp,
) -> Result<Vec<command::Model>, StoreError> {
    let kinds = superseded_by(action.kind());
    let (Some(door), false) = (by.door_id, kinds.is_empty()) else { return Ok(Vec::new()) };
    let queued = command::Entity::find()
        .filter(command::Column::DoorId.eq(door))
        .filter(command::Column::DueAt.is_not_null())
        .filter(command::Column::State.eq(CommandState::Queued.as_str()))
        .filter(command::Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
        .all(transaction)
        .await?;
    let mut called_off = Vec::new();
    for row in queued {
        let message = format!("A later {} for the same door called it off.", action.kind());
        if let Some(next) = cancel(&row.progress()?, FailureCode::Superseded, &message)
            && let Some(row) = write_canceled(transaction, ids, &row, &next, (&by.requested_by, now)).await?
        {
            called_off.push(row);
        }
    }
    Ok(called_off)
}

/// Calls a queued command off, in the name of `by`. `None` when it is too late.
///
/// # Errors
/// The database failed.
pub async fn call_off(
    database: &Database,
    ids: &dyn IdSource,
    row: &command::Model,
    by: &str,
    now: Timestamp,
) -> Result<Option<command::Model>, StoreError> {
    let message = format!("{by} called it off.");
    let Some(next) = cancel(&row.progress()?, FailureCode::Canceled, &message) else { return Ok(None) };
    let transaction = database.begin().await?;
    let written = write_canceled(&transaction, ids, row, &next, (by, now)).await?;
    transaction.commit().await?;
    Ok(written)
}

async fn write_canceled(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    row: &command::Model,
    next: &Progress,
    (by, now): (&str, Timestamp),
) -> Result<Option<command::Model>, StoreError> {
    let detail = next.failure.as_ref().map(|failure| failure.message.clone());
    let line = TimelineEntry { at: now, vendor_at: None, step: TimelineStep::Canceled, state: next.state, detail };
    let change = record::Change { lines: vec![line], rides_on: None, result: None };
    let Some(row) = record::write(transaction, row, next, change, now).await? else { return Ok(None) };
    events::append(transaction, ids, vec![record::finished(&row, by, now)]).await?;
    Ok(Some(row))
}
