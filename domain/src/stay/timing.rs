//! The numbers around a stay. The settings of a process may say others.

use chrono::TimeDelta;

/// How long before, after and in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StayTiming {
    /// Locks are loaded this long before the arrival.
    pub preload: TimeDelta,
    /// A code opens this long before the stay begins.
    pub grace_before: TimeDelta,
    /// And this long after it ends.
    pub grace_after: TimeDelta,
    /// Doors that a guest has left are kept at most this long while those they moved to are not confirmed.
    pub handover: TimeDelta,
    /// A value is not used again at a door for this long.
    pub cool_down: TimeDelta,
    /// A code that is not everywhere this long before the arrival is at risk.
    pub at_risk_before: TimeDelta,
}

impl Default for StayTiming {
    fn default() -> Self {
        Self {
            preload: TimeDelta::hours(72),
            grace_before: TimeDelta::minutes(30),
            grace_after: TimeDelta::minutes(30),
            handover: TimeDelta::minutes(15),
            cool_down: TimeDelta::days(7),
            at_risk_before: TimeDelta::hours(2),
        }
    }
}
