//! The simulator's idea of now: the system's clock or a manual one, both of which can be pushed forward. Every timer of the
//! simulated hardware is compared with it; nothing else in this room asks the system for the time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::lock::locked;

/// A clock shared by everyone who holds a clone.
#[derive(Debug, Clone)]
pub struct SimClock {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    /// The system's time plus what was advanced.
    System(Arc<Mutex<TimeDelta>>),
    Manual(Arc<Mutex<DateTime<Utc>>>),
}

impl SimClock {
    /// Follows the system's clock.
    #[must_use]
    pub fn system() -> Self {
        SimClock { source: Source::System(Arc::default()) }
    }

    /// Stands still at `start` until advanced.
    #[must_use]
    pub fn manual(start: DateTime<Utc>) -> Self {
        SimClock { source: Source::Manual(Arc::new(Mutex::new(start))) }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.source {
            Source::System(ahead) => after(Utc::now(), *locked(ahead)),
            Source::Manual(now) => *locked(now),
        }
    }

    /// Moves the present forward, for either kind of clock.
    pub fn advance(&self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        match &self.source {
            Source::System(ahead) => {
                let mut ahead = locked(ahead);
                *ahead = ahead.checked_add(&by).unwrap_or(TimeDelta::MAX);
            }
            Source::Manual(now) => {
                let mut now = locked(now);
                *now = after(*now, by);
            }
        }
    }
}

/// `at + by`, or the last moment there is.
pub(crate) fn after(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// `at + by`, or the last moment there is.
pub(crate) fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    after(at, TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_advanced() {
        let clock = SimClock::manual(DateTime::UNIX_EPOCH);
        let same = clock.clone();
        clock.advance(Duration::from_secs(90));
        assert_eq!(same.now().timestamp(), 90);
    }

    #[test]
    fn a_system_clock_can_be_pushed_forward_without_overflow() {
        let clock = SimClock::system();
        let before = clock.now();
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now() - before >= TimeDelta::hours(1));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), DateTime::<Utc>::MAX_UTC);
    }
}
