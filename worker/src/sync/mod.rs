//! The sync of one account: part by part, portion by portion, in bounded memory. A failed or partial read deletes nothing.

pub(crate) mod parts;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::TimeDelta;
use domain::{account::AccountState, ids::VendorAccountId};
use entities::{StoreError, store, work};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vendors::error::VendorError;

use crate::{
    accounts::{Access, Accounts, ConnectError},
    parts::Parts,
};

/// How long the lease of a sync holds without being renewed: the pause after which another worker may begin anew.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often the lease is renewed. One portion may take longer than a lease: its requests wait for the budget.
const RENEWAL: TimeDelta = TimeDelta::seconds(10);
/// Syncs in a row that somebody wished for while the one before ran.
const ROUNDS: usize = 3;

/// Why a sync did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The account cannot be connected to.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The vendor did not give everything.
    #[error(transparent)]
    Vendor(#[from] VendorError),
}

/// How much of an account is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything that its vendor offers.
    Everything,
    /// Its devices and doors only.
    Devices,
}

/// What a sync did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// Everything that the vendor offers was read.
    Complete {
        /// Devices that it lists.
        devices: usize,
        /// Records that are new or changed.
        records: usize,
        /// Events that were not known.
        events: usize,
        /// Devices and records that it no longer lists.
        missing: usize,
    },
    /// Somebody else is at it, or the account is not to be used.
    Skipped,
}

/// Syncs accounts, each by one worker at a time.
pub struct Syncs {
    parts: Parts,
    accounts: Arc<Accounts>,
    owner: Uuid,
    running: Mutex<HashSet<Uuid>>,
}

impl Syncs {
    /// Ready to sync.
    #[must_use]
    pub fn new(parts: Parts, accounts: Arc<Accounts>) -> Arc<Self> {
        let owner = parts.ids.next_uuid();
        Arc::new(Self { accounts, parts, owner, running: Mutex::default() })
    }

    /// Syncs one account, and once more if somebody wished for it meanwhile.
    ///
    /// # Errors
    /// The sync stopped before its end. What was read until then is kept, nothing of an unread part is marked missing.
    pub async fn sync(&self, account: VendorAccountId) -> Result<Synced, SyncError> {
        self.sync_to(account, Extent::Everything).await
    }

    /// Syncs one account to this extent. A sync of its devices alone does not count as one.
    ///
    /// # Errors
    /// As for [`Self::sync`].
    pub async fn sync_to(&self, account: VendorAccountId, extent: Extent) -> Result<Synced, SyncError> {
        if !self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(account.0) {
            return Ok(Synced::Skipped);
        }
        let _done = Done { syncs: self, account };
        let lane = sync_lane(account);
        let now = self.parts.clock.now();
        if !store::lanes::lease(&self.parts.database, lane, self.owner, now, now + LEASE).await? {
            return Ok(Synced::Skipped);
        }
        let synced = self.keep_lease_during(self.sync_while_wished(account, extent)).await;
        store::lanes::release(&self.parts.database, lane, self.owner, self.parts.clock.now()).await?;
        synced
    }

    async fn sync_while_wished(&self, account: VendorAccountId, extent: Extent) -> Result<Synced, SyncError> {
        let mut synced = Ok(Synced::Skipped);
        for _ in 0..ROUNDS {
            synced = self.sync_once(account, extent).await;
            if synced.is_err() || extent == Extent::Devices {
                break;
            }
            let wished = work::account(&self.parts.database, account).await?.and_then(|row| row.sync_requested_at);
            if wished.is_none() {
                break;
            }
        }
        synced
    }

    /// Renews the lease for as long as the sync takes. A renewal is not broken off: it must not come after the release.
    async fn keep_lease_during<T>(&self, sync: impl Future<Output = T>) -> T {
        let over = CancellationToken::new();
        let renewals = async {
            while over
                .run_until_cancelled(self.parts.clock.sleep_until(self.parts.clock.now() + RENEWAL))
                .await
                .is_some()
            {
                let now = self.parts.clock.now();
                if let Err(error) = store::lanes::renew(&self.parts.database, self.owner, now, now + LEASE).await {
                    tracing::warn!(%error, "the lease of a sync could not be renewed; another worker may begin anew");
                }
            }
        };
        let sync = async {
            let synced = sync.await;
            over.cancel();
            synced
        };
        tokio::join!(sync, renewals).0
    }

    async fn sync_once(&self, id: VendorAccountId, extent: Extent) -> Result<Synced, SyncError> {
        let parts = &self.parts;
        let Some(account) = work::account(&parts.database, id).await? else { return Ok(Synced::Skipped) };
        if !matches!(account.state()?, AccountState::Connected | AccountState::Degraded) {
            return Ok(Synced::Skipped);
        }
        let started_at = parts.clock.now();
        let outcome = match self.accounts.line(&Access::of(&account)).await {
            Ok(line) => parts::read_all(self, &account, line, extent).await,
            Err(ConnectError::NotRenewed(error)) => {
                self.accounts.note(id, &account.state, &Err::<(), _>(error.clone())).await;
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        };
        if extent == Extent::Devices {
            return outcome;
        }
        let error = outcome.as_ref().err().map(ToString::to_string);
        store::accounts::synced(&parts.database, id, started_at, error.as_deref(), parts.clock.now()).await?;
        outcome
    }
}

/// The lane of an account's syncs. Not the account's own: its commands do not wait for its inventory.
fn sync_lane(account: VendorAccountId) -> Uuid {
    Uuid::from_u128(account.0.as_u128() ^ 0x73_79_6e_63)
}

struct Done<'a> {
    syncs: &'a Syncs,
    account: VendorAccountId,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.syncs.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.account.0);
    }
}
