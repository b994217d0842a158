//! The reconciler: brings what is placed at vendors closer to what is wished for, account by account. What to do next is
//! `domain::placement`'s decision; orders are commands like any other, and what vendors show is stored as records.

mod advance;
mod ask;
mod order;
pub(crate) mod overdue;

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::TimeDelta;
use domain::{
    account::AccountState,
    clock::Timestamp,
    ids::{RecordId, VendorAccountId},
};
use entities::{
    StoreError,
    rows::{placement, vendor_account},
    store, work,
};
use futures::{StreamExt, future::ready, stream};
use messaging::Job;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{accounts::Accounts, parts::Parts};

/// Placements read at once.
const PORTION: u64 = 64;
/// Placements of an account that are seen to at the same time: none waits for another's vendor call.
const AT_ONCE: usize = 8;
/// What is due at an account that cannot be used is looked at again after this long.
const PARKED: TimeDelta = TimeDelta::seconds(20);
/// A visit waits this long for the next due placement itself; for a longer pause the sweeper rings.
const VISIT: TimeDelta = TimeDelta::seconds(10);

/// After a look that could not move anything.
const PAUSE: TimeDelta = TimeDelta::seconds(1);

struct Visit {
    again: AtomicBool,
    ring: Notify,
}

/// The placements of all accounts, as one worker sees to them.
pub struct Reconciler {
    parts: Parts,
    accounts: Arc<Accounts>,
    visits: Mutex<HashMap<Uuid, Arc<Visit>>>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Reconciler {
    /// Ready to be rung for.
    #[must_use]
    pub fn new(parts: Parts, accounts: Arc<Accounts>, shutdown: CancellationToken) -> Arc<Self> {
        Arc::new(Self { parts, accounts, visits: Mutex::default(), tasks: TaskTracker::new(), shutdown })
    }

    /// Sees to an account: starts a visit, or has the one under way look again.
    pub(crate) fn visit(self: &Arc<Self>, account: VendorAccountId) {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(visit) = visits.get(&account.0) {
            visit.again.store(true, Ordering::Release);
            visit.ring.notify_one();
            return;
        }
        let visit = Arc::new(Visit { again: AtomicBool::new(false), ring: Notify::new() });
        visits.insert(account.0, Arc::clone(&visit));
        drop(visits);
        self.tasks.spawn(Arc::clone(self).stay(account, visit));
    }

    /// Waits until every visit has come to a point where it can be left. Call after the shutdown was asked for.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn stay(self: Arc<Self>, account: VendorAccountId, visit: Arc<Visit>) {
        // Whatever ends this task, also a panic, the account must not stay marked as visited.
        let _leave = Leave { of: &self, account, visit: &visit };
        loop {
            visit.again.store(false, Ordering::Release);
            let due = match self.reconcile(account).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::warn!(%account, %error, "placements were not seen to; the sweeper will come back to them");
                    None
                }
            };
            if self.shutdown.is_cancelled() {
                return;
            }
            match due {
                Some(due) if due <= self.parts.clock.now() + VISIT => {
                    tokio::select! {
                        () = self.parts.clock.sleep_until(due) => {}
                        () = visit.ring.notified() => {}
                        () = self.shutdown.cancelled() => return,
                    }
                }
                _ if self.try_leave(account, &visit) => return,
                _ => {}
            }
        }
    }

    /// Ends the visit unless somebody rang since its last look.
    fn try_leave(&self, account: VendorAccountId, visit: &Visit) -> bool {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if visit.again.load(Ordering::Acquire) {
            return false;
        }
        visits.remove(&account.0);
        true
    }

    /// Whether somebody rang since the last look. Whoever asks looks again.
    fn has_rung_again(&self, account: VendorAccountId) -> bool {
        let visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.get(&account.0).is_some_and(|visit| visit.again.swap(false, Ordering::AcqRel))
    }

    /// Sees to what is due at an account, and says when the next placement is.
    ///
    /// # Errors
    /// The database failed; what was written stays written, and the rest is found again.
    pub async fn reconcile(&self, account: VendorAccountId) -> Result<Option<Timestamp>, StoreError> {
        let database = &self.parts.database;
        let mut woken = false;
        loop {
            let now = self.parts.clock.now();
            let Some(row) = work::account(database, account).await? else { return Ok(None) };
            if !is_usable(&row)? {
                store::placements::park(database, account, now + PARKED, now).await?;
                return work::placements::next_due(database, account).await;
            }
            if !woken {
                woken = true;
                store::placements::wake(database, account, now).await?;
            }
            let due = work::placements::due(database, account, now, PORTION).await?;
            if due.is_empty() || self.shutdown.is_cancelled() {
                return work::placements::next_due(database, account).await;
            }
            // When somebody rings, what is due is read again before more is begun: what is to be gone comes first.
            let rung = AtomicBool::new(false);
            let quiet = |_: &placement::Model| {
                rung.fetch_or(self.has_rung_again(account), Ordering::AcqRel);
                ready(!rung.load(Ordering::Acquire))
            };
            let moves = stream::iter(due).take_while(quiet).map(|placement| self.advance(&row, placement));
            let mut moves = pin!(moves.buffer_unordered(AT_ONCE));
            let (mut failed, mut any) = (None, false);
            while let Some(moved) = moves.next().await {
                match moved {
                    Ok(moved) => any |= moved,
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
            if !any && !rung.load(Ordering::Acquire) {
                // Others see to them; they are looked at again.
                return Ok(Some(self.parts.clock.now() + PAUSE));
            }
        }
    }
}

fn is_usable(account: &vendor_account::Model) -> Result<bool, StoreError> {
    Ok(matches!(account.state()?, AccountState::Connected | AccountState::Degraded))
}

/// Has placements looked at whose records are new or changed at their vendor.
pub(crate) async fn notice(parts: &Parts, account: VendorAccountId, changed: &[RecordId]) -> Result<(), StoreError> {
    let noticed = store::placements::noticed(&parts.database, account, changed, parts.clock.now()).await?;
    ring(parts, account, noticed).await;
    Ok(())
}

/// Has placements looked at whose records are missing at their vendor.
pub(crate) async fn notice_missing(parts: &Parts, account: VendorAccountId) -> Result<(), StoreError> {
    let noticed = store::placements::noticed_missing(&parts.database, account, parts.clock.now()).await?;
    ring(parts, account, noticed).await;
    Ok(())
}

async fn ring(parts: &Parts, account: VendorAccountId, is_wanted: bool) {
    if is_wanted && let Err(error) = parts.queue.ring(&Job::Reconcile { account: account.0 }).await {
        tracing::warn!(%account, %error, "placements were not rung for; the sweeper will ring");
    }
}

struct Leave<'a> {
    of: &'a Reconciler,
    account: VendorAccountId,
    visit: &'a Arc<Visit>,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut visits = self.of.visits.lock().unwrap_or_else(PoisonError::into_inner);
        // The next visit may have begun already; its mark is not ours to take away.
        if visits.get(&self.account.0).is_some_and(|marked| Arc::ptr_eq(marked, self.visit)) {
            visits.remove(&self.account.0);
        }
    }
}
