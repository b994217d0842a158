//! The consuming side: `run_workers` works both queues until told to stop, and outlives every failure of the transport.

use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{Backend as ApalisBackend, BoxDynError, Task, WorkerBuilder, WorkerBuilderExt, WorkerError};
use apalis_core::backend::BackendConfig;
use apalis_core::backend::finalize::Durable;
use apalis_core::backend::persistence::TaskPersistLayer;
use apalis_sqlite::JsonCodec;
use async_trait::async_trait;
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::guard::{Guard, visit};
use super::naming::worker_name;
use super::payloads::{Job, Queue};
use super::transport::Transport;
use super::tuned::{Narrow, Tuned};
use crate::backend::{Backend, Kind};
use crate::pace::{self, pause};

/// What a worker process does with a job. Keep it short: spawn what takes long.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// Looks at what the job names. Called at least once per ring, possibly twice and in parallel; the outcome is written to
    /// the rows, so there is none here. A panic or an overrun is logged and otherwise ignored.
    async fn handle(&self, job: Job);
}

/// How many slots a worker process has, and its limits.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Visits in parallel on the interactive queue; 0: this process does not work it.
    pub interactive_concurrency: usize,
    /// Visits in parallel on the bulk queue; 0: this process does not work it.
    pub bulk_concurrency: usize,
    /// How long one call of the handler may take before it is stopped. Also bounds the graceful shutdown.
    pub handler_limit: Duration,
    /// How often finished jobs are removed from the transport.
    pub collect_every: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            interactive_concurrency: 64,
            bulk_concurrency: 8,
            handler_limit: Duration::from_secs(60),
            collect_every: Duration::from_secs(10),
        }
    }
}

impl WorkerSettings {
    fn concurrency(&self, queue: Queue) -> usize {
        match queue {
            Queue::Interactive => self.interactive_concurrency,
            Queue::Bulk => self.bulk_concurrency,
        }
    }
}

/// Works both queues until `shutdown` is cancelled; then takes no new job, lets the running ones finish, acknowledges them and
/// returns, within `handler_limit` and a few seconds. It never fails: a worker that dies is replaced after a growing pause.
pub async fn run_workers(
    backend: &Backend,
    settings: WorkerSettings,
    handler: Arc<dyn JobHandler>,
    shutdown: CancellationToken,
) {
    match backend.kind() {
        Kind::Embedded(jobs) => run_on(jobs, &settings, handler, &shutdown).await,
        Kind::Redis(jobs) => run_on(jobs, &settings, handler, &shutdown).await,
    }
}

/// What the workers need of a storage; one list for both back ends.
pub(crate) trait Storage:
    ApalisBackend<Task = Task<Vec<u8>>>
    + BackendConfig<Kind = Durable, Layer = TaskPersistLayer<JsonCodec<Value>, Value>>
    + Narrow
    + Send
    + Unpin
    + 'static
{
}

impl<S> Storage for S where
    S: ApalisBackend<Task = Task<Vec<u8>>>
        + BackendConfig<Kind = Durable, Layer = TaskPersistLayer<JsonCodec<Value>, Value>>
        + Narrow
        + Send
        + Unpin
        + 'static
{
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A worker that lived this long was healthy: its successor starts without the accumulated pause.
const HEALTHY: Duration = Duration::from_secs(10);
/// For the last words with the transport: acknowledging, burying.
const GRACE: Duration = Duration::from_secs(5);

async fn run_on<T>(
    transport: &Arc<T>,
    settings: &WorkerSettings,
    handler: Arc<dyn JobHandler>,
    shutdown: &CancellationToken,
) where
    T: Transport<Storage: Storage> + 'static,
{
    let guard = Guard::new(handler, settings.handler_limit);
    let (upkeep, collect_every) = (Arc::clone(transport), settings.collect_every);
    let _upkeep = AbortOnDropHandle::new(tokio::spawn(async move { upkeep.upkeep(collect_every).await }));
    let supervised = Queue::ALL
        .into_iter()
        .filter(|queue| settings.concurrency(*queue) > 0)
        .map(|queue| supervise(transport, queue, settings.concurrency(queue), &guard, shutdown));
    futures::future::join_all(supervised).await;
    guard.drained().await;
}

/// Keeps one worker alive on `queue`: any transport error ends an apalis worker for good, so a fresh one takes over.
async fn supervise<T>(transport: &Arc<T>, queue: Queue, concurrency: usize, guard: &Guard, shutdown: &CancellationToken)
where
    T: Transport<Storage: Storage> + 'static,
{
    let mut wait = FIRST_PAUSE;
    while !shutdown.is_cancelled() {
        let (name, started) = (worker_name(), pace::now());
        // A task of its own: a worker looks for work whenever its task is woken, and apalis has panics in it.
        let life = work(Arc::clone(transport), queue, name.clone(), concurrency, guard.clone(), shutdown.clone());
        let ended = AbortOnDropHandle::new(tokio::spawn(life)).await.unwrap_or_else(|panic| Err(panic.into()));
        let lived = started.elapsed();
        // Its jobs need not wait until it is missed: nobody else holds this name.
        match timeout(GRACE, transport.bury(queue, &name)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(?queue, %error, "the ended worker's jobs wait until it is missed"),
            Err(_) => tracing::debug!(?queue, "the ended worker's jobs wait until it is missed"),
        }
        if shutdown.is_cancelled() {
            if let Err(error) = ended {
                tracing::warn!(
                    ?queue,
                    error = &*error,
                    "the worker did not stop cleanly; unacknowledged jobs run again"
                );
            }
            return;
        }
        if lived > HEALTHY {
            wait = FIRST_PAUSE;
        }
        match ended {
            Ok(()) => tracing::warn!(?queue, ?wait, "the worker stopped by itself; starting another"),
            Err(error) => tracing::warn!(?queue, ?wait, error = &*error, "the worker died; starting another"),
        }
        tokio::select! {
            () = pause(wait) => {}
            () = shutdown.cancelled() => {}
        }
        wait = (wait * 2).min(LONGEST_PAUSE);
    }
}

/// One life of one worker.
async fn work<T>(
    transport: Arc<T>,
    queue: Queue,
    name: String,
    concurrency: usize,
    guard: Guard,
    shutdown: CancellationToken,
) -> Result<(), BoxDynError>
where
    T: Transport<Storage: Storage>,
{
    let storage = tokio::select! {
        storage = transport.open(queue, &name, concurrency) => storage?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let told = shutdown.clone();
    let worker = WorkerBuilder::new(name)
        .backend(Tuned::new(storage, transport.bell(queue), T::TICK))
        .concurrency(concurrency)
        .data(guard.clone())
        .build(visit)
        .run_until(async move {
            told.cancelled().await;
            Ok::<(), WorkerError>(())
        });
    let overdue = async {
        shutdown.cancelled().await;
        pause(guard.longest_visit() + GRACE).await;
    };
    tokio::select! {
        ended = worker => Ok(ended?),
        () = overdue => Err("the worker did not drain in time".into()),
    }
}
