//! Time as an argument. Decisions take `now`; whoever waits asks a `Clock`, so that tests can hold the time in their hands.

use std::{future::Future, pin::Pin};

use chrono::{DateTime, Utc};

/// An instant in UTC. Stored with microsecond precision on every back end.
pub type Timestamp = DateTime<Utc>;

/// The only source of time. Implemented by `platform::clock` (the system's, or one that tests move by hand).
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The current instant, truncated to microseconds (see [`truncate`]).
    fn now(&self) -> Timestamp;

    /// Completes once `now() >= at`.
    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Cuts an instant to the microseconds a database keeps, so that what is written equals what is read back.
#[must_use]
pub fn truncate(at: Timestamp) -> Timestamp {
    // Whatever the year, and a leap second is the next one: so do databases read it.
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}
