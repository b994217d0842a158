//! The subscription root, one file per subject. Each subscribes first, then sends the current state, then changes; a look
//! under the caller's scope, with their key verified again, precedes every delivery.

mod alert_raised;
mod command_updated;
mod cursor;
mod door_state_changed;
mod event_recorded;
mod watch;

use async_graphql::MergedSubscription;

/// Hearing of changes, over a WebSocket (`graphql-transport-ws`).
#[derive(Default, MergedSubscription)]
pub(crate) struct Subscription(
    command_updated::CommandSubscriptions,
    door_state_changed::DoorSubscriptions,
    alert_raised::AlertSubscriptions,
    event_recorded::EventSubscriptions,
);
