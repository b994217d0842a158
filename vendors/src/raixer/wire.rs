//! Raixer's JSON as document 001 describes it: the fields that we use. Tolerant: whatever is null, missing or of
//! another type is `None`; what a value means is `mapping`'s business. `bodies` are what we send.

pub(super) mod bodies;

use domain::clock::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::lenient;

/// A device. Inside an access it brings its doors and campaign along.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Device {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) owner: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) online: Option<bool>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) version: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) campaign_id: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) created: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) updated: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) offline_auto_access: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) auto_access_always_active: Option<bool>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) doors: Option<Vec<Door>>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) campaign: Option<Campaign>,
}

/// Somebody's right to use a device (the vendor's "connection").
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Access {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) owner: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) device_id: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) profile: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) disabled: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) owner_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) owner_email: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) created: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) device: Option<Device>,
}

/// A door, which Raixer describes as the sensor that belongs to it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Door {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) port: Option<String>,
    #[serde(rename = "use", deserialize_with = "lenient::word")]
    pub(super) purpose: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) sensor_mode: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) opening_value: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) tolerance: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) max_openings: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) wait_time_first: Option<f64>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) two_openings: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) must_call_bell_first: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) intercom_call_first: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) intercom_enable_auto_access: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) phone_number: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) calling_enabled: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) any_caller_enabled: Option<bool>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) created: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) updated: Option<Timestamp>,
}

/// A sensor that is no door's.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sensor {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(rename = "use", deserialize_with = "lenient::text")]
    pub(super) purpose: Option<String>,
    #[serde(deserialize_with = "lenient::word")]
    pub(super) port: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) created: Option<Timestamp>,
}

/// A telephone number that may open a device.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Phone {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) device_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) phone_number: Option<String>,
    /// Absent in every sample of the document, which gives `true` as its default.
    pub(super) authorized: Option<Value>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) created: Option<Timestamp>,
}

/// A device's plan. Intercoms' and power switches' have other fields; what they share is named alike.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Campaign {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) subscription_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) mode: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) price: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) accumulated: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) time: Option<f64>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) offline_auto_access: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) auto_access_always_active: Option<bool>,
}

/// When a door will listen to its bell.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Schedule {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) campaign_id: Option<String>,
    /// Minutes.
    #[serde(deserialize_with = "lenient::number")]
    pub(super) time: Option<f64>,
    /// Milliseconds since 1970; the samples have a fraction.
    #[serde(deserialize_with = "lenient::number")]
    pub(super) schedule: Option<f64>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) door_port: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) created: Option<Timestamp>,
}

/// The account's own user.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct User {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) display_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) email: Option<String>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) address: Option<Address>,
}

/// Where invoices go. `address` is an identification number.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) email: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) address: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) street2: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) city: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) zip: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) state: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) country: Option<String>,
}

/// One line of a device's history.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Happening {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) device_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) action: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) error: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) details: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) created: Option<Timestamp>,
}

/// What became of one thing that a device was asked to do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Execution {
    #[serde(deserialize_with = "lenient::word")]
    pub(super) status: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) msg: Option<String>,
    #[serde(deserialize_with = "lenient::whole")]
    pub(super) result: Option<i32>,
}

/// How many records an update or removal met.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    #[serde(deserialize_with = "lenient::whole")]
    pub(super) n: Option<i32>,
    #[serde(deserialize_with = "lenient::whole")]
    pub(super) ok: Option<i32>,
}

/// What was made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Inserted {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) inserted_id: Option<String>,
}

/// Whether a schedule (`result`) or device (`removed`) was taken away.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Removed {
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) result: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) removed: Option<bool>,
}

/// What the device's own cloud says of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Information {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) last_app: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) last_ip_address: Option<String>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) last_heard: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::whole")]
    pub(super) product_id: Option<i32>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) connected: Option<bool>,
    #[serde(deserialize_with = "lenient::whole")]
    pub(super) platform_id: Option<i32>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) cellular: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) notes: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) status: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) current_build_target: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) system_firmware_version: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) pinned_build_target: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) default_build_target: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) targeted_firmware_release_version: Option<String>,
    pub(super) variables: Value,
    pub(super) functions: Value,
    pub(super) groups: Value,
}

/// One value of a device.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Variable {
    pub(super) result: Option<Value>,
    #[serde(deserialize_with = "lenient::shaped")]
    pub(super) core_info: Option<CoreInfo>,
}

/// How the device is reached, as told beside a value.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CoreInfo {
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) last_heard: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(super) connected: Option<bool>,
    #[serde(deserialize_with = "lenient::instant")]
    pub(super) last_handshake_at: Option<Timestamp>,
}
