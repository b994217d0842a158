//! The words about stays, tokens, what is placed at vendors, credentials and alerts.

use super::words;

words! {
    /// Whether a guest will find the doors open.
    Readiness = domain::stay::Readiness {
        /// A working code is in every lock.
        Ready,
        /// All is well so far, and there is time.
        Pending,
        /// Something is wrong; the guest may stand before a closed door.
        AtRisk,
        /// The guest should be able to enter now, and cannot.
        Failed,
        /// Nobody is to enter: the stay is over, called off or not confirmed.
        NotApplicable,
    }

    /// Why a stay is as ready as it is.
    ReadinessCode = domain::stay::ReadinessCode {
        /// Every door has the code, read back.
        AllPlaced,
        /// The locks are loaded later.
        TooEarly,
        /// A placement is on its way.
        Placing,
        /// No token was issued for the stay.
        NoToken,
        /// No room is assigned.
        NoResource,
        /// The room stands for no door here.
        NoDoors,
        /// The PMS names no guest.
        NoGuest,
        /// A door's vendor cannot hold the code.
        CapabilityMissing,
        /// No access level opens exactly the doors.
        NoAccessLevel,
        /// The vendor refused, cannot be reached, or its account cannot be used.
        PlacementFailed,
        /// The PMS does not show the code yet.
        PmsNotUpdated,
        /// Another token has the same value at one of the doors in this time.
        ValueConflict,
        /// A door of the stay is gone at its vendor.
        DoorMissing,
        /// The stay is not confirmed.
        NotConfirmed,
        /// The stay was called off.
        Canceled,
        /// The stay is over.
        Ended,
        /// Access was withdrawn for this stay.
        Revoked,
        /// The PMS tells a state or a time that we cannot read.
        Unreadable,
    }

    /// Where an access token stands.
    TokenState = domain::stay::TokenState {
        /// Issued, and not yet in every lock.
        Pending,
        /// In every lock that can hold it, read back.
        Active,
        /// To be taken away everywhere; it may still open somewhere.
        Revoking,
        /// Read back as gone everywhere.
        Revoked,
    }

    /// What is wished for.
    Desired = domain::placement::Desired {
        /// It is to be at the vendor.
        Present,
        /// It is to be gone.
        Absent,
    }

    /// What is known of a placement.
    PlacementState = domain::placement::PlacementState {
        /// Nothing was sent yet: its time has not come, or something else comes first.
        Waiting,
        /// It is on its way to the vendor, or being changed there.
        Placing,
        /// The vendor took it in; it was not read back yet.
        AtVendor,
        /// It was read back at the vendor as it is to be.
        Confirmed,
        /// It could not be placed so far; it is tried again.
        Failed,
        /// It is to be taken away, and may still open.
        Revoking,
        /// The vendor took it away; that was not read back yet.
        RevokedAtVendor,
        /// It was read back as gone, or never was there.
        Revoked,
    }

    /// Why a placement is not as it is to be.
    PlacementErrorCode = domain::placement::PlacementErrorCode {
        /// The vendor of a door cannot hold such a value.
        CapabilityMissing,
        /// No access level at the vendor opens exactly these doors.
        NoAccessLevel,
        /// The vendor refused it.
        VendorRefused,
        /// The vendor cannot be reached, or answers with errors.
        VendorUnavailable,
        /// The account has to be authorised again.
        AccountNotUsable,
        /// What the vendor shows differs from what was sent.
        Mismatch,
        /// Nobody knows what came of the last order.
        OutcomeUnknown,
        /// It was changed or taken away at the vendor by somebody else.
        Drift,
    }

    /// Whether a credential is meant to open.
    CredentialState = domain::credential::CredentialState {
        /// It is meant to.
        Active,
        /// Not now; it may be resumed.
        Suspended,
        /// Never again.
        Revoked,
    }

    /// What it is about.
    AlertKind = domain::alert::AlertKind {
        /// A stay's code is not where it has to be.
        TokenAtRisk,
        /// Something that was to be taken away may still open.
        RevocationOverdue,
        /// Something that was taken away is at its vendor again.
        Zombie,
        /// Somebody changed at a vendor what we keep there.
        Drift,
        /// A door's battery is low, and a guest arrives.
        LowBattery,
        /// An account has to be authorised again.
        AccountReauthRequired,
        /// A device cannot be reached any more, or is gone.
        DeviceDead,
        /// A vendor no longer has all events: some are lost.
        EventGap,
    }

    /// How soon somebody must look.
    AlertSeverity = domain::alert::AlertSeverity {
        /// Today.
        Notice,
        /// Soon.
        Warning,
        /// Now.
        Critical,
    }
}
