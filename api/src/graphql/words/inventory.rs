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
        /// Somebody asked for an action that they have no right to; the same again within a minute is counted only.
        CommandDenied,
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
        /// A credential opened a door.
        AccessGranted,
        /// A credential was refused at a door.
        AccessDenied,
        /// A door's leaf was opened, or it was released for somebody.
        DoorOpened,
        /// A door's leaf was closed.
        DoorClosed,
        /// A bolt was engaged.
        DoorLocked,
        /// A bolt was released.
        DoorUnlocked,
        /// A door began to listen to its bell.
        AutoAccessStarted,
        /// A door stopped listening to its bell.
        AutoAccessStopped,
        /// A telephone call opened a door.
        PhoneCall,
        /// A sensor saw movement.
        MovementDetected,
        /// A sensor sees no movement any more.
        MovementEnded,
        /// A device lost its supply.
        PowerLost,
        /// A device's supply came back.
        PowerRestored,
        /// Somebody pressed a device's own button.
        ButtonPressed,
        /// A device came into reach.
        DeviceOnline,
        /// A device went out of reach.
        DeviceOffline,
        /// A device reports tampering or a fault.
        DeviceAlarm,
        /// Something that the vendor tells in a word that we do not know.
        VendorEvent,
        /// A vendor no longer has all events since we last asked: some are lost.
        EventGap,
        /// A sync found a new record at a vendor.
        RecordFound,
        /// A record changed at a vendor.
        RecordChanged,
        /// A complete list no longer holds a record.
        RecordMissing,
        /// A vendor account was linked, or linked again.
        AccountLinked,
        /// A vendor account was given another webhook address, or its locations another mapping to sites.
        AccountChanged,
        /// A vendor account was unlinked.
        AccountUnlinked,
        /// An operator had a stored webhook delivery processed again.
        WebhookReplayed,
        /// A person was created, changed or erased.
        UserChanged,
        /// A credential was created, changed, suspended, resumed or revoked.
        CredentialChanged,
        /// An access level, its doors or its holders changed.
        AccessLevelChanged,
        /// A schedule changed.
        ScheduleChanged,
        /// A stay was made, or changed.
        ReservationChanged,
        /// A stay became ready, or no longer is.
        ReadinessChanged,
        /// A token was issued for a stay.
        TokenIssued,
        /// A token's time, doors or value changed.
        TokenChanged,
        /// A token is to be taken away everywhere.
        TokenRevocationRequested,
        /// A token was read back as gone everywhere.
        TokenRevoked,
        /// Somebody was shown a token's value.
        TokenRevealed,
        /// A placement was read back at its vendor as it is to be.
        PlacementConfirmed,
        /// A placement was read back as gone.
        PlacementRevoked,
        /// An API key was made.
        ApiKeyCreated,
        /// An API key was revoked.
        ApiKeyRevoked,
        /// Somebody's membership was given, changed or taken away.
        MembershipChanged,
        /// A subject of an identity provider is a person of ours from now on.
        IdentityLinked,
        /// A subject of an identity provider is no person of ours any more.
        IdentityUnlinked,
        /// An alert was raised, acknowledged or resolved.
        AlertChanged,
    }
}
