//! ParqEx's JSON as document 000 and vendors-extra 1 describe it: the fields that we use. Tolerant: whatever is null,
//! missing or of another type is `None`; what a value means is `mapping`'s business. `pin_code` is never read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient;

/// The body of `toggle`: exactly its two fields.
#[derive(Debug, Serialize)]
pub(super) struct Toggle<'a> {
    pub(super) door_id: &'a str,
    pub(super) door_state: &'static str,
}

/// The answer to `toggle`. Its `success` is true whatever happened, so it is not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Toggled {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) message: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) code: Option<String>,
}

/// What any answer may say against us, under whatever status.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) code: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    errors: Option<Vec<SaidError>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SaidError {
    #[serde(deserialize_with = "lenient::text")]
    message: Option<String>,
}

impl Said {
    /// The first of its errors, or nothing.
    pub(super) fn first_error(self) -> String {
        self.errors.into_iter().flatten().find_map(|error| error.message).unwrap_or_default()
    }
}

/// The answer of `sync`, in both shapes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sync {
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) devices: Option<Vec<Device>>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) data: Option<SyncData>,
}

/// The inner object of the older shape.
#[derive(Debug, Deserialize)]
pub(super) struct SyncData {
    pub(super) devices: Vec<Device>,
}

/// A controller.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Device {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) active: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) blackbox_code: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) software_version: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) last_contact: Option<String>,
    /// Not lenient: doors that can not be read must not look like doors that are gone (rule 11).
    pub(super) doors: Option<Vec<Door>>,
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

/// One thing that a controller opens.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Door {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::whole")]
    pub(super) entity_number: Option<i32>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) state: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) sensor: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) bluetooth_sensor: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) last_toggled: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) active: Option<bool>,
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

/// The answer of both verbs of `user-info`.
#[derive(Debug, Deserialize)]
pub(super) struct UserAnswer<T> {
    pub(super) data: T,
}

/// What GET tells of the linked user.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UserInfo {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) first_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) last_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) email: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) email_address: Option<String>,
}

/// What POST tells of the user's settings, but for those of an app and the PIN.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UserSettings {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) time_zone: Option<String>,
}

/// The answer of `toggle-history`.
#[derive(Debug, Deserialize)]
pub(super) struct History {
    pub(super) data: HistoryData,
}

/// Its list.
#[derive(Debug, Deserialize)]
pub(super) struct HistoryData {
    pub(super) toggle_events: Vec<Value>,
}

/// One line of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PastToggle {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) door_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) door_name: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) door_state: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) channel: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) user: Option<PastUser>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) was_success: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) toggle_date_time: Option<String>,
}

/// Who it was.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PastUser {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) first_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) last_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) email_address: Option<String>,
}

/// A webhook.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Pushed {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) event_type: Option<String>,
    #[serde(rename = "toggleID", deserialize_with = "lenient::text")]
    pub(super) toggle_id: Option<String>,
    #[serde(rename = "doorID", deserialize_with = "lenient::text")]
    pub(super) door_id: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) door_state: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) channel: Option<String>,
    #[serde(rename = "deviceID", deserialize_with = "lenient::text")]
    pub(super) device_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) event_occurred: Option<String>,
    #[serde(rename = "eventOccurredUTC", deserialize_with = "lenient::instant")]
    pub(super) event_occurred_utc: Option<domain::clock::Timestamp>,
    #[serde(rename = "doorOwnerUserID", deserialize_with = "lenient::text")]
    pub(super) door_owner_user_id: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) user_that_toggled: Option<PushedUser>,
}

/// Who it was.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PushedUser {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) first_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) last_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) email_address: Option<String>,
}
