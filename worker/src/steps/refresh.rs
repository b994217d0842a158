//! Looking at a door after a command, for its live state only. It decides nothing of any command.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{door::Source, ids::DoorId};
use entities::store;
use messaging::Urgency;
use vendors::port::Target;

use crate::{
    accounts::{Line, pace::with_urgency},
    advance_command::live_door,
    parts::Parts,
};

/// A door that was opened has usually closed and locked again after this time.
pub(crate) const CLOSES_WITHIN: TimeDelta = TimeDelta::seconds(10);

/// Looks now, and once more `later`.
pub(crate) async fn refresh(parts: Parts, to: Arc<Line>, target: Target, door: DoorId, later: Option<TimeDelta>) {
    let began = parts.clock.now();
    look(&parts, &to, &target, door).await;
    if let Some(later) = later {
        parts.clock.sleep_until(began + later).await;
        look(&parts, &to, &target, door).await;
    }
}

async fn look(parts: &Parts, to: &Line, target: &Target, door: DoorId) {
    // Nobody waits for this: when the bulkhead is full, the vendor has better things to do.
    let Ok(_permit) = to.bulkhead.try_acquire() else { return };
    let reading = match with_urgency(Urgency::State, to.connection.door_control().look(target)).await {
        Ok(Some(reading)) => reading,
        Ok(None) => return,
        Err(error) => {
            tracing::debug!(%door, %error, "the door could not be looked at after a command");
            return;
        }
    };
    let now = parts.clock.now();
    match store::doors::observe(&parts.database, parts.ids.as_ref(), door, &reading, Source::Poll, now).await {
        Ok(Some(change)) => parts.tell(&[live_door(&change)]).await,
        Ok(None) => {}
        Err(error) => tracing::warn!(%door, %error, "what was seen of the door could not be written"),
    }
}
