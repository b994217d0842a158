//! The live bus as `api` and `worker` see it. The back ends live in `broadcast` (one process) and `redis` (many).

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::Stream;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::broadcast::Subscription;

/// Something changed. A kind that a process does not know (a rolling deployment) is skipped by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LiveEvent {
    /// A command has a new state.
    Command {
        /// The command.
        id: Uuid,
        /// Its tenant.
        organization: Uuid,
        /// The row's version after the change; a subscriber that has seen it may ignore the event.
        version: i64,
    },
    /// A door's observed state is new.
    DoorState {
        /// The door.
        door: Uuid,
        /// The site it belongs to.
        site: Uuid,
        /// Its tenant.
        organization: Uuid,
        /// The row's version after the change; a subscriber that has seen it may ignore the event.
        version: i64,
    },
    /// An alert was raised, acknowledged or resolved.
    Alert {
        /// The alert.
        id: Uuid,
        /// Its tenant.
        organization: Uuid,
        /// The row's version after the change; a subscriber that has seen it may ignore the event.
        version: i64,
    },
}

/// What one can subscribe to. Events are found by topic, so a subscriber costs nothing when others are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// One command.
    Command(Uuid),
    /// One door.
    Door(Uuid),
    /// Every door of a site.
    Site(Uuid),
    /// Everything in an organization.
    Organization(Uuid),
    /// The alerts of an organization.
    Alerts(Uuid),
}

/// What a subscriber receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveSignal {
    /// Something changed: reload it.
    Event(LiveEvent),
    /// Events may have been missed, by this subscriber or by the whole process: reload everything it shows.
    Lagged,
}

impl LiveEvent {
    /// The topics this event belongs to.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        match *self {
            Self::Command { id, organization, .. } => vec![Topic::Command(id), Topic::Organization(organization)],
            Self::Alert { organization, .. } => vec![Topic::Alerts(organization)],
            Self::DoorState { door, site, organization, .. } => {
                vec![Topic::Door(door), Topic::Site(site), Topic::Organization(organization)]
            }
        }
    }
}

/// Carries live events, at most once. Truth is in the rows: whoever subscribes reads them once after subscribing.
#[async_trait]
pub trait LiveBus: Send + Sync {
    /// Tells everybody. On an error go on: nobody's truth depends on it.
    async fn publish(&self, event: &LiveEvent) -> Result<(), LiveError> {
        self.publish_all(std::slice::from_ref(event)).await
    }

    /// Tells everybody several things at once, in order, at the price of one.
    async fn publish_all(&self, events: &[LiveEvent]) -> Result<(), LiveError>;

    /// Subscribes to any of `topics`, from now on; call it inside the tokio runtime. An event that belongs to two of them
    /// arrives twice. On Redis the first signal is often `Lagged`: the subscription stands only from then on.
    fn subscribe(&self, topics: &[Topic]) -> LiveStream;
}

/// What went wrong with a publication, named by what the caller must do.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// Subscribers elsewhere may not have heard. Log and go on; they reload when the connection is back.
    #[error("a live event was not published")]
    Unpublished(#[source] Box<dyn Error + Send + Sync>),
}

/// The signals of one subscription, in a bounded buffer; ends only when dropped.
pub struct LiveStream(Subscription);

impl LiveStream {
    pub(crate) fn new(subscription: Subscription) -> Self {
        Self(subscription)
    }
}

impl Stream for LiveStream {
    type Item = LiveSignal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<LiveSignal>> {
        Pin::new(&mut self.0).poll_next(cx)
    }
}
