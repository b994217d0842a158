//! The embedded queue: apalis' tables in `queue.db` beside the application's database, and a bell in this process.
//!
//! A file of its own, because SQLite has one writer per file: rings and acknowledgements never wait for a business
//! transaction, nor it for them. Nothing is lost by that: the rows are the outbox, and the file may be deleted at any time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use apalis_sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteStorage};
use async_trait::async_trait;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use tokio::sync::Notify;

use super::naming::ring_id;
use super::payloads::{Job, Queue};
use super::queue::{JobQueue, QueueError, by_queue, milliseconds};
use super::sqlite_storage::SqliteWorkerStorage;
use super::transport::Transport;

/// Rows written in one transaction: short enough that a fetch never waits long for the file.
const CHUNK: usize = 500;

/// Indices for queries that nobody asks here. Without table statistics the planner prefers them over the right one, and each
/// costs a page per ring and per acknowledgement: together they were the difference between hundreds and thousands of jobs a
/// second.
const NEEDLESS_INDICES: [&str; 5] = [
    "DROP INDEX IF EXISTS LIdx",
    "DROP INDEX IF EXISTS idx_jobs_status_run_at",
    "DROP INDEX IF EXISTS idx_jobs_claimable",
    "DROP INDEX IF EXISTS idx_jobs_job_type_status_run_at",
    "DROP INDEX IF EXISTS idx_jobs_idempotency_key",
];

/// `?1` rings as a JSON array of {id, job}, `?2` queue, `?3` delay in milliseconds, rounded up to a whole second of the
/// database's clock, by which jobs are fetched too.
const RING: &str = "INSERT INTO Jobs (id, job_type, job, status, attempts, max_attempts, run_at, priority, metadata) \
    SELECT value ->> 'id', ?2, CAST(value ->> 'job' AS BLOB), 'Pending', 0, 25, \
           CASE ?3 WHEN 0 THEN unixepoch() ELSE (CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3 + 999) / 1000 END, 0, '{}' \
    FROM json_each(?1)";

const TAKE_BACK: &str = "UPDATE Jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL \
    WHERE status = 'Queued' AND lock_by = ?1";

const TAKE_BACK_ALL: &str = "UPDATE Jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL \
    WHERE status = 'Queued'";

/// The embedded queue, shared by everything in the process.
pub(crate) struct SqliteJobs {
    pool: SqlitePool,
    interactive: Arc<Notify>,
    bulk: Arc<Notify>,
}

impl SqliteJobs {
    /// Opens or creates `queue.db` in `folder`, and gives back the jobs a killed predecessor held: one process at a time
    /// owns the folder, so nobody else can be working on them.
    pub(crate) async fn open(folder: &Path) -> Result<Self, QueueError> {
        let path = folder.join("queue.db");
        let refuse = |source: sqlx::Error| QueueError::Misconfigured {
            what: format!("{} cannot be used", path.display()),
            source: source.into(),
        };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            // Forgetting a worker must not wait for the jobs that name it.
            .foreign_keys(false)
            .busy_timeout(Duration::from_secs(5))
            .pragma("journal_size_limit", "16777216");
        // One connection: there is one writer anyway, and waiting for the pool is fair and prompt where SQLite's own busy
        // handler sleeps in growing steps.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .map_err(refuse)?;
        SqliteStorage::migrations().run(&pool).await.map_err(|error| refuse(error.into()))?;
        for statement in NEEDLESS_INDICES {
            sqlx::query(statement).execute(&pool).await.map_err(refuse)?;
        }
        sqlx::query(TAKE_BACK_ALL).execute(&pool).await.map_err(refuse)?;
        sqlx::query("DELETE FROM Workers").execute(&pool).await.map_err(refuse)?;
        Ok(Self { pool, interactive: Arc::default(), bulk: Arc::default() })
    }

    async fn push(&self, queue: Queue, payloads: &[String], delay: Duration) -> Result<(), QueueError> {
        let delay = milliseconds(delay);
        for chunk in payloads.chunks(CHUNK) {
            let rings: Vec<_> = chunk.iter().map(|job| serde_json::json!({ "id": ring_id(), "job": job })).collect();
            sqlx::query(RING)
                .bind(serde_json::Value::Array(rings).to_string())
                .bind(queue.name(""))
                .bind(delay)
                .execute(&self.pool)
                .await
                .map_err(QueueError::unavailable)?;
            if delay == 0 {
                self.bell(queue).notify_one();
            }
        }
        Ok(())
    }
}

#[async_trait]
impl JobQueue for SqliteJobs {
    async fn ring_later(&self, job: &Job, delay: Duration) -> Result<(), QueueError> {
        let payload = serde_json::to_string(job).map_err(QueueError::unavailable)?;
        self.push(job.queue(), &[payload], delay).await
    }

    async fn ring_many(&self, jobs: &[Job]) -> Result<(), QueueError> {
        for (queue, payloads) in by_queue(jobs)? {
            self.push(queue, &payloads, Duration::ZERO).await?;
        }
        Ok(())
    }

    async fn collect_finished(&self) -> Result<u64, QueueError> {
        // A finished job's row is deleted by its acknowledgement.
        Ok(0)
    }

    async fn check(&self) -> Result<(), QueueError> {
        sqlx::query("SELECT 1 FROM Jobs LIMIT 1").execute(&self.pool).await.map_err(QueueError::unavailable)?;
        Ok(())
    }
}

impl Transport for SqliteJobs {
    type Storage = SqliteWorkerStorage;

    const TICK: Duration = Duration::from_millis(500);

    fn bell(&self, queue: Queue) -> Arc<Notify> {
        match queue {
            Queue::Interactive => Arc::clone(&self.interactive),
            Queue::Bulk => Arc::clone(&self.bulk),
        }
    }

    async fn open(&self, queue: Queue, _name: &str, concurrency: usize) -> Result<Self::Storage, QueueError> {
        Ok(SqliteWorkerStorage::new(self.pool.clone(), queue.name(""), concurrency))
    }

    async fn bury(&self, queue: Queue, name: &str) -> Result<(), QueueError> {
        let taken = sqlx::query(TAKE_BACK).bind(name).execute(&self.pool).await.map_err(QueueError::unavailable)?;
        sqlx::query("DELETE FROM Workers WHERE id = ?1")
            .bind(name)
            .execute(&self.pool)
            .await
            .map_err(QueueError::unavailable)?;
        if taken.rows_affected() > 0 {
            self.bell(queue).notify_one();
        }
        Ok(())
    }

    async fn upkeep(&self, _collect_every: Duration) {
        std::future::pending().await
    }
}
