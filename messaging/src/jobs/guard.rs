//! What stands between apalis and a handler: nothing escapes. A panic, a hang or an unknown payload is logged, and apalis
//! always sees Ok: its own time-out and panic layers leave the job half-acknowledged and its retries differ per back end.

use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{BoxDynError, Data};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::payloads::Job;
use super::workers::JobHandler;

/// How long a handler that does not even yield may overrun its limit before its slot is taken away.
const UNYIELDING: Duration = Duration::from_secs(1);

/// The handler with its limit, and the list of visits that are still running.
#[derive(Clone)]
pub(crate) struct Guard {
    handler: Arc<dyn JobHandler>,
    limit: Duration,
    visits: TaskTracker,
}

impl Guard {
    /// Guards `handler`; one visit may take `limit`.
    pub(crate) fn new(handler: Arc<dyn JobHandler>, limit: Duration) -> Self {
        Self { handler, limit, visits: TaskTracker::new() }
    }

    /// The longest a visit can hold its slot.
    pub(crate) fn longest_visit(&self) -> Duration {
        self.limit + UNYIELDING
    }

    /// Waits for visits that outlived their worker, at most as long as one may take.
    pub(crate) async fn drained(&self) {
        self.visits.close();
        if timeout(self.longest_visit(), self.visits.wait()).await.is_err() {
            tracing::error!(visits = self.visits.len(), "visits did not end in time and are abandoned");
        }
    }

    async fn visit(&self, payload: &[u8]) {
        let job: Job = match serde_json::from_slice(payload) {
            Ok(job) => job,
            Err(error) => {
                tracing::warn!(%error, bytes = payload.len(), "a job of unknown shape was dropped");
                return;
            }
        };
        let (handler, limit, named) = (Arc::clone(&self.handler), self.limit, job.clone());
        // A task of its own: a panic ends there, it survives the death of its worker, and it cannot hold up the fetching.
        let visit = self.visits.spawn(async move { timeout(limit, handler.handle(job)).await });
        let stop = visit.abort_handle();
        match timeout(self.longest_visit(), visit).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Err(error)) if error.is_panic() => tracing::error!(job = ?named, "a job handler panicked"),
            Ok(Err(_)) => tracing::warn!(job = ?named, "a job handler was cancelled"),
            Ok(Ok(Err(_))) => tracing::error!(job = ?named, ?limit, "a job handler was stopped at its limit"),
            Err(_) => {
                stop.abort();
                tracing::error!(job = ?named, ?limit, "a job handler blocks its thread beyond its limit");
            }
        }
    }
}

/// The function apalis calls for each job.
pub(crate) async fn visit(payload: Vec<u8>, guard: Data<Guard>) -> Result<(), BoxDynError> {
    guard.visit(&payload).await;
    Ok(())
}
