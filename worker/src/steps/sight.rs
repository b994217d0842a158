//! Asking how a sent command went: by the vendor's reference if there is one, else by a look at the door. Both only
//! read; that a question fails says nothing of the command.

use std::sync::Arc;

use domain::{
    clock::Timestamp,
    command::{Answer, CommandState, Progress, Seen, TimelineEntry, TimelineStep, after_sighting, evidence_in},
    door::{DoorReading, Source},
    ids::{CommandId, VendorAccountId},
};
use entities::{StoreError, work};
use vendors::error::VendorError;

use crate::{
    accounts::{ConnectError, Line},
    advance_command::{Hands, Task, line, target_of},
    steps::notes,
};

/// What a sighting brought.
struct Sighting {
    seen: Seen,
    reading: Option<DoorReading>,
    lines: Vec<vendors::port::VendorNote>,
}

impl Sighting {
    const fn blind(failure: Option<domain::command::Failure>) -> Self {
        Self { seen: Seen::Nothing { failure }, reading: None, lines: Vec::new() }
    }
}

pub(crate) async fn sight(hands: &Hands, task: &Task<'_>) -> Result<Progress, StoreError> {
    let mut seen_through = None;
    let sighting = match work::destination(&hands.parts().database, task.row).await? {
        None => Sighting::blind(None),
        Some(destination) => match hands.line(&destination) {
            Err(ConnectError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::error!(command = %CommandId(task.row.id), %error, "no connection to the vendor account");
                Sighting::blind(None)
            }
            Ok(to) => {
                let Ok(_permit) = to.bulkhead.acquire().await else { return Ok(task.progress.clone()) };
                let target = target_of(&destination);
                let outcome = match &task.progress.reference {
                    Some(reference) => poll(&to, reference, &target).await,
                    None => look(hands, task, &to, &target).await,
                };
                let account = VendorAccountId(destination.account_id);
                hands.accounts().note(account, &destination.account_state, &outcome).await;
                seen_through = Some((Arc::clone(&to), target));
                outcome.unwrap_or_else(|error| Sighting { seen: error.into_seen(), reading: None, lines: Vec::new() })
            }
        },
    };
    let now = hands.parts().clock.now();
    let step = if task.progress.reference.is_some() { TimelineStep::Polled } else { TimelineStep::Looked };
    let next = after_sighting(&task.progress, sighting.seen, now);
    let mut lines = new_notes(task, notes(&next, sighting.lines, now));
    lines.push(line(&next, step, now));
    let told = sighting.reading.is_some();
    let reading = sighting.reading.map(|reading| (reading, Source::Poll));
    hands.record(task, &next, lines, None, reading).await?;
    if let (Some((to, target)), false, CommandState::Succeeded) = (seen_through, told, next.state) {
        hands.refresh_door(task.row, &next, &to, &target);
    }
    Ok(next)
}

async fn poll(to: &Line, reference: &str, target: &vendors::port::Target) -> Result<Sighting, VendorError> {
    let receipt = to.connection.door_control().poll(reference, target).await?;
    Ok(Sighting { seen: Seen::Answered(receipt.answer), reading: receipt.door, lines: receipt.notes })
}

async fn look(
    hands: &Hands,
    task: &Task<'_>,
    to: &Line,
    target: &vendors::port::Target,
) -> Result<Sighting, VendorError> {
    let Some(reading) = to.connection.door_control().look(target).await? else { return Ok(Sighting::blind(None)) };
    let now: Timestamp = hands.parts().clock.now();
    let since = task.progress.dispatched_at.unwrap_or(now);
    let seen = match evidence_in(task.progress.kind, &reading, since, now) {
        Some(evidence) => Seen::Answered(Answer::Succeeded { evidence }),
        None => Seen::Nothing { failure: None },
    };
    Ok(Sighting { seen, reading: Some(reading), lines: Vec::new() })
}

/// The vendor tells its whole account at every poll; only what is new goes into the timeline.
fn new_notes(task: &Task<'_>, lines: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    let known = task.row.timeline().unwrap_or_default();
    let is_known = |line: &TimelineEntry| {
        known.iter().any(|old| old.step == line.step && old.vendor_at == line.vendor_at && old.detail == line.detail)
    };
    lines.into_iter().filter(|line| !is_known(line)).collect()
}
