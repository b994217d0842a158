//! The simulator as its owner steers it from Rust: faults, journal, effects, changes, pokes, clock. The control API is the same
//! over HTTP; neither knows a vendor's rules.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    change::{self, NothingToChange, WorldChange},
    clock::SimClock,
    coverage::CoverageRow,
    engine::Engine,
    faults::{ActiveFault, Fault, ImpossibleFault},
    journal::{Effect, Page, RequestEntry},
    lock::locked,
    vendors::{
        Vendor,
        lockt::{LocktOverlap, LocktPresented, LocktVerdict},
        parqex::ParqexOauthCounts,
    },
    webhooks::{WebhookConduct, WebhookEntry, WebhookTarget},
    world::DemoCredentials,
};

/// Which unfinished things to push on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poke {
    /// At which vendor. Raixer has nothing unfinished.
    pub vendor: Vendor,
    /// Only this Bikeep command.
    #[serde(default)]
    pub command: Option<String>,
    /// Only this device (or door, at ParqEx).
    #[serde(default)]
    pub device: Option<String>,
    /// Until nothing moves any more, instead of one step.
    #[serde(default)]
    pub drain: bool,
    /// Ends Bikeep commands in ERROR with this reason instead.
    #[serde(default)]
    pub error: Option<String>,
}

impl Poke {
    /// One step of everything unfinished at a vendor.
    #[must_use]
    pub fn step(vendor: Vendor) -> Self {
        Poke { vendor, command: None, device: None, drain: false, error: None }
    }

    /// Everything unfinished at a vendor, to its end.
    #[must_use]
    pub fn drain(vendor: Vendor) -> Self {
        Poke { drain: true, ..Poke::step(vendor) }
    }

    /// Only this Bikeep command.
    #[must_use]
    pub fn command(mut self, id: &str) -> Self {
        self.command = Some(id.to_owned());
        self
    }
}

/// Steers a running simulator; clones steer the same one.
#[derive(Debug, Clone)]
pub struct SimulatorHandle {
    pub(crate) engine: Arc<Engine>,
}

impl SimulatorHandle {
    /// Makes something go wrong and gives the id for removing it.
    ///
    /// # Errors
    /// The fault could never hit anything.
    pub fn add_fault(&self, fault: Fault) -> Result<u64, ImpossibleFault> {
        self.engine.faults.add(fault)
    }

    /// Ends a fault. False if it had ended already.
    #[must_use]
    pub fn remove_fault(&self, id: u64) -> bool {
        self.engine.faults.remove(id)
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.engine.faults.clear();
    }

    /// The faults in force, the oldest first.
    #[must_use]
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.engine.faults.list()
    }

    /// Requests with a sequence above `after`, the oldest first.
    #[must_use]
    pub fn journal(&self, after: u64) -> Page<RequestEntry> {
        self.engine.journal.requests(after, usize::MAX)
    }

    /// Requests that reached one documented operation, the oldest first.
    #[must_use]
    pub fn requests_to(&self, vendor: Vendor, operation: &str) -> Vec<RequestEntry> {
        let mut entries = self.journal(0).entries;
        entries.retain(|entry| entry.vendor == vendor && entry.operation.as_deref() == Some(operation));
        entries
    }

    /// Physical effects with a sequence above `after`, the oldest first, up to the present moment of the clock.
    #[must_use]
    pub fn effects(&self, after: u64) -> Page<Effect> {
        self.engine.settle();
        self.engine.journal.effects(after, usize::MAX)
    }

    /// Physical effects at one device or door, the oldest first.
    #[must_use]
    pub fn effects_at(&self, id: &str) -> Vec<Effect> {
        let mut entries = self.effects(0).entries;
        entries.retain(|effect| effect.device == id || effect.door.as_deref() == Some(id));
        entries
    }

    /// Forgets requests, effects and webhooks; sequences go on.
    pub fn clear_journal(&self) {
        self.engine.settle();
        self.engine.journal.clear();
        self.engine.webhooks.clear();
    }

    /// Registers a receiver of a vendor's webhooks and gives it an id.
    pub fn send_webhooks_to(&self, vendor: Vendor, target: WebhookTarget) -> u64 {
        self.engine.settle();
        self.engine.webhooks.add_target(vendor, target)
    }

    /// Forgets a receiver of webhooks. False if there is none with this id.
    pub fn stop_webhooks_to(&self, id: u64) -> bool {
        self.engine.settle();
        self.engine.webhooks.remove_target(id)
    }

    /// Loses, doubles or keeps back a vendor's webhooks from now on.
    pub fn set_webhook_conduct(&self, vendor: Vendor, conduct: WebhookConduct) {
        self.engine.settle();
        self.engine.webhooks.set_conduct(vendor, conduct);
    }

    /// Sends a vendor's webhooks that were kept back, the newest first if `reversed`, and keeps no more back. How many.
    pub fn release_webhooks(&self, vendor: Vendor, reversed: bool) -> usize {
        self.engine.settle();
        self.engine.webhooks.release(vendor, reversed)
    }

    /// Webhooks with a sequence above `after`, the oldest first, up to the present moment of the clock.
    #[must_use]
    pub fn webhooks(&self, after: u64) -> Page<WebhookEntry> {
        self.engine.settle();
        self.engine.webhooks.entries(after, usize::MAX)
    }

    /// Waits until no webhook is under way any more: each was delivered, or given up after its last attempt.
    pub async fn webhooks_delivered(&self) {
        self.engine.settle();
        self.engine.webhooks.delivered().await;
    }

    /// How often each documented endpoint was called.
    #[must_use]
    pub fn coverage(&self) -> Vec<CoverageRow> {
        self.engine.coverage.report()
    }

    /// The simulator's clock.
    #[must_use]
    pub fn clock(&self) -> &SimClock {
        &self.engine.clock
    }

    /// Moves the clock forward and lets everything happen that is due by then.
    pub fn advance(&self, by: Duration) {
        self.engine.clock.advance(by);
        self.engine.settle();
    }

    /// Changes the world as hands, sensors and administrators do.
    ///
    /// # Errors
    /// Nothing has the given id.
    pub fn change(&self, change: WorldChange) -> Result<(), NothingToChange> {
        change::apply(&self.engine, change)
    }

    /// Pushes unfinished things on and says how many moved (at Bikeep: how many steps were made).
    #[must_use]
    pub fn poke(&self, poke: &Poke) -> usize {
        self.engine.settle();
        let at = self.engine.circumstances(None);
        match poke.vendor {
            Vendor::Bikeep => locked(&self.engine.bikeep).poke(poke, &at),
            Vendor::Lockt => locked(&self.engine.lockt).poke(),
            Vendor::Mews => 0,
            Vendor::Parqex => locked(&self.engine.parqex).poke(poke.device.as_deref(), &at),
            Vendor::Raixer => 0,
        }
    }

    /// What a ParqEx user's linking has come to, by their e-mail address.
    #[must_use]
    pub fn parqex_oauth(&self, user: &str) -> ParqexOauthCounts {
        let parqex = locked(&self.engine.parqex);
        parqex.account_named(user).map(|account| parqex.grants.counts(account)).unwrap_or_default()
    }

    /// What a Lockt door decides at a moment about what is presented to it, and why. Nothing happens.
    #[must_use]
    pub fn lockt_verdict(&self, door: u64, credential: &LocktPresented, at: DateTime<Utc>) -> LocktVerdict {
        let mut lockt = locked(&self.engine.lockt);
        lockt.account_with_door(door).map_or(LocktVerdict::NoSuchDoor, |account| account.verdict(door, credential, at))
    }

    /// Whether a Lockt door would open at a moment for what is presented to it.
    #[must_use]
    pub fn lockt_would_open(&self, door: u64, credential: &LocktPresented, at: DateTime<Utc>) -> bool {
        self.lockt_verdict(door, credential, at) == LocktVerdict::Opens
    }

    /// Every POST to Lockt that arrived while another of the same account was being served, its latency included.
    #[must_use]
    pub fn lockt_overlaps(&self) -> Vec<LocktOverlap> {
        locked(&self.engine.lockt).posts.overlaps()
    }

    /// The accounts of the world, the main one first; empty for a world built by hand.
    #[must_use]
    pub fn credentials(&self) -> &[DemoCredentials] {
        &self.engine.credentials
    }
}
