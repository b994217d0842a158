//! Credentials whose time has come: a period begins or ends, a schedule lets in or out, somebody's access levels changed.
//! What is decided stands in `domain::credential`, what is written in `entities::store::credentials`.

use domain::ids::VendorAccountId;
use entities::{
    StoreError,
    store::{
        credentials::{settle_due, touch},
        stays::Settling,
    },
};
use messaging::Job;
use tokio::sync::Mutex;

use crate::parts::Parts;

/// As many are one block: between two of them others have their turn.
const BLOCK: u64 = 100;

/// The credentials that are due, as one worker sees to them: one block at a time.
#[derive(Default)]
pub(crate) struct Credentials {
    under_way: Mutex<()>,
}

impl Credentials {
    /// Settles a block of what is due, rings for what became due at vendors, and for the next block.
    pub(crate) async fn settle(&self, parts: &Parts) {
        // Whoever is at it rings for what is left; should this come at its very end, the sweeper does.
        let Ok(turn) = self.under_way.try_lock() else { return };
        let settling = Settling { ids: parts.ids.as_ref(), timing: &parts.settings.stay_timing };
        let due = match settle_due(&parts.database, &settling, BLOCK, parts.clock.now()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "credentials were not settled; they are tried again");
                return;
            }
        };
        for (credential, error) in due.failed {
            tracing::warn!(%credential, %error, "a credential was not settled; it is tried again");
        }
        let mut jobs: Vec<Job> =
            due.accounts.into_iter().map(|account| Job::Reconcile { account: account.0 }).collect();
        if u64::try_from(due.count).is_ok_and(|count| count >= BLOCK) {
            jobs.push(Job::SettleCredentials);
        }
        // Who is rung for must find it free.
        drop(turn);
        ring(parts, &jobs).await;
    }
}

/// The access levels of an account changed: what they open may not be what was meant any more.
pub(crate) async fn levels_changed(parts: &Parts, account: VendorAccountId) -> Result<(), StoreError> {
    if touch(&parts.database, account, parts.clock.now()).await? {
        ring(parts, &[Job::SettleCredentials]).await;
    }
    Ok(())
}

async fn ring(parts: &Parts, jobs: &[Job]) {
    if !jobs.is_empty()
        && let Err(error) = parts.queue.ring_many(jobs).await
    {
        tracing::warn!(%error, "the bell did not ring; the sweeper will");
    }
}
