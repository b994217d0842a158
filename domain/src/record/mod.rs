//! Records: what a vendor keeps beside devices and doors (people, credentials, access levels, stays), in our words.
//! What is here was observed at a vendor; what we wish for is not.

mod block;
mod details;

use serde::{Deserialize, Serialize};

pub use block::ResourceBlock;
pub use details::{
    AccessLevelDetails, AccessProfile, AccessTokenDetails, AutoAccessScheduleDetails, CampaignDetails, CampaignKind,
    CredentialDetails, CredentialStatus, CredentialSummary, CredentialType, DeviceAccessDetails, LocationDetails,
    ProfileDetails, RecordDetails, ReservationDetails, ReservationState, ResourceDetails, ScheduleDetails,
    SensorDetails, TokenType, UserDetails,
};

use crate::{secret::Secret, text_enum};

text_enum! {
    /// What kind of record it is.
    pub enum RecordKind {
        /// A person.
        User = "USER",
        /// A card, fob, telephone number or mobile key.
        Credential = "CREDENTIAL",
        /// Doors with a schedule.
        AccessLevel = "ACCESS_LEVEL",
        /// A weekly pattern.
        Schedule = "SCHEDULE",
        /// A person's right to use a device.
        DeviceAccess = "DEVICE_ACCESS",
        /// A sensor of a device.
        Sensor = "SENSOR",
        /// A device's plan at its vendor, with its price.
        Campaign = "CAMPAIGN",
        /// When a door will listen to its bell.
        AutoAccessSchedule = "AUTO_ACCESS_SCHEDULE",
        /// The account's own profile.
        Profile = "PROFILE",
        /// How many credentials are claimed.
        CredentialSummary = "CREDENTIAL_SUMMARY",
        /// A place of the vendor's: a location, an enterprise.
        Location = "LOCATION",
        /// A room, bed or other thing that can be reserved.
        Resource = "RESOURCE",
        /// A stay.
        Reservation = "RESERVATION",
        /// A token that the PMS shows.
        AccessToken = "ACCESS_TOKEN",
    }
}

impl RecordKind {
    /// Whether it says something of a device and nothing of a person.
    #[must_use]
    pub const fn describes_a_device(self) -> bool {
        matches!(self, Self::Sensor | Self::Campaign | Self::AutoAccessSchedule)
    }

    /// Whether it tells of people: who they are, what they hold, when they stay.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(
            self,
            Self::User | Self::Credential | Self::DeviceAccess | Self::Profile | Self::Reservation | Self::AccessToken
        )
    }
}

/// A record as a vendor describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundRecord {
    /// The vendor's id, unique among its kind in the account.
    pub external_id: String,
    /// The vendor's id of the device that it belongs to, if it does.
    pub device: Option<String>,
    /// The vendor's location of it, for the mapping to sites; empty when the vendor has none.
    pub location: String,
    /// A name for people.
    pub name: String,
    /// What it says.
    pub details: RecordDetails,
    /// What nobody may read in it (a PIN, a registration key). Sealed by whoever stores it.
    pub secret: Option<Secret>,
}

impl FoundRecord {
    /// Before the id of a record whose vendor gave none: the id is made of what the record says.
    pub const MADE_UP: &'static str = "number:";

    /// Whether its id is made up. A record with an id of the vendor's that says the same is the same.
    #[must_use]
    pub fn has_made_up_id(&self) -> bool {
        self.external_id.starts_with(Self::MADE_UP)
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        self.details.kind()
    }
}

/// A record that is certainly gone at the vendor, or is to be read again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordRef {
    /// Its kind.
    pub kind: RecordKind,
    /// The vendor's id.
    pub external_id: String,
}
