//! What commands at one door mean to each other: which calls which off, which rides on whose pulse, which waits for which.

use chrono::TimeDelta;

use super::Progress;
use crate::{
    clock::Timestamp,
    command::{CommandKind, CommandState, Timing},
};

/// The kinds of queued commands on the same door that a new command of `kind` calls off (rule 4, P4).
#[must_use]
pub const fn superseded_by(kind: CommandKind) -> &'static [CommandKind] {
    if kind.closes() { &[CommandKind::OpenDoor, CommandKind::UnlockDoor, CommandKind::ForceUnlockDoor] } else { &[] }
}

/// Whether a queued command may ride on the pulse of `leader`, the command last sent to the same door (rule 4).
///
/// A press after the leader is known to have failed is a new wish and gets a pulse of its own.
#[must_use]
pub fn coalesces(rider: &Progress, leader: &Progress, leader_finished_at: Option<Timestamp>) -> bool {
    let same = rider.kind == leader.kind && matches!(rider.kind, CommandKind::OpenDoor | CommandKind::UnlockDoor);
    let Some(pulse) = leader.dispatched_at.filter(|_| same && !leader.rides) else { return false };
    let in_window = rider.created_at <= pulse + Timing::COALESCING_WINDOW
        && rider.created_at + Timing::COALESCING_WINDOW >= pulse
        && rider.expires_at.is_none_or(|limit| pulse < limit);
    let still_its_wish = match leader.state {
        CommandState::Accepted | CommandState::Succeeded | CommandState::OutcomeUnknown => true,
        CommandState::Failed => leader_finished_at.is_some_and(|finished| rider.created_at <= finished),
        _ => false,
    };
    in_window && still_its_wish
}

/// How an earlier command holds back a later one of the same door (rule 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It has not left yet: nothing overtakes it.
    UntilItLeaves,
    /// The vendor works on it: the next order is meant for the state it leads to.
    Until(Timestamp),
}

/// Whether `earlier` holds `later` back at `now`. A forced order does not wait for what may be stuck, and an equal one
/// is no other state.
#[must_use]
pub fn holds_back(earlier: &Progress, later: &Progress, now: Timestamp) -> Option<Hold> {
    match earlier.state {
        CommandState::Queued | CommandState::Dispatching => Some(Hold::UntilItLeaves),
        CommandState::Accepted if earlier.rides || later.kind.is_forced() || later.kind == earlier.kind => None,
        CommandState::Accepted => {
            let until = earlier.dispatched_at? + Timing::ORDER_WAIT;
            (now < until).then_some(Hold::Until(until))
        }
        _ => None,
    }
}

/// What becomes of a command that rides on `leader`.
#[must_use]
pub fn follow(rider: &Progress, leader: &Progress, now: Timestamp) -> Progress {
    let beside = Progress {
        rides: true,
        evidence: rider.evidence.max(leader.evidence),
        dispatched_at: leader.dispatched_at,
        settle_by: leader.settle_by,
        failure: leader.failure.clone(),
        ..rider.clone()
    };
    match leader.state {
        CommandState::Succeeded | CommandState::Failed => Progress { state: leader.state, due_at: None, ..beside },
        CommandState::OutcomeUnknown => Progress {
            state: CommandState::OutcomeUnknown,
            due_at: leader.due_at.map(|due| due.max(now + TimeDelta::milliseconds(250))),
            ..beside
        },
        _ => Progress {
            state: if rider.state == CommandState::OutcomeUnknown { rider.state } else { CommandState::Accepted },
            due_at: Some(leader.due_at.unwrap_or(now).max(now + TimeDelta::milliseconds(250))),
            ..beside
        },
    }
}
