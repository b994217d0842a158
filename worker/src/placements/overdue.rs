//! What should be gone and may still open: somebody is told after a minute, a quarter of an hour and an hour.

use chrono::TimeDelta;
use domain::{alert::AlertSeverity, clock::Timestamp, placement::Wish};
use entities::{
    StoreError,
    rows::{alert, placement},
    store, work,
};

use crate::{parts::Parts, watch};

/// From when on somebody has to know, and how soon they must look.
const STEPS: [(TimeDelta, AlertSeverity, &str); 3] = [
    (
        TimeDelta::hours(1),
        AlertSeverity::Critical,
        "What was to be taken away an hour ago is not known to be gone, and may still open.",
    ),
    (
        TimeDelta::minutes(15),
        AlertSeverity::Warning,
        "What was to be taken away a quarter of an hour ago is not known to be gone, and may still open.",
    ),
    (
        TimeDelta::minutes(1),
        AlertSeverity::Notice,
        "What was to be taken away a minute ago is not known to be gone, and may still open.",
    ),
];

/// Tells of what became overdue since the last look; of all that is, without one.
pub(crate) async fn look(parts: &Parts, last: Option<Timestamp>, now: Timestamp) -> Result<(), StoreError> {
    let mut told = Vec::new();
    for (after, _, _) in STEPS {
        for row in work::placements::overdue(&parts.database, last.map(|last| last - after), now - after).await? {
            told.extend(raise(parts, &row, now).await?);
        }
    }
    watch::tell(parts, &told).await;
    Ok(())
}

async fn raise(parts: &Parts, row: &placement::Model, now: Timestamp) -> Result<Option<alert::Model>, StoreError> {
    // What a PMS shows opens nothing.
    if matches!(row.wish()?, Some(Wish::PmsToken(_))) {
        return Ok(None);
    }
    let waited = row.revoke_requested_at.map_or(TimeDelta::zero(), |asked| now - asked);
    let Some((_, severity, message)) = STEPS.into_iter().find(|(after, _, _)| waited >= *after) else {
        return Ok(None);
    };
    store::placements::overdue(&parts.database, parts.ids.as_ref(), row, (severity, message), now).await
}
