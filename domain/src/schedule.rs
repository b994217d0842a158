//! Schedules: weekly patterns in the time zone of a site. An instant is inside by what the clocks there show, so that both
//! passes of a repeated hour count, and a skipped hour is nobody's.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveTime, Offset, TimeDelta, TimeZone, Timelike};
pub use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A week has at most this many ranges.
pub const MOST_RANGES: usize = 50;

/// Why a week cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeekFault {
    /// There are too many ranges.
    #[error("A week has at most {MOST_RANGES} ranges.")]
    TooMany,
    /// A range has no day, a day that is none, or a time that is no whole second.
    #[error("A range has one day or more, and begins and ends at a whole second.")]
    BadRange,
}

/// A time in which something holds, from then and until then (excluded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

/// A weekly pattern: the union of its ranges. Without ranges it is never.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Week {
    /// The ranges, in any order; they may overlap.
    pub ranges: Vec<DayRange>,
}

/// The same time on several days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRange {
    /// The days on which it begins: 0 is Monday, 6 Sunday.
    pub days: BTreeSet<u8>,
    /// When it begins.
    pub starts: NaiveTime,
    /// When it ends, that instant excluded. At or before `starts`: on the next day.
    pub ends: NaiveTime,
}

impl Week {
    /// Whether an instant is inside, by the clocks of that zone.
    #[must_use]
    pub fn permits(&self, at: Timestamp, zone: Tz) -> bool {
        let local = at.with_timezone(&zone).naive_local();
        let today = u8::try_from(local.weekday().num_days_from_monday()).unwrap_or(0);
        let yesterday = (today + 6) % 7;
        let time = local.time();
        self.ranges.iter().any(|range| {
            if range.crosses_midnight() {
                (range.days.contains(&today) && time >= range.starts)
                    || (range.days.contains(&yesterday) && time < range.ends)
            } else {
                range.days.contains(&today) && time >= range.starts && time < range.ends
            }
        })
    }
}

impl Week {
    /// Whether it can be kept.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), WeekFault> {
        if self.ranges.len() > MOST_RANGES {
            return Err(WeekFault::TooMany);
        }
        if self.ranges.iter().all(DayRange::is_valid) { Ok(()) } else { Err(WeekFault::BadRange) }
    }

    /// When instants between `from` and `until` are inside: in order, none touching the next.
    #[must_use]
    pub fn spans(&self, from: Timestamp, until: Timestamp, zone: Tz) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let edges = self.edges(from, until, zone);
        for (begin, end) in edges.iter().zip(edges.iter().skip(1)) {
            if !self.permits(*begin, zone) {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.until == *begin => last.until = *end,
                _ => spans.push(Span { from: *begin, until: *end }),
            }
        }
        spans
    }

    /// Every instant at which being inside may begin or end, with the two ends: what the clocks there show when a range
    /// begins or ends, and when the clocks are put forward or back.
    fn edges(&self, from: Timestamp, until: Timestamp, zone: Tz) -> Vec<Timestamp> {
        let mut edges = BTreeSet::from([from, until]);
        let local = |at: Timestamp| at.with_timezone(&zone).date_naive();
        let (first, last) = (local(from), local(until));
        for day in first.iter_days().take_while(|day| *day <= last) {
            for time in self.ranges.iter().flat_map(|range| [range.starts, range.ends]) {
                let shown = zone.from_local_datetime(&day.and_time(time));
                edges.extend([shown.earliest(), shown.latest()].into_iter().flatten().map(|at| at.to_utc()));
            }
        }
        let mut at = from;
        while at < until {
            let next = until.min(at + TimeDelta::hours(1));
            edges.extend(clock_change(at, next, zone));
            at = next;
        }
        edges.into_iter().filter(|at| *at >= from && *at <= until).collect()
    }
}

/// When the clocks of a zone are put forward or back between two instants that are not far apart, to the second.
fn clock_change(from: Timestamp, until: Timestamp, zone: Tz) -> Option<Timestamp> {
    let offset = |at: Timestamp| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let before = offset(from);
    if offset(until) == before {
        return None;
    }
    let (mut low, mut high) = (from.timestamp(), until.timestamp());
    while low + 1 < high {
        let middle = low.midpoint(high);
        if DateTime::from_timestamp(middle, 0).is_some_and(|at| offset(at) == before) {
            low = middle;
        } else {
            high = middle;
        }
    }
    DateTime::from_timestamp(high, 0)
}

impl DayRange {
    /// Whether it ends on the day after it begins.
    #[must_use]
    pub fn crosses_midnight(&self) -> bool {
        self.ends <= self.starts
    }

    /// Whether it can be kept: at least one day, days of a week, whole seconds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let whole = |time: NaiveTime| time.nanosecond() == 0;
        !self.days.is_empty() && self.days.iter().all(|day| *day < 7) && whole(self.starts) && whole(self.ends)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use chrono_tz::{Africa::Cairo, America::New_York, Australia::Lord_Howe, Europe::Tallinn, UTC};
    use proptest::prelude::*;

    use super::*;

    fn time(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    fn week(days: impl IntoIterator<Item = u8>, starts: NaiveTime, ends: NaiveTime) -> Week {
        Week { ranges: vec![DayRange { days: days.into_iter().collect(), starts, ends }] }
    }

    #[test]
    fn both_passes_of_a_repeated_hour_count() {
        // 2026-11-01 01:30 comes twice in New York; it is a Sunday.
        let local = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap().and_time(time(1, 30));
        let both = New_York.from_local_datetime(&local);
        let night = week([6], time(1, 0), time(2, 0));
        for at in [both.earliest().unwrap(), both.latest().unwrap()] {
            assert!(night.permits(at.to_utc(), New_York));
        }
        assert_ne!(both.earliest(), both.latest());
    }

    #[test]
    fn a_night_belongs_to_the_day_it_began_on() {
        let friday_night = week([4], time(22, 0), time(6, 0));
        let at = |day, hour, minute| {
            let local = NaiveDate::from_ymd_opt(2028, 2, day).unwrap().and_time(time(hour, minute));
            New_York.from_local_datetime(&local).unwrap().to_utc()
        };
        // 2028-02-25 is a Friday, 29 the leap day, a Tuesday.
        assert!(friday_night.permits(at(25, 22, 0), New_York));
        assert!(friday_night.permits(at(26, 5, 59), New_York));
        assert!(!friday_night.permits(at(26, 6, 0), New_York));
        assert!(!friday_night.permits(at(25, 5, 59), New_York));
        assert!(week([1], time(0, 0), time(0, 0)).permits(at(29, 12, 0), New_York), "a whole leap day");
    }

    #[test]
    fn never_is_never() {
        assert!(!Week::default().permits(Timestamp::default(), New_York));
    }

    #[test]
    fn a_week_is_bounded() {
        let good = week([0, 6], time(9, 0), time(17, 0));
        assert_eq!(good.check(), Ok(()));
        assert_eq!(week([], time(9, 0), time(17, 0)).check(), Err(WeekFault::BadRange));
        assert_eq!(week([7], time(9, 0), time(17, 0)).check(), Err(WeekFault::BadRange));
        let halves = NaiveTime::from_hms_milli_opt(9, 0, 0, 500).unwrap();
        assert_eq!(week([1], halves, time(17, 0)).check(), Err(WeekFault::BadRange));
        let many = Week { ranges: vec![good.ranges[0].clone(); MOST_RANGES + 1] };
        assert_eq!(many.check(), Err(WeekFault::TooMany));
    }

    #[test]
    fn the_hour_that_comes_twice_is_two_spans_or_one() {
        let day = |hour| New_York.with_ymd_and_hms(2026, 11, 1, hour, 0, 0).earliest().unwrap().to_utc();
        let (from, until) = (day(0), day(6));
        // 01:30 to 02:30: half an hour, then the clocks go back, and an hour again.
        let spans = week([6], time(1, 30), time(2, 30)).spans(from, until, New_York);
        assert_eq!(spans.len(), 2);
        let length = |span: &Span| (span.until - span.from).num_minutes();
        assert_eq!(spans.iter().map(length).collect::<Vec<_>>(), [30, 60]);
        let spans = week([6], time(0, 30), time(3, 0)).spans(from, until, New_York);
        assert_eq!(
            spans.iter().map(length).collect::<Vec<_>>(),
            [210],
            "two hours and a half, and the one that comes twice"
        );
    }

    #[test]
    fn the_hour_that_is_skipped_is_nobodys() {
        // 2027-03-14 02:00 to 03:00 is skipped in New York; a Sunday.
        let from = New_York.with_ymd_and_hms(2027, 3, 14, 0, 0, 0).unwrap().to_utc();
        let until = from + TimeDelta::hours(12);
        assert!(week([6], time(2, 0), time(3, 0)).spans(from, until, New_York).is_empty());
        let spans = week([6], time(1, 0), time(4, 0)).spans(from, until, New_York);
        assert_eq!(spans, [Span { from: from + TimeDelta::hours(1), until: from + TimeDelta::hours(3) }]);
    }

    #[test]
    fn always_is_one_span() {
        let always = week(0..7, time(0, 0), time(0, 0));
        let from = New_York.with_ymd_and_hms(2028, 2, 20, 13, 7, 0).unwrap().to_utc();
        let until = from + TimeDelta::days(30);
        assert_eq!(always.spans(from, until, New_York), [Span { from, until }]);
        assert!(Week::default().spans(from, until, New_York).is_empty());
    }

    fn any_week() -> impl Strategy<Value = Week> {
        let clock = || (0..24_u32, 0..4_u32).prop_map(|(hour, quarter)| time(hour, quarter * 15));
        let range = (proptest::collection::btree_set(0..7_u8, 1..4), clock(), clock())
            .prop_map(|(days, starts, ends)| DayRange { days, starts, ends });
        proptest::collection::vec(range, 0..4).prop_map(|ranges| Week { ranges })
    }

    proptest! {
        /// Instants tried one by one, around both changes of the clocks, a leap day and midnights (Cairo skips one).
        #[test]
        fn spans_are_what_is_permitted(
            week in any_week(),
            zone in prop_oneof![Just(New_York), Just(Tallinn), Just(Cairo), Just(Lord_Howe), Just(UTC)],
            begins in prop_oneof![
                Just((2026, 10, 24)), Just((2026, 10, 31)), Just((2027, 3, 13)), Just((2027, 3, 27)), Just((2027, 4, 3)),
                Just((2027, 4, 29)), Just((2028, 2, 28)), Just((2026, 12, 31)),
            ],
            minute in 0..1_440_i64,
        ) {
            let (year, month, day) = begins;
            let midnight = NaiveDate::from_ymd_opt(year, month, day).unwrap().and_time(time(0, 0)).and_utc();
            let from = midnight + TimeDelta::minutes(minute);
            let until = from + TimeDelta::days(3);
            let spans = week.spans(from, until, zone);
            for pair in spans.windows(2) {
                prop_assert!(pair[0].until < pair[1].from);
            }
            for step in 0..3 * 24 * 12 {
                let at = from + TimeDelta::minutes(step * 5);
                let inside = spans.iter().any(|span| span.from <= at && at < span.until);
                prop_assert_eq!(inside, week.permits(at, zone), "{} {}", at, at.with_timezone(&zone));
            }
        }
    }
}
