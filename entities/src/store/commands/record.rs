//! Recording each step of a command's way, together with what it tells of its door, its riders and its placement.

use domain::{
    clock::Timestamp,
    command::{Failure, Progress, TimelineEntry, append_timeline},
    door::{DoorReading, Source},
    event::EventType,
    ids::{CommandId, DoorId, IdSource},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, JsonValue, QueryFilter, Set, sea_query::Expr,
};
use serde_json::json;

use crate::{
    Database, StoreError,
    rows::{command, to_json},
    store::{
        doors::{self, DoorChange},
        events::{self, NewEvent},
        placements,
    },
};

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
        events::append(&transaction, ids, vec![finished(&row, &row.requested_by, now)]).await?;
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

/// That a command came to its end, through `by`: who asked for it, or who called it off.
pub(super) fn finished<'a>(row: &'a command::Model, by: &'a str, now: Timestamp) -> NewEvent<'a> {
    let data = json!({
        "kind": row.kind,
        "state": row.state,
        "evidence": row.evidence,
        "failure": row.failure_code,
    });
    NewEvent { actor: Some(by), ..NewEvent::of_command(row, EventType::CommandFinished, now, data) }
}

/// What a step adds to a row beside its progress.
pub(super) struct Change {
    pub(super) lines: Vec<TimelineEntry>,
    pub(super) rides_on: Option<CommandId>,
    pub(super) result: Option<JsonValue>,
}

pub(super) async fn write(
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
