//! What becomes of a placement: an order was given, it ended, the vendor was read or could not be. Pure.

use chrono::TimeDelta;

use super::{
    PlacementErrorCode, PlacementProgress, PlacementState, Standing, Wish,
    decide::ORDER_CHECK,
    matching::{compare, is_harmless, stricter_period},
};
use crate::{clock::Timestamp, record::RecordDetails};

/// Between two reads of which one alone concludes nothing.
const SECOND_READ: TimeDelta = TimeDelta::seconds(5);
/// Odd reads in a row that are believed.
const ENOUGH_READS: u32 = 2;
/// The longest pause before what takes access away is tried again.
const LONGEST_REVOKE_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// The same for what gives access.
const LONGEST_PLACE_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// How an order ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEnd {
    /// It was carried out.
    Done {
        /// The vendor's id of the record, if it told.
        external_id: Option<String>,
    },
    /// It certainly was not.
    NotDone {
        /// Why, for programs.
        code: PlacementErrorCode,
        /// Why, for people.
        message: String,
    },
    /// It was called off before it left.
    CalledOff,
    /// Nobody knows.
    Unknown,
}

/// What a read of the record showed.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// This.
    Shown(Box<RecordDetails>),
    /// This, with another value than ours.
    OtherValue(Box<RecordDetails>),
    /// It is not there.
    Absent,
}

impl Reading {
    /// Whether it lets nobody in at `now` and later.
    fn is_gone(&self, now: Timestamp) -> bool {
        match self {
            Self::Absent => true,
            Self::Shown(shown) | Self::OtherValue(shown) => is_harmless(shown, now),
        }
    }
}

/// What a look for something of ours brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// It is there, under this id of the vendor's.
    Found(String),
    /// It is not there, or is otherwise than it would have been made.
    Absent,
    /// There is no way to tell.
    Unclear,
}

/// What somebody has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// What was taken away is there again.
    Zombie,
    /// What we keep there was changed, or is gone.
    Drift,
}

impl Standing {
    /// An order was given: the intent, written together with the command.
    #[must_use]
    pub fn ordered(&self, now: Timestamp) -> Self {
        let old = self.progress.clone();
        let mut progress = PlacementProgress { orders: old.orders + 1, under_way: true, odd_reads: 0, ..old };
        let mut next = Self { due_at: Some(now + ORDER_CHECK), ..self.clone() };
        // What is confirmed is left alone until something else is wished for: this is about what it replaced.
        let is_confirmed = self.state == PlacementState::Confirmed && self.progress.sent_version == self.wish_version;
        let is_leftover = is_confirmed && !self.progress.leftovers.is_empty();
        if is_leftover || self.is_to_be_gone(now) {
            progress.withdrawing = true;
            if self.is_to_be_gone(now) {
                next.state = PlacementState::Revoking;
                next.revoke_requested_at = self.revoke_requested_at.or(Some(now));
            }
        } else {
            progress.ordered_at = self.progress.ordered_at.filter(|_| self.progress.sent.is_some()).or(Some(now));
            progress.earlier = longer(self.progress.earlier.clone(), self.progress.sent.clone());
            if self.progress.sent.is_none() && !matches!(self.wish, Some(Wish::CardHolder(_))) {
                // Made anew it is another record. Should the one that is gone turn up after all, it is taken away then.
                progress.leftovers.extend(next.external_id.take());
            }
            progress.sent = self.wish.clone();
            progress.sent_version = self.wish_version;
            progress.withdrawn = false;
            progress.withdrawing = false;
            progress.kept = None;
            next.state = PlacementState::Placing;
        }
        Self { progress, ..next }
    }

    /// The order under way ended.
    #[must_use]
    pub fn order_ended(&self, end: OrderEnd, now: Timestamp) -> Self {
        let to_be_gone = self.is_to_be_gone(now);
        let was_withdrawing = self.progress.withdrawing;
        let old = PlacementProgress { under_way: false, withdrawing: false, ..self.progress.clone() };
        let next = Self { progress: old, due_at: Some(now), ..self.clone() };
        let after_leftover = was_withdrawing && !self.progress.leftovers.is_empty();
        match (was_withdrawing, end) {
            (true, OrderEnd::Done { .. }) if after_leftover => {
                let progress = PlacementProgress { left: true, ..next.progress.clone() };
                Self { progress, ..next }
            }
            (true, OrderEnd::Done { external_id }) => {
                let progress =
                    PlacementProgress { withdrawn: true, failures: 0, odd_reads: 0, ..next.progress.clone() };
                let external_id = external_id.or(next.external_id.clone());
                let state = if to_be_gone { PlacementState::RevokedAtVendor } else { next.state };
                Self { state, progress, external_id, error: None, ..next }
            }
            (true, OrderEnd::NotDone { code, message }) => next.failed(code, &message, now),
            (true, OrderEnd::Unknown) => next.failed(PlacementErrorCode::OutcomeUnknown, UNKNOWN, now),
            (_, OrderEnd::CalledOff) if was_withdrawing => next,
            (_, OrderEnd::Done { external_id }) => {
                let progress =
                    PlacementProgress { earlier: next.earlier_left(), odd_reads: 0, ..next.progress.clone() };
                let external_id = external_id.or(next.external_id.clone());
                let state = if to_be_gone { PlacementState::Revoking } else { PlacementState::AtVendor };
                Self { state, progress, external_id, error: None, ..next }
            }
            (_, OrderEnd::CalledOff) => next.not_made(),
            (_, OrderEnd::NotDone { code, message }) => {
                let next = next.not_made();
                if to_be_gone {
                    next
                } else {
                    Self { state: PlacementState::Failed, ..next.failed(code, &message, now) }
                }
            }
            (_, OrderEnd::Unknown) => {
                let error = Some((PlacementErrorCode::OutcomeUnknown, UNKNOWN.to_owned())).filter(|_| !to_be_gone);
                Self { error, ..next }
            }
        }
    }

    /// The record was read. Returns what somebody has to know of.
    #[must_use]
    pub fn read(&self, reading: &Reading, now: Timestamp) -> (Self, Option<Finding>) {
        let read = PlacementProgress { read_at: Some(now), ..self.progress.clone() };
        let next = Self { progress: read, ..self.clone() };
        if self.is_to_be_gone(now) { next.read_absent(reading, now) } else { next.read_present(reading, now) }
    }

    fn read_absent(self, reading: &Reading, now: Timestamp) -> (Self, Option<Finding>) {
        let gone = reading.is_gone(now);
        let was_revoked = self.state == PlacementState::Revoked;
        match (gone, was_revoked) {
            // Somebody has seen it: that one read does not show it concludes nothing.
            (true, true) if self.progress.odd_reads == 0 => {
                let progress = PlacementProgress { odd_reads: 1, ..self.progress.clone() };
                (Self { progress, due_at: Some(now + SECOND_READ), ..self }, None)
            }
            (true, true) => {
                let progress = PlacementProgress { odd_reads: 0, ..self.progress.clone() };
                (Self { progress, due_at: None, ..self }, None)
            }
            (true, false) => (self.revoked(now), None),
            (false, true) => {
                let progress = PlacementProgress {
                    sent: self.progress.sent.clone().or_else(|| self.wish.clone()),
                    withdrawn: false,
                    odd_reads: 0,
                    ..self.progress.clone()
                };
                let state = PlacementState::Revoking;
                (Self { state, progress, revoked_at: None, due_at: Some(now), ..self }, Some(Finding::Zombie))
            }
            (false, false) => {
                let odd_reads = self.progress.odd_reads + 1;
                let believed = odd_reads >= ENOUGH_READS;
                let progress = PlacementProgress {
                    odd_reads: if believed { 0 } else { odd_reads },
                    withdrawn: !believed,
                    ..self.progress.clone()
                };
                let next = Self { progress, due_at: Some(now + SECOND_READ), ..self };
                let told = "The vendor still shows what was taken away.";
                (if believed { next.failed(PlacementErrorCode::Mismatch, told, now) } else { next }, None)
            }
        }
    }

    fn read_present(self, reading: &Reading, now: Timestamp) -> (Self, Option<Finding>) {
        let Some(wish) = self.progress.sent.clone() else { return (self, None) };
        if let Reading::Shown(shown) = reading {
            if compare(&wish, shown).is_equal() {
                return (self.confirmed(&wish, now), None);
            }
            let told = stricter_period(&wish, shown);
            if told.is_some() && (self.state != PlacementState::Confirmed || self.progress.kept == told) {
                let progress = PlacementProgress { kept: told, ..self.progress.clone() };
                return (Self { progress, ..self }.confirmed(&wish, now), None);
            }
        }
        let odd_reads = self.progress.odd_reads + 1;
        if odd_reads < ENOUGH_READS {
            let progress = PlacementProgress { odd_reads, ..self.progress.clone() };
            return (Self { progress, due_at: Some(now + SECOND_READ), ..self }, None);
        }
        let was_confirmed = self.state == PlacementState::Confirmed;
        // Sent again, as a change of what is there or anew.
        let mut progress = PlacementProgress { sent_version: 0, odd_reads: 0, ..self.progress.clone() };
        let external_id = match reading {
            Reading::Shown(_) | Reading::OtherValue(_) => self.external_id.clone(),
            Reading::Absent => {
                progress.sent = None;
                if !matches!(wish, Wish::CardHolder(_)) {
                    // Made anew it is another record. Should this one turn up after all, it is taken away then.
                    progress.leftovers.extend(self.external_id.clone());
                }
                // It may be there under another id: an order whose outcome nobody knows may have made it.
                progress.earlier = Some(wish);
                None
            }
        };
        let next = Self { state: PlacementState::Placing, progress, external_id, due_at: Some(now), ..self };
        if was_confirmed {
            let told = "It was changed or taken away at the vendor.".to_owned();
            return (Self { error: Some((PlacementErrorCode::Drift, told)), ..next }, Some(Finding::Drift));
        }
        let told = "The vendor shows something else than was sent.";
        (Self { state: PlacementState::Failed, ..next.failed(PlacementErrorCode::Mismatch, told, now) }, None)
    }

    /// A replaced record was read.
    #[must_use]
    pub fn read_leftover(&self, reading: &Reading, now: Timestamp) -> Self {
        let mut progress = PlacementProgress { read_at: Some(now), ..self.progress.clone() };
        if reading.is_gone(now) {
            progress.leftovers = progress.leftovers.into_iter().skip(1).collect();
            progress.failures = 0;
        }
        // While it is there it is asked for again.
        progress.left = false;
        let mut next = Self { progress, due_at: Some(now), ..self.clone() };
        if next.progress.leftovers.is_empty() {
            next.progress.earlier = None;
            if self.state == PlacementState::Confirmed && !self.is_to_be_gone(now) {
                next.due_at = self.wish.as_ref().and_then(end_without_times);
            }
        }
        next
    }

    /// It was looked for.
    #[must_use]
    pub fn looked(&self, look: Look, now: Timestamp) -> Self {
        let read = PlacementProgress { read_at: Some(now), ..self.progress.clone() };
        let next = Self { progress: read, due_at: Some(now), ..self.clone() };
        // Made again by our mark a person is the same person: there is nothing to fear from a look that is unclear.
        let same_by_mark = matches!(self.thing(), Some(Wish::CardHolder(_)));
        match look {
            Look::Found(id) => {
                let mut progress = PlacementProgress { odd_reads: 0, ..next.progress.clone() };
                progress.leftovers.retain(|left| *left != id);
                Self { external_id: Some(id), progress, ..next }
            }
            Look::Unclear if !same_by_mark => next.failed(PlacementErrorCode::OutcomeUnknown, UNKNOWN, now),
            Look::Absent | Look::Unclear => {
                let odd_reads = next.progress.odd_reads + 1;
                if odd_reads < ENOUGH_READS {
                    let progress = PlacementProgress { odd_reads, ..next.progress.clone() };
                    return Self { progress, due_at: Some(now + SECOND_READ), ..next };
                }
                let progress = PlacementProgress { sent: None, sent_version: 0, odd_reads: 0, ..next.progress.clone() };
                let next = Self { progress, ..next };
                if next.is_to_be_gone(now) { next.revoked(now) } else { next }
            }
        }
    }

    /// The vendor could not be asked.
    #[must_use]
    pub fn not_read(&self, message: &str, now: Timestamp) -> Self {
        let next = self.failed(PlacementErrorCode::VendorUnavailable, message, now);
        // What was confirmed stays so: that it cannot be read just now says nothing of it.
        if self.state == PlacementState::Confirmed || self.state == PlacementState::Revoked {
            return Self { error: self.error.clone(), ..next };
        }
        next
    }

    /// It cannot be tried just now.
    #[must_use]
    pub fn failed(&self, code: PlacementErrorCode, message: &str, now: Timestamp) -> Self {
        let failures = self.progress.failures.saturating_add(1);
        let progress = PlacementProgress { failures, ..self.progress.clone() };
        // What its vendor's API cannot do a person has to, in the vendor's app.
        let by_hand = code == PlacementErrorCode::CapabilityMissing;
        let due_at = Some(now + pause(failures, self.is_to_be_gone(now) && !by_hand));
        Self { progress, error: Some((code, message.to_owned())), due_at, ..self.clone() }
    }

    /// It was read back as gone, or never was there.
    pub(super) fn revoked(&self, now: Timestamp) -> Self {
        let progress = PlacementProgress {
            sent: None,
            sent_version: 0,
            earlier: None,
            ordered_at: None,
            kept: None,
            withdrawn: true,
            failures: 0,
            odd_reads: 0,
            ..self.progress.clone()
        };
        Self {
            state: PlacementState::Revoked,
            progress,
            error: None,
            due_at: None,
            revoke_requested_at: self.revoke_requested_at.or(Some(now)),
            revoked_at: Some(now),
            ..self.clone()
        }
    }

    fn confirmed(&self, wish: &Wish, now: Timestamp) -> Self {
        let progress =
            PlacementProgress { earlier: self.earlier_left(), failures: 0, odd_reads: 0, ..self.progress.clone() };
        let due_at = if progress.leftovers.is_empty() { end_without_times(wish) } else { Some(now) };
        Self {
            state: PlacementState::Confirmed,
            progress,
            error: None,
            due_at,
            last_confirmed_at: Some(now),
            ..self.clone()
        }
    }

    /// A record that was replaced is there until it is taken away; one that was changed no longer is what it was.
    fn earlier_left(&self) -> Option<Wish> {
        self.progress.earlier.clone().filter(|_| !self.progress.leftovers.is_empty())
    }

    /// The order had no effect: what was there before is there still.
    fn not_made(self) -> Self {
        let replaces = !self.progress.leftovers.is_empty() && self.external_id.is_none();
        let progress = if replaces {
            PlacementProgress { sent: None, sent_version: 0, ordered_at: None, ..self.progress.clone() }
        } else {
            let sent = self.progress.earlier.clone();
            let ordered_at = self.progress.ordered_at.filter(|_| sent.is_some() || self.external_id.is_some());
            PlacementProgress { sent, sent_version: 0, earlier: None, ordered_at, ..self.progress.clone() }
        };
        Self { progress, ..self }
    }
}

const UNKNOWN: &str = "Nobody knows what came of the last order; it is looked for.";

/// What lets somebody in for longer is what has to be reckoned with.
fn longer(one: Option<Wish>, other: Option<Wish>) -> Option<Wish> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let one_is = one.until().is_none() || other.until().is_some_and(|until| one.until() > Some(until));
            Some(if one_is { one } else { other })
        }
        (one, other) => one.or(other),
    }
}

/// When somebody has to take it away, because its vendor does not.
fn end_without_times(wish: &Wish) -> Option<Timestamp> {
    wish.until().filter(|_| !wish.keeps_times())
}

/// 1, 2, 4 .. 30 s to take away, 5, 10 s .. 5 min to place.
fn pause(failures: u32, taking_away: bool) -> TimeDelta {
    let factor = 1_i32 << failures.saturating_sub(1).min(10);
    if taking_away {
        (TimeDelta::seconds(1) * factor).min(LONGEST_REVOKE_PAUSE)
    } else {
        (TimeDelta::seconds(5) * factor).min(LONGEST_PLACE_PAUSE)
    }
}
