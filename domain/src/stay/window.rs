//! From when until when the code of a stay opens. Pure: what follows from the stay's state and times.

use chrono::TimeDelta;

use super::StayTiming;
use crate::{clock::Timestamp, record::ReservationState};

/// A guest who is still in when the stay should be over keeps the code for another while, and another.
const LATE_STEP: TimeDelta = TimeDelta::hours(1);
/// The code is prolonged this long before it would end at the vendor.
const LATE_LEAD: TimeDelta = TimeDelta::minutes(30);

/// When a stay begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StayTimes {
    /// When it is to begin.
    pub starts_at: Timestamp,
    /// When it is to end.
    pub ends_at: Timestamp,
    /// When the guest came in.
    pub actual_start: Option<Timestamp>,
    /// When the guest left.
    pub actual_end: Option<Timestamp>,
}

/// From when until when something opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Whether somebody is to enter at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// They are, in the stay's window.
    Open,
    /// Not before it is confirmed.
    NotConfirmed,
    /// It was called off.
    Canceled,
    /// The guest is gone.
    Ended,
    /// Nobody can tell: nothing is taken away, and nothing is changed.
    Unreadable,
}

impl StayTimes {
    /// When the guest is to be able to enter.
    #[must_use]
    pub fn entry(&self) -> Timestamp {
        self.actual_start.map_or(self.starts_at, |actual| actual.min(self.starts_at))
    }

    /// From when until when a code for the stay opens, graces included. A guest who came early may enter at once; one who
    /// is still in keeps the code hour by hour; after an actual check-out there is no grace.
    #[must_use]
    pub fn window(&self, state: ReservationState, timing: &StayTiming, now: Timestamp) -> Window {
        let from = self.entry() - timing.grace_before;
        let planned = self.ends_at + timing.grace_after;
        let until = match self.actual_end {
            Some(left) => left,
            None if state == ReservationState::Started => prolonged(planned, now),
            None => planned,
        };
        Window { from, until }
    }

    /// When the window of a guest who is still in is prolonged next.
    pub(super) fn next_prolongation(&self, state: ReservationState, window: Window) -> Option<Timestamp> {
        (state == ReservationState::Started && self.actual_end.is_none()).then(|| window.until - LATE_LEAD)
    }

    /// Whether somebody is to enter at all.
    pub(super) fn standing(&self, state: ReservationState, now: Timestamp) -> Standing {
        if self.actual_end.is_some_and(|left| left <= now) && state != ReservationState::Canceled {
            return Standing::Ended;
        }
        match state {
            ReservationState::Canceled => Standing::Canceled,
            ReservationState::Ended => Standing::Ended,
            ReservationState::Requested | ReservationState::Optional => Standing::NotConfirmed,
            ReservationState::Unknown => Standing::Unreadable,
            ReservationState::Confirmed | ReservationState::Started if self.ends_at <= self.starts_at => {
                Standing::Unreadable
            }
            ReservationState::Confirmed | ReservationState::Started => Standing::Open,
        }
    }
}

fn prolonged(planned: Timestamp, now: Timestamp) -> Timestamp {
    let behind = (now + LATE_LEAD - planned).num_microseconds().unwrap_or_default();
    if behind < 0 {
        return planned;
    }
    let step = LATE_STEP.num_microseconds().unwrap_or(1);
    planned + TimeDelta::microseconds((behind / step + 1).saturating_mul(step))
}

impl Window {
    /// Whether an instant lies in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// With the limits that somebody asked for in the place of its own.
    #[must_use]
    pub fn asked(self, from: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        Self { from: from.unwrap_or(self.from), until: until.unwrap_or(self.until) }
    }

    /// What lies in both; `None` for nothing.
    pub(super) fn within(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), until: self.until.min(other.until) };
        (both.from < both.until).then_some(both)
    }
}
