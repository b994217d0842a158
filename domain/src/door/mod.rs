//! Doors: the four sides of a door's state, each an observation with two clocks, and how observations merge.
//! What a door can do is a set of `CommandKind`s; nothing here knows a vendor.

mod observation;

pub use observation::{DoorReading, DoorState, Observation, Source};
use serde::{Deserialize, Serialize};

use crate::text_enum;

text_enum! {
    /// What kind of passage a door is.
    pub enum DoorKind {
        /// A door that people pass.
        Door = "DOOR",
        /// A vehicle gate.
        Gate = "GATE",
        /// A garage door.
        Garage = "GARAGE",
        /// An elevator.
        Elevator = "ELEVATOR",
        /// A compartment for things.
        Locker = "LOCKER",
        /// A dock that holds a bike or scooter.
        Dock = "DOCK",
        /// Something else, or not told by the vendor.
        Other = "OTHER",
    }
}

text_enum! {
    /// The bolt.
    pub enum LockState {
        /// Engaged.
        Locked = "LOCKED",
        /// Released.
        Unlocked = "UNLOCKED",
        /// Engaging.
        Locking = "LOCKING",
        /// Releasing.
        Unlocking = "UNLOCKING",
        /// Stuck.
        Jammed = "JAMMED",
        /// Not known.
        Unknown = "UNKNOWN",
    }
}

text_enum! {
    /// The leaf, bar or gate.
    pub enum Position {
        /// Open.
        Open = "OPEN",
        /// Closed.
        Closed = "CLOSED",
        /// On its way to open.
        Opening = "OPENING",
        /// On its way to closed.
        Closing = "CLOSING",
        /// Not quite closed.
        Ajar = "AJAR",
        /// Not known, or not measured.
        Unknown = "UNKNOWN",
    }
}

text_enum! {
    /// The rule that the door follows at the moment.
    pub enum Mode {
        /// Opens by command or credential.
        Normal = "NORMAL",
        /// The bell opens it for a while.
        AutoAccess = "AUTO_ACCESS",
        /// The bell always opens it.
        AlwaysActive = "ALWAYS_ACTIVE",
        /// The bell opens it while the device is offline.
        OfflineContingency = "OFFLINE_CONTINGENCY",
        /// Nothing but the release of the lockdown is allowed.
        LockedDown = "LOCKED_DOWN",
        /// Taken out of service.
        Blocked = "BLOCKED",
    }
}

text_enum! {
    /// Whether somebody uses or holds it (docks and lockers).
    pub enum Occupancy {
        /// Free.
        Free = "FREE",
        /// Held by a booking.
        Booked = "BOOKED",
        /// In use.
        InUse = "IN_USE",
        /// Not known, or it has none.
        Unknown = "UNKNOWN",
    }
}
