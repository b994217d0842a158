//! When a request to an account may leave: asked before, told after. Implemented where the budget is that all workers share.

use async_trait::async_trait;
use chrono::TimeDelta;

use crate::error::VendorError;

/// How an exchange went, as far as pacing cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// The vendor answered.
    Answered,
    /// The vendor asked for a pause, of this length if it said so.
    Throttled(Option<TimeDelta>),
    /// The vendor failed or could not be reached.
    Failed,
}

/// Paces the requests of one vendor account.
#[async_trait]
pub trait Pacer: Send + Sync {
    /// Waits until a request may leave.
    ///
    /// # Errors
    /// `Throttled` when that is too long to wait for.
    async fn admit(&self) -> Result<(), VendorError>;

    /// Hears how the request went.
    async fn settle(&self, exchange: Exchange);
}
