//! The rate budget of vendor accounts, shared by all workers (rules 5 and 7): who may ask a vendor now, who waits, and the
//! circuit breaker. What a request is for is said by its `Urgency`; a share is kept free for what cannot wait.

mod decide;
mod memory;
mod redis;

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

pub(crate) use self::{memory::MemoryBudget, redis::RedisBudget};

/// What a request is for, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Taking access away.
    Revoke,
    /// Opening, closing, locking: somebody stands at the door.
    Act,
    /// Asking how a command went.
    Confirm,
    /// Giving access, changing settings.
    Issue,
    /// Reading the state of doors.
    State,
    /// Reading everything else.
    Inventory,
}

impl Urgency {
    /// The part of the budget that requests of this urgency may use up, in percent: the rest is kept for more urgent ones.
    #[must_use]
    pub const fn share(self) -> u32 {
        match self {
            Self::Revoke => 100,
            Self::Act => 95,
            Self::Confirm => 85,
            Self::Issue => 75,
            Self::State => 60,
            Self::Inventory => 50,
        }
    }

    /// Whether it may try a vendor that the breaker has given up on for the moment.
    #[must_use]
    pub const fn may_probe(self) -> bool {
        matches!(self, Self::Revoke | Self::Act)
    }
}

/// How many requests an account may make in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// So many requests...
    pub requests: u32,
    /// ...in any window of this length.
    pub window: Duration,
}

/// How an exchange with a vendor went, as far as the breaker cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The vendor answered, whatever it said.
    Well,
    /// It could not be reached, or failed.
    Ill,
}

/// Shares out the requests to vendor accounts. Times are milliseconds of the house's clock.
#[async_trait]
pub trait RateBudget: Send + Sync {
    /// Takes one request; without a limit only the breaker and the vendor's wishes count. `None`: it may leave now, and is counted. `Some`: not before this much time has passed.
    /// Never fails: a transport that cannot be reached must not keep a door shut, so the process then counts for itself.
    async fn take(&self, account: Uuid, urgency: Urgency, limit: Option<RateLimit>, now: i64) -> Option<Duration>;

    /// The vendor asked for silence until then (`Retry-After`). Whoever may probe is held back too.
    async fn pause(&self, account: Uuid, until: i64);

    /// How an exchange went.
    async fn report(&self, account: Uuid, health: Health, now: i64);
}
