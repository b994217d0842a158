//! The inventory sync of one account: portion by portion, in bounded memory. A failed or partial sync deletes nothing.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{account::AccountState, ids::VendorAccountId};
use entities::{StoreError, store, work};
use futures::StreamExt;
use messaging::LiveEvent;
use uuid::Uuid;
use vendors::error::VendorError;

use crate::{
    accounts::{Access, Accounts, ConnectError},
    advance_command::live_door,
    drain_lane::LEASE,
    parts::Parts,
};

/// Devices written in one transaction: on SQLite everybody else waits for it.
const CHUNK: usize = 50;

/// Why a sync did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The account cannot be connected to.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The vendor did not give its whole inventory.
    #[error(transparent)]
    Vendor(#[from] VendorError),
}

/// What a sync did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// The inventory is complete.
    Complete {
        /// Devices listed by the vendor.
        devices: usize,
        /// Devices that it no longer lists.
        missing: usize,
    },
    /// Somebody else is at it, or the account is not to be used.
    Skipped,
}

/// Syncs inventories, one at a time per account.
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

    /// Syncs one account's inventory and publishes the doors whose state changed.
    ///
    /// # Errors
    /// The sync stopped before its end. What was read until then is kept, nothing is marked missing.
    pub async fn sync(&self, account: VendorAccountId) -> Result<Synced, SyncError> {
        if !self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(account.0) {
            return Ok(Synced::Skipped);
        }
        let _done = Done { syncs: self, account };
        let lane = sync_lane(account);
        let now = self.parts.clock.now();
        if !store::lanes::lease(&self.parts.database, lane, self.owner, now, now + LEASE).await? {
            return Ok(Synced::Skipped);
        }
        let synced = self.sync_leased(account).await;
        store::lanes::release(&self.parts.database, lane, self.owner, self.parts.clock.now()).await?;
        synced
    }

    async fn sync_leased(&self, id: VendorAccountId) -> Result<Synced, SyncError> {
        let parts = &self.parts;
        let Some(account) = work::account(&parts.database, id).await? else { return Ok(Synced::Skipped) };
        if !matches!(account.state()?, AccountState::Connected | AccountState::Degraded) {
            return Ok(Synced::Skipped);
        }
        let line = self.accounts.line(&Access {
            account: account.id,
            vendor: &account.vendor,
            base_url: &account.base_url,
            credentials: &account.credentials,
            credentials_version: account.credentials_version,
        })?;
        let started_at = parts.clock.now();
        let mut devices = 0;
        let mut portions = line.connection.inventory().devices();
        loop {
            let portion = {
                let Ok(_permit) = line.bulkhead.acquire().await else { return Ok(Synced::Skipped) };
                portions.next().await
            };
            let now = parts.clock.now();
            store::lanes::renew(&parts.database, self.owner, now, now + LEASE).await?;
            let Some(portion) = portion else { break };
            self.accounts.note(id, &account.state, &portion).await;
            let portion = portion?;
            devices += portion.len();
            for chunk in portion.chunks(CHUNK) {
                let changes =
                    store::inventory::record(&parts.database, parts.ids.as_ref(), &account, chunk, now).await?;
                let events: Vec<LiveEvent> = changes.iter().map(live_door).collect();
                parts.tell(&events).await;
            }
        }
        let now = parts.clock.now();
        let missing = store::inventory::complete(&parts.database, parts.ids.as_ref(), id, started_at, now).await?;
        Ok(Synced::Complete { devices, missing })
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
