//! Devices: how hardware is, and the form in which an inventory passes from a vendor's words to our rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    change::DoorSettings,
    clock::Timestamp,
    command::CommandKind,
    door::{DoorKind, DoorReading},
    text_enum,
};

text_enum! {
    /// How well a device is, as far as its vendor knows.
    pub enum Health {
        /// Reachable and well.
        Healthy = "HEALTHY",
        /// Reachable with a fault, or reporting late.
        Unhealthy = "UNHEALTHY",
        /// Out of reach.
        Offline = "OFFLINE",
        /// Out of reach for so long that its vendor calls it dead.
        Dead = "DEAD",
        /// The vendor says nothing about it.
        Unknown = "UNKNOWN",
    }
}

/// A device as a vendor describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundDevice {
    /// The vendor's id.
    pub external_id: String,
    /// The vendor's location of it, for the mapping to sites; empty when the vendor has none.
    pub location: String,
    /// A name for people.
    pub name: String,
    /// The vendor's type.
    pub model: String,
    /// Firmware or hardware version, if told.
    pub firmware: Option<String>,
    /// How it is.
    pub health: Health,
    /// Since when it is so, by the vendor's clock.
    pub health_since: Option<Timestamp>,
    /// Battery charge from 0 to 100, if it has one.
    pub battery_percent: Option<i32>,
    /// What else the vendor documents of it.
    pub details: DeviceDetails,
    /// Commands for the device itself (sync, photo).
    pub capabilities: BTreeSet<CommandKind>,
    /// Its doors.
    pub doors: Vec<FoundDoor>,
}

/// A door as a vendor describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundDoor {
    /// The vendor's id.
    pub external_id: String,
    /// A name for people.
    pub name: String,
    /// What kind of passage it is.
    pub kind: DoorKind,
    /// Its position on the device, from 1.
    pub position: i32,
    /// Commands it can carry out.
    pub capabilities: BTreeSet<CommandKind>,
    /// Its present state, as far as told.
    pub reading: DoorReading,
    /// Its settings at the vendor, where it has such.
    pub settings: Option<DoorSettings>,
    /// Who may open it by telephone, where the vendor tells.
    pub phone_access: Option<PhoneAccess>,
}

/// Who may open a door by telephone: any caller is a security posture that must be seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PhoneAccess {
    /// Whether authorised telephones may.
    pub enabled: bool,
    /// Whether any telephone may.
    pub any_caller: bool,
    /// The number to call, if it has one.
    pub number: Option<String>,
}

/// What a vendor documents of a device beyond the columns that every vendor has.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceDetails {
    /// The vendor's id of its owner.
    pub owner: Option<String>,
    /// The vendor's id of its campaign.
    pub campaign: Option<String>,
    /// Its number or code on the hardware.
    pub serial_number: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Since when it reports no more, or when it last did.
    pub last_contact_at: Option<Timestamp>,
    /// Whether AutoAccess is always active.
    pub auto_access_always_active: Option<bool>,
    /// Whether AutoAccess is on while it is offline.
    pub offline_auto_access: Option<bool>,
    /// Other documented values, under the vendor's names. Never a secret.
    pub more: BTreeMap<String, String>,
}
