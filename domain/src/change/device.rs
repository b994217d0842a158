//! What can be configured on an intercom: its doors, sensors and AutoAccess (document 001), and the account's profile.

use serde::{Deserialize, Serialize};

use crate::{door::DoorKind, text_enum};

text_enum! {
    /// The side of an intercom's terminal that a door or sensor is wired to.
    pub enum PortSide {
        /// The first one.
        Right = "RIGHT",
        /// The second one.
        Left = "LEFT",
    }
}

text_enum! {
    /// What the line that tells of a door's bell or leaf is used for.
    pub enum SensorMode {
        /// It hears the bell.
        Bell = "BELL",
        /// It tells open from closed.
        OpeningSensor = "OPENING_SENSOR",
    }
}

text_enum! {
    /// How often movement is reported.
    pub enum MovementAlarm {
        /// At the next movement only.
        Once = "ONCE",
        /// At every movement.
        Always = "ALWAYS",
        /// Never.
        Off = "OFF",
    }
}

/// How long a door listens to its bell, and how it reacts. What is absent is as configured at the device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AutoAccessOptions {
    /// For how many minutes.
    pub minutes: u32,
    /// The line's value at which it reacts (document 001: volts; its variables are in millivolts).
    pub opening_value: Option<f64>,
    /// How far the line may be off that value.
    pub tolerance: Option<f64>,
    /// After how many openings it ends by itself.
    pub max_openings: Option<u32>,
    /// How long it waits before it opens, in the vendor's unit (seconds in its text, milliseconds in its samples).
    pub wait_time_first: Option<u32>,
}

/// A door of an intercom as it is to be. What is absent is left as it is, or to the vendor's default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DoorSettings {
    /// A name for people.
    pub name: Option<String>,
    /// Its use: a street door, one's own, a garage, or another.
    pub usage: Option<DoorUse>,
    /// What it is wired to.
    pub port: Option<PortSide>,
    /// What its line is used for.
    pub sensor_mode: Option<SensorMode>,
    /// The line's value at which it reacts.
    pub opening_value: Option<f64>,
    /// How far the line may be off that value.
    pub tolerance: Option<f64>,
    /// After how many openings AutoAccess ends by itself.
    pub max_openings: Option<u32>,
    /// How long it waits before it opens.
    pub wait_time_first: Option<u32>,
    /// Whether it opens twice.
    pub two_openings: Option<bool>,
    /// Whether the bell must be rung before it opens.
    pub must_call_bell_first: Option<bool>,
    /// Whether the intercom calls first.
    pub intercom_call_first: Option<bool>,
    /// Whether the intercom may switch AutoAccess on.
    pub intercom_enable_auto_access: Option<bool>,
}

text_enum! {
    /// What an intercom's door is used for (document 001, `use`).
    pub enum DoorUse {
        /// The door to the street.
        Street = "STREET",
        /// The door of the home.
        Home = "HOME",
        /// A garage.
        Garage = "GARAGE",
        /// Something else.
        Other = "OTHER",
    }
}

impl DoorUse {
    /// The kind of passage that such a door is.
    #[must_use]
    pub const fn door_kind(self) -> DoorKind {
        match self {
            Self::Street | Self::Home => DoorKind::Door,
            Self::Garage => DoorKind::Garage,
            Self::Other => DoorKind::Other,
        }
    }
}

/// A sensor of an intercom. Movement is the only use that the vendor documents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SensorSettings {
    /// A name for people.
    pub name: Option<String>,
    /// What it is wired to.
    pub port: Option<PortSide>,
}

/// The vendor account's own profile (document 001, users).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountProfile {
    /// The vendor's id of the account's user; known from the profile record.
    pub user: String,
    /// The name that others see.
    pub display_name: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Where invoices go.
    pub address: Option<Address>,
}

/// Where invoices go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    /// The e-mail address for invoices.
    pub email: Option<String>,
    /// The person or business.
    pub name: Option<String>,
    /// Its identification number (`address` at the vendor).
    pub tax_id: Option<String>,
    /// The street.
    pub street: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The state or province.
    pub state: Option<String>,
    /// The country.
    pub country: Option<String>,
}
