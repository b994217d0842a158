//! Writing commands: accepting them once per key, calling them off, and recording each step of their way.
//! Every change is checked against the row's version: who was outrun writes nothing.

use domain::{
    clock::Timestamp,
    command::{
        Action, CommandState, Failure, FailureCode, Progress, TimelineEntry, TimelineStep, append_timeline, cancel,
        superseded_by,
    },
    door::{DoorReading, Source},
    event::EventType,
    ids::{CommandId, DeviceId, DoorId, IdSource, OrganizationId, SiteId, VendorAccountId},
    lane::LaneId,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, JsonValue, QueryFilter, Set,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::{
    doors::{self, DoorChange},
    events::{self, NewEvent},
    placements,
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
}

/// Writes a command with its event, and calls off what it supersedes, in one transaction. Once per key.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn accept(
    database: &Database,
    ids: &dyn IdSource,
    new: NewCommand<'_>,
    now: Timestamp,
) -> Result<Accepted, StoreError> {
    let transaction = database.begin().await?;
    match accept_within(&transaction, ids, &new, now).await? {
        Some((command, superseded)) => {
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
    let asked = NewEvent::of_command(&row, EventType::CommandRequested, now, json!({ "kind": row.kind }));
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
            && let Some(row) = write_canceled(transaction, ids, &row, &next, now).await?
        {
            called_off.push(row);
        }
    }
    Ok(called_off)
}

/// Calls a queued command off. `None` when it is too late.
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
    let written = write_canceled(&transaction, ids, row, &next, now).await?;
    transaction.commit().await?;
    Ok(written)
}

async fn write_canceled(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    row: &command::Model,
    next: &Progress,
    now: Timestamp,
) -> Result<Option<command::Model>, StoreError> {
    let detail = next.failure.as_ref().map(|failure| failure.message.clone());
    let line = TimelineEntry { at: now, vendor_at: None, step: TimelineStep::Canceled, state: next.state, detail };
    let change = Change { lines: vec![line], rides_on: None, result: None };
    let Some(row) = write(transaction, row, next, change, now).await? else { return Ok(None) };
    events::append(transaction, ids, vec![finished(&row, now)]).await?;
    Ok(Some(row))
}

/// One step of a command's way, about to be written.
#[derive(Debug, Clone)]
pub struct Recording<'a> {
    /// The row as it was read.
    pub row: &'a command::Model,
    /// Where it stands now.
    pub progress: &'a Progress,
    /// What happened, oldest first.
    pub lines: Vec<TimelineEntry>,
    /// The command whose pulse it shares from now on.
    pub rides_on: Option<CommandId>,
    /// What was learned of its door on the way.
    pub reading: Option<(DoorReading, Source)>,
    /// What it brings back, if it does. Never a secret.
    pub result: Option<JsonValue>,
}

/// What a recording did.
#[derive(Debug, Clone)]
pub enum Recorded {
    /// Written.
    Written {
        /// The row as it is now.
        row: Box<command::Model>,
        /// The door, if a value of its state changed.
        door: Option<DoorChange>,
    },
    /// Somebody else wrote first; nothing was written. Read again.
    Outrun,
}

/// Records a step: state, evidence, door state and event in one transaction.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn record(
    database: &Database,
    ids: &dyn IdSource,
    step: Recording<'_>,
    now: Timestamp,
) -> Result<Recorded, StoreError> {
    let ends = step.progress.state.is_terminal() && step.progress.state.as_str() != step.row.state;
    let rides_on = step.rides_on;
    if !ends && step.reading.is_none() {
        // One statement is its own transaction: the hot path before the bytes leave.
        let change = Change { lines: step.lines, rides_on, result: step.result };
        let written = write(database.write(), step.row, step.progress, change, now).await?;
        return Ok(written.map_or(Recorded::Outrun, |row| Recorded::Written { row: Box::new(row), door: None }));
    }
    let transaction = database.begin().await?;
    let change = Change { lines: step.lines, rides_on, result: step.result };
    let Some(row) = write(&transaction, step.row, step.progress, change, now).await? else {
        transaction.rollback().await?;
        return Ok(Recorded::Outrun);
    };
    if ends {
        events::append(&transaction, ids, vec![finished(&row, now)]).await?;
        wake_riders(&transaction, &row, step.progress, now).await?;
        placements::order_ended(&transaction, &row, now).await?;
    }
    let door = match (row.door_id, step.reading) {
        (Some(door), Some((reading, source))) => {
            doors::merge(&transaction, ids, DoorId(door), &reading, source, now).await?
        }
        _ => None,
    };
    transaction.commit().await?;
    Ok(Recorded::Written { row: Box::new(row), door })
}

/// Whoever rides on this command learns of its end at once.
async fn wake_riders(
    transaction: &DatabaseTransaction,
    row: &command::Model,
    progress: &Progress,
    now: Timestamp,
) -> Result<(), StoreError> {
    if progress.rides || !progress.kind.opens() {
        return Ok(());
    }
    command::Entity::update_many()
        .col_expr(command::Column::DueAt, Expr::value(now))
        .filter(command::Column::RidesOn.eq(row.id))
        .filter(command::Column::DueAt.is_not_null())
        .exec(transaction)
        .await?;
    Ok(())
}

fn finished(row: &command::Model, now: Timestamp) -> NewEvent<'_> {
    let data = json!({
        "kind": row.kind,
        "state": row.state,
        "evidence": row.evidence,
        "failure": row.failure_code,
    });
    NewEvent::of_command(row, EventType::CommandFinished, now, data)
}

/// What a step adds to a row beside its progress.
struct Change {
    lines: Vec<TimelineEntry>,
    rides_on: Option<CommandId>,
    result: Option<JsonValue>,
}

async fn write(
    connection: &impl ConnectionTrait,
    row: &command::Model,
    progress: &Progress,
    change: Change,
    now: Timestamp,
) -> Result<Option<command::Model>, StoreError> {
    let Change { lines, rides_on, result } = change;
    let mut timeline = row.timeline()?;
    for line in lines {
        append_timeline(&mut timeline, line);
    }
    let (failure_code, failure_message) = match &progress.failure {
        Some(Failure { code, message }) => (Some(code.as_str().to_owned()), Some(message.clone())),
        None => (None, None),
    };
    let next = command::Model {
        state: progress.state.as_str().to_owned(),
        evidence: progress.evidence.as_str().to_owned(),
        dispatched_at: progress.dispatched_at,
        finished_at: if progress.state.is_terminal() { row.finished_at.or(Some(now)) } else { None },
        settle_by: progress.settle_by,
        due_at: progress.due_at,
        attempts: i32::try_from(progress.attempts).unwrap_or(i32::MAX),
        polls: i32::try_from(progress.polls).unwrap_or(i32::MAX),
        vendor_reference: progress.reference.clone(),
        may_have_left: progress.may_have_left,
        rides_on: rides_on.map(|leader| leader.0).or(row.rides_on),
        failure_code,
        failure_message,
        sealed: row.sealed.clone().filter(|_| progress.due_at.is_some()),
        result: result.or_else(|| row.result.clone()),
        timeline: to_json("commands", "timeline", &timeline)?,
        version: row.version + 1,
        ..row.clone()
    };
    let changed = command::ActiveModel {
        state: Set(next.state.clone()),
        evidence: Set(next.evidence.clone()),
        dispatched_at: Set(next.dispatched_at),
        finished_at: Set(next.finished_at),
        settle_by: Set(next.settle_by),
        due_at: Set(next.due_at),
        attempts: Set(next.attempts),
        polls: Set(next.polls),
        vendor_reference: Set(next.vendor_reference.clone()),
        may_have_left: Set(next.may_have_left),
        rides_on: Set(next.rides_on),
        failure_code: Set(next.failure_code.clone()),
        failure_message: Set(next.failure_message.clone()),
        sealed: Set(next.sealed.clone()),
        result: Set(next.result.clone()),
        timeline: Set(next.timeline.clone()),
        version: Set(next.version),
        ..Default::default()
    };
    let done = command::Entity::update_many()
        .set(changed)
        .filter(command::Column::Id.eq(row.id))
        .filter(command::Column::Version.eq(row.version))
        .exec(connection)
        .await?;
    Ok((done.rows_affected == 1).then_some(next))
}
