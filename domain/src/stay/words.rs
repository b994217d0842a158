//! The words about stays and access tokens.

use serde::{Deserialize, Serialize};

use crate::text_enum;

text_enum! {
    /// Whether a guest will find the doors open.
    pub enum Readiness {
        /// A working code is in every lock.
        Ready = "READY",
        /// All is well so far, and there is time.
        Pending = "PENDING",
        /// Something is wrong; the guest may stand before a closed door.
        AtRisk = "AT_RISK",
        /// The guest should be able to enter now, and cannot.
        Failed = "FAILED",
        /// Nobody is to enter: the stay is over, called off or not confirmed.
        NotApplicable = "NOT_APPLICABLE",
    }
}

text_enum! {
    /// Why a stay is as ready as it is.
    pub enum ReadinessCode {
        /// Every door has the code, read back.
        AllPlaced = "ALL_PLACED",
        /// The locks are loaded later.
        TooEarly = "TOO_EARLY",
        /// A placement is on its way.
        Placing = "PLACING",
        /// No token was issued for the stay.
        NoToken = "NO_TOKEN",
        /// No room is assigned.
        NoResource = "NO_RESOURCE",
        /// The room stands for no door here.
        NoDoors = "NO_DOORS",
        /// The PMS names no guest.
        NoGuest = "NO_GUEST",
        /// A door's vendor cannot hold the code.
        CapabilityMissing = "CAPABILITY_MISSING",
        /// No access level opens exactly the doors.
        NoAccessLevel = "NO_ACCESS_LEVEL",
        /// The vendor refused, cannot be reached, or its account cannot be used.
        PlacementFailed = "PLACEMENT_FAILED",
        /// The PMS does not show the code yet.
        PmsNotUpdated = "PMS_NOT_UPDATED",
        /// Another token has the same value at one of the doors in this time.
        ValueConflict = "VALUE_CONFLICT",
        /// A door of the stay is gone at its vendor.
        DoorMissing = "DOOR_MISSING",
        /// The stay is not confirmed.
        NotConfirmed = "NOT_CONFIRMED",
        /// The stay was called off.
        Canceled = "CANCELED",
        /// The stay is over.
        Ended = "ENDED",
        /// Access was withdrawn for this stay.
        Revoked = "REVOKED",
        /// The PMS tells a state or a time that we cannot read.
        Unreadable = "UNREADABLE",
    }
}

/// One reason, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReadinessReason {
    /// Which.
    pub code: ReadinessCode,
    /// A sentence.
    pub message: String,
    /// The public id of the door or placement that it is about, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

text_enum! {
    /// Where an access token stands.
    pub enum TokenState {
        /// Issued, and not yet in every lock.
        Pending = "PENDING",
        /// In every lock that can hold it, read back.
        Active = "ACTIVE",
        /// To be taken away everywhere; it may still open somewhere.
        Revoking = "REVOKING",
        /// Read back as gone everywhere.
        Revoked = "REVOKED",
    }
}
