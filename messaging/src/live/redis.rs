//! The live bus across processes: one channel, one listening connection per process that has subscribers, and `broadcast`
//! behind it. Pub/sub forgets what nobody heard, so each time the connection stands (again), everybody is told to reload.

use std::sync::OnceLock;

use async_trait::async_trait;
use redis::Msg;
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

use super::broadcast::Broadcast;
use super::bus::{LiveBus, LiveError, LiveEvent, LiveStream, Topic};
use crate::redis_link::{Heard, RedisLink};

/// Events in one message.
const CHUNK: usize = 256;

/// The live bus on a Redis server, shared by everything in the process.
pub(crate) struct RedisLive {
    link: RedisLink,
    channel: String,
    local: Broadcast,
    listener: OnceLock<AbortOnDropHandle<()>>,
}

impl RedisLive {
    /// The bus under `prefix` on the server behind `link`.
    pub(crate) fn new(link: RedisLink, prefix: &str) -> Self {
        Self {
            link,
            channel: format!("{prefix}gatehouse-live"),
            local: Broadcast::default(),
            listener: OnceLock::new(),
        }
    }

    fn listen(&self) -> AbortOnDropHandle<()> {
        let (link, channel, local) = (self.link.clone(), self.channel.clone(), self.local.clone());
        AbortOnDropHandle::new(tokio::spawn(async move {
            link.listen(&[channel], |heard| match heard {
                Heard::Joined => local.lagged(),
                Heard::Said(message) => deliver(&local, &message),
            })
            .await;
        }))
    }
}

fn deliver(local: &Broadcast, message: &Msg) {
    let events: Vec<Value> = match serde_json::from_slice(message.get_payload_bytes()) {
        Ok(events) => events,
        Err(error) => {
            tracing::warn!(%error, "a live message of unknown shape: subscribers reload");
            local.lagged();
            return;
        }
    };
    for event in events {
        match serde_json::from_value::<LiveEvent>(event) {
            Ok(event) => local.deliver(&event),
            Err(error) => tracing::debug!(%error, "a live event of unknown kind was skipped"),
        }
    }
}

#[async_trait]
impl LiveBus for RedisLive {
    async fn publish_all(&self, events: &[LiveEvent]) -> Result<(), LiveError> {
        for chunk in events.chunks(CHUNK) {
            let message = serde_json::to_vec(chunk).map_err(|error| LiveError::Unpublished(error.into()))?;
            let (channel, message) = (&self.channel, &message);
            self.link
                .run(|mut redis| async move {
                    redis::cmd("PUBLISH").arg(channel).arg(message).query_async::<()>(&mut redis).await
                })
                .await
                .map_err(|error| LiveError::Unpublished(error.into()))?;
        }
        Ok(())
    }

    fn subscribe(&self, topics: &[Topic]) -> LiveStream {
        let subscription = self.local.watch(topics);
        // The first subscriber starts the listener; a process that only publishes hears nothing.
        self.listener.get_or_init(|| self.listen());
        LiveStream::new(subscription)
    }
}
