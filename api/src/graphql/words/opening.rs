//! The words about who can open a door.

use super::words;

words! {
    /// By which kind of path a door opens.
    OpeningReason = domain::opening::Reason {
        /// The code of a stay.
        AccessToken,
        /// A credential that is meant for this door.
        Credential,
        /// An access level that is assigned to the person, at a time at which it counts.
        AccessLevel,
        /// A right to use the door's device, kept by its vendor.
        DeviceAccess,
        /// A telephone number that the vendor keeps for the device, at a door that takes calls.
        Phone,
        /// Any telephone opens the door.
        AnyCaller,
        /// The bell opens the door for a while.
        AutoAccess,
        /// The bell always opens the door.
        AlwaysActive,
        /// The bell opens the door because the device is offline.
        OfflineContingency,
        /// An access level of the vendor's own.
        VendorAccessLevel,
        /// Something that is no longer meant to open here, and was not read back as gone.
        RevocationNotConfirmed,
    }

    /// How sure it is that a path opens.
    OpeningCertainty = domain::opening::Certainty {
        /// It is so at the vendor, as last read back.
        Confirmed,
        /// It was sent to the vendor, or the vendor tells of it without all its conditions.
        Expected,
        /// It is granted, and nothing that opens is at the vendor yet.
        Permitted,
        /// Nobody knows whether it opens.
        Possible,
    }
}
