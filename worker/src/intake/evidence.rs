//! What a door is said to have done, as evidence for commands whose outcome is open (rule 3, P3).

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    command::{Answer, CommandKind, Evidence, Seen, TimelineStep, after_sighting, evidence_in},
    door::DoorReading,
    ids::DoorId,
};
use entities::{
    StoreError,
    store::{
        self,
        commands::{Recorded, Recording},
    },
    work,
};

use crate::{
    advance_command::{line, live_command},
    parts::Parts,
};

/// Evidence that comes later than this decides nothing any more.
const LATEST: TimeDelta = TimeDelta::hours(24);

/// What a reading proves of a command sent at `sent`. What began after another command to the same door is that one's
/// doing, if it is anybody's.
pub(crate) async fn proof(
    parts: &Parts,
    door: DoorId,
    kind: CommandKind,
    reading: &DoorReading,
    sent: Timestamp,
) -> Result<Option<Evidence>, StoreError> {
    let now = parts.clock.now();
    let evidence = evidence_in(kind, reading, sent, now);
    let (Some(_), Some(began)) = (evidence, reading.observed_at) else { return Ok(None) };
    let is_another = work::was_sent_between(&parts.database, door, sent, began).await?;
    Ok(evidence.filter(|_| !is_another))
}

/// Settles the commands that these readings prove.
pub(super) async fn settle(parts: &Parts, readings: &[(DoorId, DoorReading)]) -> Result<(), StoreError> {
    let now = parts.clock.now();
    for (door, reading) in readings {
        for row in work::undecided(&parts.database, *door, now - LATEST).await? {
            let progress = row.progress()?;
            let Some(sent) = progress.dispatched_at else { continue };
            let Some(evidence) = proof(parts, *door, progress.kind, reading, sent).await? else { continue };
            let next = after_sighting(&progress, Seen::Answered(Answer::Succeeded { evidence }), now);
            let lines = vec![line(&next, TimelineStep::Noticed, now)];
            let step = Recording { row: &row, progress: &next, lines, rides_on: None, reading: None, result: None };
            // Outrun: somebody else has learned of it at the same time.
            if let Recorded::Written { row, .. } =
                store::commands::record(&parts.database, parts.ids.as_ref(), step, now).await?
            {
                parts.tell(&[live_command(&row)]).await;
            }
        }
    }
    Ok(())
}
