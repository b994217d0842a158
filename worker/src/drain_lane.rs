//! Visits to lanes: lease, advance what is due in order, release, look again. One visit per lane and process at a
//! time; a visit holds no slot of the queue and no lease while it waits.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    command::{Action, Hold, Progress, Step, holds_back, next_step},
    lane::LaneId,
};
use entities::{StoreError, rows::command, store, work};
use messaging::Job;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{accounts::Accounts, advance_command::Hands, parts::Parts};

/// How long a lease holds without being renewed: the pause after which another worker takes over from a dead one.
pub const LEASE: TimeDelta = TimeDelta::seconds(6);
/// How often a living worker renews its leases.
pub const RENEWAL: TimeDelta = TimeDelta::seconds(2);
/// A visit waits this long for the next due command itself; for a longer pause it orders a ring and leaves.
const VISIT: TimeDelta = TimeDelta::seconds(5);
/// Commands read at once.
const PORTION: u64 = 64;

/// What a drain left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Another worker holds the lane; it looks again before it leaves.
    Busy,
    /// Nothing is due before this instant; `None`: nothing at all.
    Until(Option<Timestamp>),
}

struct Visit {
    again: AtomicBool,
    ring: Notify,
}

/// The lanes of a worker process.
pub struct Lanes {
    parts: Parts,
    hands: Hands,
    owner: Uuid,
    visits: Mutex<HashMap<LaneId, Arc<Visit>>>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Lanes {
    /// The lanes of one worker process, known by a new id.
    #[must_use]
    pub fn new(parts: Parts, accounts: Arc<Accounts>, shutdown: CancellationToken) -> Arc<Self> {
        let owner = parts.ids.next_uuid();
        let tasks = TaskTracker::new();
        let hands = Hands::new(parts.clone(), accounts, tasks.clone(), shutdown.clone());
        Arc::new(Self { parts, hands, owner, visits: Mutex::default(), tasks, shutdown })
    }

    /// Sees to a lane: starts a visit, or has the one under way look again.
    pub fn visit(self: &Arc<Self>, lane: LaneId) {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(visit) = visits.get(&lane) {
            visit.again.store(true, Ordering::Release);
            visit.ring.notify_one();
            return;
        }
        let visit = Arc::new(Visit { again: AtomicBool::new(false), ring: Notify::new() });
        visits.insert(lane, Arc::clone(&visit));
        drop(visits);
        self.tasks.spawn(Arc::clone(self).stay(lane, visit));
    }

    /// Waits until every visit has come to a point where it can be left. Call after `shutdown` is cancelled.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Renews the leases of this process while it lives.
    pub async fn keep_leases(&self) {
        loop {
            self.parts.clock.sleep_until(self.parts.clock.now() + RENEWAL).await;
            if self.visits.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                continue;
            }
            let now = self.parts.clock.now();
            if let Err(error) = store::lanes::renew(&self.parts.database, self.owner, now, now + LEASE).await {
                tracing::warn!(%error, "leases could not be renewed; others may take over");
            }
        }
    }

    async fn stay(self: Arc<Self>, lane: LaneId, visit: Arc<Visit>) {
        // Whatever ends this task, also a panic, the lane must not stay marked as visited.
        let _leave = Leave { lanes: &self, lane, visit: &visit };
        let arrived = self.parts.clock.now();
        loop {
            visit.again.store(false, Ordering::Release);
            let due = match self.drain(lane).await {
                Ok(Drained::Until(due)) => due,
                Ok(Drained::Busy) => None,
                Err(error) => {
                    tracing::warn!(%lane, %error, "a lane could not be drained; the sweeper will come back to it");
                    None
                }
            };
            if self.shutdown.is_cancelled() {
                return;
            }
            match due {
                Some(due) if due <= arrived + VISIT => {
                    tokio::select! {
                        () = self.parts.clock.sleep_until(due) => {}
                        () = visit.ring.notified() => {}
                        () = self.shutdown.cancelled() => return,
                    }
                }
                due => {
                    if let Some(due) = due {
                        self.ring_at(lane, due).await;
                    }
                    if self.try_leave(lane, &visit) {
                        return;
                    }
                }
            }
        }
    }

    async fn ring_at(&self, lane: LaneId, due: Timestamp) {
        let delay = (due - self.parts.clock.now()).to_std().unwrap_or(Duration::ZERO);
        if let Err(error) = self.parts.queue.ring_later(&Job::Lane { lane }, delay).await {
            tracing::warn!(%lane, %error, "a later ring was not ordered; the sweeper will come");
        }
    }

    /// Ends the visit unless somebody rang since its last look.
    fn try_leave(&self, lane: LaneId, visit: &Visit) -> bool {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if visit.again.load(Ordering::Acquire) {
            return false;
        }
        visits.remove(&lane);
        true
    }

    /// Leases a lane, advances its due commands in order, releases it and looks once more.
    ///
    /// # Errors
    /// The database failed; what was written stays written, and the lease ends by itself.
    pub async fn drain(&self, lane: LaneId) -> Result<Drained, StoreError> {
        let database = &self.parts.database;
        let now = self.parts.clock.now();
        // Read beside the lease: a row that changed in between is caught by its version.
        let (leased, rows) = tokio::join!(
            store::lanes::lease(database, lane, self.owner, now, now + LEASE),
            work::open_commands(database, lane, PORTION),
        );
        if !leased? {
            return Ok(Drained::Busy);
        }
        let mut rows = rows?;
        loop {
            let drained = self.advance_all(lane, &rows).await;
            let released = self.parts.clock.now();
            store::lanes::release(database, lane, self.owner, released).await?;
            drained?;
            rows = work::open_commands(database, lane, PORTION).await?;
            let now = self.parts.clock.now();
            let next = next_wake(&rows, now)?;
            if next.is_none_or(|due| due > now) || self.shutdown.is_cancelled() {
                return Ok(Drained::Until(next));
            }
            if !store::lanes::lease(database, lane, self.owner, now, now + LEASE).await? {
                return Ok(Drained::Busy);
            }
        }
    }

    /// Advances the commands in their turn. When somebody rings for a lane of changes it is read again at once: what
    /// takes access away does not wait for all that was asked for before it.
    async fn advance_all(&self, lane: LaneId, rows: &[command::Model]) -> Result<(), StoreError> {
        let mut order = Order::default();
        let has_changes = rows.iter().any(|row| row.door_id.is_none());
        for row in turns(rows)? {
            if self.shutdown.is_cancelled() {
                return Ok(());
            }
            let now = self.parts.clock.now();
            let sendable = order.hold(row, &row.progress()?, now)?.is_none();
            let progress = self.hands.advance(row, sendable).await?;
            order.passed(row, progress)?;
            if has_changes && self.has_rung_again(lane) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether somebody rang since the commands were read. Whoever asks reads them again.
    fn has_rung_again(&self, lane: LaneId) -> bool {
        let visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.get(&lane).is_some_and(|visit| visit.again.swap(false, Ordering::AcqRel))
    }
}

/// The commands in the order of their turns: what takes access away is first in line (rule 8), unless something earlier
/// is about the same matter; the others as they came.
fn turns(rows: &[command::Model]) -> Result<Vec<&command::Model>, StoreError> {
    let (mut first, mut others, mut matters) = (Vec::new(), Vec::new(), HashSet::new());
    for row in rows {
        let matter = Matter::of(row)?;
        if row.action()?.kind().revokes() && !matters.contains(&matter) {
            first.push(row);
        } else {
            matters.insert(matter);
            others.push(row);
        }
    }
    first.append(&mut others);
    Ok(first)
}

/// The commands of a lane that were looked at already, by door and subject: what may hold the next one back.
#[derive(Default)]
struct Order {
    earlier: HashMap<Matter, Vec<Progress>>,
}

/// What commands keep their order about: a door's movements, or the subject of a change.
#[derive(PartialEq, Eq, Hash)]
struct Matter {
    door: Option<Uuid>,
    subject: Option<String>,
}

impl Matter {
    fn of(row: &command::Model) -> Result<Self, StoreError> {
        let subject = match row.action()? {
            Action::Change(change) => Some(change.subject()),
            _ => None,
        };
        Ok(Self { door: row.door_id, subject })
    }
}

impl Order {
    fn hold(&self, row: &command::Model, progress: &Progress, now: Timestamp) -> Result<Option<Hold>, StoreError> {
        let Some(earlier) = self.earlier.get(&Matter::of(row)?) else { return Ok(None) };
        Ok(earlier.iter().find_map(|earlier| holds_back(earlier, progress, now)))
    }

    fn passed(&mut self, row: &command::Model, progress: Progress) -> Result<(), StoreError> {
        self.earlier.entry(Matter::of(row)?).or_default().push(progress);
        Ok(())
    }
}

/// When a lane needs a look: the next due command, or the end of what holds one back, or its deadline.
fn next_wake(rows: &[command::Model], now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let mut order = Order::default();
    let mut next: Option<Timestamp> = None;
    for row in rows {
        let progress = row.progress()?;
        let wake = match (next_step(&progress, now), order.hold(row, &progress, now)?) {
            (Step::Rest, _) => None,
            (Step::Wait(due), _) => Some(due),
            (Step::Dispatch, Some(Hold::UntilItLeaves)) => progress.expires_at,
            (Step::Dispatch, Some(Hold::Until(until))) => Some(progress.expires_at.map_or(until, |at| at.min(until))),
            _ => Some(now),
        };
        order.passed(row, progress)?;
        next = [next, wake].into_iter().flatten().min();
    }
    Ok(next)
}

struct Leave<'a> {
    lanes: &'a Lanes,
    lane: LaneId,
    visit: &'a Arc<Visit>,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut visits = self.lanes.visits.lock().unwrap_or_else(PoisonError::into_inner);
        // The next visit may have begun already; its mark is not ours to take away.
        if visits.get(&self.lane).is_some_and(|marked| Arc::ptr_eq(marked, self.visit)) {
            visits.remove(&self.lane);
        }
    }
}

#[cfg(test)]
mod tests;
