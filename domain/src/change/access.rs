//! Who may use a device (Raixer's connections, document 001), and the access tokens that a PMS shows (document 004).

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    record::{AccessProfile, TokenType},
};

/// Whose access to a device is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessHolder {
    /// The vendor's record of that access.
    #[serde(rename = "record")]
    Record(String),
    /// Every access of the person with this e-mail address at the device.
    #[serde(rename = "email")]
    Email(String),
}

/// Access to a device as it is to be. What is absent is left as it is, or to the vendor's default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceAccessPlan {
    /// What its holder may do.
    pub profile: Option<AccessProfile>,
    /// Whether it is suspended.
    pub disabled: Option<bool>,
    /// A name for people.
    pub name: Option<String>,
    /// The vendor's id of the device's owner. Filled in from the device: without it the vendor moves the ownership.
    pub device_owner: Option<String>,
}

/// What a token opens, in the PMS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenPermissions {
    /// One's bed.
    pub bed: bool,
    /// One's room.
    pub room: bool,
    /// One's floor.
    pub floor: bool,
    /// The building.
    pub building: bool,
}

/// An access token as the PMS is to show it. It opens nothing by itself; its value is the secret beside the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenPlan {
    /// The PMS's id of the reservation.
    pub reservation: String,
    /// The guest among several.
    pub companionship: Option<String>,
    /// The room.
    pub resource: Option<String>,
    /// What its value is.
    pub token_type: TokenType,
    /// Our own mark, by which it is found again: a repetition would otherwise be a second token.
    pub serial_number: String,
    /// From when on it is valid.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// What it opens.
    pub permissions: TokenPermissions,
}

/// A change of a token that the PMS shows. What is absent stays. A new value is the secret beside the command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccessTokenUpdate {
    /// From when on it is valid.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub valid_until: Option<Timestamp>,
    /// What it opens.
    pub permissions: Option<TokenPermissions>,
    /// Whether its value changes too.
    pub new_value: bool,
}
