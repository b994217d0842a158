//! What happened: every request with its answer, and every physical effect. Bounded in memory; no secret is kept, an
//! Authorization value only as a short hash. Deciding what happens is not done here.

use std::{
    collections::{BTreeMap, VecDeque, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, header::AUTHORIZATION},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{lock::locked, vendors::Vendor};

/// How many requests, and how many effects, are kept.
const CAPACITY: usize = 200_000;

/// A request as it arrived, without secrets.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) vendor: Vendor,
    /// Row id and operation, if any documented row matched.
    pub(crate) row: Option<(&'static str, &'static str)>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: DateTime<Utc>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still being worked on.
    Pending,
    /// An answer was handed to the connection.
    Answered,
    /// The connection was closed before the first byte of an answer.
    Dropped,
    /// The connection was closed in the middle of the answer's body.
    DroppedMidAnswer,
    /// No answer is ever given.
    Hung,
}

/// One request and its end, as reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEntry {
    /// Order of arrival, from 1.
    pub sequence: u64,
    /// Whose API was called.
    pub vendor: Vendor,
    /// Row id of the documented endpoint, such as `B3`.
    pub row: Option<String>,
    /// Name of the documented endpoint, such as `send_command`.
    pub operation: Option<String>,
    /// HTTP method.
    pub method: String,
    /// Path with the vendor's prefix.
    pub path: String,
    /// Query string as it came.
    pub query: Option<String>,
    /// Header values by lower-case name; Authorization as scheme and short hash.
    pub headers: BTreeMap<String, String>,
    /// Body as text.
    pub body: String,
    /// When the whole request had arrived, by the simulator's clock.
    pub received_at: DateTime<Utc>,
    /// When it ended, by the simulator's clock.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Outcome,
    /// Status of the answer, if there was one.
    pub status: Option<u16>,
    /// Whether the client closed the connection before the end.
    pub client_left: bool,
    /// Names of the faults that were applied.
    pub faults: Vec<String>,
}

/// What hardware did, or what was done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// A door, gate or garage was pulsed open.
    Open,
    /// A gate or garage was pulsed closed, or closed by itself.
    Close,
    /// A lock engaged on command.
    Lock,
    /// A lock released on command.
    Unlock,
    /// A door's lock engaged again by itself.
    Relock,
    /// A dock or locker was reserved.
    Book,
    /// A booking was removed.
    CancelBooking,
    /// A booking ran out.
    BookingEnded,
    /// A device was synchronized.
    Sync,
    /// A device was synchronized and power cycled.
    PowerCycle,
    /// A camera took a picture.
    Photo,
    /// Somebody changed the hardware by hand (through the control API).
    ByHand,
}

/// One physical effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Order of happening, from 1.
    pub sequence: u64,
    /// Whose hardware.
    pub vendor: Vendor,
    /// The device's id at the vendor.
    pub device: String,
    /// The door's id at the vendor, where doors have ids.
    pub door: Option<String>,
    /// The door's position on the device, from 1, where doors have positions.
    pub position: Option<u32>,
    /// What happened.
    pub kind: EffectKind,
    /// When, by the simulator's clock.
    pub at: DateTime<Utc>,
    /// Sequence of the request that caused it.
    pub caused_by: Option<u64>,
}

/// A part of the journal, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// How many entries the memory bound has removed since the last clearing.
    pub dropped: u64,
}

#[derive(Debug)]
struct Record {
    sequence: u64,
    received: Arc<Received>,
    end: Option<End>,
}

/// How a request ended.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) at: DateTime<Utc>,
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<u16>,
    pub(crate) client_left: bool,
    pub(crate) faults: Vec<&'static str>,
}

/// Where an effect took place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) vendor: Vendor,
    pub(crate) device: &'a str,
    pub(crate) door: Option<&'a str>,
    pub(crate) position: Option<u32>,
}

#[derive(Debug)]
struct Ring<T> {
    entries: VecDeque<T>,
    /// Sequence of the next entry.
    next: u64,
    dropped: u64,
}

impl<T> Ring<T> {
    fn new() -> Self {
        Ring { entries: VecDeque::new(), next: 1, dropped: 0 }
    }

    fn push(&mut self, make: impl FnOnce(u64) -> T) -> u64 {
        if self.entries.len() >= CAPACITY {
            self.entries.pop_front();
            self.dropped += 1;
        }
        let sequence = self.next;
        self.next += 1;
        self.entries.push_back(make(sequence));
        sequence
    }

    /// Index of an entry, which follows from its sequence because sequences have no gaps.
    fn index(&self, sequence: u64) -> Option<usize> {
        let first = self.next - self.entries.len() as u64;
        usize::try_from(sequence.checked_sub(first)?).ok().filter(|index| *index < self.entries.len())
    }

    /// Index of the first entry after a sequence.
    fn start(&self, after: u64) -> usize {
        let first = self.next - self.entries.len() as u64;
        usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX).min(self.entries.len())
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.dropped = 0;
    }
}

/// The bounded memory of requests and effects.
#[derive(Debug)]
pub(crate) struct Journal {
    requests: Mutex<Ring<Record>>,
    effects: Mutex<Ring<Effect>>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Journal { requests: Mutex::new(Ring::new()), effects: Mutex::new(Ring::new()) }
    }

    /// Notes an arrival and gives it a sequence.
    pub(crate) fn arrived(&self, received: &Arc<Received>) -> u64 {
        locked(&self.requests).push(|sequence| Record { sequence, received: Arc::clone(received), end: None })
    }

    /// Notes how a request ended; nothing happens if it has been dropped or cleared since.
    pub(crate) fn ended(&self, sequence: u64, end: End) {
        let mut requests = locked(&self.requests);
        if let Some(index) = requests.index(sequence)
            && let Some(record) = requests.entries.get_mut(index)
        {
            record.end = Some(end);
        }
    }

    pub(crate) fn effect(&self, place: Place<'_>, kind: EffectKind, at: DateTime<Utc>, caused_by: Option<u64>) {
        locked(&self.effects).push(|sequence| Effect {
            sequence,
            vendor: place.vendor,
            device: place.device.to_owned(),
            door: place.door.map(str::to_owned),
            position: place.position,
            kind,
            at,
            caused_by,
        });
    }

    pub(crate) fn requests(&self, after: u64, limit: usize) -> Page<RequestEntry> {
        let requests = locked(&self.requests);
        Page {
            entries: requests.entries.iter().skip(requests.start(after)).take(limit).map(Record::report).collect(),
            dropped: requests.dropped,
        }
    }

    pub(crate) fn effects(&self, after: u64, limit: usize) -> Page<Effect> {
        let effects = locked(&self.effects);
        Page {
            entries: effects.entries.iter().skip(effects.start(after)).take(limit).cloned().collect(),
            dropped: effects.dropped,
        }
    }

    /// Forgets requests and effects; sequences go on.
    pub(crate) fn clear(&self) {
        locked(&self.requests).clear();
        locked(&self.effects).clear();
    }
}

impl Record {
    fn report(&self) -> RequestEntry {
        let received = &self.received;
        RequestEntry {
            sequence: self.sequence,
            vendor: received.vendor,
            row: received.row.map(|(id, _)| id.to_owned()),
            operation: received.row.map(|(_, operation)| operation.to_owned()),
            method: received.method.clone(),
            path: received.path.clone(),
            query: received.query.clone(),
            headers: received
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: String::from_utf8_lossy(&received.body).into_owned(),
            received_at: received.at,
            ended_at: self.end.as_ref().map(|end| end.at),
            outcome: self.end.as_ref().map_or(Outcome::Pending, |end| end.outcome),
            status: self.end.as_ref().and_then(|end| end.status),
            client_left: self.end.as_ref().is_some_and(|end| end.client_left),
            faults: self.end.iter().flat_map(|end| &end.faults).map(|name| (*name).to_owned()).collect(),
        }
    }
}

/// Takes the Authorization value out of the headers and leaves scheme and short hash, enough to tell two callers apart.
pub(crate) fn take_authorization(headers: &mut HeaderMap) -> Option<String> {
    let value = headers.remove(AUTHORIZATION)?;
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let (scheme, secret) = text.split_once(' ').unwrap_or(("", &text));
    let mut hasher = DefaultHasher::new();
    secret.hash(&mut hasher);
    let redacted = format!("{scheme} #{:08x}", hasher.finish() >> 32);
    if let Ok(redacted) = HeaderValue::from_str(redacted.trim_start()) {
        headers.insert(AUTHORIZATION, redacted);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_forgets_the_oldest_and_says_so() {
        let mut ring = Ring::new();
        for _ in 0..CAPACITY + 3 {
            ring.push(|sequence| sequence);
        }
        assert_eq!((ring.entries.len(), ring.dropped, ring.entries.front()), (CAPACITY, 3, Some(&4)));
        assert_eq!((ring.index(3), ring.index(4), ring.index(u64::MAX)), (None, Some(0), None));
        assert_eq!((ring.start(0), ring.start(4), ring.start(CAPACITY as u64 + 3)), (0, 1, CAPACITY));
    }

    #[test]
    fn an_authorization_value_is_kept_only_as_a_hash() {
        let redact = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            let taken = take_authorization(&mut headers);
            assert_eq!(taken.as_deref(), Some(value));
            headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned).unwrap_or_default()
        };
        let one = redact("Bearer secret-one");
        assert!(one.starts_with("Bearer #") && !one.contains("secret"), "{one}");
        assert_ne!(one, redact("Bearer secret-two"));
        assert!(!redact("nakedsecret").contains("naked"));
    }
}
