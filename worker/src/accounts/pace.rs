//! Pacing the requests of an account by the budget that all workers share. What a request is for is known to whoever
//! began the task that makes it.

use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{account::Vendor, clock::Clock, command::Action};
use messaging::{Health, RateBudget, RateLimit, Urgency};
use uuid::Uuid;
use vendors::{
    error::VendorError,
    http::{Exchange, Pacer},
};

/// Somebody waits: longer than this a command goes back to its queue instead.
const PATIENCE_OF_A_COMMAND: Duration = Duration::from_secs(1);
/// Nobody waits: a sync lets others go first for so long at each request. Longer than the window of any limit, or what
/// takes more requests than a window has would never be read.
const PATIENCE_OF_A_SYNC: Duration = Duration::from_secs(120);
/// A vendor that asks for a pause without saying how long gets this.
const UNNAMED_PAUSE: TimeDelta = TimeDelta::seconds(2);

/// No vendor silences an account for longer, whatever it asks: the next refusal asks again.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(5);

tokio::task_local! {
    static URGENCY: Urgency;
    static IMPATIENT: ();
}

/// Runs `work`, whose requests to vendors are for this.
pub(crate) async fn with_urgency<F: Future>(urgency: Urgency, work: F) -> F::Output {
    URGENCY.scope(urgency, work).await
}

/// Runs `work`, whose requests to vendors leave at once or not at all.
pub(crate) async fn without_patience<F: Future>(work: F) -> F::Output {
    IMPATIENT.scope((), work).await
}

/// The same error; who was asked to wait without being told how long waits as long as the account does.
pub(crate) fn with_named_pause(error: VendorError) -> VendorError {
    match error {
        VendorError::Throttled { retry_after: None } => VendorError::Throttled { retry_after: Some(UNNAMED_PAUSE) },
        other => other,
    }
}

/// What the dispatch of an action is for.
pub(crate) fn urgency_of(action: &Action) -> Urgency {
    match action {
        action if action.kind().revokes() => Urgency::Revoke,
        Action::Change(_) => Urgency::Issue,
        _ => Urgency::Act,
    }
}

/// The limit that a vendor documents, or else the configured one.
pub(super) fn limit_of(vendor: Vendor, configured: Option<RateLimit>) -> Option<RateLimit> {
    match vendor {
        // vendors-extra.md 5.2: 200 requests per access token within 30 seconds.
        Vendor::Mews => Some(RateLimit { requests: 200, window: Duration::from_secs(30) }),
        Vendor::Bikeep | Vendor::Raixer | Vendor::Parqex | Vendor::Lockt => configured,
    }
}

/// The pacer of one account.
pub(super) struct BudgetPacer {
    pub(super) account: Uuid,
    pub(super) limit: Option<RateLimit>,
    pub(super) budget: Arc<dyn RateBudget>,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Pacer for BudgetPacer {
    async fn admit(&self) -> Result<(), VendorError> {
        let urgency = URGENCY.try_with(|urgency| *urgency).unwrap_or(Urgency::Inventory);
        let patience = match urgency {
            _ if IMPATIENT.try_with(|()| ()).is_ok() => Duration::ZERO,
            urgency if urgency >= Urgency::State => PATIENCE_OF_A_SYNC,
            _ => PATIENCE_OF_A_COMMAND,
        };
        let began = self.clock.now();
        loop {
            let now = self.clock.now();
            let taken = self.budget.take(self.account, urgency, self.limit, now.timestamp_millis()).await;
            let Some(wait) = taken else { return Ok(()) };
            let until = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
            if until > began + patience {
                return Err(VendorError::Throttled { retry_after: Some(until - now) });
            }
            self.clock.sleep_until(until).await;
        }
    }

    async fn settle(&self, exchange: Exchange) {
        let now = self.clock.now();
        let health = match exchange {
            Exchange::Answered => Health::Well,
            Exchange::Failed => Health::Ill,
            Exchange::Throttled(pause) => {
                let until = now + pause.unwrap_or(UNNAMED_PAUSE).min(LONGEST_PAUSE);
                return self.budget.pause(self.account, until.timestamp_millis()).await;
            }
        };
        self.budget.report(self.account, health, now.timestamp_millis()).await;
    }
}
