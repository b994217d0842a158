//! The budget of one process: the embedded house's, and every process's own when Redis cannot be reached.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    Health, RateBudget, RateLimit, Urgency,
    decide::{FAILURES, PROBE, allowed, pause_after},
};

/// Accounts are counted in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryBudget {
    accounts: Mutex<HashMap<Uuid, Account>>,
}

#[derive(Debug, Default)]
struct Account {
    /// When each request of the present window left, oldest first.
    sent: VecDeque<i64>,
    failures: u32,
    open_until: i64,
    silent_until: i64,
}

impl MemoryBudget {
    /// Remembers that others had trouble with the account, so that the next good exchange is told to them.
    pub(super) fn note_trouble(&self, account: Uuid) {
        self.with(account, |account| account.failures = account.failures.max(1));
    }

    /// Whether failures are remembered.
    pub(super) fn is_troubled(&self, account: Uuid) -> bool {
        self.with(account, |account| account.failures > 0)
    }

    fn with<T>(&self, account: Uuid, change: impl FnOnce(&mut Account) -> T) -> T {
        change(self.accounts.lock().unwrap_or_else(PoisonError::into_inner).entry(account).or_default())
    }
}

fn wait(milliseconds: i64) -> Option<Duration> {
    Some(Duration::from_millis(milliseconds.max(1).unsigned_abs()))
}

#[async_trait]
impl RateBudget for MemoryBudget {
    async fn take(&self, account: Uuid, urgency: Urgency, limit: Option<RateLimit>, now: i64) -> Option<Duration> {
        self.with(account, |account| {
            if account.silent_until > now {
                return wait(account.silent_until - now);
            }
            if !urgency.may_probe() && account.failures >= FAILURES {
                if account.open_until > now {
                    return wait(account.open_until - now);
                }
                account.open_until = now + PROBE;
            }
            let limit = limit?;
            let window = i64::try_from(limit.window.as_millis()).unwrap_or(i64::MAX);
            while account.sent.front().is_some_and(|at| *at <= now.saturating_sub(window)) {
                account.sent.pop_front();
            }
            let allowed = usize::try_from(allowed(limit.requests, urgency.share())).unwrap_or(usize::MAX);
            // So many of the oldest must leave the window before there is room.
            if let Some(last_in_the_way) = account.sent.len().checked_sub(allowed)
                && let Some(at) = account.sent.get(last_in_the_way)
            {
                return wait(at.saturating_add(window) - now);
            }
            account.sent.push_back(now);
            None
        })
    }

    async fn pause(&self, account: Uuid, until: i64) {
        self.with(account, |account| account.silent_until = account.silent_until.max(until));
    }

    async fn report(&self, account: Uuid, health: Health, now: i64) {
        self.with(account, |account| match health {
            Health::Well => (account.failures, account.open_until) = (0, 0),
            Health::Ill => {
                account.failures = account.failures.saturating_add(1);
                account.open_until = now + pause_after(account.failures);
            }
        });
    }
}
