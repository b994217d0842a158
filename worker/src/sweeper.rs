//! The sweeper: finds lanes with overdue work that nobody sees to (a lost ring, a dead worker) and accounts whose
//! inventory is old. Losing every job in the queue loses nothing but the seconds until it comes by (rule 6).

use std::sync::Arc;

use chrono::TimeDelta;
use entities::work;
use messaging::Job;

use crate::{drain_lane::Lanes, parts::Parts};

/// How often it comes by; work is overdue when nobody saw to it for as long.
const PERIOD: TimeDelta = TimeDelta::seconds(1);
/// Lanes taken on at once.
const PORTION: u64 = 500;
/// How often it looks for old inventories.
const SYNC_PERIOD: TimeDelta = TimeDelta::seconds(10);

/// Comes by for ever.
pub(crate) async fn sweep(parts: Parts, lanes: Arc<Lanes>) {
    let mut next_sync = parts.clock.now();
    loop {
        let now = parts.clock.now();
        match work::overdue_lanes(&parts.database, now - PERIOD, now, PORTION).await {
            Ok(overdue) => {
                for lane in overdue {
                    lanes.visit(lane);
                }
            }
            Err(error) => tracing::warn!(%error, "the sweeper could not look"),
        }
        if now >= next_sync {
            next_sync = now + SYNC_PERIOD;
            ring_syncs(&parts).await;
        }
        parts.clock.sleep_until(now + PERIOD).await;
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
    let jobs: Vec<Job> = accounts.into_iter().map(|account| Job::SyncAccount { account: account.0 }).collect();
    if jobs.is_empty() {
        return;
    }
    if let Err(error) = parts.queue.ring_many(&jobs).await {
        tracing::warn!(%error, "syncs were not rung; the sweeper will try again");
    }
}
