//! Bikeep's JSON as document 003 describes it: every field that is not deprecated, but for the user's access key, which
//! opens doors. Tolerant: whatever is null, missing or of another type is `None`; what a value means is `mapping`'s
//! business.

use std::collections::BTreeMap;

use domain::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient;

/// The answer of both list calls.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
}

/// What one thing says of another that it is linked with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) uri: Option<String>,
}

/// A location (vendors-extra 4.3).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Location {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) label: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) code: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient::word")]
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) address: Option<String>,
}

/// A parking device.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Device {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) code: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) alias: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient::word")]
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) state: Option<State>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) lock_state: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) hardware_state: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) heartbeat_v2: Option<Heartbeat>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) sleep_state: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) power_save_strategy: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) commands: Option<BTreeMap<String, Value>>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) has_camera: Option<bool>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) location: Option<Link>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) has_otp_support: Option<bool>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) price_list: Option<Link>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) has_access_lists: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) has_subscription: Option<bool>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) settings: Option<Settings>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) uri: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) tags: Option<Vec<Value>>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) comment: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) user: Option<Link>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) has_allowlist: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) hardware_id: Option<String>,
}

/// A device's settings, for whoever may see them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) updated_at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) created_at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) deep_link: Option<String>,
}

/// The state of a device or of a command.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct State {
    #[serde(deserialize_with = "lenient::word")]
    pub(super) value: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) reason: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) changed_at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) timeout_at: Option<Timestamp>,
}

/// `heartbeat_v2`, whose other fields are simulated.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Heartbeat {
    #[serde(deserialize_with = "lenient::word")]
    pub(super) health: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) dead_since: Option<Timestamp>,
}

/// A command that was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Command {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) state: Option<State>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) events: Option<Vec<Value>>,
}

/// One line of a command's history.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) timestamp: Option<Timestamp>,
}

/// The body of every refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) error_message: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) error_code: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) correlation_id: Option<String>,
}

/// The envelope of a webhook. Its `data` is one object, or a list of them where several are told together.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Envelope {
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub(super) kind: Option<String>,
    pub(super) data: Value,
    #[serde(deserialize_with = "lenient::whole")]
    pub(super) version: Option<i32>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) hash: Option<String>,
}

/// The body of a command to send. Only what belongs to the command is there.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub(super) enum Order {
    Lock {
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<String>,
    },
    Unlock,
    Book {
        #[serde(skip_serializing_if = "Option::is_none")]
        timeout_at: Option<String>,
    },
    CancelBooking,
    ForceLock,
    ForceUnlock {
        reason: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    ForceCancelBooking,
    SyncDevice {
        power_cycle: bool,
    },
    TakePhoto,
}
