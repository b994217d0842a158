//! Words about doors and their state.

use super::words;

words! {
    /// What kind of passage a door is.
    DoorKind = domain::door::DoorKind {
        /// A door that people pass.
        Door,
        /// A vehicle gate.
        Gate,
        /// A garage door.
        Garage,
        /// An elevator.
        Elevator,
        /// A compartment for things.
        Locker,
        /// A dock that holds a bike or scooter.
        Dock,
        /// Something else, or not told by the vendor.
        Other,
    }

    /// The bolt.
    LockState = domain::door::LockState {
        /// Engaged.
        Locked,
        /// Released.
        Unlocked,
        /// Engaging.
        Locking,
        /// Releasing.
        Unlocking,
        /// Stuck.
        Jammed,
        /// Not known. Never to be read as unlocked or locked.
        Unknown,
    }

    /// The leaf, bar or gate.
    DoorPosition = domain::door::Position {
        /// Open.
        Open,
        /// Closed.
        Closed,
        /// On its way to open.
        Opening,
        /// On its way to closed.
        Closing,
        /// Not quite closed.
        Ajar,
        /// Not known, or not measured.
        Unknown,
    }

    /// The rule that a door follows at the moment.
    DoorMode = domain::door::Mode {
        /// Opens by command or credential.
        Normal,
        /// The bell opens it for a while.
        AutoAccess,
        /// The bell always opens it.
        AlwaysActive,
        /// The bell opens it while the device is offline.
        OfflineContingency,
        /// Nothing but the release of the lockdown is allowed.
        LockedDown,
        /// Taken out of service.
        Blocked,
    }

    /// Whether somebody uses or holds it (docks and lockers).
    Occupancy = domain::door::Occupancy {
        /// Free.
        Free,
        /// Held by a booking.
        Booked,
        /// In use.
        InUse,
        /// Not known, or it has none.
        Unknown,
    }

    /// How an observation was made.
    ObservationSource = domain::door::Source {
        /// The vendor's answer to one of our commands.
        Command,
        /// A webhook.
        Webhook,
        /// A look at this device.
        Poll,
        /// The inventory sync.
        Sync,
    }
}
