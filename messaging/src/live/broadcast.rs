//! Fan-out inside one process: a bounded broadcast channel per watched topic, made by the first subscriber and removed with
//! the last. It is the whole bus when everything runs in one process, and the last step of the Redis bus.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::stream::SelectAll;
use futures::{Stream, StreamExt};
use tokio::sync::broadcast::Sender;
use tokio_stream::wrappers::BroadcastStream;

use super::bus::{LiveBus, LiveError, LiveEvent, LiveSignal, LiveStream, Topic};

/// What a slow subscriber may be behind before it is told to reload.
fn capacity(topic: Topic) -> usize {
    match topic {
        Topic::Command(_) | Topic::Door(_) => 16,
        Topic::Site(_) | Topic::Organization(_) | Topic::Alerts(_) => 256,
    }
}

/// The watched topics of this process.
#[derive(Clone, Default)]
pub(crate) struct Broadcast {
    watched: Arc<Mutex<HashMap<Topic, Sender<LiveSignal>>>>,
}

impl Broadcast {
    /// Hands `event` to those who watch one of its topics, and to nobody else.
    pub(crate) fn deliver(&self, event: &LiveEvent) {
        let watched = self.watched();
        for topic in event.topics() {
            if let Some(channel) = watched.get(&topic) {
                // Fails only if the last subscriber is leaving just now.
                let _ = channel.send(LiveSignal::Event(event.clone()));
            }
        }
    }

    /// Tells everybody to reload.
    pub(crate) fn lagged(&self) {
        for channel in self.watched().values() {
            let _ = channel.send(LiveSignal::Lagged);
        }
    }

    /// Watches `topics`.
    pub(crate) fn watch(&self, topics: &[Topic]) -> Subscription {
        let mut watched = self.watched();
        let signals = topics
            .iter()
            .map(|topic| {
                let channel = watched.entry(*topic).or_insert_with(|| Sender::new(capacity(*topic)));
                BroadcastStream::new(channel.subscribe())
            })
            .collect();
        drop(watched);
        Subscription { signals, topics: topics.to_vec(), broadcast: self.clone() }
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<Topic, Sender<LiveSignal>>> {
        // The map is whole after every statement, so a panic elsewhere has not spoilt it.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl LiveBus for Broadcast {
    async fn publish_all(&self, events: &[LiveEvent]) -> Result<(), LiveError> {
        events.iter().for_each(|event| self.deliver(event));
        Ok(())
    }

    fn subscribe(&self, topics: &[Topic]) -> LiveStream {
        LiveStream::new(self.watch(topics))
    }
}

/// One subscriber's channels. Leaving removes the topics nobody else watches.
pub(crate) struct Subscription {
    signals: SelectAll<BroadcastStream<LiveSignal>>,
    topics: Vec<Topic>,
    broadcast: Broadcast,
}

impl Stream for Subscription {
    type Item = LiveSignal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<LiveSignal>> {
        match self.signals.poll_next_unpin(cx) {
            Poll::Ready(Some(signal)) => Poll::Ready(Some(signal.unwrap_or(LiveSignal::Lagged))),
            // No topics: nothing will ever come, which is not the end.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.signals.clear();
        let mut watched = self.broadcast.watched();
        for topic in &self.topics {
            if let Entry::Occupied(channel) = watched.entry(*topic)
                && channel.get().receiver_count() == 0
            {
                channel.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use uuid::Uuid;

    fn door_state(door: Uuid, site: Uuid, version: i64) -> LiveEvent {
        LiveEvent::DoorState { door, site, organization: Uuid::nil(), version }
    }

    #[tokio::test]
    async fn only_those_who_watch_hear() {
        let bus = Broadcast::default();
        let (door, site) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut by_door = bus.subscribe(&[Topic::Door(door)]);
        let mut by_site = bus.subscribe(&[Topic::Site(site)]);
        let mut other = bus.subscribe(&[Topic::Door(Uuid::from_u128(3)), Topic::Command(door)]);
        let event = door_state(door, site, 7);
        bus.publish(&event).await.unwrap();
        assert_eq!(by_door.next().await, Some(LiveSignal::Event(event.clone())));
        assert_eq!(by_site.next().await, Some(LiveSignal::Event(event)));
        assert_eq!(other.next().now_or_never(), None);
    }

    #[tokio::test]
    async fn a_slow_subscriber_is_told_to_reload_and_then_hears_the_newest() {
        let bus = Broadcast::default();
        let door = Uuid::from_u128(1);
        let mut slow = bus.subscribe(&[Topic::Door(door)]);
        let events: Vec<_> = (1..=100).map(|version| door_state(door, Uuid::nil(), version)).collect();
        bus.publish_all(&events).await.unwrap();
        assert_eq!(slow.next().await, Some(LiveSignal::Lagged));
        let mut last = None;
        while let Some(Some(signal)) = slow.next().now_or_never() {
            last = Some(signal);
        }
        assert_eq!(last, Some(LiveSignal::Event(door_state(door, Uuid::nil(), 100))));
    }

    #[tokio::test]
    async fn topics_leave_with_their_last_subscriber() {
        let bus = Broadcast::default();
        let topic = Topic::Command(Uuid::from_u128(1));
        let (first, second) = (bus.subscribe(&[topic]), bus.subscribe(&[topic]));
        drop(first);
        assert_eq!(bus.watched().len(), 1);
        drop(second);
        assert!(bus.watched().is_empty());
    }
}
