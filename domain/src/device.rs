//! Devices: how hardware is, and the form in which an inventory passes from a vendor's words to our rows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Commands for the device itself (sync, photo).
    pub capabilities: BTreeSet<CommandKind>,
    /// Its doors.
    pub doors: Vec<FoundDoor>,
}

/// A door as a vendor describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}
