//! Events: the words for immutable facts, and the form in which a vendor's reach us. Their rows are written by
//! `entities/store`.

mod facts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, door::DoorReading, text_enum};

pub use self::facts::{Told, what_tells};

text_enum! {
    /// What happened.
    pub enum EventType {
        /// Somebody asked for an action.
        CommandRequested = "COMMAND_REQUESTED",
        /// Somebody asked for an action that they have no right to.
        CommandDenied = "COMMAND_DENIED",
        /// A command came to its outcome.
        CommandFinished = "COMMAND_FINISHED",
        /// A value of a door's state changed.
        DoorStateChanged = "DOOR_STATE_CHANGED",
        /// The inventory sync found a new device.
        DeviceFound = "DEVICE_FOUND",
        /// A device's health changed.
        DeviceHealthChanged = "DEVICE_HEALTH_CHANGED",
        /// A complete inventory no longer lists a device.
        DeviceMissing = "DEVICE_MISSING",
        /// A vendor account's state changed.
        AccountStateChanged = "ACCOUNT_STATE_CHANGED",
        /// A credential opened a door.
        AccessGranted = "ACCESS_GRANTED",
        /// A credential was refused at a door.
        AccessDenied = "ACCESS_DENIED",
        /// A door's leaf was opened, or it was released for somebody.
        DoorOpened = "DOOR_OPENED",
        /// A door's leaf was closed.
        DoorClosed = "DOOR_CLOSED",
        /// A bolt was engaged.
        DoorLocked = "DOOR_LOCKED",
        /// A bolt was released.
        DoorUnlocked = "DOOR_UNLOCKED",
        /// A door began to listen to its bell.
        AutoAccessStarted = "AUTO_ACCESS_STARTED",
        /// A door stopped listening to its bell.
        AutoAccessStopped = "AUTO_ACCESS_STOPPED",
        /// A telephone call opened a door.
        PhoneCall = "PHONE_CALL",
        /// A sensor saw movement.
        MovementDetected = "MOVEMENT_DETECTED",
        /// A sensor sees no movement any more.
        MovementEnded = "MOVEMENT_ENDED",
        /// A device lost its supply.
        PowerLost = "POWER_LOST",
        /// A device's supply came back.
        PowerRestored = "POWER_RESTORED",
        /// Somebody pressed a device's own button.
        ButtonPressed = "BUTTON_PRESSED",
        /// A device came into reach.
        DeviceOnline = "DEVICE_ONLINE",
        /// A device went out of reach.
        DeviceOffline = "DEVICE_OFFLINE",
        /// A device reports tampering or a fault.
        DeviceAlarm = "DEVICE_ALARM",
        /// Something that the vendor tells in a word that we do not know.
        VendorEvent = "VENDOR_EVENT",
        /// A vendor no longer has all events since we last asked: some are lost.
        EventGap = "EVENT_GAP",
        /// A sync found a new record at a vendor.
        RecordFound = "RECORD_FOUND",
        /// A record changed at a vendor.
        RecordChanged = "RECORD_CHANGED",
        /// A complete list no longer holds a record.
        RecordMissing = "RECORD_MISSING",
        /// A vendor account was linked, or linked again.
        AccountLinked = "ACCOUNT_LINKED",
        /// A vendor account was given another webhook address, or its locations another mapping to sites.
        AccountChanged = "ACCOUNT_CHANGED",
        /// A vendor account was unlinked.
        AccountUnlinked = "ACCOUNT_UNLINKED",
        /// An operator had a stored webhook delivery processed again.
        WebhookReplayed = "WEBHOOK_REPLAYED",
        /// A person was created, changed or erased.
        UserChanged = "USER_CHANGED",
        /// A credential was created, changed, suspended, resumed or revoked.
        CredentialChanged = "CREDENTIAL_CHANGED",
        /// An access level, its doors or its holders changed.
        AccessLevelChanged = "ACCESS_LEVEL_CHANGED",
        /// A schedule changed.
        ScheduleChanged = "SCHEDULE_CHANGED",
        /// A stay was made, or changed.
        ReservationChanged = "RESERVATION_CHANGED",
        /// A stay became ready, or no longer is.
        ReadinessChanged = "READINESS_CHANGED",
        /// A token was issued for a stay.
        TokenIssued = "TOKEN_ISSUED",
        /// A token's time, doors or value changed.
        TokenChanged = "TOKEN_CHANGED",
        /// A token is to be taken away everywhere.
        TokenRevocationRequested = "TOKEN_REVOCATION_REQUESTED",
        /// A token was read back as gone everywhere.
        TokenRevoked = "TOKEN_REVOKED",
        /// Somebody was shown a token's value.
        TokenRevealed = "TOKEN_REVEALED",
        /// A placement was read back at its vendor as it is to be.
        PlacementConfirmed = "PLACEMENT_CONFIRMED",
        /// A placement was read back as gone.
        PlacementRevoked = "PLACEMENT_REVOKED",
        /// An API key was made.
        ApiKeyCreated = "API_KEY_CREATED",
        /// An API key was revoked.
        ApiKeyRevoked = "API_KEY_REVOKED",
        /// Somebody's membership was given, changed or taken away.
        MembershipChanged = "MEMBERSHIP_CHANGED",
        /// A subject of an identity provider is a person of ours from now on.
        IdentityLinked = "IDENTITY_LINKED",
        /// A subject of an identity provider is no person of ours any more.
        IdentityUnlinked = "IDENTITY_UNLINKED",
        /// An alert was raised, acknowledged or resolved.
        AlertChanged = "ALERT_CHANGED",
    }
}

/// In the id of an event whose vendor gave none: what comes after is a digest of what it tells.
pub const MADE_UP: &str = "made:";

/// Something that happened, as a vendor tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundEvent {
    /// What makes it this event and no other at the account: the vendor's id, or one with [`MADE_UP`] in it. Before that is
    /// kept a key goes into it: a digest can be guessed, and would tell of people who were erased.
    pub external_id: String,
    /// When it happened, by the hardware's or vendor's clock; `None` when the vendor gives no time.
    pub occurred_at: Option<Timestamp>,
    /// What it is in our words.
    pub event_type: EventType,
    /// What it is in the vendor's.
    pub vendor_code: String,
    /// The vendor's id of the device.
    pub device: Option<String>,
    /// Which door.
    pub door: Option<FoundDoorRef>,
    /// What it tells of that door's state.
    pub reading: Option<DoorReading>,
    /// More in the vendor's words: names, numbers, reasons. Never a secret. What of it tells of people, [`what_tells`] says.
    pub facts: BTreeMap<String, String>,
}

/// How a vendor's event names a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundDoorRef {
    /// By its id.
    Id(String),
    /// By its position on the device, from 1.
    Position(i32),
    /// By its name in the account, where the vendor tells nothing better (Lockt).
    Name(String),
}
