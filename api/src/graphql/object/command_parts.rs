//! The parts of a command: its failure and the lines of its timeline.

use async_graphql::SimpleObject;
use domain::{clock::Timestamp, command};

use crate::graphql::words::{CommandState, FailureCode, TimelineStep};

/// Why a command failed, or why its last attempt did.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "CommandFailure")]
pub(crate) struct Failure {
    /// What a program branches on.
    code: FailureCode,
    /// What a person reads.
    message: String,
}

/// One line of a command's timeline.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct TimelineEntry {
    /// When, by our clock.
    at: Timestamp,
    /// When, by the vendor's clock, if the vendor told.
    vendor_at: Option<Timestamp>,
    /// What was done or learned.
    step: TimelineStep,
    /// The state it led to.
    state: CommandState,
    /// In words: a failure's message, a vendor's note. Never a secret.
    detail: Option<String>,
}

impl From<command::Failure> for Failure {
    fn from(failure: command::Failure) -> Self {
        Self { code: failure.code.into(), message: failure.message }
    }
}

impl From<command::TimelineEntry> for TimelineEntry {
    fn from(entry: command::TimelineEntry) -> Self {
        let command::TimelineEntry { at, vendor_at, step, state, detail } = entry;
        Self { at, vendor_at, step: step.into(), state: state.into(), detail }
    }
}
