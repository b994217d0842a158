//! The steps of a command after it has left: asking how it went, looking for evidence, following another's pulse.

pub(crate) mod call;
pub(crate) mod follow;
pub(crate) mod refresh;
pub(crate) mod sight;

use domain::{
    clock::Timestamp,
    command::{Progress, TimelineEntry, TimelineStep},
};
use vendors::port::VendorNote;

/// A vendor's own account as lines of the timeline.
pub(crate) fn notes(next: &Progress, notes: Vec<VendorNote>, at: Timestamp) -> Vec<TimelineEntry> {
    let line = |note: VendorNote| TimelineEntry {
        at,
        vendor_at: note.at,
        step: TimelineStep::VendorNote,
        state: next.state,
        detail: Some(note.text),
    };
    notes.into_iter().map(line).collect()
}
