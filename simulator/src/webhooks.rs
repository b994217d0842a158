//! The webhooks vendors send: who receives them, what was fired and what became of it, and the mishaps a test asks for (lost,
//! doubled, held back, out of order). What is fired, and when, is each vendor's own business.

mod delivery;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex},
};

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    runtime,
    sync::{mpsc, watch},
};

use self::delivery::{Job, Postman};
use crate::{
    clock::SimClock,
    journal::{Page, Ring},
    lock::locked,
    vendors::Vendor,
};

/// Somebody who receives a vendor's webhooks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookTarget {
    /// Where each notification is posted. May hold a secret, as some vendors want it.
    pub url: String,
    /// Headers sent with each, such as an API key.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Only what concerns this account of the vendor (the public id its folder fires with); everything if absent.
    #[serde(default)]
    pub account: Option<String>,
}

impl WebhookTarget {
    /// A receiver of everything, without headers.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        WebhookTarget { url: url.into(), headers: BTreeMap::new(), account: None }
    }

    /// With a header on each notification.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Only what concerns one account.
    #[must_use]
    pub fn only_for(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }
}

impl fmt::Debug for WebhookTarget {
    /// Without the address and the values of headers, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookTarget")
            .field("headers", &self.headers.keys())
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// How a vendor's notifications travel from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookConduct {
    /// How often each is sent: 0 loses it, 2 doubles it.
    #[serde(default = "once")]
    pub copies: usize,
    /// Whether they are kept back until released.
    #[serde(default)]
    pub held: bool,
}

impl Default for WebhookConduct {
    fn default() -> Self {
        WebhookConduct { copies: once(), held: false }
    }
}

fn once() -> usize {
    1
}

/// One notification a vendor fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEntry {
    /// Order of firing, from 1.
    pub sequence: u64,
    /// Who fired it.
    pub vendor: Vendor,
    /// Whom it concerns: the account's public id at the vendor.
    pub account: String,
    /// What is sent.
    pub body: Value,
    /// When, by the simulator's clock.
    pub fired_at: DateTime<Utc>,
    /// Whether it is still kept back.
    pub held: bool,
    /// One for each copy to each receiver; empty if nobody receives it or if it was lost.
    pub deliveries: Vec<WebhookDelivery>,
}

/// What became of one copy for one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookDelivery {
    /// The receiver's id.
    pub target: u64,
    /// How often it was posted so far.
    pub attempts: u32,
    /// Status of the last reply, if there was one.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: WebhookOutcome,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookOutcome {
    /// Not yet.
    Pending,
    /// The receiver replied with a 2xx status.
    Delivered,
    /// Given up after the last attempt.
    Failed,
}

struct Registered {
    id: u64,
    vendor: Vendor,
    account: Option<String>,
    /// Dropping it ends the receiver's postman once the queue is empty.
    queue: mpsc::UnboundedSender<Job>,
}

/// A notification that waits for its release.
struct Held {
    sequence: u64,
    vendor: Vendor,
    account: String,
    body: Bytes,
}

struct State {
    entries: Ring<WebhookEntry>,
    targets: Vec<Registered>,
    next_target: u64,
    conduct: HashMap<Vendor, WebhookConduct>,
    held: Vec<Held>,
}

/// The outgoing side of all vendors.
pub(crate) struct Webhooks {
    state: Arc<Mutex<State>>,
    /// Copies under way.
    pending: watch::Sender<usize>,
    clock: SimClock,
    runtime: runtime::Handle,
    closing: watch::Receiver<bool>,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("pending", &*self.pending.borrow()).finish_non_exhaustive()
    }
}

impl Webhooks {
    /// Must be called within a runtime, on which deliveries run until `closing`.
    pub(crate) fn new(clock: SimClock, closing: watch::Receiver<bool>) -> Self {
        let state = State {
            entries: Ring::new(),
            targets: Vec::new(),
            next_target: 1,
            conduct: HashMap::new(),
            held: Vec::new(),
        };
        let pending = watch::Sender::new(0);
        Webhooks { state: Arc::new(Mutex::new(state)), pending, clock, runtime: runtime::Handle::current(), closing }
    }

    /// Fires a notification that concerns an account (its public id at the vendor). It leaves soon, on a task of its own; each
    /// receiver gets its notifications one after the other.
    pub(crate) fn fire(&self, vendor: Vendor, account: &str, body: Value) {
        let bytes = Bytes::from(body.to_string());
        let fired_at = self.clock.now();
        let mut state = locked(&self.state);
        let held = state.conduct(vendor).held;
        let sequence = state.entries.push(|sequence| WebhookEntry {
            sequence,
            vendor,
            account: account.to_owned(),
            body,
            fired_at,
            held,
            deliveries: Vec::new(),
        });
        let notification = Held { sequence, vendor, account: account.to_owned(), body: bytes };
        if held {
            state.held.push(notification);
        } else {
            self.send(&mut state, &notification);
        }
    }

    /// Hands a notification to the postmen of those who receive it.
    fn send(&self, state: &mut State, notification: &Held) {
        let copies = state.conduct(notification.vendor).copies;
        let State { entries, targets, .. } = state;
        let mut entry = entries.get_mut(notification.sequence);
        if let Some(entry) = &mut entry {
            entry.held = false;
        }
        let concerned = targets.iter().filter(|target| {
            target.vendor == notification.vendor
                && target.account.as_ref().is_none_or(|account| *account == notification.account)
        });
        for (delivery, target) in concerned.flat_map(|target| std::iter::repeat_n(target, copies)).enumerate() {
            if let Some(entry) = &mut entry {
                entry.deliveries.push(WebhookDelivery {
                    target: target.id,
                    attempts: 0,
                    status: None,
                    outcome: WebhookOutcome::Pending,
                });
            }
            let job = Job { sequence: notification.sequence, delivery, body: notification.body.clone() };
            self.pending.send_modify(|pending| *pending += 1);
            if target.queue.send(job).is_err() {
                self.pending.send_modify(|pending| *pending -= 1);
            }
        }
    }

    /// Registers a receiver and gives it an id.
    pub(crate) fn add_target(&self, vendor: Vendor, target: WebhookTarget) -> u64 {
        let (queue, jobs) = mpsc::unbounded_channel();
        let mut state = locked(&self.state);
        let id = state.next_target;
        state.next_target += 1;
        state.targets.push(Registered { id, vendor, account: target.account.clone(), queue });
        let postman = Postman { state: Arc::clone(&self.state), pending: self.pending.clone(), target };
        self.runtime.spawn(postman.run(jobs, self.closing.clone()));
        id
    }

    /// Whether anybody receives anything.
    pub(crate) fn have_targets(&self) -> bool {
        !locked(&self.state).targets.is_empty()
    }

    /// Forgets a receiver; what it was sent already is still delivered. False if there is none with this id.
    pub(crate) fn remove_target(&self, id: u64) -> bool {
        let mut state = locked(&self.state);
        let before = state.targets.len();
        state.targets.retain(|target| target.id != id);
        state.targets.len() < before
    }

    pub(crate) fn set_conduct(&self, vendor: Vendor, conduct: WebhookConduct) {
        locked(&self.state).conduct.insert(vendor, conduct);
    }

    /// Sends what was kept back, the oldest or the newest first, and stops keeping back. How many notifications went.
    pub(crate) fn release(&self, vendor: Vendor, reversed: bool) -> usize {
        let mut state = locked(&self.state);
        state.conduct.entry(vendor).or_default().held = false;
        let (mut mine, others): (Vec<Held>, Vec<Held>) =
            std::mem::take(&mut state.held).into_iter().partition(|held| held.vendor == vendor);
        state.held = others;
        if reversed {
            mine.reverse();
        }
        for notification in &mine {
            self.send(&mut state, notification);
        }
        mine.len()
    }

    pub(crate) fn entries(&self, after: u64, limit: usize) -> Page<WebhookEntry> {
        locked(&self.state).entries.page(after, limit)
    }

    /// Forgets what was fired; sequences go on, and what is under way or kept back still leaves.
    pub(crate) fn clear(&self) {
        locked(&self.state).entries.clear();
    }

    /// Waits until nothing is under way any more.
    pub(crate) async fn delivered(&self) {
        let mut pending = self.pending.subscribe();
        let mut closing = self.closing.clone();
        // Errors mean that the simulator is gone, which ends the waiting as well.
        tokio::select! {
            _idle = pending.wait_for(|pending| *pending == 0) => {}
            _closed = closing.wait_for(|closing| *closing) => {}
        }
    }
}

impl State {
    fn conduct(&self, vendor: Vendor) -> WebhookConduct {
        self.conduct.get(&vendor).copied().unwrap_or_default()
    }
}
