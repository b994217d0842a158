//! What a back end must offer so that its queues can be worked. Implemented by `sqlite` and `redis`, used by `workers`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::payloads::Queue;
use super::queue::QueueError;

/// How often a worker tells that it lives.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);

/// A worker that was silent for so many heart-beats is dead, and its jobs go to another.
pub(crate) const MISSED_HEARTBEATS: u32 = 3;

/// The consuming side of a back end.
pub(crate) trait Transport: Send + Sync {
    /// The apalis storage.
    type Storage;

    /// The longest a worker sleeps without looking.
    const TICK: Duration;

    /// The bell of `queue` in this process.
    fn bell(&self, queue: Queue) -> Arc<Notify>;

    /// A storage for one run of one worker called `name`, on a connection that no earlier run has touched.
    fn open(
        &self,
        queue: Queue,
        name: &str,
        concurrency: usize,
    ) -> impl Future<Output = Result<Self::Storage, QueueError>> + Send;

    /// Takes back what the ended worker `name` still held and removes its traces.
    fn bury(&self, queue: Queue, name: &str) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Runs as long as the workers do: listening, promoting delayed jobs, collecting finished ones. Never returns.
    fn upkeep(&self, collect_every: Duration) -> impl Future<Output = ()> + Send;
}
