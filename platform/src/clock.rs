//! The system's clock, and one that tests move by hand.

use std::{future::Future, pin::Pin, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::{Clock, Timestamp, truncate};
use tokio::sync::watch;

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> Timestamp {
        truncate(Utc::now())
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            // In portions, because the wall clock may be set while we sleep.
            loop {
                let left = at - Self.now();
                match left.to_std() {
                    Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(Duration::from_secs(30))).await,
                    _ => return,
                }
            }
        })
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl Default for ManualClock {
    /// Stands at an arbitrary instant of 2027.
    fn default() -> Self {
        Self::at(DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default())
    }
}

impl ManualClock {
    /// Stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now: watch::Sender::new(truncate(now)) }
    }

    /// Moves the clock, forwards or backwards, and wakes whoever waited for the new time.
    pub fn advance(&self, by: TimeDelta) {
        self.now.send_modify(|now| *now += by);
    }

    /// Sets the clock.
    pub fn set(&self, to: Timestamp) {
        self.now.send_replace(truncate(to));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // The sender may be gone when a test ends: then nobody moves the clock any more.
            if now.wait_for(|now| *now >= at).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_who_waits() {
        let clock = ManualClock::default();
        let waiting = tokio::spawn(clock.sleep_until(clock.now() + TimeDelta::hours(1)));
        clock.advance(TimeDelta::minutes(59));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(TimeDelta::minutes(1));
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn the_system_clock_does_not_wait_for_the_past() {
        SystemClock.sleep_until(SystemClock.now() - TimeDelta::hours(1)).await;
    }
}
