//! How an apalis worker fetches and acknowledges on the embedded queue: apalis' own state machine and tables, statements of
//! our own. Those of apalis-sqlite take three transactions' worth of round trips per job, keep what is finished, and fail
//! for good when a worker was asleep; these take one each.

use std::task::{Context, Poll};

use apalis::prelude::{Backend, Task, TaskBuilder, TaskId, WorkerContext};
use apalis_core::backend::BackendConfig;
use apalis_core::backend::finalize::Durable;
use apalis_core::backend::persistence::{Persisted, Persistence, TaskEvent, TaskPersistLayer};
use apalis_sqlite::{JsonCodec, SqlitePool};
use serde_json::Value;
use ulid::Ulid;

use super::transport::{HEARTBEAT, MISSED_HEARTBEATS};
use super::tuned::{Narrow, opening_batch};

/// Takes the oldest due job. All have priority 0; naming it lets the index end at the first job that is not due yet.
const FETCH: &str = "UPDATE Jobs SET status = 'Queued', lock_by = ?1, lock_at = unixepoch() WHERE rowid = \
    (SELECT rowid FROM Jobs WHERE job_type = ?2 AND status = 'Pending' AND lock_by IS NULL AND priority = 0 \
     AND run_at <= unixepoch() ORDER BY run_at, id LIMIT 1) RETURNING id, job";

/// A finished job has nothing left to tell. Only its holder may say so: another may have it by now.
const FINISH: &str = "DELETE FROM Jobs WHERE id IN (SELECT value FROM json_each(?1)) AND lock_by = ?2";

const ALIVE: &str = "INSERT INTO Workers (id, worker_type, storage_name, last_seen) VALUES (?1, ?2, 'gatehouse', unixepoch()) \
    ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen";

const TAKE_BACK_FROM_SILENT: &str = "UPDATE Jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL \
    WHERE status = 'Queued' AND lock_by NOT IN (SELECT id FROM Workers WHERE last_seen > unixepoch() - ?1)";

const FORGET_SILENT: &str = "DELETE FROM Workers WHERE last_seen <= unixepoch() - ?1";

/// The statements, for one queue.
#[derive(Clone)]
pub(crate) struct Statements {
    pool: SqlitePool,
    queue: String,
}

impl Persistence for Statements {
    type Compact = Vec<u8>;
    type Response = Value;
    type Error = sqlx::Error;

    async fn register(&mut self, worker: &WorkerContext) -> Result<(), sqlx::Error> {
        sqlx::query(ALIVE).bind(worker.name()).bind(&self.queue).execute(&self.pool).await?;
        Ok(())
    }

    async fn heartbeat(&mut self, worker: &WorkerContext) -> Result<(), sqlx::Error> {
        let limit = i64::try_from((HEARTBEAT * MISSED_HEARTBEATS).as_secs()).unwrap_or(i64::MAX);
        self.register(worker).await?;
        sqlx::query(TAKE_BACK_FROM_SILENT).bind(limit).execute(&self.pool).await?;
        sqlx::query(FORGET_SILENT).bind(limit).execute(&self.pool).await?;
        Ok(())
    }

    async fn fetch_next(&mut self, worker: &WorkerContext) -> Result<Vec<Task<Vec<u8>>>, sqlx::Error> {
        let taken: Vec<(String, Vec<u8>)> =
            sqlx::query_as(FETCH).bind(worker.name()).bind(&self.queue).fetch_all(&self.pool).await?;
        Ok(taken.into_iter().map(|(id, job)| TaskBuilder::new(job).task_id(TaskId::from_string(id)).build()).collect())
    }

    async fn reenqueue_abandoned(&mut self, tasks: Vec<Task<Vec<u8>>>, _: &WorkerContext) -> Result<u64, sqlx::Error> {
        // The worker is buried right after it ends, and everything it holds goes back with it.
        Ok(tasks.len() as u64)
    }

    async fn handle_events(
        &mut self,
        events: Vec<TaskEvent<Value>>,
        worker: &WorkerContext,
    ) -> Result<(), sqlx::Error> {
        let finished: Vec<Value> = events
            .into_iter()
            .filter_map(|event| match event {
                TaskEvent::Complete(result) => Some(Value::String(result.task_id.to_string())),
                _ => None,
            })
            .collect();
        sqlx::query(FINISH).bind(Value::Array(finished).to_string()).bind(worker.name()).execute(&self.pool).await?;
        Ok(())
    }

    async fn push_tasks(&mut self, _: Vec<Task<Vec<u8>>>) -> Result<(), sqlx::Error> {
        // Rings go through `JobQueue`, which also rings the bell; apalis is never asked to push.
        Err(sqlx::Error::InvalidArgument("jobs are not pushed through the worker's storage".to_owned()))
    }
}

/// The storage of one worker.
pub(crate) struct SqliteWorkerStorage {
    persisted: Persisted<Statements>,
    concurrency: usize,
}

impl SqliteWorkerStorage {
    /// For a worker on `queue` with so many slots.
    pub(crate) fn new(pool: SqlitePool, queue: String, concurrency: usize) -> Self {
        Self { persisted: Persisted::new(Statements { pool, queue }), concurrency }
    }
}

impl Backend for SqliteWorkerStorage {
    type Task = Task<Vec<u8>>;
    type Error = sqlx::Error;

    fn poll_ready(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), sqlx::Error>> {
        self.persisted.poll_ready(cx, worker, HEARTBEAT)
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, sqlx::Error>>> {
        self.persisted.poll_next(cx, worker)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), sqlx::Error>> {
        self.persisted.poll_close(cx, worker)
    }
}

impl BackendConfig for SqliteWorkerStorage {
    type Args = Vec<u8>;
    type Id = Ulid;
    type Kind = Durable;
    type Config = usize;
    type Layer = TaskPersistLayer<JsonCodec<Value>, Value>;

    fn config(&self) -> &usize {
        &self.concurrency
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {
        // `persist_results` is what sends the acknowledgement.
        self.persisted.layer(JsonCodec::default(), opening_batch(self.concurrency)).persist_results(true)
    }
}

impl Narrow for SqliteWorkerStorage {
    fn narrow(&mut self) {
        // The statement takes one job, whatever the channel holds.
    }
}
