//! The distributed queue on Redis. apalis fetches, acknowledges and rescues the jobs of workers that died; ringing, delays,
//! collection and burial are scripts of our own (`redis_scripts`).

use std::sync::Arc;
use std::time::Duration;

use apalis_redis::{Config, RedisStorage};
use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use tokio::sync::Notify;

use super::naming::ring_id;
use super::payloads::{Job, Queue};
use super::queue::{JobQueue, QueueError, by_queue, milliseconds};
use super::redis_scripts::{BURY, CHUNK, COLLECT, PROMOTE, RING};
use super::transport::{HEARTBEAT, MISSED_HEARTBEATS, Transport};
use super::tuned::{Narrow, opening_batch};
use crate::pace::pause;
use crate::redis_link::{Heard, RedisLink};

/// apalis writes a worker's metadata and never removes it; it lives this long unless the worker is buried before.
const METADATA_SECONDS: i64 = 24 * 3600;

/// How often delayed rings are looked for.
const PROMOTE_EVERY: Duration = Duration::from_millis(250);

/// The queue on a Redis server, shared by everything in the process.
pub(crate) struct RedisJobs {
    link: RedisLink,
    interactive: Keys,
    bulk: Keys,
}

/// The names of one queue. apalis derives the same ones from the queue's name.
struct Keys {
    queue: String,
    data: String,
    active: String,
    meta: String,
    later: String,
    done: String,
    dead: String,
    workers: String,
    channel: String,
    bell: Arc<Notify>,
}

impl Keys {
    fn new(queue: String) -> Self {
        let key = |part: &str| format!("{queue}:{part}");
        Self {
            data: key("data"),
            active: key("active"),
            meta: key("meta"),
            later: key("later"),
            done: key("done"),
            dead: key("dead"),
            workers: key("workers"),
            channel: key("bell"),
            bell: Arc::default(),
            queue,
        }
    }

    fn inflight(&self, worker: &str) -> String {
        format!("{}:inflight:{worker}", self.queue)
    }

    fn metadata(&self, worker: &str) -> String {
        format!("{}:metadata:{worker}", self.workers)
    }
}

impl RedisJobs {
    /// The queues under `prefix` on the server behind `link`.
    pub(crate) fn new(link: RedisLink, prefix: &str) -> Self {
        Self {
            link,
            interactive: Keys::new(Queue::Interactive.name(prefix)),
            bulk: Keys::new(Queue::Bulk.name(prefix)),
        }
    }

    fn keys(&self, queue: Queue) -> &Keys {
        match queue {
            Queue::Interactive => &self.interactive,
            Queue::Bulk => &self.bulk,
        }
    }

    async fn push(&self, queue: Queue, payloads: &[String], delay: Duration) -> Result<(), QueueError> {
        let keys = self.keys(queue);
        let delay = milliseconds(delay);
        for chunk in payloads.chunks(CHUNK) {
            let mut ring = RING.prepare_invoke();
            ring.key(&keys.data).key(&keys.active).key(&keys.meta).key(&keys.later).arg(&keys.channel).arg(delay);
            for payload in chunk {
                ring.arg(ring_id()).arg(payload);
            }
            let ring = &ring;
            self.link
                .run(|mut redis| async move { ring.invoke_async::<()>(&mut redis).await })
                .await
                .map_err(QueueError::unavailable)?;
        }
        Ok(())
    }

    async fn promote(&self, queue: Queue) -> Result<(), QueueError> {
        let keys = self.keys(queue);
        let mut promote = PROMOTE.prepare_invoke();
        promote.key(&keys.later).key(&keys.active).arg(&keys.channel).arg(CHUNK);
        let promote = &promote;
        loop {
            let moved: usize = self
                .link
                .run(|mut redis| async move { promote.invoke_async(&mut redis).await })
                .await
                .map_err(QueueError::unavailable)?;
            if moved < CHUNK {
                return Ok(());
            }
        }
    }

    /// Delayed rings: while the server is away the sweeper covers for them, so a failure is only worth a debug line here.
    async fn promote_forever(&self) {
        loop {
            pause(PROMOTE_EVERY).await;
            for queue in Queue::ALL {
                if let Err(error) = self.promote(queue).await {
                    tracing::debug!(?queue, %error, "delayed rings could not be promoted");
                }
            }
        }
    }

    async fn collect_forever(&self, every: Duration) {
        loop {
            pause(every).await;
            if let Err(error) = self.collect_finished().await {
                tracing::warn!(%error, "finished jobs could not be collected; trying again later");
            }
        }
    }

    async fn listen_forever(&self) {
        let channels = [self.interactive.channel.clone(), self.bulk.channel.clone()];
        self.link
            .listen(&channels, |heard| match heard {
                Heard::Joined => Queue::ALL.into_iter().for_each(|queue| self.keys(queue).bell.notify_one()),
                Heard::Said(message) => {
                    if let Some(queue) =
                        Queue::ALL.into_iter().find(|queue| self.keys(*queue).channel == message.get_channel_name())
                    {
                        self.keys(queue).bell.notify_one();
                    }
                }
            })
            .await;
    }
}

#[async_trait]
impl JobQueue for RedisJobs {
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
        let mut collected = 0;
        for queue in Queue::ALL {
            let keys = self.keys(queue);
            for finished in [&keys.done, &keys.dead] {
                let mut collect = COLLECT.prepare_invoke();
                collect.key(finished).key(&keys.data).key(&keys.meta).arg(CHUNK);
                let collect = &collect;
                loop {
                    let chunk: u64 = self
                        .link
                        .run(|mut redis| async move { collect.invoke_async(&mut redis).await })
                        .await
                        .map_err(QueueError::unavailable)?;
                    collected += chunk;
                    if chunk == 0 {
                        break;
                    }
                }
            }
        }
        Ok(collected)
    }

    async fn check(&self) -> Result<(), QueueError> {
        self.link
            .run(|mut redis| async move { redis::cmd("PING").query_async::<()>(&mut redis).await })
            .await
            .map_err(QueueError::unavailable)
    }
}

impl Transport for RedisJobs {
    type Storage = RedisStorage<Vec<u8>, MultiplexedConnection>;

    const TICK: Duration = Duration::from_millis(250);

    fn bell(&self, queue: Queue) -> Arc<Notify> {
        Arc::clone(&self.keys(queue).bell)
    }

    async fn open(&self, queue: Queue, name: &str, concurrency: usize) -> Result<Self::Storage, QueueError> {
        let keys = self.keys(queue);
        let mut connection = self.link.dedicated().await.map_err(QueueError::unavailable)?;
        // Written before apalis writes its fields into the same hash, which keeps the expiry: no kill can leak it.
        redis::pipe()
            .hset(keys.metadata(name), "backend_name", "RedisStorage")
            .expire(keys.metadata(name), METADATA_SECONDS)
            .exec_async(&mut connection)
            .await
            .map_err(QueueError::unavailable)?;
        let config = Config::default()
            .queue(&keys.queue)
            .batch_size(opening_batch(concurrency))
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS as usize)
            .lock_tasks(false)
            .emit_events(false);
        Ok(RedisStorage::new(connection).with_config(config))
    }

    async fn bury(&self, queue: Queue, name: &str) -> Result<(), QueueError> {
        let keys = self.keys(queue);
        let mut bury = BURY.prepare_invoke();
        bury.key(keys.inflight(name))
            .key(&keys.active)
            .key(&keys.data)
            .key(&keys.meta)
            .key(&keys.workers)
            .key(keys.metadata(name))
            .arg(name)
            .arg(&keys.channel);
        let bury = &bury;
        self.link
            .run(|mut redis| async move {
                bury.invoke_async::<()>(&mut redis).await?;
                // apalis lists every queue here, outside any prefix, for a board that we do not run.
                redis::cmd("ZREM").arg("core:apalis:queues:list").arg(&keys.workers).query_async::<()>(&mut redis).await
            })
            .await
            .map_err(QueueError::unavailable)
    }

    async fn upkeep(&self, collect_every: Duration) {
        tokio::join!(self.listen_forever(), self.promote_forever(), self.collect_forever(collect_every));
    }
}

impl Narrow for RedisStorage<Vec<u8>, MultiplexedConnection> {
    fn narrow(&mut self) {
        // The clone only keeps the place; the original holds the acknowledgement channel.
        let original = std::mem::replace(self, self.clone());
        let config = original.get_config().clone().batch_size(1);
        *self = original.with_config(config);
    }
}
