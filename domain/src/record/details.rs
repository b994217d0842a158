//! What each kind of record says. Only what a vendor documents; what it does not tell is absent.

use std::collections::BTreeSet;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use super::{RecordKind, ResourceBlock};
use crate::{
    change::{Address, PortSide, TokenPermissions},
    clock::Timestamp,
    text_enum,
};

macro_rules! record_details {
    ($($(#[$doc:meta])* $variant:ident($details:ty) = $text:literal,)+) => {
        /// What a record says, by its kind.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum RecordDetails {
            $($(#[$doc])* #[serde(rename = $text)] $variant($details),)+
        }

        impl RecordDetails {
            /// The kind of the record.
            #[must_use]
            pub const fn kind(&self) -> RecordKind {
                match self { $(Self::$variant(_) => RecordKind::$variant,)+ }
            }
        }
    };
}

record_details! {
    /// See [`RecordKind::User`].
    User(UserDetails) = "USER",
    /// See [`RecordKind::Credential`].
    Credential(CredentialDetails) = "CREDENTIAL",
    /// See [`RecordKind::AccessLevel`].
    AccessLevel(AccessLevelDetails) = "ACCESS_LEVEL",
    /// See [`RecordKind::Schedule`].
    Schedule(ScheduleDetails) = "SCHEDULE",
    /// See [`RecordKind::DeviceAccess`].
    DeviceAccess(DeviceAccessDetails) = "DEVICE_ACCESS",
    /// See [`RecordKind::Sensor`].
    Sensor(SensorDetails) = "SENSOR",
    /// See [`RecordKind::Campaign`].
    Campaign(CampaignDetails) = "CAMPAIGN",
    /// See [`RecordKind::AutoAccessSchedule`].
    AutoAccessSchedule(AutoAccessScheduleDetails) = "AUTO_ACCESS_SCHEDULE",
    /// See [`RecordKind::Profile`].
    Profile(ProfileDetails) = "PROFILE",
    /// See [`RecordKind::CredentialSummary`].
    CredentialSummary(CredentialSummary) = "CREDENTIAL_SUMMARY",
    /// See [`RecordKind::Location`].
    Location(LocationDetails) = "LOCATION",
    /// See [`RecordKind::Resource`].
    Resource(ResourceDetails) = "RESOURCE",
    /// See [`RecordKind::Reservation`].
    Reservation(ReservationDetails) = "RESERVATION",
    /// See [`RecordKind::AccessToken`].
    AccessToken(AccessTokenDetails) = "ACCESS_TOKEN",
}

impl RecordDetails {
    /// What is known after this was told: a list that was not told is as it was, not empty.
    #[must_use]
    pub fn on_top_of(&self, known: &Self) -> Self {
        match (self, known) {
            (Self::User(told), Self::User(known)) => Self::User(UserDetails {
                access_levels: told.access_levels.clone().or_else(|| known.access_levels.clone()),
                ..told.clone()
            }),
            (Self::Credential(told), Self::Credential(known)) => Self::Credential(CredentialDetails {
                access_levels: told.access_levels.clone().or_else(|| known.access_levels.clone()),
                last_used_at: told.last_used_at.max(known.last_used_at),
                ..told.clone()
            }),
            _ => self.clone(),
        }
    }
}

/// A person known to a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UserDetails {
    /// Our key of the person at the vendor (Lockt's `id_num`).
    pub id_number: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// The card assigned to them.
    pub card_number: Option<String>,
    /// Whether the vendor lets them in at all; absent when it does not say.
    pub enabled: Option<bool>,
    /// From when on they may enter.
    pub access_from: Option<Timestamp>,
    /// Until when.
    pub access_until: Option<Timestamp>,
    /// The vendor's ids of their access levels; absent when the vendor did not list them.
    pub access_levels: Option<BTreeSet<String>>,
    /// Language, as BCP 47.
    pub language: Option<String>,
}

text_enum! {
    /// What a person presents.
    pub enum CredentialType {
        /// A card.
        Card = "CARD",
        /// A fob.
        Fob = "FOB",
        /// A number typed at the door.
        PinCode = "PIN_CODE",
        /// A radio tag.
        RfidTag = "RFID_TAG",
        /// A telephone that calls.
        PhoneNumber = "PHONE_NUMBER",
        /// An app that holds a key.
        MobileKey = "MOBILE_KEY",
    }
}

text_enum! {
    /// Whether a credential can be used.
    pub enum CredentialStatus {
        /// It opens.
        Active = "ACTIVE",
        /// It is registered but does not open.
        Suspended = "SUSPENDED",
        /// Its holder has it in their app.
        Claimed = "CLAIMED",
        /// Its holder has not fetched it yet.
        Unclaimed = "UNCLAIMED",
        /// The vendor does not say.
        Unknown = "UNKNOWN",
    }
}

/// A card, fob, number or key known to a vendor. Its secret part is never in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialDetails {
    /// What it is.
    pub credential_type: CredentialType,
    /// Whether it can be used.
    pub status: CredentialStatus,
    /// The card or telephone number.
    pub number: Option<String>,
    /// Our key of it at the vendor.
    pub id_number: Option<String>,
    /// The vendor's id of its holder.
    pub user: Option<String>,
    /// From when on it opens.
    pub access_from: Option<Timestamp>,
    /// Until when.
    pub access_until: Option<Timestamp>,
    /// The vendor's ids of its access levels.
    pub access_levels: Option<BTreeSet<String>>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// Doors that are granted together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessLevelDetails {
    /// The vendor's ids of its doors.
    pub doors: BTreeSet<String>,
}

/// A weekly pattern in the zone of the vendor's site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleDetails {
    /// Its days: 0 is Monday, 6 Sunday.
    pub days: BTreeSet<u8>,
    /// When it begins on each of them.
    pub starts: NaiveTime,
    /// When it ends, that second included.
    pub ends: NaiveTime,
}

text_enum! {
    /// What the holder of a device access may do.
    pub enum AccessProfile {
        /// Open its doors.
        User = "USER",
        /// Configure it too.
        Admin = "ADMIN",
        /// Has installed it.
        Installer = "INSTALLER",
    }
}

/// A person's right to use a device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceAccessDetails {
    /// The vendor's id of the holder.
    pub holder: Option<String>,
    /// The holder's name.
    pub holder_name: Option<String>,
    /// The holder's e-mail address.
    pub holder_email: Option<String>,
    /// What they may do; absent for a word that we do not know.
    pub profile: Option<AccessProfile>,
    /// Whether it is suspended.
    pub disabled: bool,
    /// The vendor's id of the device's owner.
    pub device_owner: Option<String>,
}

/// A sensor of a device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SensorDetails {
    /// What it senses, in the vendor's word (`movement`).
    pub usage: Option<String>,
    /// What it is wired to.
    pub port: Option<PortSide>,
}

text_enum! {
    /// What a campaign is for.
    pub enum CampaignKind {
        /// Intercoms.
        Intercom = "INTERCOM",
        /// Power switches.
        Power = "POWER",
    }
}

/// A device's plan at its vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignDetails {
    /// What it is for.
    pub campaign_kind: CampaignKind,
    /// Its mode, in the vendor's word.
    pub mode: Option<String>,
    /// What it costs, in the vendor's unit.
    pub price: Option<f64>,
    /// What has accumulated, in the vendor's unit.
    pub accumulated: Option<f64>,
    /// Its `time`, in the vendor's unit (document 001 shows one where the mode is `use`, and does not explain it).
    #[serde(default)]
    pub time: Option<f64>,
    /// The vendor's id of the subscription that pays for it.
    #[serde(default)]
    pub subscription: Option<String>,
    /// Its offline AutoAccess, where the vendor tells.
    pub offline_auto_access: Option<bool>,
    /// Whether AutoAccess is always active, where the vendor tells.
    pub auto_access_always_active: Option<bool>,
}

/// When a door will listen to its bell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoAccessScheduleDetails {
    /// The vendor's campaign that it belongs to.
    pub campaign: Option<String>,
    /// When the door begins to listen.
    pub starts_at: Timestamp,
    /// For how many minutes.
    pub minutes: u32,
    /// The door's position on its device, from 1.
    pub position: Option<i32>,
}

/// The account's own profile.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileDetails {
    /// The name that others see.
    pub display_name: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its time zone, if the vendor has one.
    pub time_zone: Option<String>,
    /// Where invoices go.
    pub address: Option<Address>,
}

/// How many credentials are claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CredentialSummary {
    /// Held in an app.
    pub claimed: Option<i64>,
    /// Not fetched yet.
    pub unclaimed: Option<i64>,
}

/// A place of the vendor's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LocationDetails {
    /// Its time zone, as IANA names it.
    pub time_zone: Option<String>,
    /// Its address on one line.
    pub address: Option<String>,
    /// Its type, in the vendor's word.
    pub location_type: Option<String>,
}

/// A room, bed or other thing that can be reserved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceDetails {
    /// The vendor's id of what it is part of.
    pub parent: Option<String>,
    /// The vendor's ids of its categories.
    pub categories: BTreeSet<String>,
    /// What kind of thing it is, in the vendor's word (`Room`, `Bed`).
    pub resource_type: Option<String>,
    /// Its state, in the vendor's word (`Clean`, `OutOfOrder`).
    pub state: Option<String>,
    /// The floor.
    pub floor: Option<String>,
    /// The building.
    pub building: Option<String>,
    /// Whether it is in use at all.
    pub active: bool,
    /// When it can not be used, in the weeks around the last sync.
    pub blocks: Vec<ResourceBlock>,
    /// When it last changed, by the vendor's clock.
    pub updated_at: Option<Timestamp>,
}

text_enum! {
    /// Where a stay stands.
    pub enum ReservationState {
        /// Asked for.
        Requested = "REQUESTED",
        /// Held until confirmed.
        Optional = "OPTIONAL",
        /// Confirmed.
        Confirmed = "CONFIRMED",
        /// The guest is in.
        Started = "STARTED",
        /// The guest is gone.
        Ended = "ENDED",
        /// Called off.
        Canceled = "CANCELED",
        /// A word that we do not know: nothing is concluded from it.
        Unknown = "UNKNOWN",
    }
}

/// A stay known to a PMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationDetails {
    /// The number that people use.
    pub number: Option<String>,
    /// Where it stands.
    pub state: ReservationState,
    /// The vendor's word for that.
    pub vendor_state: String,
    /// The service that it is of.
    pub service: Option<String>,
    /// The group of stays that were booked together.
    pub group: Option<String>,
    /// The vendor's id of the guest's record.
    pub guest: Option<String>,
    /// Others who stay: pairs of companionship and person, by the vendor's ids.
    pub companions: Vec<(String, String)>,
    /// The vendor's id of the assigned resource.
    pub resource: Option<String>,
    /// Whether the resource must not be changed.
    pub resource_locked: bool,
    /// When the stay is to begin.
    pub starts_at: Option<Timestamp>,
    /// When it is to end.
    pub ends_at: Option<Timestamp>,
    /// When the guest came in.
    pub actual_start: Option<Timestamp>,
    /// When the guest left.
    pub actual_end: Option<Timestamp>,
    /// When it last changed, by the vendor's clock.
    pub updated_at: Option<Timestamp>,
}

text_enum! {
    /// What the value of an access token is.
    pub enum TokenType {
        /// A number typed at the door.
        PinCode = "PIN_CODE",
        /// A radio tag.
        RfidTag = "RFID_TAG",
    }
}

/// A token that a PMS shows. Its value is sealed beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenDetails {
    /// What its value is; absent for a word that we do not know.
    pub token_type: Option<TokenType>,
    /// The PMS's id of the reservation.
    pub reservation: String,
    /// The guest among several.
    pub companionship: Option<String>,
    /// The room.
    pub resource: Option<String>,
    /// Whose mark it carries.
    pub serial_number: Option<String>,
    /// From when on it is valid.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub valid_until: Option<Timestamp>,
    /// What it opens.
    pub permissions: TokenPermissions,
    /// Whether it still counts.
    pub active: bool,
    /// When it last changed, by the vendor's clock.
    pub updated_at: Option<Timestamp>,
}
