//! The command: what was asked for, where it stands, and the pure decisions that carry it to a truthful end.
//! `action` says what may be asked, `state` what may follow what, `timing` when, `decide` what to do next,
//! `evidence` what a door's state proves.

mod action;
mod decide;
mod evidence;
mod grounds;
mod state;
mod timeline;
mod timing;

pub use action::{Action, ActionError, CommandKind, ForceReason, Trigger};
pub use decide::{
    Answer, Hold, Progress, Seen, Sent, Step, after_dispatch, after_sighting, cancel, coalesces, dispatching, follow,
    holds_back, next_step, superseded_by,
};
pub use evidence::evidence_in;
pub use grounds::Grounds;
pub use state::{CommandState, Evidence, Failure, FailureCode};
pub use timeline::{TIMELINE_LIMIT, TimelineEntry, TimelineStep, append as append_timeline};
pub use timing::{ExpiryError, Timing, expiry};
