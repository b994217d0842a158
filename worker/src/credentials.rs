//! Credentials whose time has come: a period begins or ends, a schedule lets in or out, somebody's access levels changed.
//! What is decided stands in `domain::credential`, what is written in `entities::store::credentials`.

use entities::store::{credentials::settle_due, stays::Settling};
use messaging::Job;

use crate::parts::Parts;

/// As many are read at once.
const PORTION: u64 = 100;

/// Settles what is due, and rings for what became due at vendors.
pub(crate) async fn settle(parts: &Parts) {
    let settling = Settling { ids: parts.ids.as_ref(), timing: &parts.settings.stay_timing };
    loop {
        let due = match settle_due(&parts.database, &settling, PORTION, parts.clock.now()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "credentials were not settled; they are tried again");
                return;
            }
        };
        for (credential, error) in due.failed {
            tracing::warn!(%credential, %error, "a credential was not settled; it is tried again");
        }
        let jobs: Vec<Job> = due.accounts.into_iter().map(|account| Job::Reconcile { account: account.0 }).collect();
        if !jobs.is_empty()
            && let Err(error) = parts.queue.ring_many(&jobs).await
        {
            tracing::warn!(%error, "the bell did not ring; the sweeper will");
        }
        if u64::try_from(due.count).is_ok_and(|count| count < PORTION) {
            return;
        }
    }
}
