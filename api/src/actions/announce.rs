//! After the commit: the bell for the worker and the news for subscribers. Neither may fail the action: the row is the
//! truth, the sweeper rings again and subscribers look again.

use std::{collections::BTreeSet, sync::Arc};

use domain::{ids::VendorAccountId, lane::LaneId};
use entities::rows::{alert, command};
use futures::{FutureExt, future::BoxFuture};
use messaging::{Job, LiveEvent};
use tracing::Instrument;

use crate::shared::Shared;

/// Rings the bell of `lane`, if there is something to do there, and tells of the commands that are new or changed.
/// Both leave at once; the caller's answer does not wait for them to arrive.
pub(super) async fn announce<'a>(
    shared: &Shared,
    lane: Option<LaneId>,
    changed: impl IntoIterator<Item = &'a command::Model>,
) {
    let queue = Arc::clone(&shared.queue);
    let live = Arc::clone(&shared.live);
    let events: Vec<LiveEvent> = changed
        .into_iter()
        .map(|row| LiveEvent::Command { id: row.id, organization: row.organization_id, version: row.version })
        .collect();
    let ring = async move {
        if let Some(lane) = lane
            && let Err(error) = queue.ring(&Job::Lane { lane }).await
        {
            tracing::warn!(%error, "the bell did not ring; the sweeper will");
        }
    };
    let tell = async move {
        if let Err(error) = live.publish_all(&events).await {
            tracing::warn!(%error, "subscribers were not told; they will look");
        }
    };
    let both = async move {
        futures::join!(ring, tell);
    };
    let mut both: BoxFuture<'static, ()> = both.in_current_span().boxed();
    // The first poll sends; what is left is waiting for the transport's word, which nobody here needs.
    if futures::poll!(&mut both).is_pending() {
        tokio::spawn(both);
    }
}

/// Rings for placements of these accounts that became due.
pub(super) async fn ring_for_placements(shared: &Shared, accounts: &BTreeSet<VendorAccountId>) {
    for account in accounts {
        if let Err(error) = shared.queue.ring(&Job::Reconcile { account: account.0 }).await {
            tracing::warn!(%error, "the bell did not ring; the sweeper will");
        }
    }
}

/// Rings for credentials that are due: of an access level's many holders they are left to the worker.
pub(super) async fn ring_for_credentials(shared: &Shared) {
    if let Err(error) = shared.queue.ring(&Job::SettleCredentials).await {
        tracing::warn!(%error, "the bell did not ring; the sweeper will");
    }
}

/// Tells of alerts that are new or changed.
pub(crate) async fn tell_of_alerts<'a>(shared: &Shared, changed: impl IntoIterator<Item = &'a alert::Model>) {
    let events: Vec<LiveEvent> = changed
        .into_iter()
        .map(|row| LiveEvent::Alert { id: row.id, organization: row.organization_id, version: row.version })
        .collect();
    if !events.is_empty()
        && let Err(error) = shared.live.publish_all(&events).await
    {
        tracing::warn!(%error, "subscribers were not told of alerts; they will look");
    }
}
