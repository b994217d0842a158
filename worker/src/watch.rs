//! The watch: looks every minute whether the state of the house asks for alerts, and ends those whose cause is gone.
//! What follows from what is `domain::alert`; several workers at once change nothing more.

use chrono::TimeDelta;
use entities::{rows::alert, store};
use messaging::LiveEvent;

use crate::parts::Parts;

/// How often it looks.
pub(crate) const PERIOD: TimeDelta = TimeDelta::minutes(1);
/// Looks in a row, when there is much to write. What is left waits for the next minute.
const ROUNDS: usize = 100;

/// Looks once, and tells what is new.
pub(crate) async fn look(parts: &Parts) {
    for _ in 0..ROUNDS {
        match store::watch::alerts(&parts.database, parts.ids.as_ref(), parts.clock.now()).await {
            Ok(watched) => {
                tell(parts, &watched.alerts).await;
                if !watched.more {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the watch could not look; it will in a minute");
                return;
            }
        }
    }
}

/// Tells whoever listens of alerts that are new or changed. Call it after their commit.
pub(crate) async fn tell(parts: &Parts, alerts: &[alert::Model]) {
    let events = alerts.iter().map(|row| LiveEvent::Alert {
        id: row.id,
        organization: row.organization_id,
        version: row.version,
    });
    parts.tell(&events.collect::<Vec<_>>()).await;
}
