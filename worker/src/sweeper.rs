//! The sweeper: finds lanes with overdue work that nobody sees to (a lost ring, a dead worker) and accounts whose
//! inventory is old. Losing every job in the queue loses nothing but the seconds until it comes by (rule 6).

use std::sync::Arc;

use chrono::TimeDelta;
use entities::{store, work};
use messaging::Job;

use crate::{drain_lane::Lanes, parts::Parts, placements::overdue, watch};

/// How often it comes by; work is overdue when nobody saw to it for as long.
const PERIOD: TimeDelta = TimeDelta::seconds(1);
/// Lanes taken on at once.
const PORTION: u64 = 500;
/// Stays rung for at once.
const STAYS: u64 = 200;
/// How often it looks for old inventories.
const SYNC_PERIOD: TimeDelta = TimeDelta::seconds(10);
/// How often it clears away.
const CLEAN_PERIOD: TimeDelta = TimeDelta::hours(1);
/// How long processed webhook deliveries can be replayed.
const DELIVERIES_KEPT: TimeDelta = TimeDelta::days(30);

/// Comes by for ever.
pub(crate) async fn sweep(parts: Parts, lanes: Arc<Lanes>) {
    let mut next_sync = parts.clock.now();
    let mut next_clean = next_sync;
    let mut next_watch = next_sync;
    let mut last_overdue = None;
    loop {
        let now = parts.clock.now();
        if now >= next_clean {
            next_clean = now + CLEAN_PERIOD;
            match store::deliveries::forget(&parts.database, now - DELIVERIES_KEPT).await {
                Ok(forgotten) => tracing::debug!(forgotten, "old webhook deliveries"),
                Err(error) => tracing::warn!(%error, "old webhook deliveries could not be forgotten"),
            }
        }
        match work::overdue_lanes(&parts.database, now - PERIOD, now, PORTION).await {
            Ok(overdue) => {
                for lane in overdue {
                    lanes.visit(lane);
                }
            }
            Err(error) => tracing::warn!(%error, "the sweeper could not look"),
        }
        ring_intakes(&parts, now - PERIOD).await;
        ring_settlements(&parts, now).await;
        ring_for_credentials(&parts, now).await;
        ring_reconcilers(&parts, now).await;
        tell_of_the_overdue(&parts, &mut last_overdue, now).await;
        if now >= next_sync {
            next_sync = now + SYNC_PERIOD;
            ring_syncs(&parts).await;
        }
        if now >= next_watch {
            next_watch = now + watch::PERIOD;
            watch::look(&parts).await;
        }
        parts.clock.sleep_until(now + PERIOD).await;
    }
}

async fn ring_intakes(parts: &Parts, since: domain::clock::Timestamp) {
    match work::accounts_with_deliveries(&parts.database, since).await {
        Ok(accounts) => ring(parts, accounts.into_iter().map(|account| Job::Intake { account: account.0 })).await,
        Err(error) => tracing::warn!(%error, "the sweeper could not look for webhook deliveries"),
    }
}

async fn ring_settlements(parts: &Parts, now: domain::clock::Timestamp) {
    match work::stays::due(&parts.database, now, STAYS).await {
        Ok(due) => ring(parts, due.into_iter().map(|stay| Job::Settle { reservation: stay.0 })).await,
        Err(error) => tracing::warn!(%error, "the sweeper could not look for stays"),
    }
}

async fn ring_for_credentials(parts: &Parts, now: domain::clock::Timestamp) {
    match work::credentials_are_due(&parts.database, now).await {
        Ok(true) => ring(parts, std::iter::once(Job::SettleCredentials)).await,
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "the sweeper could not look for credentials"),
    }
}

async fn ring_reconcilers(parts: &Parts, now: domain::clock::Timestamp) {
    match work::placements::accounts_due(&parts.database, now).await {
        Ok(due) => ring(parts, due.into_iter().map(|account| Job::Reconcile { account: account.0 })).await,
        Err(error) => tracing::warn!(%error, "the sweeper could not look for placements"),
    }
}

/// Somebody has to know of what should be gone and is not; after a restart, of all that.
async fn tell_of_the_overdue(
    parts: &Parts,
    last: &mut Option<domain::clock::Timestamp>,
    now: domain::clock::Timestamp,
) {
    match overdue::look(parts, *last, now).await {
        Ok(()) => *last = Some(now),
        Err(error) => tracing::warn!(%error, "the sweeper could not look for what is overdue"),
    }
}

async fn ring(parts: &Parts, jobs: impl Iterator<Item = Job>) {
    let jobs: Vec<Job> = jobs.collect();
    if jobs.is_empty() {
        return;
    }
    if let Err(error) = parts.queue.ring_many(&jobs).await {
        tracing::warn!(%error, "work was not rung for; the sweeper will try again");
    }
}

async fn ring_syncs(parts: &Parts) {
    let since = parts.clock.now() - parts.settings.sync_interval;
    let accounts = match work::accounts_to_sync(&parts.database, since, 1_000).await {
        Ok(accounts) => accounts,
        Err(error) => {
            tracing::warn!(%error, "the sweeper could not look for old inventories");
            return;
        }
    };
    ring(parts, accounts.into_iter().map(|account| Job::SyncAccount { account: account.0 })).await;
}
