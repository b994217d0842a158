//! Asking how a sent command went: by the vendor's reference if there is one, else by a look at the door. Both only
//! read; that a question fails says nothing of the command.

use std::sync::Arc;

use domain::{
    clock::Timestamp,
    command::{Action, Answer, CommandState, Failure, Progress, Seen, TimelineEntry, after_sighting},
    door::Source,
    ids::{CommandId, DoorId, VendorAccountId},
};
use entities::{StoreError, work};
use messaging::Urgency;
use vendors::{error::VendorError, port::Target};

use crate::{
    accounts::{ConnectError, Line, pace::with_urgency},
    advance_command::{Entry, Hands, Task, line, target_of},
    intake::proof,
    steps::{
        call::{Told, look_for, sighting_step},
        notes,
    },
};

/// What a sighting brought.
struct Sighting {
    seen: Seen,
    told: Told,
}

impl Sighting {
    fn blind(failure: Option<Failure>) -> Self {
        Self { seen: Seen::Nothing { failure }, told: Told::nothing() }
    }
}

pub(crate) async fn sight(hands: &Hands, task: &Task<'_>) -> Result<Progress, StoreError> {
    let mut seen_through = None;
    let sighting = match work::destination(&hands.parts().database, task.row).await? {
        None => Sighting::blind(None),
        Some(destination) => match hands.line(&destination).await {
            Err(ConnectError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(command = %CommandId(task.row.id), %error, "no connection to the vendor account");
                Sighting::blind(None)
            }
            Ok(to) => {
                let Ok(_permit) = to.bulkhead.acquire().await else { return Ok(task.progress.clone()) };
                let target = target_of(&destination);
                let outcome = with_urgency(Urgency::Confirm, ask(hands, task, &to, target.as_ref())).await;
                let account = VendorAccountId(destination.account_id);
                if hands.accounts().mend(account, &to, &outcome).await.is_none() {
                    hands.accounts().note(account, &destination.account_state, &outcome).await;
                }
                seen_through = Some((account, Arc::clone(&to), target));
                outcome.unwrap_or_else(|error| Sighting { seen: error.into_seen(), told: Told::nothing() })
            }
        },
    };
    let Sighting { seen, told } = sighting;
    let now = hands.parts().clock.now();
    let step = sighting_step(task.progress.reference.is_some());
    let next = after_sighting(&task.progress, seen, now);
    let mut lines = new_notes(task, notes(&next, told.notes, now));
    lines.push(line(&next, step, now));
    let shown = told.door.is_some();
    let reading = told.door.map(|reading| (reading, Source::Poll));
    if let Some((account, to, _)) = &seen_through {
        hands.take_in(*account, to, told.news).await;
    }
    hands.record(task, &next, Entry { lines, reading, result: told.result, ..Entry::default() }).await?;
    if let Some((_, to, target)) = seen_through
        && let Some(target) = target.filter(|_| !shown && next.state == CommandState::Succeeded)
    {
        hands.refresh_door(task.row, &next, &to, &target);
    }
    Ok(next)
}

async fn ask(hands: &Hands, task: &Task<'_>, to: &Line, target: Option<&Target>) -> Result<Sighting, VendorError> {
    let action = task.row.action();
    if let Ok(Action::Change(change)) = &action {
        let (seen, told) = look_for(hands, to, task.row, change, target).await?;
        return Ok(Sighting { seen, told });
    }
    match (target, &task.progress.reference) {
        (Some(target), Some(reference)) => {
            let told = Told::from(to.connection.door_control().poll(reference, target).await?);
            Ok(Sighting { seen: Seen::Answered(told.answer.clone()), told })
        }
        (Some(target), None) => look(hands, task, to, target).await,
        (None, _) => Ok(Sighting::blind(None)),
    }
}

async fn look(hands: &Hands, task: &Task<'_>, to: &Line, target: &Target) -> Result<Sighting, VendorError> {
    let Some(reading) = to.connection.door_control().look(target).await? else { return Ok(Sighting::blind(None)) };
    let now: Timestamp = hands.parts().clock.now();
    let since = task.progress.dispatched_at.unwrap_or(now);
    let door = DoorId(task.row.door_id.unwrap_or_default());
    let seen = match proof(hands.parts(), door, task.progress.kind, &reading, since).await {
        Ok(Some(evidence)) => Seen::Answered(Answer::Succeeded { evidence }),
        Ok(None) => Seen::Nothing { failure: None },
        Err(error) => {
            tracing::warn!(command = %CommandId(task.row.id), %error, "what was seen could not be judged");
            Seen::Nothing { failure: None }
        }
    };
    Ok(Sighting { seen, told: Told { door: Some(reading), ..Told::nothing() } })
}

/// The vendor tells its whole account at every poll; only what is new goes into the timeline.
fn new_notes(task: &Task<'_>, lines: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    let known = task.row.timeline().unwrap_or_default();
    let is_known = |line: &TimelineEntry| {
        known.iter().any(|old| old.step == line.step && old.vendor_at == line.vendor_at && old.detail == line.detail)
    };
    lines.into_iter().filter(|line| !is_known(line)).collect()
}
