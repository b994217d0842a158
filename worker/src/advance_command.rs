//! One command, one step: load, decide, act, record, publish. What to do is `domain::command`'s decision.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{
    access::Actor,
    clock::Timestamp,
    command::{
        Action, Answer, CommandState, Evidence, Failure, FailureCode, Progress, Sent, Step, TimelineEntry,
        TimelineStep, after_dispatch, coalesces, dispatching, follow, next_step,
    },
    door::{DoorReading, Source},
    ids::{CommandId, DoorId, OrganizationId, PlacementId, SiteId, VendorAccountId},
};
use entities::{
    StoreError, find,
    rows::command,
    store::{
        self,
        commands::{Recorded, Recording},
    },
    work::{self, Destination},
};
use messaging::{Job, LiveEvent};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vendors::{
    error::VendorError,
    port::{Departure, Target},
};

use crate::{
    accounts::{Access, Accounts, ConnectError, Line},
    intake::{self, News},
    parts::Parts,
    steps,
};

/// An outcome waits this long for what came of it to be read and written, so that whoever is told finds it.
const NEWS_PATIENCE: TimeDelta = TimeDelta::seconds(3);

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

/// What a step writes beside the command's progress.
#[derive(Default)]
pub(crate) struct Entry {
    pub(crate) lines: Vec<TimelineEntry>,
    pub(crate) rides_on: Option<CommandId>,
    pub(crate) reading: Option<(DoorReading, Source)>,
    pub(crate) result: Option<serde_json::Value>,
}

impl Entry {
    fn line(line: TimelineEntry) -> Self {
        Self { lines: vec![line], ..Self::default() }
    }
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
                self.record(&task, &next, Entry::line(line(&next, TimelineStep::Expired, now))).await?;
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
        if let Some(ended) = self.ended(task).await? {
            return Ok(ended);
        }
        let (destination, leader) = tokio::join!(work::destination(database, task.row), self.last_sent(task.row));
        if let Some(leader) = leader?
            && let Some(next) = riding(&task.progress, &leader, now)?
        {
            let lines = vec![line(&next, TimelineStep::Coalesced, now)];
            let rides_on = Some(CommandId(leader.id));
            self.record(task, &next, Entry { lines, rides_on, ..Entry::default() }).await?;
            return Ok(next);
        }
        let Some(destination) = destination? else {
            let gone = Failure::new(FailureCode::DeviceNotFound, "The device or door no longer exists.");
            return self.refuse(task, gone).await;
        };
        let line_to = match self.line(&destination).await {
            Ok(line_to) => line_to,
            Err(ConnectError::Store(error)) => return Err(error),
            // Nothing was sent: whether it may be tried again is what the vendor's refusal says.
            Err(ConnectError::NotRenewed(error)) => return self.not_sent(task, error).await,
            Err(error) => {
                tracing::error!(command = %CommandId(task.row.id), %error, "no connection to the vendor account");
                let why = match &error {
                    ConnectError::Unusable(why) => why.as_str(),
                    _ => "The vendor account's credentials are unusable.",
                };
                return self.refuse(task, Failure::new(FailureCode::AuthenticationFailed, why)).await;
            }
        };
        let action = task.row.action()?;
        self.send(task, &action, &destination, &line_to).await
    }

    /// Ends a command that who asked may not send any more: a right that was taken away a moment ago opens nothing. What
    /// takes access away is sent all the same, and what the house itself asks for has no right to lose.
    async fn ended(&self, task: &Task<'_>) -> Result<Option<Progress>, StoreError> {
        let Some(actor) = task.row.requested_by.parse::<Actor>().ok().filter(|_| !task.progress.kind.revokes()) else {
            return Ok(None);
        };
        let (database, now) = (&self.parts.database, self.parts.clock.now());
        let door = task.row.door_id.map(DoorId);
        let why = if task.row.by_own_right {
            let own = match (actor, door) {
                (Actor::User(person), Some(door)) => find::opening::own_way_in(database, person, door, now).await?,
                _ => None,
            };
            own.is_none().then_some("What opened the door for who asked has ended.")
        } else {
            let organization = OrganizationId(task.row.organization_id);
            let rights = find::standing::of(database, organization, actor, now).await?;
            let (kind, site) = (task.progress.kind, SiteId(task.row.site_id));
            let may = rights.is_some_and(|rights| rights.may_still_send(kind, site, door, now).is_ok());
            (!may).then_some("Who asked may not send this any more.")
        };
        match why {
            Some(why) => self.refuse(task, Failure::new(FailureCode::AccessEnded, why)).await.map(Some),
            None => Ok(None),
        }
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
        let Ok(permit) = permit else { return Ok(task.progress.clone()) };
        // Access may have been renewed and room waited for since it was asked.
        if let Some(ended) = self.ended(task).await? {
            return Ok(ended);
        }
        let now = self.parts.clock.now();
        if task.progress.is_expired(now) {
            return Ok(task.progress.clone());
        }
        let intent = dispatching(&task.progress, now);
        let lines = vec![line(&intent, TimelineStep::Dispatching, now)];
        let Some(row) = self.write(task, &intent, Entry { lines, ..Entry::default() }).await? else {
            return Ok(intent);
        };
        let departure = Departure { clock: self.parts.clock.clone(), latest: intent.expires_at };
        let target = target_of(destination);
        let under_way = [live_command(&row)];
        let call = steps::call::dispatch(self, line_to, &row, action, target.as_ref(), &departure);
        let (outcome, ()) = tokio::join!(call, self.parts.tell(&under_way));
        // What is read again because of it needs room too.
        drop(permit);
        let account = VendorAccountId(destination.account_id);
        let mended = self.accounts.mend(account, line_to, &outcome).await;
        if mended.is_none() {
            self.accounts.note(account, &destination.account_state, &outcome).await;
        }
        let now = self.parts.clock.now();
        let (sent, told) = match (outcome, mended) {
            (Ok(told), _) => (Sent::Answered(told.answer.clone()), told),
            // The access had ended and was renewed: nothing was done, and it may be asked again.
            (Err(error), Some(Ok(_))) => {
                (Sent::NotSent { failure: error.failure(), retry_after: None }, steps::call::Told::nothing())
            }
            // It had ended and could not be renewed: whether it may be asked again depends on why.
            (Err(_), Some(Err(error))) | (Err(error), None) => (error.into_sent(), steps::call::Told::nothing()),
        };
        let step = match &sent {
            Sent::Answered(_) => TimelineStep::Answered,
            Sent::NotSent { .. } => TimelineStep::NotSent,
            Sent::Lost { .. } => TimelineStep::AnswerLost,
        };
        let next = after_dispatch(&intent, sent, now);
        let mut lines = steps::notes(&next, told.notes, now);
        lines.push(line(&next, step, now));
        let sent = Task { row: &row, progress: intent };
        let shown = told.door.is_some();
        let reading = told.door.map(|reading| (reading, Source::Command));
        self.take_in(account, line_to, told.news).await;
        self.record(&sent, &next, Entry { lines, reading, result: told.result, ..Entry::default() }).await?;
        if let Some(target) = target.filter(|_| !shown && next.state == CommandState::Succeeded) {
            self.refresh_door(task.row, &next, line_to, &target);
        }
        Ok(next)
    }

    /// What a vendor told beside the outcome of a command, taken in before the outcome is told. The command's truth does
    /// not depend on it: a vendor that is slow to tell the rest does not hold the outcome back, and what fails here is
    /// found again by the next sync.
    pub(crate) async fn take_in(&self, account: VendorAccountId, to: &Arc<Line>, news: News) {
        if news.is_empty() {
            return;
        }
        let (parts, accounts, to) = (self.parts.clone(), Arc::clone(&self.accounts), Arc::clone(to));
        let taking = self.tasks.spawn(async move {
            if let Err(error) = intake::take_in(&parts, &accounts, &to, account, news).await {
                tracing::warn!(%account, %error, "what the vendor told could not be taken in; a sync will");
                let now = parts.clock.now();
                if let Err(error) = store::accounts::request_sync(&parts.database, account, now).await {
                    tracing::warn!(%account, %error, "the sync could not be wished for either");
                }
            }
        });
        tokio::select! {
            _ = taking => {}
            () = self.parts.clock.sleep_until(self.parts.clock.now() + NEWS_PATIENCE) => {}
        }
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
        self.record(task, &next, Entry::line(line(&next, TimelineStep::NotSent, now))).await?;
        Ok(next)
    }

    /// Keeps a queued command whose account could not be reached, or ends it if the vendor refuses the account.
    async fn not_sent(&self, task: &Task<'_>, error: VendorError) -> Result<Progress, StoreError> {
        let now = self.parts.clock.now();
        let next = after_dispatch(&task.progress, error.into_sent(), now);
        self.record(task, &next, Entry::line(line(&next, TimelineStep::NotSent, now))).await?;
        Ok(next)
    }

    pub(crate) async fn line(&self, destination: &Destination) -> Result<Arc<Line>, ConnectError> {
        let access = Access {
            account: destination.account_id,
            vendor: &destination.vendor,
            base_url: &destination.base_url,
            credentials: &destination.credentials,
            credentials_version: destination.credentials_version,
            state: &destination.account_state,
        };
        self.accounts.line(&access).await
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Writes a step and tells of it. Who was outrun leaves it to the other.
    pub(crate) async fn record(&self, task: &Task<'_>, next: &Progress, entry: Entry) -> Result<(), StoreError> {
        if let Some(row) = self.write(task, next, entry).await? {
            self.parts.tell(&[live_command(&row)]).await;
        }
        Ok(())
    }

    async fn write(
        &self,
        task: &Task<'_>,
        next: &Progress,
        entry: Entry,
    ) -> Result<Option<Box<command::Model>>, StoreError> {
        let Entry { lines, rides_on, reading, result } = entry;
        let step = Recording { row: task.row, progress: next, lines, rides_on, reading, result };
        let now = self.parts.clock.now();
        let recorded = self.persist(step, now).await?;
        Ok(match recorded {
            Recorded::Written { row, door } => {
                if let Some(door) = door {
                    self.parts.tell(&[live_door(&door)]).await;
                }
                self.ring_for_placement(&row, next).await;
                Some(row)
            }
            Recorded::Outrun => {
                tracing::debug!(command = %CommandId(task.row.id), "outrun by another writer");
                None
            }
        })
    }

    /// The end of an order is news for the placement that gave it; its row is due already.
    async fn ring_for_placement(&self, row: &command::Model, next: &Progress) {
        if next.state.is_terminal()
            && row.requested_by.parse::<PlacementId>().is_ok()
            && let Err(error) = self.parts.queue.ring(&Job::Reconcile { account: row.account_id }).await
        {
            tracing::warn!(command = %CommandId(row.id), %error, "placements were not rung for; the sweeper will ring");
        }
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

/// Where a command goes; `None` for one to the account itself.
pub(crate) fn target_of(destination: &Destination) -> Option<Target> {
    Some(Target {
        device: destination.device_external_id.clone()?,
        model: destination.model.clone().unwrap_or_default(),
        door: destination.door_external_id.clone(),
        position: destination.position,
    })
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
