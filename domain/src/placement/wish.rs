//! What a placement is to be at its vendor, in our words and with the vendor's ids. The value itself (PIN, tag) never
//! stands here: it is sealed with its token or credential and goes into a command when it is sent.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    change::TokenPermissions,
    clock::Timestamp,
    ids::DoorId,
    record::{AccessProfile, RecordKind, TokenType},
};

/// What is to be at the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Wish {
    /// Somebody whom a card-lock system lets in by PIN, card or key (Lockt).
    CardHolder(CardHolderWish),
    /// A telephone that may open a device's doors by a call (Raixer).
    Phone(PhoneWish),
    /// A person who may use a device in the vendor's app (Raixer's connections).
    DeviceAccess(DeviceAccessWish),
    /// The token as the PMS shows it (Mews).
    PmsToken(PmsTokenWish),
}

/// See [`Wish::CardHolder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardHolderWish {
    /// Our mark at the vendor: the public id of the token or user. Never the e-mail address: the vendor matches by it,
    /// and would change somebody else (document 002, `update_existing`).
    pub id_number: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The vendor's ids of the access levels that open exactly the doors.
    pub access_levels: BTreeSet<String>,
    /// From when on it opens; always without.
    pub from: Option<Timestamp>,
    /// Until when; for ever without. The vendor ends it by itself then (rule 8).
    pub until: Option<Timestamp>,
    /// Digits only.
    pub card_number: Option<String>,
    /// Whether the sealed value is a PIN that goes along.
    pub has_pin: bool,
    /// Whether the sealed value is the number of a tag that goes along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_card_number: bool,
    /// The doors that this opens.
    pub doors: BTreeSet<DoorId>,
}

impl CardHolderWish {
    /// Whether the sealed value goes along.
    #[must_use]
    pub const fn has_value(&self) -> bool {
        self.has_pin || self.has_card_number
    }
}

/// See [`Wish::Phone`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneWish {
    /// Digits with the country code, without a plus.
    pub number: String,
    /// From when on; the vendor knows no times, so it is placed then and not before.
    pub from: Option<Timestamp>,
    /// Until when; taken away then.
    pub until: Option<Timestamp>,
    /// The device's doors that take calls.
    pub doors: BTreeSet<DoorId>,
}

/// See [`Wish::DeviceAccess`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAccessWish {
    /// By which the vendor knows the person.
    pub email: String,
    /// A name for people.
    pub name: String,
    /// What they may do.
    pub profile: AccessProfile,
    /// From when on; the vendor knows no times, so it is placed then and not before.
    pub from: Option<Timestamp>,
    /// Until when; taken away then.
    pub until: Option<Timestamp>,
    /// The device's doors.
    pub doors: BTreeSet<DoorId>,
}

/// See [`Wish::PmsToken`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PmsTokenWish {
    /// The PMS's id of the reservation.
    pub reservation: String,
    /// The guest among several.
    pub companionship: Option<String>,
    /// The room.
    pub resource: Option<String>,
    /// What the value is.
    pub token_type: TokenType,
    /// Our mark.
    pub serial_number: String,
    /// From when on it is valid.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What it opens.
    pub permissions: TokenPermissions,
}

impl Wish {
    /// The kind of record that it becomes at the vendor.
    #[must_use]
    pub const fn record_kind(&self) -> RecordKind {
        match self {
            Self::CardHolder(_) => RecordKind::User,
            Self::Phone(_) => RecordKind::Credential,
            Self::DeviceAccess(_) => RecordKind::DeviceAccess,
            Self::PmsToken(_) => RecordKind::AccessToken,
        }
    }

    /// The doors that it opens. What a PMS shows opens nothing.
    #[must_use]
    pub fn doors(&self) -> BTreeSet<DoorId> {
        match self {
            Self::CardHolder(wish) => wish.doors.clone(),
            Self::Phone(wish) => wish.doors.clone(),
            Self::DeviceAccess(wish) => wish.doors.clone(),
            Self::PmsToken(_) => BTreeSet::new(),
        }
    }

    /// Whether its vendor keeps times, so that it can be placed before it is to open, and ends by itself.
    #[must_use]
    pub const fn keeps_times(&self) -> bool {
        matches!(self, Self::CardHolder(_) | Self::PmsToken(_))
    }

    /// From when on it is to open; always without.
    #[must_use]
    pub const fn from(&self) -> Option<Timestamp> {
        match self {
            Self::CardHolder(wish) => wish.from,
            Self::Phone(wish) => wish.from,
            Self::DeviceAccess(wish) => wish.from,
            Self::PmsToken(wish) => Some(wish.from),
        }
    }

    /// Until when; for ever without.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::CardHolder(wish) => wish.until,
            Self::Phone(wish) => wish.until,
            Self::DeviceAccess(wish) => wish.until,
            Self::PmsToken(wish) => Some(wish.until),
        }
    }
}
