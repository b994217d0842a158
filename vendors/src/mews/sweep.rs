//! What is due when reservations or tokens are read: the access horizon, or what changed since the last time. Pure.

use std::collections::VecDeque;

use chrono::{DurationRound, SecondsFormat, TimeDelta};
use domain::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How far the access horizon reaches: from yesterday on.
const HORIZON: TimeDelta = TimeDelta::days(90);
/// No interval is longer than three months, of which the shortest have 89 days.
const LONGEST: TimeDelta = TimeDelta::days(89);
/// How much of the time that was read already is read again.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);
/// How often the whole horizon is read: it moves on, and neither a guest's new name nor a new companion is sure to
/// change the reservation's own time.
const HORIZON_EVERY: TimeDelta = TimeDelta::hours(24);

/// Where a sweep ended, by the vendor's clock. Its JSON is the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// Every change before this was read.
    updated_until: Timestamp,
    /// When the whole horizon was last read.
    horizon_at: Timestamp,
}

/// By what an interval chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpanFilter {
    /// What overlaps it.
    Colliding,
    /// What changed in it.
    Updated,
}

/// One interval to be read, page by page. It ends just before `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    filter: SpanFilter,
    from: Timestamp,
    until: Timestamp,
    /// Whether nothing was read before: what is over by then needs not to be known.
    pub(super) is_first: bool,
    /// The cursor to keep once all of it is stored.
    pub(super) cursor: Option<String>,
}

impl Span {
    /// The name of its filter at Mews, and the interval.
    pub(super) fn filter(&self) -> (&'static str, Value) {
        let name = match self.filter {
            SpanFilter::Colliding => "CollidingUtc",
            SpanFilter::Updated => "UpdatedUtc",
        };
        (name, interval(self.from, self.until))
    }
}

/// An interval in Mews' words.
pub(super) fn interval(from: Timestamp, until: Timestamp) -> Value {
    json!({ "StartUtc": utc(from), "EndUtc": utc(until) })
}

/// An instant in Mews' words, exact.
pub(super) fn utc(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// What is due at `now` (by the vendor's clock, taken before anything is read) after a sweep that ended at `cursor`.
pub(super) fn plan(cursor: Option<&str>, now: Timestamp) -> VecDeque<Span> {
    let Some(last) = cursor.and_then(|cursor| serde_json::from_str::<Mark>(cursor).ok()) else {
        return horizon(now, true).into();
    };
    // A clock that was set back must not hide what changed since.
    let from = last.updated_until.min(now) - OVERLAP;
    let mut spans = pieces(SpanFilter::Updated, from, now);
    for span in &mut spans {
        span.cursor = written(Mark { updated_until: span.until, horizon_at: last.horizon_at });
    }
    let since_horizon = now - last.horizon_at;
    if since_horizon >= HORIZON_EVERY || since_horizon < TimeDelta::zero() {
        spans.append(&mut horizon(now, false));
    }
    spans.into()
}

fn horizon(now: Timestamp, is_first: bool) -> Vec<Span> {
    let today = now.duration_trunc(TimeDelta::days(1)).unwrap_or(now);
    let mut spans = pieces(SpanFilter::Colliding, today - TimeDelta::days(1), today + HORIZON);
    for span in &mut spans {
        span.is_first = is_first;
    }
    if let Some(last) = spans.last_mut() {
        last.cursor = written(Mark { updated_until: now, horizon_at: now });
    }
    spans
}

fn pieces(filter: SpanFilter, mut from: Timestamp, until: Timestamp) -> Vec<Span> {
    let mut pieces = Vec::new();
    while from < until {
        let end = until.min(from + LONGEST);
        pieces.push(Span { filter, from, until: end, is_first: false, cursor: None });
        from = end;
    }
    pieces
}

fn written(mark: Mark) -> Option<String> {
    serde_json::to_string(&mark).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::noon;

    fn cursor(updated: TimeDelta, horizon: TimeDelta) -> String {
        written(Mark { updated_until: noon() - updated, horizon_at: noon() - horizon }).unwrap()
    }

    fn asked(spans: &VecDeque<Span>) -> Vec<(&'static str, String, String)> {
        let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
        spans.iter().map(Span::filter).map(|(name, it)| (name, text(&it, "StartUtc"), text(&it, "EndUtc"))).collect()
    }

    #[test]
    fn the_first_sweep_reads_the_horizon_in_pieces() {
        let spans = plan(None, noon());
        let expected = [
            ("CollidingUtc", "2031-03-01T00:00:00Z".to_owned(), "2031-05-29T00:00:00Z".to_owned()),
            ("CollidingUtc", "2031-05-29T00:00:00Z".to_owned(), "2031-05-31T00:00:00Z".to_owned()),
        ];
        assert_eq!(asked(&spans), expected);
        assert!(spans.iter().all(|span| span.is_first));
        let cursors: Vec<_> = spans.iter().map(|span| span.cursor.is_some()).collect();
        assert_eq!(cursors, [false, true], "a read that broke off begins anew");
        let next = plan(spans[1].cursor.as_deref(), noon() + TimeDelta::minutes(1));
        assert_eq!(
            asked(&next),
            [("UpdatedUtc", "2031-03-02T11:58:00Z".to_owned(), "2031-03-02T12:01:00Z".to_owned())]
        );
    }

    #[test]
    fn later_sweeps_read_what_changed_and_once_a_day_the_horizon() {
        let fresh = plan(Some(&cursor(TimeDelta::minutes(1), TimeDelta::hours(23))), noon());
        assert_eq!(fresh.len(), 1);
        let daily = plan(Some(&cursor(TimeDelta::minutes(1), TimeDelta::hours(24))), noon());
        let names: Vec<_> = asked(&daily).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["UpdatedUtc", "CollidingUtc", "CollidingUtc"]);
        assert!(daily.iter().all(|span| !span.is_first), "cancellations must appear");
        let next = plan(daily[2].cursor.as_deref(), noon() + TimeDelta::hours(1));
        assert_eq!(next.len(), 1, "the horizon was read");
        let midway = plan(daily[0].cursor.as_deref(), noon() + TimeDelta::hours(1));
        assert_eq!(midway.len(), 3, "the horizon was not read yet");
    }

    #[test]
    fn a_long_pause_is_caught_up_piece_by_piece() {
        let spans = plan(Some(&cursor(TimeDelta::days(200), TimeDelta::zero())), noon());
        assert_eq!(spans.len(), 3);
        assert!(spans.iter().all(|span| span.cursor.is_some()), "each piece counts once it is read");
        for (earlier, later) in spans.iter().zip(spans.iter().skip(1)) {
            assert_eq!(earlier.until, later.from, "chained without a gap");
        }
    }

    #[test]
    fn a_clock_set_back_hides_nothing() {
        let spans = plan(Some(&cursor(TimeDelta::days(-30), TimeDelta::days(-30))), noon());
        assert_eq!(asked(&spans)[0].1, "2031-03-02T11:58:00Z");
        assert_eq!(spans.len(), 3, "and the horizon is read again");
    }

    proptest! {
        #[test]
        fn any_cursor_gives_intervals_that_the_vendor_takes(text in ".*", days in 0_i64..2000) {
            for cursor in [text, cursor(TimeDelta::days(days), TimeDelta::days(days))] {
                for span in plan(Some(&cursor), noon()) {
                    prop_assert!(span.from < span.until && span.until - span.from <= LONGEST);
                }
            }
        }
    }
}
