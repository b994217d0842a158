//! Lockt's times: it takes them without a zone and gives them with one. Pure. Where one without a zone may mean two
//! instants (the hour that is repeated in autumn), the one that lets nobody in longer than wished is chosen.

use chrono::{DateTime, DurationRound, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use domain::clock::{Timestamp, truncate};

use crate::error::VendorError;

/// The form in which Lockt takes times (document 002).
const FORM: &str = "%Y-%m-%d %H:%M:%S";
/// No zone has ever set its clocks further than this at once, in minutes.
const LONGEST_SHIFT: usize = 26 * 60;

/// Which end of a period a time is: what is stricter depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// Its beginning: rather later.
    From,
    /// Its end: rather earlier.
    Until,
}

/// The zone in which an account's times without a zone are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zone(Tz);

impl Zone {
    /// The zone of this IANA name; UTC without one.
    pub(super) fn named(name: Option<&str>) -> Result<Self, VendorError> {
        let Some(name) = name else { return Ok(Self(Tz::UTC)) };
        let zone = name.parse().map(Self);
        zone.map_err(|_| VendorError::unsupported("The account's `time_zone` is not a zone's IANA name."))
    }

    /// An instant as Lockt takes it, in whole seconds; empty for none.
    pub(super) fn write(self, at: Option<Timestamp>, edge: Edge) -> String {
        let Some(at) = at else { return String::new() };
        let second = at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at);
        let at = if edge == Edge::From && second < at { second + TimeDelta::seconds(1) } else { second };
        let local = at.with_timezone(&self.0).naive_local();
        let strict = match (self.0.from_local_datetime(&local), edge) {
            (MappedLocalTime::Ambiguous(earlier, _), Edge::From) if at != earlier => self.unambiguous(local, edge),
            (MappedLocalTime::Ambiguous(_, later), Edge::Until) if at != later => self.unambiguous(local, edge),
            _ => local,
        };
        strict.format(FORM).to_string()
    }

    /// The instant that Lockt tells. A time without a zone is taken for the stricter of what it may mean.
    pub(super) fn read(self, text: &str, edge: Edge) -> Option<Timestamp> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(truncate(at.to_utc()));
        }
        let local = naive(text)?;
        let local = match self.0.from_local_datetime(&local) {
            MappedLocalTime::None => self.unambiguous(local, edge),
            _ => local,
        };
        let meant = self.0.from_local_datetime(&local);
        let meant = if edge == Edge::From { meant.latest() } else { meant.earliest() };
        meant.map(|at| truncate(at.to_utc()))
    }

    /// Whether `told` is an instant that what [`Self::write`] wrote may have been taken for.
    pub(super) fn may_mean(self, written: &str, told: Option<Timestamp>) -> bool {
        let (Some(local), Some(told)) = (naive(written), told) else { return written.is_empty() && told.is_none() };
        let meant = self.0.from_local_datetime(&local);
        [meant.earliest(), meant.latest()].into_iter().flatten().any(|at| at == told)
    }

    /// The nearest local time in the strict direction that means exactly one instant.
    fn unambiguous(self, local: NaiveDateTime, edge: Edge) -> NaiveDateTime {
        // Clocks are set at whole minutes: the first and the last second of one show on which side it is.
        let minute = local.with_second(0).and_then(|minute| minute.with_nanosecond(0)).unwrap_or(local);
        let (first, step) = match edge {
            Edge::From => (minute + TimeDelta::minutes(1), TimeDelta::minutes(1)),
            Edge::Until => (minute - TimeDelta::seconds(1), -TimeDelta::minutes(1)),
        };
        std::iter::successors(Some(first), |local| local.checked_add_signed(step))
            .take(LONGEST_SHIFT)
            .find(|local| self.0.from_local_datetime(local).single().is_some())
            .unwrap_or(local)
    }
}

fn naive(text: &str) -> Option<NaiveDateTime> {
    [FORM, "%Y-%m-%dT%H:%M:%S%.f"].iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(Some(name)).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn an_ordinary_time_round_trips_exactly() {
        let tallinn = zone("Europe/Tallinn");
        for (instant, local) in
            [("2031-01-05T13:00:00Z", "2031-01-05 15:00:00"), ("2031-07-05T13:00:00Z", "2031-07-05 16:00:00")]
        {
            for edge in [Edge::From, Edge::Until] {
                assert_eq!(tallinn.write(Some(at(instant)), edge), local);
                assert_eq!(tallinn.read(local, edge), Some(at(instant)));
            }
        }
        assert_eq!(
            Zone::named(None).unwrap().write(Some(at("2031-07-05T13:00:00Z")), Edge::From),
            "2031-07-05 13:00:00"
        );
        assert_eq!(tallinn.write(None, Edge::From), "");
        assert!(matches!(Zone::named(Some("Mars/Base")), Err(VendorError::Unsupported { .. })));
    }

    #[test]
    fn a_part_of_a_second_makes_a_period_shorter() {
        let utc = Zone::named(None).unwrap();
        let instant = Some(at("2031-07-05T13:00:00.250Z"));
        assert_eq!(utc.write(instant, Edge::From), "2031-07-05 13:00:01");
        assert_eq!(utc.write(instant, Edge::Until), "2031-07-05 13:00:00");
    }

    #[test]
    fn in_the_repeated_hour_the_stricter_is_chosen() {
        // Clocks in Berlin went from 03:00 back to 02:00 at 01:00Z.
        let berlin = zone("Europe/Berlin");
        let (first, second) = (Some(at("2026-10-25T00:30:00Z")), Some(at("2026-10-25T01:30:00Z")));
        assert_eq!(berlin.write(first, Edge::From), "2026-10-25 02:30:00", "read later it is stricter still");
        assert_eq!(berlin.write(second, Edge::From), "2026-10-25 03:00:00", "02:30 might be read an hour early");
        assert_eq!(berlin.write(first, Edge::Until), "2026-10-25 01:59:59", "02:30 might be read an hour late");
        assert_eq!(berlin.write(second, Edge::Until), "2026-10-25 02:30:00");
        assert_eq!(berlin.read("2026-10-25 02:30:00", Edge::From), second);
        assert_eq!(berlin.read("2026-10-25 02:30:00", Edge::Until), first);
        assert!(berlin.may_mean("2026-10-25 02:30:00", first) && berlin.may_mean("2026-10-25 02:30:00", second));
        assert!(!berlin.may_mean("2026-10-25 02:30:00", Some(at("2026-10-25T02:30:00Z"))));
    }

    #[test]
    fn a_time_that_never_was_is_read_strictly() {
        // 02:00 to 03:00 was left out at 01:00Z.
        let berlin = zone("Europe/Berlin");
        assert_eq!(berlin.read("2026-03-29 02:30:00", Edge::From), Some(at("2026-03-29T01:00:00Z")));
        assert_eq!(berlin.read("2026-03-29 02:30:00", Edge::Until), Some(at("2026-03-29T00:59:59Z")));
    }

    proptest! {
        #[test]
        fn whatever_lockt_takes_it_for_nobody_gets_in_longer_than_wished(
            seconds in 1_700_000_000_i64..2_000_000_000, millis in 0_u32..1000, which in 0_usize..4
        ) {
            let names = ["Europe/Tallinn", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
            let zone = zone(names[which]);
            let wished = DateTime::from_timestamp(seconds, millis * 1_000_000).unwrap();
            for edge in [Edge::From, Edge::Until] {
                let local = naive(&zone.write(Some(wished), edge)).unwrap();
                let meant = zone.0.from_local_datetime(&local);
                prop_assert!(meant.earliest().is_some());
                for told in [meant.earliest(), meant.latest()].into_iter().flatten() {
                    let told = told.to_utc();
                    let stricter = match edge {
                        Edge::From => told >= wished,
                        Edge::Until => told <= wished,
                    };
                    prop_assert!(stricter);
                    prop_assert!((told - wished).abs() <= TimeDelta::hours(2), "and not much shorter");
                }
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = zone("Europe/Tallinn").read(&text, Edge::Until);
        }
    }
}
