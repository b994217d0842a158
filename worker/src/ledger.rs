//! The sealer: comes by every second, chains what was committed since into the ledger, and forgets what is too old. Driven by
//! rows like the other loops: several workers at once, or none for a day, change nothing but when.

use std::collections::HashMap;

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    ids::OrganizationId,
    ledger::{Fault, Notary},
};
use entities::{
    StoreError,
    store::ledger::{self, Forgotten, Sealed},
    work,
};

use crate::parts::Parts;

/// How often it comes by.
const PERIOD: TimeDelta = TimeDelta::seconds(1);
/// Blocks of one organization in a row. The others have their turn then.
const ROUNDS: usize = 20;
/// How often it looks for what can be forgotten.
const FORGET_PERIOD: TimeDelta = TimeDelta::hours(1);
/// For how long a ledger that is broken is left alone. What happens is written all the same, and chained never.
const BROKEN_FOR: TimeDelta = TimeDelta::hours(1);

/// The sealer of a worker process.
pub(crate) struct Sealer {
    parts: Parts,
    /// Until when broken ledgers are left alone.
    broken: HashMap<OrganizationId, Timestamp>,
}

impl Sealer {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { parts, broken: HashMap::new() }
    }

    /// Comes by for ever.
    pub(crate) async fn run(mut self) {
        self.take_over().await;
        let mut next_forgetting = self.parts.clock.now();
        loop {
            let now = self.parts.clock.now();
            self.seal().await;
            if now >= next_forgetting {
                next_forgetting = now + FORGET_PERIOD;
                self.forget(now).await;
            }
            self.parts.clock.sleep_until(now + PERIOD).await;
        }
    }

    /// Chains all that waits.
    pub(crate) async fn seal(&mut self) {
        let mut after = None;
        loop {
            match work::ledger::next_unchained(&self.parts.database, after).await {
                Ok(Some(organization)) => {
                    self.seal_ledger(organization, false).await;
                    after = Some(organization);
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "the sealer could not look; it will in a second");
                    return;
                }
            }
        }
    }

    /// The ledgers' ends are signed with the key of today once: that of yesterday may be dropped then.
    async fn take_over(&mut self) {
        match work::ledger::organizations(&self.parts.database).await {
            Ok(all) => {
                for organization in all {
                    self.seal_ledger(organization, true).await;
                }
            }
            Err(error) => tracing::warn!(%error, "the sealer could not look for ledgers under another key"),
        }
    }

    async fn seal_ledger(&mut self, organization: OrganizationId, take_over: bool) {
        let now = self.parts.clock.now();
        if self.broken.get(&organization).is_some_and(|until| now < *until) {
            return;
        }
        for _ in 0..ROUNDS {
            match ledger::seal(&self.parts.database, self.notary(), organization, take_over, now).await {
                Ok(Sealed::Block { foreign, more, .. }) => {
                    if foreign > 0 {
                        tracing::error!(%organization, foreign, "rows of events that this house did not write");
                    }
                    if !more {
                        return;
                    }
                }
                Ok(Sealed::Nothing | Sealed::Outrun) => return,
                Ok(Sealed::Refused(fault)) => return self.leave(organization, &fault, now),
                Err(error) => return not_sealed(organization, &error),
            }
        }
    }

    async fn forget(&mut self, now: Timestamp) {
        let Some(kept) = self.parts.settings.events_kept else { return };
        let organizations = match work::ledger::organizations(&self.parts.database).await {
            Ok(all) => all,
            Err(error) => {
                tracing::warn!(%error, "the sealer could not look for old events; it will in an hour");
                return;
            }
        };
        for organization in organizations {
            loop {
                match ledger::forget(&self.parts.database, self.notary(), organization, now - kept).await {
                    Ok(Forgotten::Block(_)) => {}
                    Ok(Forgotten::Nothing) => break,
                    Ok(Forgotten::Refused(fault)) => {
                        self.leave(organization, &fault, now);
                        break;
                    }
                    Err(error) => {
                        tracing::warn!(%organization, %error, "old events were not forgotten; they will be in an hour");
                        break;
                    }
                }
            }
        }
    }

    fn leave(&mut self, organization: OrganizationId, fault: &Fault, now: Timestamp) {
        tracing::error!(%organization, %fault, "the ledger is broken: run `gatehouse ledger verify`");
        self.broken.insert(organization, now + BROKEN_FOR);
    }

    fn notary(&self) -> &dyn Notary {
        self.parts.notary.as_ref()
    }
}

fn not_sealed(organization: OrganizationId, error: &StoreError) {
    tracing::warn!(%organization, %error, "events were not chained; they will be in a second");
}
