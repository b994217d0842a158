//! Raixer's JSON as document 001 describes it: the fields that we use. Tolerant: whatever is null, missing or of another
//! type is `None`; what a value means is `mapping`'s business.

use serde::Deserialize;

use crate::lenient;

/// A device.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Device {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) online: Option<bool>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) version: Option<String>,
}

/// Somebody's right to use a device.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Connection {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) device_id: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) disabled: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
}

/// A door, which Raixer describes as the sensor that belongs to it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Door {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) port: Option<String>,
    #[serde(rename = "use", deserialize_with = "lenient::word")]
    pub(super) purpose: Option<String>,
}

/// What became of one door that was asked to open.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Opening {
    #[serde(deserialize_with = "lenient::word")]
    pub(super) status: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) msg: Option<String>,
}
