//! Words about vendors, accounts, devices and events.

use super::words;

words! {
    /// A system that Gatehouse speaks with.
    Vendor = domain::account::Vendor {
        /// Intercoms.
        Raixer,
        /// Parking gates.
        Parqex,
        /// Card locks.
        Lockt,
        /// Bike docks and lockers.
        Bikeep,
        /// A hotel's property-management system.
        Mews,
    }

    /// Whether a vendor account can be used.
    VendorAccountState = domain::account::AccountState {
        /// The last exchange went well.
        Connected,
        /// The vendor fails or is out of reach; work is retried.
        Degraded,
        /// The vendor refuses our credentials; a person must act.
        ReauthRequired,
        /// Unlinked: nothing is sent any more.
        Disconnected,
    }

    /// How well a device is, as far as its vendor knows.
    DeviceHealth = domain::device::Health {
        /// Reachable and well.
        Healthy,
        /// Reachable with a fault, or reporting late.
        Unhealthy,
        /// Out of reach.
        Offline,
        /// Out of reach for so long that its vendor calls it dead.
        Dead,
        /// The vendor says nothing about it.
        Unknown,
    }

    /// What an event tells.
    EventType = domain::event::EventType {
        /// Somebody asked for an action.
        CommandRequested,
        /// A command came to its outcome.
        CommandFinished,
        /// A value of a door's state changed.
        DoorStateChanged,
        /// The inventory sync found a new device.
        DeviceFound,
        /// A device's health changed.
        DeviceHealthChanged,
        /// A complete inventory no longer lists a device.
        DeviceMissing,
        /// A vendor account's state changed.
        AccountStateChanged,
    }
}
