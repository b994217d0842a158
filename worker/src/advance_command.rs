//! One command, one step: load, decide, act, record, publish. What to do is `domain::command`'s decision.

use std::{sync::Arc, time::Duration};

use domain::{
    clock::Timestamp,
    command::{
        Action, Answer, CommandState, Evidence, Failure, FailureCode, Progress, Sent, Step, TimelineEntry,
        TimelineStep, after_dispatch, coalesces, dispatching, follow, next_step,
    },
    door::{DoorReading, Source},
    ids::{CommandId, DoorId, VendorAccountId},
};
use entities::{
    StoreError,
    rows::command,
    store::{
        self,
        commands::{Recorded, Recording},
    },
    work::{self, Destination},
};
use messaging::LiveEvent;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vendors::port::{Departure, Target};

use crate::{
    accounts::{Access, Accounts, ConnectError, Line},
    parts::Parts,
    steps,
};

/// What carries commands out.
pub struct Hands {
    parts: Parts,
    accounts: Arc<Accounts>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// A command whose row was read, on its way through one step.
pub(crate) struct Task<'a> {
    pub(crate) row: &'a command::Model,
    pub(crate) progress: Progress,
}

impl Hands {
    /// Hands that use these connections, and end what they began beside a command with these tasks.
    #[must_use]
    pub const fn new(parts: Parts, accounts: Arc<Accounts>, tasks: TaskTracker, shutdown: CancellationToken) -> Self {
        Self { parts, accounts, tasks, shutdown }
    }

    pub(crate) const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Takes a command one step further, unless it is to be sent and not `sendable`. Returns where it stands then.
    ///
    /// # Errors
    /// The database failed; the command is found again where it was.
    pub async fn advance(&self, row: &command::Model, sendable: bool) -> Result<Progress, StoreError> {
        let task = Task { progress: row.progress()?, row };
        let now = self.parts.clock.now();
        match next_step(&task.progress, now) {
            Step::Rest | Step::Wait(_) => Ok(task.progress),
            Step::Settle(next) => {
                self.record(&task, &next, vec![line(&next, TimelineStep::Expired, now)], None, None).await?;
                Ok(*next)
            }
            Step::Dispatch if !sendable => Ok(task.progress),
            Step::Dispatch => self.dispatch(&task, now).await,
            Step::Follow => steps::follow::follow_leader(self, &task).await,
            Step::Poll | Step::Look => steps::sight::sight(self, &task).await,
        }
    }

    async fn dispatch(&self, task: &Task<'_>, now: Timestamp) -> Result<Progress, StoreError> {
        let database = &self.parts.database;
        let (destination, leader) = tokio::join!(work::destination(database, task.row), self.last_sent(task.row));
        if let Some(leader) = leader?
            && let Some(next) = riding(&task.progress, &leader, now)?
        {
            let lines = vec![line(&next, TimelineStep::Coalesced, now)];
            self.record(task, &next, lines, Some(CommandId(leader.id)), None).await?;
            return Ok(next);
        }
        let Some(destination) = destination? else {
            let gone = Failure::new(FailureCode::DeviceNotFound, "The device or door no longer exists.");
            return self.refuse(task, gone).await;
        };
        let line_to = match self.line(&destination) {
            Ok(line_to) => line_to,
            Err(ConnectError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::error!(command = %CommandId(task.row.id), %error, "no connection to the vendor account");
                let failure =
                    Failure::new(FailureCode::AuthenticationFailed, "The vendor account's credentials are unusable.");
                return self.refuse(task, failure).await;
            }
        };
        let action = task.row.action()?;
        self.send(task, &action, &destination, &line_to).await
    }

    /// Rules 1 and 2: the intent is on disk before the bytes leave, and they leave in time or not at all.
    async fn send(
        &self,
        task: &Task<'_>,
        action: &Action,
        destination: &Destination,
        line_to: &Arc<Line>,
    ) -> Result<Progress, StoreError> {
        // A full bulkhead: this command keeps its place until there is room or its time is over.
        let permit = tokio::select! {
            permit = line_to.bulkhead.acquire() => permit,
            () = self.deadline(&task.progress) => return Ok(task.progress.clone()),
        };
        let Ok(_permit) = permit else { return Ok(task.progress.clone()) };
        let now = self.parts.clock.now();
        if task.progress.is_expired(now) {
            return Ok(task.progress.clone());
        }
        let intent = dispatching(&task.progress, now);
        let lines = vec![line(&intent, TimelineStep::Dispatching, now)];
        let Some(row) = self.write(task, &intent, lines, None, None).await? else { return Ok(intent) };
        let departure = Departure { clock: self.parts.clock.clone(), latest: intent.expires_at };
        let target = target_of(destination);
        let control = line_to.connection.door_control();
        let under_way = [live_command(&row)];
        let (outcome, ()) = tokio::join!(control.dispatch(action, &target, &departure), self.parts.tell(&under_way));
        let account = VendorAccountId(destination.account_id);
        self.accounts.note(account, &destination.account_state, &outcome).await;
        let now = self.parts.clock.now();
        let (sent, reading, notes) = match outcome {
            Ok(receipt) => (Sent::Answered(receipt.answer), receipt.door, receipt.notes),
            Err(error) => (error.into_sent(), None, Vec::new()),
        };
        let step = match &sent {
            Sent::Answered(_) => TimelineStep::Answered,
            Sent::NotSent { .. } => TimelineStep::NotSent,
            Sent::Lost { .. } => TimelineStep::AnswerLost,
        };
        let next = after_dispatch(&intent, sent, now);
        let mut lines = steps::notes(&next, notes, now);
        lines.push(line(&next, step, now));
        let sent = Task { row: &row, progress: intent };
        let told = reading.is_some();
        let reading = reading.map(|reading| (reading, Source::Command));
        self.record(&sent, &next, lines, None, reading).await?;
        if !told && next.state == CommandState::Succeeded {
            self.refresh_door(task.row, &next, line_to, &target);
        }
        Ok(next)
    }

    /// After a success the door is looked at beside the lane, so that its live state follows without waiting for the
    /// next sync; a door that opens is looked at again when it has had time to close.
    pub(crate) fn refresh_door(&self, row: &command::Model, done: &Progress, to: &Arc<Line>, target: &Target) {
        let Some(door) = row.door_id.map(DoorId) else { return };
        let later = done.kind.opens().then_some(steps::refresh::CLOSES_WITHIN);
        let refresh = steps::refresh::refresh(self.parts.clone(), Arc::clone(to), target.clone(), door, later);
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = refresh => {}
                () = shutdown.cancelled() => {}
            }
        });
    }

    async fn last_sent(&self, row: &command::Model) -> Result<Option<command::Model>, StoreError> {
        let coalescable = matches!(row.kind.as_str(), "OPEN_DOOR" | "UNLOCK_DOOR");
        match row.door_id {
            Some(door) if coalescable => work::last_sent(&self.parts.database, DoorId(door)).await,
            _ => Ok(None),
        }
    }

    async fn deadline(&self, progress: &Progress) {
        match progress.expires_at {
            Some(at) => self.parts.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Ends a queued command that cannot be sent at all.
    async fn refuse(&self, task: &Task<'_>, failure: Failure) -> Result<Progress, StoreError> {
        let now = self.parts.clock.now();
        let refused = Answer::Failed { failure, evidence: Evidence::None };
        let next = after_dispatch(&task.progress, Sent::Answered(refused), now);
        self.record(task, &next, vec![line(&next, TimelineStep::NotSent, now)], None, None).await?;
        Ok(next)
    }

    pub(crate) fn line(&self, destination: &Destination) -> Result<Arc<Line>, ConnectError> {
        self.accounts.line(&Access {
            account: destination.account_id,
            vendor: &destination.vendor,
            base_url: &destination.base_url,
            credentials: &destination.credentials,
            credentials_version: destination.credentials_version,
        })
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Writes a step and tells of it. Who was outrun leaves it to the other.
    pub(crate) async fn record(
        &self,
        task: &Task<'_>,
        next: &Progress,
        lines: Vec<TimelineEntry>,
        rides_on: Option<CommandId>,
        reading: Option<(DoorReading, Source)>,
    ) -> Result<(), StoreError> {
        if let Some(row) = self.write(task, next, lines, rides_on, reading).await? {
            self.parts.tell(&[live_command(&row)]).await;
        }
        Ok(())
    }

    async fn write(
        &self,
        task: &Task<'_>,
        next: &Progress,
        lines: Vec<TimelineEntry>,
        rides_on: Option<CommandId>,
        reading: Option<(DoorReading, Source)>,
    ) -> Result<Option<Box<command::Model>>, StoreError> {
        let step = Recording { row: task.row, progress: next, lines, rides_on, reading };
        let now = self.parts.clock.now();
        let recorded = self.persist(step, now).await?;
        Ok(match recorded {
            Recorded::Written { row, door } => {
                if let Some(door) = door {
                    self.parts.tell(&[live_door(&door)]).await;
                }
                Some(row)
            }
            Recorded::Outrun => {
                tracing::debug!(command = %CommandId(task.row.id), "outrun by another writer");
                None
            }
        })
    }

    /// What a vendor answered must not be lost to a database that is busy for a moment: an outcome is written again
    /// until it is written, for as long as the lane's lease would have lasted.
    async fn persist(&self, step: Recording<'_>, now: Timestamp) -> Result<Recorded, StoreError> {
        let mut tries = 0;
        loop {
            match store::commands::record(&self.parts.database, self.parts.ids.as_ref(), step.clone(), now).await {
                Err(StoreError::Unavailable(error)) if tries < 5 => {
                    tries += 1;
                    tracing::warn!(%error, tries, "the database is not available; writing again");
                    let pause = Duration::from_millis(100 << tries);
                    self.parts.clock.sleep_until(self.parts.clock.now() + pause).await;
                }
                other => return other,
            }
        }
    }
}

fn riding(progress: &Progress, leader: &command::Model, now: Timestamp) -> Result<Option<Progress>, StoreError> {
    let leading = leader.progress()?;
    Ok(coalesces(progress, &leading, leader.finished_at).then(|| follow(progress, &leading, now)))
}

pub(crate) fn target_of(destination: &Destination) -> Target {
    Target {
        device: destination.device_external_id.clone(),
        model: destination.model.clone(),
        door: destination.door_external_id.clone(),
        position: destination.position,
    }
}

pub(crate) fn line(next: &Progress, step: TimelineStep, at: Timestamp) -> TimelineEntry {
    let detail = next.failure.as_ref().map(|failure| format!("{}: {}", failure.code, failure.message));
    TimelineEntry { at, vendor_at: None, step, state: next.state, detail }
}

pub(crate) fn live_command(row: &command::Model) -> LiveEvent {
    LiveEvent::Command { id: row.id, organization: row.organization_id, version: row.version }
}

pub(crate) fn live_door(change: &store::doors::DoorChange) -> LiveEvent {
    LiveEvent::DoorState {
        door: change.door.0,
        site: change.site,
        organization: change.organization,
        version: change.version,
    }
}
