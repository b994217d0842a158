//! What is known of a stay when it is planned. Read from rows by `entities`; nothing here decides.

use std::collections::{BTreeMap, BTreeSet};

use super::{StayTimes, TokenState};
use crate::{
    account::Vendor,
    clock::Timestamp,
    ids::{AccessTokenId, DoorId, VendorAccountId},
    placement::{Desired, PlacementErrorCode, PlacementProgress, PlacementState, Wish},
    record::{ReservationState, TokenType},
};

/// Everything about one stay.
#[derive(Debug, Clone, PartialEq)]
pub struct StayFacts {
    /// Where it stands.
    pub state: ReservationState,
    /// When it begins and ends.
    pub times: StayTimes,
    /// The name of the guest, if there is one.
    pub guest: Option<String>,
    /// The number that people use.
    pub number: Option<String>,
    /// What the PMS knows it as; none for one made here.
    pub pms: Option<PmsFacts>,
    /// Its doors: those assigned by hand, or those that the room stands for.
    pub doors: BTreeSet<DoorId>,
    /// Where these doors are, and those that tokens open beside them. One that is unknown is not in here.
    pub places: BTreeMap<DoorId, DoorFacts>,
    /// The accounts of these doors.
    pub accounts: BTreeMap<VendorAccountId, AccountFacts>,
    /// Its tokens.
    pub tokens: Vec<TokenFacts>,
}

/// A stay as its PMS knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PmsFacts {
    /// The account of the PMS.
    pub account: VendorAccountId,
    /// Whether its vendor shows access tokens at all.
    pub shows_tokens: bool,
    /// The PMS's id of the reservation.
    pub reservation: String,
    /// The assigned room.
    pub resource: Option<String>,
}

/// Where a door is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorFacts {
    /// The account.
    pub account: VendorAccountId,
    /// The vendor's id.
    pub external_id: String,
    /// Whether the vendor no longer lists it.
    pub missing: bool,
}

/// An account with doors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its vendor.
    pub vendor: Vendor,
    /// Whether something can be sent there: it is neither unlinked nor waiting for a person.
    pub usable: bool,
    /// Its access levels.
    pub levels: Vec<LevelFacts>,
}

/// An access level of a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelFacts {
    /// The vendor's id.
    pub external_id: String,
    /// The vendor's ids of its doors.
    pub doors: BTreeSet<String>,
    /// Whether the vendor no longer lists it. One list alone concludes nothing: what it opens stays wished for.
    pub missing: bool,
}

/// A token of the stay.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenFacts {
    /// Its id.
    pub id: AccessTokenId,
    /// What its value is.
    pub token_type: TokenType,
    /// Where it stands.
    pub state: TokenState,
    /// Whether somebody asked for it to be taken away for good: what the stay becomes later does not bring it back.
    pub revoke_requested: bool,
    /// From when on, if asked for.
    pub asked_from: Option<Timestamp>,
    /// Until when, if asked for.
    pub asked_until: Option<Timestamp>,
    /// The doors asked for.
    pub asked_doors: Option<BTreeSet<DoorId>>,
    /// From when on it opens as planned so far.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// The doors planned so far; those that were left, until when they are kept at the latest.
    pub doors: BTreeMap<DoorId, Option<Timestamp>>,
    /// The doors where somebody else has the same value in the time in which this one is wanted.
    pub conflicts: BTreeSet<DoorId>,
    /// What of it is at which account.
    pub placements: BTreeMap<VendorAccountId, PlacementFacts>,
}

/// A placement of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacementFacts {
    /// What is wished for.
    pub desired: Desired,
    /// What it is to be.
    pub wish: Option<Wish>,
    /// Where it stands.
    pub state: PlacementState,
    /// Why it is not as it is to be.
    pub error: Option<PlacementErrorCode>,
    /// What was sent.
    pub progress: PlacementProgress,
    /// Whether it was ever read back as it was to be.
    pub was_confirmed: bool,
}

impl PlacementFacts {
    /// Whether it could not be said what to wish for when it was planned last.
    pub(super) fn is_obstructed(&self) -> bool {
        let obstacles = [PlacementErrorCode::CapabilityMissing, PlacementErrorCode::NoAccessLevel];
        self.error.is_some_and(|error| obstacles.contains(&error))
    }
}
