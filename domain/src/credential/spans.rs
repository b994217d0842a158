//! From when until when a credential may open which door: its own time, that of its grants and their schedules together.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::plan::{CredentialFacts, Grant};
use crate::{clock::Timestamp, ids::DoorId};

/// A week, and one more day for clocks that are put forward or back: so far back a pattern is looked at.
const BACK: TimeDelta = TimeDelta::days(8);
/// Two weeks and a day: a range that one week skips comes in the next.
const AHEAD: TimeDelta = TimeDelta::days(15);

/// A time in which a door may be opened; an absent end is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl Reach {
    pub(super) fn holds_at(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// The first of its two ends that is still to come.
    pub(super) fn next_edge(&self, now: Timestamp) -> Option<Timestamp> {
        [self.from, self.until].into_iter().flatten().filter(|edge| *edge > now).min()
    }

    fn within(self, from: Option<Timestamp>, until: Option<Timestamp>) -> Option<Self> {
        let later = self.from.max(from);
        let earlier = [self.until, until].into_iter().flatten().min();
        let is_some = match (later, earlier) {
            (Some(later), Some(earlier)) => later < earlier,
            _ => true,
        };
        is_some.then_some(Self { from: later, until: earlier })
    }
}

/// The times of each door around `now`, in order, none touching the next. What is over is left out.
pub(super) fn joined(facts: &CredentialFacts, now: Timestamp) -> BTreeMap<DoorId, Vec<Reach>> {
    let mut doors: BTreeMap<DoorId, Vec<Reach>> = BTreeMap::new();
    for grant in &facts.grants {
        let reaches: Vec<Reach> =
            of_grant(grant, now).into_iter().filter_map(|reach| reach.within(facts.from, facts.until)).collect();
        for door in &grant.doors {
            doors.entry(*door).or_default().extend(&reaches);
        }
    }
    for reaches in doors.values_mut() {
        join(reaches);
        reaches.retain(|reach| reach.until.is_none_or(|until| until > now));
    }
    doors.retain(|_, reaches| !reaches.is_empty());
    doors
}

fn of_grant(grant: &Grant, now: Timestamp) -> Vec<Reach> {
    let whole = Reach { from: grant.from, until: grant.until };
    let Some((week, zone)) = &grant.schedule else { return vec![whole] };
    let base = grant.from.map_or(now, |from| from.max(now));
    let (begin, end) = (base - BACK, base + AHEAD);
    let spans = week.spans(begin, end, *zone).into_iter();
    // What reaches to the end of what was looked at has no end that matters before it is looked at again.
    let reach = |span: crate::schedule::Span| Reach {
        from: (span.from > begin).then_some(span.from),
        until: (span.until < end).then_some(span.until),
    };
    spans.filter_map(|span| reach(span).within(whole.from, whole.until)).collect()
}

fn join(reaches: &mut Vec<Reach>) {
    reaches.sort_by_key(|reach| reach.from);
    let mut joined: Vec<Reach> = Vec::new();
    for reach in reaches.iter() {
        match joined.last_mut() {
            Some(last) if last.until.is_none_or(|until| reach.from.is_none_or(|from| from <= until)) => {
                last.until = match (last.until, reach.until) {
                    (Some(one), Some(other)) => Some(one.max(other)),
                    _ => None,
                };
            }
            _ => joined.push(*reach),
        }
    }
    *reaches = joined;
}
