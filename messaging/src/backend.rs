//! The transport, chosen once at boot: embedded (SQLite file and in-process bell) or Redis. Hands out the job queue, the
//! live bus and the rate budget that belong together; knows nothing of what travels on them.

use std::path::Path;
use std::sync::Arc;

use crate::budget::{MemoryBudget, RateBudget, RedisBudget};
use crate::jobs::queue::{JobQueue, QueueError};
use crate::jobs::redis::RedisJobs;
use crate::jobs::sqlite::SqliteJobs;
use crate::live::broadcast::Broadcast;
use crate::live::bus::LiveBus;
use crate::live::redis::RedisLive;
use crate::redis_link::RedisLink;

/// Where jobs and live events travel. Cheap to clone.
#[derive(Clone)]
pub struct Backend {
    kind: Kind,
    live: Arc<dyn LiveBus>,
    budget: Arc<dyn RateBudget>,
}

/// The consuming side differs by transport.
#[derive(Clone)]
pub(crate) enum Kind {
    Embedded(Arc<SqliteJobs>),
    Redis(Arc<RedisJobs>),
}

impl Backend {
    /// Everything in this process: jobs in `queue.db` in `data_folder`, which must exist and belong to one process at a time.
    /// Fails with `Misconfigured` if the file cannot be used.
    pub async fn embedded(data_folder: &Path) -> Result<Self, QueueError> {
        let jobs = SqliteJobs::open(data_folder).await?;
        Ok(Self {
            kind: Kind::Embedded(Arc::new(jobs)),
            live: Arc::new(Broadcast::default()),
            budget: Arc::new(MemoryBudget::default()),
        })
    }

    /// Many processes over the Redis server at `url` (`redis://` or `rediss://`; one primary, not a cluster). All keys and
    /// channels begin with `prefix` followed by `gatehouse`. Fails with `Misconfigured` if the server cannot be reached now.
    pub async fn redis(url: &str, prefix: &str) -> Result<Self, QueueError> {
        let link = RedisLink::open(url).await.map_err(|error| QueueError::Misconfigured {
            what: "the Redis URL does not lead to a server that lets us in".to_owned(),
            source: error.into(),
        })?;
        Ok(Self {
            kind: Kind::Redis(Arc::new(RedisJobs::new(link.clone(), prefix))),
            budget: Arc::new(RedisBudget::new(link.clone(), prefix)),
            live: Arc::new(RedisLive::new(link, prefix)),
        })
    }

    /// The producing side of the job queues.
    #[must_use]
    pub fn queue(&self) -> Arc<dyn JobQueue> {
        match &self.kind {
            Kind::Embedded(jobs) => Arc::clone(jobs) as Arc<dyn JobQueue>,
            Kind::Redis(jobs) => Arc::clone(jobs) as Arc<dyn JobQueue>,
        }
    }

    /// The live bus.
    #[must_use]
    pub fn live(&self) -> Arc<dyn LiveBus> {
        Arc::clone(&self.live)
    }

    /// The rate budget of vendor accounts.
    #[must_use]
    pub fn budget(&self) -> Arc<dyn RateBudget> {
        Arc::clone(&self.budget)
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }
}
