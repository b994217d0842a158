//! The producing side, as `api`, the worker and the sweeper see it. The back ends live in `sqlite` and `redis`.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;

use super::payloads::{Job, Queue};

/// Rings the bell. Every ring leads to at least one visit that starts after the ring; rings are never merged, so one that
/// arrives while a visit runs causes another. Delivery is at least once and unordered.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Rings now. Ring after the row is committed; on an error go on, the sweeper rings again.
    async fn ring(&self, job: &Job) -> Result<(), QueueError> {
        self.ring_later(job, Duration::ZERO).await
    }

    /// Rings after `delay`, rounded up to whole seconds of the clock: never early, and about a second late at worst.
    async fn ring_later(&self, job: &Job, delay: Duration) -> Result<(), QueueError>;

    /// Rings many in few round trips. After an error some of them may have been rung.
    async fn ring_many(&self, jobs: &[Job]) -> Result<(), QueueError>;

    /// Removes what is left of finished jobs, in bounded chunks, and says how many there were. `run_workers` does it by
    /// itself; the embedded queue never keeps any.
    async fn collect_finished(&self) -> Result<u64, QueueError>;

    /// Whether a ring would get through just now (readiness).
    async fn check(&self) -> Result<(), QueueError>;
}

/// What went wrong with the queue, named by what the caller must do.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The ring did not get through. Go on: the row is the truth, the sweeper rings again.
    #[error("the queue cannot be reached")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The queue cannot be opened as configured. Refuse to start and say so.
    #[error("the queue cannot be opened: {what}")]
    Misconfigured {
        /// The setting to look at, without secrets.
        what: String,
        /// What the transport said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl QueueError {
    /// Wraps a transport's error met while running.
    pub(crate) fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// `delay` in milliseconds, rounded up and bounded (285 years), so that no back end overflows on it.
pub(crate) fn milliseconds(delay: Duration) -> i64 {
    const LONGEST: i64 = 9_000_000_000_000;
    i64::try_from(delay.as_nanos().div_ceil(1_000_000)).unwrap_or(LONGEST).min(LONGEST)
}

/// Encodes `jobs` and sorts them by queue, keeping their order.
pub(crate) fn by_queue(jobs: &[Job]) -> Result<Vec<(Queue, Vec<String>)>, QueueError> {
    let mut sorted = Vec::new();
    for queue in Queue::ALL {
        let payloads: Vec<String> = jobs
            .iter()
            .filter(|job| job.queue() == queue)
            .map(|job| serde_json::to_string(job).map_err(QueueError::unavailable))
            .collect::<Result<_, _>>()?;
        if !payloads.is_empty() {
            sorted.push((queue, payloads));
        }
    }
    Ok(sorted)
}
