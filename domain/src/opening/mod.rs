//! Who can open a door at an instant, by which path, and how surely (P10). Facts in, answers out: `people` for those who
//! are named, `postures` for whatever lets anybody in. What the facts are is for the finders of `entities`.

mod people;
mod postures;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{
    people::{
        AssignmentFact, CredentialFact, Facts, PlacementFact, RecordFact, RecordPath, TokenFact, own_way_in,
        who_can_open,
    },
    postures::{Listening, PostureFacts, open_to_anybody},
};
use crate::{
    clock::Timestamp,
    ids::{
        AccessAssignmentId, AccessLevelId, AccessTokenId, CredentialId, DoorId, PlacementId, RecordId, ReservationId,
        ScheduleId, UserId,
    },
    schedule::Week,
    text_enum,
};

text_enum! {
    /// How sure it is that a path opens.
    pub enum Certainty {
        /// It is so at the vendor, as last read back.
        Confirmed = "CONFIRMED",
        /// It was sent to the vendor, or the vendor tells of it without all its conditions.
        Expected = "EXPECTED",
        /// It is granted, and nothing that opens is at the vendor yet.
        Permitted = "PERMITTED",
        /// Nobody knows whether it opens.
        Possible = "POSSIBLE",
    }
}

text_enum! {
    /// By which kind of path a door opens.
    pub enum Reason {
        /// The code of a stay.
        AccessToken = "ACCESS_TOKEN",
        /// A credential that is meant for this door.
        Credential = "CREDENTIAL",
        /// An access level that is assigned to the person.
        AccessLevel = "ACCESS_LEVEL",
        /// A right to use the door's device, kept by its vendor.
        DeviceAccess = "DEVICE_ACCESS",
        /// A telephone number that the vendor keeps for the device.
        Phone = "PHONE",
        /// Any telephone opens.
        AnyCaller = "ANY_CALLER",
        /// The bell opens for a while.
        AutoAccess = "AUTO_ACCESS",
        /// The bell always opens.
        AlwaysActive = "ALWAYS_ACTIVE",
        /// The bell opens because the device is offline.
        OfflineContingency = "OFFLINE_CONTINGENCY",
        /// An access level of the vendor's own.
        VendorAccessLevel = "VENDOR_ACCESS_LEVEL",
        /// Something that is no longer meant to open here, and was not read back as gone.
        RevocationNotConfirmed = "REVOCATION_NOT_CONFIRMED",
    }
}

/// A path to an open door, with what it goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// See [`Reason::AccessToken`].
    AccessToken {
        /// The token.
        token: AccessTokenId,
        /// The stay that it is for.
        reservation: ReservationId,
    },
    /// See [`Reason::Credential`].
    Credential(CredentialId),
    /// See [`Reason::AccessLevel`].
    AccessLevel {
        /// Whose it is.
        assignment: AccessAssignmentId,
        /// What is assigned.
        level: AccessLevelId,
        /// When it counts; always without.
        schedule: Option<ScheduleId>,
    },
    /// See [`Reason::DeviceAccess`].
    DeviceAccess(RecordId),
    /// See [`Reason::Phone`].
    Phone(RecordId),
    /// See [`Reason::AnyCaller`].
    AnyCaller,
    /// See [`Reason::AutoAccess`]: by the vendor's schedule, or by the door's mode.
    AutoAccess(Option<RecordId>),
    /// See [`Reason::AlwaysActive`].
    AlwaysActive,
    /// See [`Reason::OfflineContingency`].
    OfflineContingency,
    /// See [`Reason::VendorAccessLevel`].
    VendorAccessLevel {
        /// The person at the vendor.
        person: RecordId,
        /// The access level there.
        level: RecordId,
    },
    /// See [`Reason::RevocationNotConfirmed`].
    RevocationNotConfirmed {
        /// What may still open.
        placement: PlacementId,
        /// The token that it is of, if of one.
        token: Option<AccessTokenId>,
        /// The credential that it is of, if of one.
        credential: Option<CredentialId>,
    },
}

impl Via {
    /// Its kind.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::AccessToken { .. } => Reason::AccessToken,
            Self::Credential(_) => Reason::Credential,
            Self::AccessLevel { .. } => Reason::AccessLevel,
            Self::DeviceAccess(_) => Reason::DeviceAccess,
            Self::Phone(_) => Reason::Phone,
            Self::AnyCaller => Reason::AnyCaller,
            Self::AutoAccess(_) => Reason::AutoAccess,
            Self::AlwaysActive => Reason::AlwaysActive,
            Self::OfflineContingency => Reason::OfflineContingency,
            Self::VendorAccessLevel { .. } => Reason::VendorAccessLevel,
            Self::RevocationNotConfirmed { .. } => Reason::RevocationNotConfirmed,
        }
    }
}

/// A time in which something opens: from, that instant included, until, that instant excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span {
    /// From when on; always without.
    pub from: Option<Timestamp>,
    /// Until when; for ever without.
    pub until: Option<Timestamp>,
}

impl Span {
    /// A time with these ends.
    #[must_use]
    pub const fn new(from: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        Self { from, until }
    }

    /// Whether an instant is inside.
    #[must_use]
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// One path that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The path.
    pub via: Via,
    /// In which time. A schedule may end it sooner, and it may be open longer by another path.
    pub span: Span,
    /// How sure it is.
    pub certainty: Certainty,
}

/// Who opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A person.
    User(UserId),
    /// The guest of a stay whose guest is not known.
    GuestOf(ReservationId),
    /// Somebody whom only the vendor knows.
    VendorRecord(RecordId),
}

impl Who {
    /// By which lists of people are ordered.
    #[must_use]
    pub const fn key(&self) -> Uuid {
        match self {
            Self::User(id) => id.0,
            Self::GuestOf(id) => id.0,
            Self::VendorRecord(id) => id.0,
        }
    }
}

/// Somebody who can open, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opener {
    /// Who.
    pub who: Who,
    /// Every path that is open to them; never empty.
    pub openings: Vec<Opening>,
}

/// A door that a person can open, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Openable {
    /// Which.
    pub door: DoorId,
    /// Every path that is open to the person; never empty.
    pub openings: Vec<Opening>,
}

/// The doors that each person can open: the same answer as [`who_can_open`], asked from the other side. `facts` are of
/// doors each once, in any order.
#[must_use]
pub fn what_they_can_open(facts: &[Facts], at: Timestamp) -> BTreeMap<UserId, Vec<Openable>> {
    let mut found: BTreeMap<UserId, Vec<Openable>> = BTreeMap::new();
    for of_door in facts {
        for opener in who_can_open(of_door, at) {
            if let Who::User(user) = opener.who {
                found.entry(user).or_default().push(Openable { door: of_door.door, openings: opener.openings });
            }
        }
    }
    for doors in found.values_mut() {
        doors.sort_by_key(|openable| openable.door);
    }
    found
}

/// When an access level counts: a schedule by the clocks of its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekly {
    /// The schedule.
    pub id: ScheduleId,
    /// Its pattern.
    pub week: Week,
    /// The zone of its site.
    pub zone: Tz,
}

impl Weekly {
    /// A schedule in a zone as IANA names it; `None` if there is no such zone.
    #[must_use]
    pub fn in_zone(id: ScheduleId, week: Week, zone: &str) -> Option<Self> {
        Some(Self { id, week, zone: zone.parse().ok()? })
    }
}
