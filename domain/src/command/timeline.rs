//! The timeline of a command: what was done and learned, when, in order. It explains an outcome by itself (P23).

use serde::{Deserialize, Serialize};

use super::CommandState;
use crate::{clock::Timestamp, text_enum};

text_enum! {
    /// One kind of line in a timeline.
    pub enum TimelineStep {
        /// It was asked for.
        Requested = "REQUESTED",
        /// It rides on the pulse of another command.
        Coalesced = "COALESCED",
        /// The intent was written; the bytes leave next.
        Dispatching = "DISPATCHING",
        /// The vendor answered the request.
        Answered = "ANSWERED",
        /// The request provably never had an effect.
        NotSent = "NOT_SENT",
        /// The request may have had an effect; the answer was lost.
        AnswerLost = "ANSWER_LOST",
        /// The vendor was asked how it went.
        Polled = "POLLED",
        /// The door was looked at for evidence.
        Looked = "LOOKED",
        /// A webhook or an event of the vendor's showed it.
        Noticed = "NOTICED",
        /// The vendor's own account of it.
        VendorNote = "VENDOR_NOTE",
        /// Its time ran out.
        Expired = "EXPIRED",
        /// It was called off.
        Canceled = "CANCELED",
    }
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When, by our clock.
    pub at: Timestamp,
    /// When, by the vendor's clock, if it told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_at: Option<Timestamp>,
    /// What.
    pub step: TimelineStep,
    /// The state it led to.
    pub state: CommandState,
    /// In words: a failure's message, a vendor's note. Never a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// More lines than this are not kept; the oldest polls go first.
pub const TIMELINE_LIMIT: usize = 60;

/// Appends a line. Polls and looks that taught nothing new replace the one before, so that a long wait stays short.
pub fn append(timeline: &mut Vec<TimelineEntry>, entry: TimelineEntry) {
    let asks = |step| matches!(step, TimelineStep::Polled | TimelineStep::Looked);
    if let Some(last) = timeline.last_mut()
        && asks(entry.step)
        && last.step == entry.step
        && last.state == entry.state
        && last.detail == entry.detail
    {
        *last = entry;
        return;
    }
    if timeline.len() >= TIMELINE_LIMIT {
        let victim = timeline.iter().position(|line| asks(line.step) || line.step == TimelineStep::VendorNote);
        timeline.remove(victim.unwrap_or(1));
    }
    timeline.push(entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_stays_short_and_keeps_its_beginning() {
        let mut timeline = Vec::new();
        let entry = |step, detail: Option<String>| TimelineEntry {
            at: Timestamp::default(),
            vendor_at: None,
            step,
            state: CommandState::Accepted,
            detail,
        };
        append(&mut timeline, entry(TimelineStep::Requested, None));
        for _ in 0..50 {
            append(&mut timeline, entry(TimelineStep::Polled, None));
        }
        assert_eq!(timeline.len(), 2);
        for number in 0..500 {
            append(&mut timeline, entry(TimelineStep::Looked, Some(number.to_string())));
        }
        assert_eq!(timeline.len(), TIMELINE_LIMIT);
        assert_eq!(timeline[0].step, TimelineStep::Requested);
    }
}
