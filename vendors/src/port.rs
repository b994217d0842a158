//! What the product asks of a vendor: small capability traits, in our words. No vendor's words appear here.
//! `DoorControl` moves doors, `Administration` changes what a vendor keeps, `Inventory` reads it, `Intake` understands
//! what is pushed, `Renewal` keeps an access alive.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{
    change::Change,
    clock::{Clock, Timestamp},
    command::{Action, Answer},
    door::DoorReading,
    secret::Secret,
    text_enum,
};
pub use domain::{
    device::{FoundDevice, FoundDoor},
    event::FoundEvent,
    record::{FoundRecord, RecordKind, RecordRef},
};
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::error::VendorError;

/// Where an action goes, in the vendor's own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The vendor's id of the device.
    pub device: String,
    /// The vendor's type of the device, as the inventory told it (for example `BIKE_HOUSE_DOOR`).
    pub model: String,
    /// The vendor's id of the door; `None` for an action on the device itself.
    pub door: Option<String>,
    /// The door's position on the device, from 1.
    pub position: Option<i32>,
}

/// The last instant at which the bytes of a request may leave (rule 1), checked as late as the client can.
#[derive(Debug, Clone)]
pub struct Departure {
    /// The clock to check by.
    pub clock: Arc<dyn Clock>,
    /// From when on it is too late; `None` means never.
    pub latest: Option<Timestamp>,
}

impl Departure {
    /// Whether it is too late to send.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.latest.is_some_and(|latest| self.clock.now() >= latest)
    }
}

/// A vendor's answer about a command, with what it told of the door on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it said of the command.
    pub answer: Answer,
    /// What it told of the door's state, if it did.
    pub door: Option<DoorReading>,
    /// The vendor's own words for the timeline, oldest first; never a secret. At most 20.
    pub notes: Vec<VendorNote>,
}

/// One line of a vendor's own account of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorNote {
    /// When, by the vendor's clock.
    pub at: Option<Timestamp>,
    /// What, in the vendor's word (for example `RESPONSE_UNLOCK`).
    pub text: String,
}

/// Carrying out actions on doors and devices.
#[async_trait]
pub trait DoorControl: Send + Sync {
    /// Sends an action. Called once per attempt, after the intent has been written.
    ///
    /// # Errors
    /// See [`VendorError`]; only its variants that say so prove that nothing happened.
    async fn dispatch(&self, action: &Action, _: &Target, _: &Departure) -> Result<Receipt, VendorError> {
        Err(VendorError::unsupported(format!("This vendor offers no {} through its API.", action.kind())))
    }

    /// Asks for the outcome of a pending command by the reference that the vendor gave.
    ///
    /// # Errors
    /// The vendor could not be asked; this says nothing of the command.
    async fn poll(&self, _: &str, _: &Target) -> Result<Receipt, VendorError> {
        Err(VendorError::unsupported("This vendor's commands have no id to ask by."))
    }

    /// Looks at the door's present state. `None` when this vendor has no way to.
    ///
    /// # Errors
    /// The vendor could not be asked.
    async fn look(&self, _: &Target) -> Result<Option<DoorReading>, VendorError> {
        Ok(None)
    }
}

/// A change on its way to a vendor.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// What is to change.
    pub change: &'a Change,
    /// At which device or door; `None` for a change of the account.
    pub target: Option<&'a Target>,
    /// What must not stand in the change itself (see [`Change`]).
    pub secret: Option<&'a Secret>,
    /// When the change was first sent, if it may have been; a record that is older was made by somebody else.
    pub first_sent_at: Option<Timestamp>,
}

/// What came of a change.
#[derive(Debug, Clone)]
pub struct ChangeReceipt {
    /// What the vendor said of it.
    pub answer: Answer,
    /// What was asked for, for the caller: a value that was read, ids that were given, errors by record. Never a secret.
    pub result: Option<serde_json::Value>,
    /// What the vendor keeps now, as its answer or a read-back told.
    pub found: Portion,
    /// Records that are certainly gone.
    pub gone: Vec<RecordRef>,
    /// What must be read again, because the answer did not tell.
    pub hints: Vec<Hint>,
    /// The vendor's own words for the timeline; never a secret. At most 20.
    pub notes: Vec<VendorNote>,
}

impl ChangeReceipt {
    /// A receipt that tells only this.
    #[must_use]
    pub fn of(answer: Answer) -> Self {
        Self { answer, result: None, found: Portion::default(), gone: Vec::new(), hints: Vec::new(), notes: Vec::new() }
    }
}

/// What a look for a change whose answer was lost brought.
#[derive(Debug, Clone)]
pub enum Trace {
    /// It was made, and this came of it.
    Made(Box<ChangeReceipt>),
    /// It was looked for where it would have to be, and is not there.
    Absent,
    /// There is no way to tell.
    Unclear,
}

/// Changing what a vendor keeps: settings, people, credentials, schedules, tokens.
#[async_trait]
pub trait Administration: Send + Sync {
    /// Carries a change out. Called once per attempt, after the intent has been written.
    ///
    /// # Errors
    /// See [`VendorError`]; only its variants that say so prove that nothing happened.
    async fn carry_out(&self, order: Order<'_>, _: &Departure) -> Result<ChangeReceipt, VendorError> {
        Err(VendorError::unsupported(format!("This vendor offers no {} through its API.", order.change.kind())))
    }

    /// Looks whether a change was made whose answer was lost. Reads only.
    ///
    /// # Errors
    /// The vendor could not be asked.
    async fn look_for(&self, _: Order<'_>) -> Result<Trace, VendorError> {
        Ok(Trace::Unclear)
    }
}

text_enum! {
    /// What is read together when an account is synced.
    pub enum SyncPart {
        /// Devices with their doors and states.
        Devices = "DEVICES",
        /// People.
        Users = "USERS",
        /// Cards, fobs, telephone numbers.
        Credentials = "CREDENTIALS",
        /// Access levels and schedules.
        AccessLevels = "ACCESS_LEVELS",
        /// Who may use which device.
        DeviceAccess = "DEVICE_ACCESS",
        /// Plans of when doors listen.
        AutoAccessSchedules = "AUTO_ACCESS_SCHEDULES",
        /// Plans of devices at their vendor.
        Campaigns = "CAMPAIGNS",
        /// The account itself: profile, locations.
        Profile = "PROFILE",
        /// Rooms and other things that can be reserved.
        Resources = "RESOURCES",
        /// Stays, with guests.
        Reservations = "RESERVATIONS",
        /// Tokens that a PMS shows.
        AccessTokens = "ACCESS_TOKENS",
        /// What happened.
        Events = "EVENTS",
    }
}

/// What a complete read of a part proves to be all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// All devices and doors.
    Devices,
    /// All records of a kind.
    Records(RecordKind),
}

/// One part of a sync, as a vendor offers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlan {
    /// Which.
    pub part: SyncPart,
    /// What is missing if a read from its beginning to its end did not list it. Empty for what is read by cursor.
    pub completes: &'static [Listed],
}

/// A piece of what a vendor keeps.
#[derive(Debug, Clone, Default)]
pub struct Portion {
    /// Devices with their doors.
    pub devices: Vec<FoundDevice>,
    /// Records.
    pub records: Vec<FoundRecord>,
    /// Events, oldest first.
    pub events: Vec<FoundEvent>,
    /// From where to go on at the next sync; written once this portion is stored. `None` leaves the cursor as it is.
    pub cursor: Option<String>,
    /// Set on the last portion of a read that, though it belongs to a part with a cursor, listed everything.
    pub complete: bool,
}

/// Something that is to be read again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Hint {
    /// A whole part.
    Part(SyncPart),
    /// One device, by the vendor's id.
    Device(String),
    /// One record.
    Record(RecordRef),
}

/// Reading what a vendor account holds.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// The parts in the order in which they are to be read: what others refer to comes first.
    fn parts(&self) -> &'static [PartPlan];

    /// Reads a part in portions (one per location, page or list call), so that memory stays bounded. `cursor` is where
    /// the last sync ended; `now` the time by our clock. A portion that fails ends the stream: a partial read deletes
    /// nothing (rule 11). A part that the vendor does not offer (yet) fails with `Unsupported`, which is no fault.
    fn read<'a>(
        &'a self,
        part: SyncPart,
        cursor: Option<&'a str>,
        now: Timestamp,
    ) -> BoxStream<'a, Result<Portion, VendorError>>;

    /// Reads one thing again.
    ///
    /// # Errors
    /// The vendor could not be asked. A thing that is gone is an empty portion.
    async fn reread(&self, hint: &Hint, now: Timestamp) -> Result<Portion, VendorError>;

    /// The cheapest call that shows that the credentials are good, and where the account is.
    ///
    /// # Errors
    /// The credentials are refused, or the vendor could not be asked.
    async fn check(&self) -> Result<AccountCheck, VendorError>;
}

/// What a check of an account's credentials showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountCheck {
    /// The vendor's locations, for the mapping to sites: id and name. Empty when the vendor has none.
    pub locations: Vec<(String, String)>,
    /// Whom the vendor takes us for, if it says so.
    pub signed_in_as: Option<String>,
}

/// A webhook as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Names in lower case, values as sent.
    pub headers: &'a [(String, String)],
    /// The raw body.
    pub body: &'a [u8],
    /// When it reached us.
    pub received_at: Timestamp,
}

/// What a webhook says.
#[derive(Debug, Clone, Default)]
pub struct Notice {
    /// What happened, oldest first.
    pub events: Vec<FoundEvent>,
    /// What should be read again.
    pub hints: Vec<Hint>,
}

/// Why a delivery is not processed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// It is not signed, or wrongly: somebody else may have sent it.
    #[error("{0}")]
    NotAuthentic(String),
    /// It is nothing that this vendor is documented to send.
    #[error("{0}")]
    Unreadable(String),
}

/// Understanding what a vendor pushes. Pure: nothing is asked of the vendor here.
pub trait Intake: Send + Sync {
    /// Reads a delivery, checking signature or shared secret where the vendor documents one.
    ///
    /// # Errors
    /// It is not authentic, or not readable.
    fn notice(&self, _: Delivery<'_>) -> Result<Notice, NoticeError> {
        Err(NoticeError::Unreadable("This vendor is not documented to send webhooks.".to_owned()))
    }
}

/// An account whose access ends by itself and is renewed with a grant.
#[async_trait]
pub trait Renewal: Send + Sync {
    /// When the present access ends; `None` when it is not known.
    fn expires_at(&self) -> Option<Timestamp>;

    /// Renews the access. What is returned must be stored before it is used: the old grant may be dead already.
    ///
    /// # Errors
    /// `AuthInvalid` when the vendor refuses the grant for good; anything else may be tried again.
    async fn renew(&self, now: Timestamp) -> Result<crate::registry::VendorCredentials, VendorError>;
}

/// Time-outs of one vendor call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOuts {
    /// To connect, TLS included.
    pub connect: TimeDelta,
    /// For the whole exchange.
    pub total: TimeDelta,
}
