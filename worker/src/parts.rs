//! What a worker is made of, and its numbers.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{clock::Clock, ids::IdSource, ledger::Notary, stay::StayTiming};
use entities::Database;
use messaging::{JobQueue, LiveBus, LiveEvent, RateBudget, RateLimit};
use platform::vault::Vault;
use vendors::http::HttpFactory;

/// Everything a worker needs from outside. Cheap to clone.
#[derive(Clone)]
pub struct Parts {
    /// The rows.
    pub database: Database,
    /// The bell.
    pub queue: Arc<dyn JobQueue>,
    /// Who listens to changes.
    pub live: Arc<dyn LiveBus>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// Opens the accounts' credentials.
    pub vault: Arc<Vault>,
    /// Signs for the ledger.
    pub notary: Arc<dyn Notary>,
    /// Makes clients for the vendors.
    pub http: Arc<HttpFactory>,
    /// Shares out the requests to them among all workers.
    pub budget: Arc<dyn RateBudget>,
    /// The numbers.
    pub settings: Settings,
}

/// The numbers of a worker.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How often each account's inventory is synced.
    pub sync_interval: TimeDelta,
    /// How long before, after and between stays.
    pub stay_timing: StayTiming,
    /// For how long events are kept; `None` is for ever.
    pub events_kept: Option<TimeDelta>,
    /// Exchanges with one account at the same time.
    pub account_concurrency: usize,
    /// The requests that an account may make, where its vendor documents no limit of its own; `None` is no limit.
    pub rate_limit: Option<RateLimit>,
}

impl Parts {
    /// Tells whoever listens. Nobody's truth depends on it, so a failure is only logged.
    pub async fn tell(&self, events: &[LiveEvent]) {
        if events.is_empty() {
            return;
        }
        if let Err(error) = self.live.publish_all(events).await {
            tracing::debug!(%error, "a live event was not published; subscribers reload by themselves");
        }
    }
}
