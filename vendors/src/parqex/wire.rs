//! ParqEx's JSON as document 000 and vendors-extra 1.4 describe it: the fields that we use. Tolerant: whatever is null,
//! missing or of another type is `None`; what a value means is `mapping`'s business. Owners' names are left out.

use serde::{Deserialize, Serialize};

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

/// The answer of `sync`, in both shapes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sync {
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) devices: Option<Vec<Device>>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) data: Option<SyncData>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) code: Option<String>,
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
    /// Not lenient: doors that can not be read must not look like doors that are gone (rule 11).
    pub(super) doors: Option<Vec<Door>>,
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
}
