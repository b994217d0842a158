//! Waiting for a condition. Nothing in the suite sleeps and hopes.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// How long a condition may take on the busiest machine before the test fails: the suite shares its machine with
/// others, and no test passes because of this time.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks until there is an answer.
///
/// # Panics
/// There is none after [`PATIENCE`].
#[expect(clippy::disallowed_methods, reason = "the pause is between two looks")]
pub async fn until<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
