//! The room's only sense of time: pauses between attempts and measured durations. Nothing decided by them reaches a row, so
//! the domain's Clock, which tests move, has no say here.
#![expect(
    clippy::disallowed_methods,
    reason = "transport back-off runs on real time, also when a test moves the Clock"
)]

use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Waits.
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// A timer that is due at once; to be reset.
pub(crate) fn timer() -> Sleep {
    tokio::time::sleep(Duration::ZERO)
}

/// The monotonic time, for measuring and for timers.
pub(crate) fn now() -> Instant {
    Instant::now()
}
