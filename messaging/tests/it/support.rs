//! What the tests need: transports to run on, a handler that records, and patience.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use gatehouse_messaging::{Backend, Job, JobHandler, WorkerSettings, run_workers};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A Redis server of one test's own, that can be stopped and started again on its port. It keeps nothing on disk.
pub(crate) struct PrivateRedis {
    port: u16,
    folder: TempDir,
    server: Option<Child>,
}

impl PrivateRedis {
    pub(crate) async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { port, folder: TempDir::new().unwrap(), server: None };
        redis.restart().await;
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    pub(crate) async fn restart(&mut self) {
        self.stop();
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("these tests need Redis: install `redis-server`, or set GATEHOUSE_TEST_REDIS_URL (the restart tests need the binary)");
        self.server = Some(server);
        let client = redis::Client::open(self.url()).unwrap();
        eventually("redis-server answers", Duration::from_secs(10), async || {
            client.get_multiplexed_async_connection().await.is_ok()
        })
        .await;
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a back end runs on, with a side door for looking and tampering.
pub(crate) enum Ground {
    Embedded(TempDir),
    Redis { url: String, prefix: String, _server: Option<PrivateRedis> },
}

impl Ground {
    pub(crate) fn embedded() -> Self {
        Self::Embedded(TempDir::new().unwrap())
    }

    pub(crate) async fn redis() -> Self {
        let prefix = format!("test-{}:", Uuid::now_v7().simple());
        match std::env::var("GATEHOUSE_TEST_REDIS_URL") {
            Ok(url) => Self::Redis { url, prefix, _server: None },
            Err(_) => {
                let server = PrivateRedis::start().await;
                Self::Redis { url: server.url(), prefix, _server: Some(server) }
            }
        }
    }

    /// Another process's view of the same transport.
    pub(crate) async fn backend(&self) -> Backend {
        match self {
            Self::Embedded(folder) => Backend::embedded(folder.path()).await.unwrap(),
            Self::Redis { url, prefix, .. } => Backend::redis(url, prefix).await.unwrap(),
        }
    }

    /// Puts bytes on the interactive queue that no `Job` would make.
    pub(crate) async fn smuggle(&self, id: &str, payload: &[u8]) {
        match self {
            Self::Embedded(folder) => {
                sqlx::query("INSERT INTO Jobs (id, job_type, job, priority, metadata) VALUES (?1, 'gatehouse-interactive', ?2, 0, '{}')")
                    .bind(id)
                    .bind(payload)
                    .execute(&sqlite(folder.path()).await)
                    .await
                    .unwrap();
            }
            Self::Redis { url, prefix, .. } => {
                let queue = format!("{prefix}gatehouse-interactive");
                redis::pipe()
                    .hset(format!("{queue}:data"), id, payload)
                    .hset_multiple(
                        format!("{queue}:meta:{id}"),
                        &[("attempts", "0"), ("max_attempts", "25"), ("status", "Pending")],
                    )
                    .rpush(format!("{queue}:active"), id)
                    .exec_async(&mut connection(url).await)
                    .await
                    .unwrap();
            }
        }
    }

    /// How many jobs are still waiting or held, finished ones not counted.
    pub(crate) async fn open_jobs(&self) -> usize {
        match self {
            Self::Embedded(folder) => {
                let open: i64 = sqlx::query_scalar("SELECT count(*) FROM Jobs WHERE status NOT IN ('Done', 'Killed')")
                    .fetch_one(&sqlite(folder.path()).await)
                    .await
                    .unwrap();
                usize::try_from(open).unwrap()
            }
            Self::Redis { url, prefix, .. } => {
                let mut redis = connection(url).await;
                let mut open = 0;
                for queue in ["interactive", "bulk"] {
                    let queue = format!("{prefix}gatehouse-{queue}");
                    let (data, done): (usize, usize) = redis::pipe()
                        .hlen(format!("{queue}:data"))
                        .scard(format!("{queue}:done"))
                        .query_async(&mut redis)
                        .await
                        .unwrap();
                    open += data - done;
                }
                open
            }
        }
    }

    /// Everything this test has in the transport: rows, or keys.
    pub(crate) async fn leftovers(&self) -> Vec<String> {
        match self {
            Self::Embedded(folder) => sqlx::query_scalar("SELECT id FROM Jobs UNION ALL SELECT id FROM Workers")
                .fetch_all(&sqlite(folder.path()).await)
                .await
                .unwrap(),
            Self::Redis { url, prefix, .. } => {
                let mut keys: Vec<String> = redis::cmd("KEYS")
                    .arg(format!("*{prefix}*"))
                    .query_async(&mut connection(url).await)
                    .await
                    .unwrap();
                let listed: Vec<String> = redis::cmd("ZRANGE")
                    .arg("core:apalis:queues:list")
                    .arg(0)
                    .arg(-1)
                    .query_async(&mut connection(url).await)
                    .await
                    .unwrap();
                keys.extend(listed.into_iter().filter(|queue| queue.contains(prefix)));
                keys
            }
        }
    }
}

async fn sqlite(folder: &Path) -> sqlx::SqlitePool {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("queue.db"));
    sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
}

pub(crate) async fn connection(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// Records what it is given when it begins, and again when it ends, then behaves as told.
pub(crate) struct Recorder {
    pub(crate) begun: Mutex<Vec<(Job, Instant)>>,
    pub(crate) ended: Mutex<Vec<Job>>,
    behave: Box<dyn Fn(Job) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Recorder {
    pub(crate) fn new<F>(behave: impl Fn(Job) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Arc::new(Self {
            begun: Mutex::default(),
            ended: Mutex::default(),
            behave: Box::new(move |job| Box::pin(behave(job))),
        })
    }

    pub(crate) fn quick() -> Arc<Self> {
        Self::new(|_| async {})
    }

    pub(crate) fn begun(&self) -> usize {
        self.begun.lock().unwrap().len()
    }

    pub(crate) fn ended(&self) -> usize {
        self.ended.lock().unwrap().len()
    }

    pub(crate) fn runs_of(&self, job: &Job) -> usize {
        self.begun.lock().unwrap().iter().filter(|(begun, _)| begun == job).count()
    }
}

#[async_trait::async_trait]
impl JobHandler for Recorder {
    async fn handle(&self, job: Job) {
        self.begun.lock().unwrap().push((job.clone(), Instant::now()));
        (self.behave)(job.clone()).await;
        self.ended.lock().unwrap().push(job);
    }
}

/// A worker process, as far as one can have it in a test.
pub(crate) struct Workers {
    shutdown: CancellationToken,
    pub(crate) running: JoinHandle<()>,
}

impl Workers {
    pub(crate) fn start(backend: &Backend, settings: WorkerSettings, handler: Arc<Recorder>) -> Self {
        let (backend, shutdown) = (backend.clone(), CancellationToken::new());
        let told = shutdown.clone();
        let running = tokio::spawn(async move { run_workers(&backend, settings, handler, told).await });
        Self { shutdown, running }
    }

    /// Asks for a graceful end and waits for it.
    pub(crate) async fn stop_within(self, limit: Duration) {
        self.shutdown.cancel();
        tokio::time::timeout(limit, self.running).await.expect("the workers did not stop in time").unwrap();
    }
}

pub(crate) fn slots(interactive: usize) -> WorkerSettings {
    WorkerSettings { interactive_concurrency: interactive, ..WorkerSettings::default() }
}

pub(crate) fn lane() -> Job {
    Job::Lane { lane: Uuid::now_v7() }
}

pub(crate) async fn eventually(what: &str, limit: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !holds().await {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
