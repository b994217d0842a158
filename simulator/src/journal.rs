//! What happened: every request with its answer, and every physical effect. Bounded in memory; no secret is kept, an
//! Authorization value only as a short hash. Deciding what happens is not done here.

mod ring;
mod secrets;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    body::Bytes,
    http::{HeaderMap, header::CONTENT_TYPE},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use ring::Ring;
pub(crate) use secrets::{take_api_key, take_authorization};
use secrets::{without_secrets, without_tokens};

use crate::{lock::locked, vendors::Vendor};

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
    /// A card holder was created; the device is the user's id.
    UserCreated,
    /// A card holder was changed; the device is the user's id.
    UserUpdated,
    /// A credential got a new key; the device is its id.
    CredentialReissued,
    /// A door was created.
    DoorCreated,
    /// A fob was created; the device is its id.
    FobCreated,
    /// A fob was assigned, or its window changed; the device is its id.
    FobAssigned,
    /// A resource access token was added at Mews; the device is the reservation, the door the token.
    TokenAdded,
    /// A resource access token was updated at Mews.
    TokenUpdated,
    /// A resource access token was deleted at Mews.
    TokenDeleted,
    /// A phone number may open a device by calling from now on (Raixer, as the next ones).
    PhoneNumberAuthorised,
    /// An authorised phone number was changed, suspended or resumed.
    PhoneNumberChanged,
    /// An authorised phone number was removed.
    PhoneNumberRemoved,
    /// Somebody got access to a device.
    DeviceAccessGranted,
    /// Somebody's access to a device was changed, suspended or resumed.
    DeviceAccessChanged,
    /// Somebody's access to a device was taken away.
    DeviceAccessRevoked,
    /// A device got another owner.
    OwnerChanged,
    /// A device was given up by its owner.
    DeviceRemoved,
    /// A door's settings were changed.
    DoorChanged,
    /// A door was deleted.
    DoorDeleted,
    /// A sensor was created.
    SensorCreated,
    /// A sensor's settings were changed.
    SensorChanged,
    /// A sensor was deleted.
    SensorDeleted,
    /// Opening by telephone was switched on or off, for known callers or for any.
    PhoneAccessChanged,
    /// A door began to listen to its bell.
    AutoAccessStarted,
    /// A door ended listening to its bell.
    AutoAccessEnded,
    /// Listening whenever a device is offline was switched on or off.
    OfflineAutoAccessSet,
    /// Listening at all times was switched on or off.
    AutoAccessAlwaysActiveSet,
    /// The movement alarm was switched on or off.
    MovementAlarmSet,
    /// The movement alarm went off.
    MovementAlarm,
    /// A door's bell rang.
    Bell,
    /// A schedule was created.
    ScheduleCreated,
    /// A schedule was deleted.
    ScheduleDeleted,
    /// An account's own profile was changed; the device is the user's id.
    ProfileChanged,
    /// A function was executed that the vendor documents for direct use.
    DirectFunction,
    /// A function was executed that the vendor does not want to be called directly.
    DiscouragedFunction,
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
        if let Some(record) = requests.get_mut(sequence) {
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
        locked(&self.requests).page_as(after, limit, Record::report)
    }

    pub(crate) fn effects(&self, after: u64, limit: usize) -> Page<Effect> {
        locked(&self.effects).page(after, limit)
    }

    /// Forgets requests and effects; sequences go on.
    pub(crate) fn clear(&self) {
        locked(&self.requests).clear();
        locked(&self.effects).clear();
    }
}

impl Received {
    /// The body as text; of a form, and of a request to Mews, the secrets as hashes.
    fn readable_body(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            without_secrets(&body)
        } else if self.vendor == Vendor::Mews {
            without_tokens(&self.body)
        } else {
            body.into_owned()
        }
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
            query: received.query.as_deref().map(without_secrets),
            headers: received
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: received.readable_body(),
            received_at: received.at,
            ended_at: self.end.as_ref().map(|end| end.at),
            outcome: self.end.as_ref().map_or(Outcome::Pending, |end| end.outcome),
            status: self.end.as_ref().and_then(|end| end.status),
            client_left: self.end.as_ref().is_some_and(|end| end.client_left),
            faults: self.end.iter().flat_map(|end| &end.faults).map(|name| (*name).to_owned()).collect(),
        }
    }
}
