//! The state machine: from where a command stands and what was learned to where it stands next. No clock, no IO.
//! Rules 1 to 4 live here; the worker only carries out what these functions say. What commands at one door mean to each
//! other is in `between`.

mod between;

use chrono::TimeDelta;

pub use self::between::{Hold, coalesces, follow, holds_back, superseded_by};
use super::{CommandKind, CommandState, Evidence, Failure, FailureCode, Timing, Trigger};
use crate::clock::Timestamp;

/// Where a command stands: the columns that decisions read and write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What kind it is.
    pub kind: CommandKind,
    /// Whether it may be sent twice.
    pub trigger: Trigger,
    /// Its state.
    pub state: CommandState,
    /// How well its outcome is known.
    pub evidence: Evidence,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// From when on it must not be sent any more; `None` means never (revocations).
    pub expires_at: Option<Timestamp>,
    /// When it was first about to be sent, attempts that provably never left aside.
    pub dispatched_at: Option<Timestamp>,
    /// Until when an outcome (ACCEPTED) or evidence (OUTCOME_UNKNOWN) is waited for.
    pub settle_by: Option<Timestamp>,
    /// When the worker must look at it next; `None` when it is done with it.
    pub due_at: Option<Timestamp>,
    /// How often it was sent or about to be.
    pub attempts: u32,
    /// How often the vendor was asked since it was sent.
    pub polls: u32,
    /// The vendor's id of it.
    pub reference: Option<String>,
    /// Whether an attempt before the present one may have left (levels only): a refusal of its repetition proves nothing.
    pub may_have_left: bool,
    /// Whether it rides on another command's pulse (rule 4).
    pub rides: bool,
    /// Why it failed, or why its last attempt did.
    pub failure: Option<Failure>,
}

/// What a vendor said of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Succeeded {
        /// By whose word.
        evidence: Evidence,
    },
    /// It is certainly not done.
    Failed {
        /// Why.
        failure: Failure,
        /// By whose word.
        evidence: Evidence,
    },
    /// The vendor works on it.
    Pending {
        /// The vendor's id to ask by.
        reference: Option<String>,
        /// How far it got.
        evidence: Evidence,
        /// When the vendor gives up, by its clock.
        vendor_timeout_at: Option<Timestamp>,
    },
}

/// What became of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The vendor answered.
    Answered(Answer),
    /// The request provably never had an effect: not connected, refused before execution, throttled, too late.
    NotSent {
        /// Why.
        failure: Failure,
        /// When the vendor allows the next request.
        retry_after: Option<TimeDelta>,
    },
    /// It may or may not have had an effect.
    Lost {
        /// What went wrong.
        failure: Failure,
    },
}

/// What a poll or a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The vendor told of the command, or the door's state shows it.
    Answered(Answer),
    /// It was looked for where it would have to be, and is not there.
    Absent,
    /// Nothing that would decide it.
    Nothing {
        /// What went wrong, if something did.
        failure: Option<Failure>,
    },
}

/// What to do next with a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing, ever again.
    Rest,
    /// Nothing before this instant.
    Wait(Timestamp),
    /// Write [`dispatching`], then send it.
    Dispatch,
    /// Ask the vendor how it went, by its reference.
    Poll,
    /// Look at the door for evidence.
    Look,
    /// Take over what became of the command it rides on.
    Follow,
    /// Write this; no vendor is involved.
    Settle(Box<Progress>),
}

/// Decides what to do with a command at `now`.
///
/// A command found DISPATCHING was sent, or about to be, by a worker that is no more: it is looked at, not sent.
#[must_use]
pub fn next_step(progress: &Progress, now: Timestamp) -> Step {
    let due = match progress.due_at {
        None => return Step::Rest,
        Some(due) => due,
    };
    match progress.state {
        CommandState::Queued if progress.is_expired(now) => Step::Settle(Box::new(progress.out_of_time(now))),
        _ if due > now => Step::Wait(due),
        CommandState::Queued => Step::Dispatch,
        CommandState::Accepted | CommandState::OutcomeUnknown if progress.rides => Step::Follow,
        CommandState::Dispatching | CommandState::Accepted | CommandState::OutcomeUnknown => {
            if progress.reference.is_some() { Step::Poll } else { Step::Look }
        }
        CommandState::Succeeded | CommandState::Failed | CommandState::Expired | CommandState::Canceled => Step::Rest,
    }
}

/// The intent, written before the bytes leave (rule 2).
#[must_use]
pub fn dispatching(progress: &Progress, now: Timestamp) -> Progress {
    Progress {
        state: CommandState::Dispatching,
        dispatched_at: progress.dispatched_at.filter(|_| progress.may_have_left).or(Some(now)),
        due_at: Some(now),
        attempts: progress.attempts + 1,
        polls: 0,
        reference: None,
        ..progress.clone()
    }
}

/// What a dispatch came to.
#[must_use]
pub fn after_dispatch(progress: &Progress, sent: Sent, now: Timestamp) -> Progress {
    match sent {
        Sent::Answered(answer) => progress.answered(answer, now),
        Sent::NotSent { failure, retry_after } => {
            if progress.is_expired(now) {
                return progress.out_of_time(now);
            }
            let due = now + progress.retry_pause(retry_after);
            Progress {
                state: CommandState::Queued,
                // Nothing left, so nothing was dispatched: later opens must not ride on this one.
                dispatched_at: progress.dispatched_at.filter(|_| progress.may_have_left),
                due_at: Some(progress.expires_at.map_or(due, |limit| due.min(limit))),
                failure: Some(failure),
                ..progress.clone()
            }
        }
        Sent::Lost { failure } => progress.lost(failure, now),
    }
}

/// What a poll or look came to.
#[must_use]
pub fn after_sighting(progress: &Progress, seen: Seen, now: Timestamp) -> Progress {
    match (progress.state, seen) {
        (_, Seen::Answered(answer @ (Answer::Succeeded { .. } | Answer::Failed { .. }))) => {
            progress.answered(answer, now)
        }
        (CommandState::Dispatching, Seen::Answered(answer @ Answer::Pending { .. })) => progress.answered(answer, now),
        (CommandState::Dispatching, Seen::Nothing { failure }) if progress.trigger == Trigger::Record => {
            progress.look_again(failure, now)
        }
        (CommandState::Dispatching, Seen::Absent) if progress.may_still_be_made() => progress.look_again(None, now),
        (CommandState::Dispatching, Seen::Nothing { .. } | Seen::Absent) => progress.not_seen(interrupted(), now),
        (CommandState::Accepted, Seen::Answered(Answer::Pending { evidence, vendor_timeout_at, .. })) => {
            let listening = Progress {
                evidence: progress.evidence.max(evidence),
                settle_by: Some(progress.settle_by(vendor_timeout_at, now)),
                ..progress.clone()
            };
            listening.still_waiting(None, now)
        }
        (CommandState::Accepted, Seen::Nothing { failure }) => progress.still_waiting(failure, now),
        (CommandState::Accepted, Seen::Absent) => progress.still_waiting(None, now),
        (CommandState::OutcomeUnknown, Seen::Absent) if progress.looked_long_enough(now) => {
            let failure = Failure::new(FailureCode::NoOutcome, "It was looked for at the vendor and is not there.");
            progress.ended(CommandState::Failed, failure)
        }
        (_, Seen::Answered(Answer::Pending { .. }) | Seen::Nothing { .. } | Seen::Absent) => progress.keep_looking(now),
    }
}

/// Calls a queued command off. `None` when it is too late: it may already be on its way.
#[must_use]
pub fn cancel(progress: &Progress, code: FailureCode, message: &str) -> Option<Progress> {
    (progress.state == CommandState::Queued && !progress.may_have_left)
        .then(|| progress.ended(CommandState::Canceled, Failure::new(code, message)))
}

fn interrupted() -> Failure {
    Failure::new(FailureCode::WorkerInterrupted, "A worker stopped while the request was on its way.")
}

fn expired(progress: &Progress) -> Failure {
    let cause = progress.failure.as_ref().map_or(String::new(), |last| format!(" Last attempt: {}", last.message));
    Failure::new(FailureCode::Expired, format!("It could not be sent before its deadline.{cause}"))
}

impl Progress {
    /// Whether its time to be sent is over.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
    }

    fn ended(&self, state: CommandState, failure: Failure) -> Self {
        Self { state, due_at: None, settle_by: None, failure: Some(failure), ..self.clone() }
    }

    fn answered(&self, answer: Answer, now: Timestamp) -> Self {
        match answer {
            Answer::Succeeded { evidence } => Self {
                state: CommandState::Succeeded,
                evidence: self.evidence.max(evidence),
                due_at: None,
                settle_by: None,
                failure: None,
                ..self.clone()
            },
            Answer::Failed { failure, .. } if self.may_have_left => match self.state {
                CommandState::OutcomeUnknown => self.keep_looking(now),
                _ => self.unknown(failure, now),
            },
            Answer::Failed { failure, evidence } => {
                Self { evidence: self.evidence.max(evidence), ..self.ended(CommandState::Failed, failure) }
            }
            Answer::Pending { reference, evidence, vendor_timeout_at } => Self {
                state: CommandState::Accepted,
                evidence: self.evidence.max(evidence).max(Evidence::VendorAck),
                reference: reference.or_else(|| self.reference.clone()),
                settle_by: Some(Self { settle_by: None, ..self.clone() }.settle_by(vendor_timeout_at, now)),
                due_at: Some(now + Timing::poll_pause(0)),
                polls: 0,
                failure: None,
                ..self.clone()
            },
        }
    }

    /// Its deadline passed while it waited. That it was not sent is only true if no earlier attempt may have left.
    fn out_of_time(&self, now: Timestamp) -> Self {
        if self.may_have_left {
            return self.unknown(self.failure.clone().unwrap_or_else(|| expired(self)), now);
        }
        self.ended(CommandState::Expired, expired(self))
    }

    /// Whether it may be sent once more, though it may have left. What takes access away is sent until it is done.
    fn may_repeat(&self, now: Timestamp) -> bool {
        let without_end = self.trigger == Trigger::Level && self.expires_at.is_none();
        (without_end || Timing::may_repeat(self.trigger, self.attempts)) && !self.is_expired(now)
    }

    fn retry_pause(&self, retry_after: Option<TimeDelta>) -> TimeDelta {
        match self.expires_at {
            None => Timing::patient_pause(self.attempts, retry_after),
            Some(_) => Timing::retry_pause(self.attempts, retry_after),
        }
    }

    /// Whether a record that is not there yet may be under way.
    fn may_still_be_made(&self) -> bool {
        self.trigger == Trigger::Record && self.polls + 1 < Timing::LOOKS_FOR_A_RECORD
    }

    /// A dispatch whose answer was lost.
    fn lost(&self, failure: Failure, now: Timestamp) -> Self {
        if self.may_repeat(now) {
            // Looked at before it is repeated: it may have worked.
            let due = now + self.retry_pause(None);
            return Self { due_at: Some(due), may_have_left: true, failure: Some(failure), ..self.clone() };
        }
        self.unknown(failure, now)
    }

    /// A dispatch that left no trace.
    fn not_seen(&self, failure: Failure, now: Timestamp) -> Self {
        let failure = self.failure.clone().unwrap_or(failure);
        if self.may_repeat(now) {
            let state = CommandState::Queued;
            return Self { state, due_at: Some(now), may_have_left: true, failure: Some(failure), ..self.clone() };
        }
        self.unknown(failure, now)
    }

    /// A record could not be looked for: nothing is known of it, so it is neither repeated nor given up before its time.
    fn look_again(&self, failure: Option<Failure>, now: Timestamp) -> Self {
        let failure = self.failure.clone().or(failure).unwrap_or_else(interrupted);
        if self.is_expired(now) || self.dispatched_at.is_none_or(|sent| now >= sent + Timing::LOOK_FOR) {
            return self.unknown(failure, now);
        }
        let polls = self.polls + 1;
        let due = now + Timing::look_pause(polls);
        Self { polls, due_at: Some(due), may_have_left: true, failure: Some(failure), ..self.clone() }
    }

    fn looked_long_enough(&self, now: Timestamp) -> bool {
        self.settle_by.is_none_or(|until| now >= until)
    }

    fn unknown(&self, failure: Failure, now: Timestamp) -> Self {
        Self {
            state: CommandState::OutcomeUnknown,
            settle_by: Some(now + Timing::LOOK_FOR),
            due_at: Some(now + Timing::look_pause(0)),
            polls: 0,
            failure: Some(failure),
            ..self.clone()
        }
    }

    fn still_waiting(&self, failure: Option<Failure>, now: Timestamp) -> Self {
        let settle_by = self.settle_by.unwrap_or(now);
        if now >= settle_by {
            let silence = Failure::new(FailureCode::NoOutcome, "The vendor told no outcome in time.");
            return self.unknown(failure.or_else(|| self.failure.clone()).unwrap_or(silence), now);
        }
        let polls = self.polls + 1;
        let due = (now + Timing::poll_pause(polls)).min(settle_by);
        Self { polls, due_at: Some(due), failure, ..self.clone() }
    }

    fn keep_looking(&self, now: Timestamp) -> Self {
        let polls = self.polls + 1;
        let over = self.looked_long_enough(now);
        Self { polls, due_at: (!over).then(|| now + Timing::look_pause(polls)), ..self.clone() }
    }

    fn settle_by(&self, vendor_timeout_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let sent = self.dispatched_at.unwrap_or(now);
        let named = vendor_timeout_at.map(|at| at + Timing::OUTCOME_GRACE);
        named.or(self.settle_by).unwrap_or(now + Timing::OUTCOME_WAIT).min(sent + Timing::OUTCOME_WAIT_LIMIT)
    }
}

#[cfg(test)]
mod tests;
