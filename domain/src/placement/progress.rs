//! Where a placement stands.

use serde::{Deserialize, Serialize};

use super::Wish;
use crate::{clock::Timestamp, text_enum};

text_enum! {
    /// What is wished for.
    pub enum Desired {
        /// It is to be at the vendor.
        Present = "PRESENT",
        /// It is to be gone.
        Absent = "ABSENT",
    }
}

text_enum! {
    /// What is known of a placement.
    pub enum PlacementState {
        /// Nothing was sent yet: its time has not come, or something else comes first.
        Waiting = "WAITING",
        /// It is on its way to the vendor, or being changed there.
        Placing = "PLACING",
        /// The vendor took it in; it was not read back yet.
        AtVendor = "AT_VENDOR",
        /// It was read back at the vendor as it is to be.
        Confirmed = "CONFIRMED",
        /// It could not be placed so far; it is tried again.
        Failed = "FAILED",
        /// It is to be taken away, and may still open.
        Revoking = "REVOKING",
        /// The vendor took it away; that was not read back yet.
        RevokedAtVendor = "REVOKED_AT_VENDOR",
        /// It was read back as gone, or never was there.
        Revoked = "REVOKED",
    }
}

text_enum! {
    /// Why a placement is not as it is to be.
    pub enum PlacementErrorCode {
        /// The vendor of a door cannot hold such a value.
        CapabilityMissing = "CAPABILITY_MISSING",
        /// No access level at the vendor opens exactly these doors.
        NoAccessLevel = "NO_ACCESS_LEVEL",
        /// The vendor refused it.
        VendorRefused = "VENDOR_REFUSED",
        /// The vendor cannot be reached, or answers with errors.
        VendorUnavailable = "VENDOR_UNAVAILABLE",
        /// The account has to be authorised again.
        AccountNotUsable = "ACCOUNT_NOT_USABLE",
        /// What the vendor shows differs from what was sent.
        Mismatch = "MISMATCH",
        /// Nobody knows what came of the last order.
        OutcomeUnknown = "OUTCOME_UNKNOWN",
        /// It was changed or taken away at the vendor by somebody else.
        Drift = "DRIFT",
    }
}

/// What is remembered between two decisions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PlacementProgress {
    /// What was last sent and not refused. Absent: nothing of it can be at the vendor.
    pub sent: Option<Wish>,
    /// Which version of the wish that was. Zero: it is to be sent again.
    pub sent_version: i64,
    /// What may be at the vendor beside it: it was there before, and is not known to have been replaced.
    pub earlier: Option<Wish>,
    /// When the making of it was ordered: what is older was made by somebody else. Absent: nothing ever left for the vendor.
    pub ordered_at: Option<Timestamp>,
    /// The ends of the period that the vendor tells instead of those that were sent, because its clock cannot say them.
    pub kept: Option<(Option<Timestamp>, Option<Timestamp>)>,
    /// The vendor's ids of records that were replaced, and are to be taken away once the new one is confirmed.
    pub leftovers: Vec<String>,
    /// The first of them was taken away, and is to be read back.
    pub left: bool,
    /// How many orders there were: it makes the key of the next one.
    pub orders: u32,
    /// Whether the outcome of the last one is awaited.
    pub under_way: bool,
    /// Whether a taking away was carried out since it was last sent.
    pub withdrawn: bool,
    /// The order under way is a taking away.
    pub withdrawing: bool,
    /// Orders that failed in a row.
    pub failures: u32,
    /// Reads in a row that did not show what was expected. One alone concludes nothing (rule 11).
    pub odd_reads: u32,
    /// When the vendor was last asked.
    pub read_at: Option<Timestamp>,
}
