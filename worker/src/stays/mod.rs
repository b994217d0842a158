//! Stays: what a PMS tells becomes reservations (`import`), and each is settled when it is due. What is decided stands in
//! `domain::stay`, what is written in `entities::store::stays`.

mod import;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::ids::{ReservationId, VendorAccountId};
use entities::{
    StoreError,
    rows::alert,
    store::stays::{Settled, Settling, postpone, settle_one},
};
use messaging::Job;

pub(crate) use self::import::{import_all, take_in};
use crate::{parts::Parts, watch};

/// One that cannot be settled is tried again after this long.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Settles a stay, and rings for what became due.
pub(crate) async fn settle(parts: &Parts, reservation: ReservationId) {
    let settling = Settling { ids: parts.ids.as_ref(), timing: &parts.settings.stay_timing };
    let now = parts.clock.now();
    match settle_one(&parts.database, &settling, reservation, now).await {
        Ok(Some(Settled { accounts, alerts, .. })) => announce(parts, &accounts, &alerts).await,
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(%reservation, %error, "a stay was not settled; it is tried again");
            if !matches!(error, StoreError::Unavailable(_))
                && let Err(error) = postpone(&parts.database, reservation, now + PAUSE).await
            {
                tracing::warn!(%reservation, %error, "it could not be put off either");
            }
        }
    }
}

/// After a commit: rings for placements that became due, and tells of alerts.
pub(crate) async fn announce(parts: &Parts, accounts: &BTreeSet<VendorAccountId>, alerts: &[alert::Model]) {
    let jobs: Vec<Job> = accounts.iter().map(|account| Job::Reconcile { account: account.0 }).collect();
    if !jobs.is_empty()
        && let Err(error) = parts.queue.ring_many(&jobs).await
    {
        tracing::warn!(%error, "placements were not rung for; the sweeper will ring");
    }
    watch::tell(parts, alerts).await;
}
