//! What we send to Raixer, field by field as document 001 names it. What is absent is not written.

use serde::{Serialize, Serializer};

/// A number without a fraction is written as a whole one, as in the samples.
#[expect(clippy::cast_possible_truncation, reason = "only whole numbers far below 2^53 are converted")]
#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn plain_number<S: Serializer>(number: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => to.serialize_i64(*number as i64),
        Some(number) => to.serialize_f64(*number),
        None => to.serialize_none(),
    }
}

/// `POST` and `PUT /authorized-phones`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::raixer) struct Phone<'a> {
    pub(in crate::raixer) device_id: &'a str,
    pub(in crate::raixer) phone_number: u64,
    pub(in crate::raixer) authorized: bool,
}

/// `POST /connections`. The owner is sent under the name of the table and of the example: unheard, it would move.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::raixer) struct NewAccess<'a> {
    pub(in crate::raixer) device_id: &'a str,
    #[serde(flatten)]
    pub(in crate::raixer) change: AccessChange<'a>,
    pub(in crate::raixer) device_owner: &'a str,
    #[serde(rename = "deviceOwer")]
    pub(in crate::raixer) device_owner_of_the_table: &'a str,
}

/// `PUT /connections/:id`.
#[derive(Debug, Default, Serialize)]
pub(in crate::raixer) struct AccessChange<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) profile: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) disabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) name: Option<&'a str>,
}

/// `POST /connections/by/device/:deviceId/…/by/email`.
#[derive(Debug, Serialize)]
pub(in crate::raixer) struct ByEmail<'a> {
    pub(in crate::raixer) email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) profile: Option<&'static str>,
}

/// `POST` and `PUT /devices/:id/doors`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::raixer) struct Door<'a> {
    pub(in crate::raixer) device_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "plain_number")]
    pub(in crate::raixer) opening_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "plain_number")]
    pub(in crate::raixer) tolerance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) max_openings: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) wait_time_first: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) two_openings: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) must_call_bell_first: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) intercom_call_first: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) intercom_enable_auto_access: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) sensor_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) port: Option<&'static str>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) purpose: Option<&'static str>,
}

/// `POST` and `PUT /devices/:id/sensors`.
#[derive(Debug, Default, Serialize)]
pub(in crate::raixer) struct Sensor<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) name: Option<&'a str>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) purpose: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) port: Option<&'static str>,
}

/// `POST /devices/:id/start-job/:position`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::raixer) struct AutoAccess {
    pub(in crate::raixer) minutes: u32,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "plain_number")]
    pub(in crate::raixer) opening_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "plain_number")]
    pub(in crate::raixer) tolerance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) max_openings: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) wait_time_first: Option<u32>,
}

/// `POST` and `PUT /schedules`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::raixer) struct Schedule<'a> {
    pub(in crate::raixer) campaign_id: &'a str,
    /// Minutes.
    pub(in crate::raixer) time: u32,
    /// Milliseconds since 1970.
    pub(in crate::raixer) schedule: i64,
    pub(in crate::raixer) door_port: &'a str,
}

/// `POST /devices/:id/offline-auto-access`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::raixer) struct OfflineAutoAccess {
    pub(in crate::raixer) offline_auto_access: bool,
}

/// `POST /devices/:id/auto-access-always-active`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::raixer) struct AlwaysActive {
    pub(in crate::raixer) auto_access_always_active: bool,
}

/// `POST /devices/:id/function/:function`, for functions with an argument. Inferred: the document says which argument
/// there is, not where it goes; the device cloud underneath calls it `arg` (vendors-extra 2.4).
#[derive(Debug, Serialize)]
pub(in crate::raixer) struct FunctionCall<'a> {
    pub(in crate::raixer) arg: &'a str,
}

/// `PUT /users/:id`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::raixer) struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) address: Option<Address>,
}

/// The invoice address, always whole: the document does not say that a part of one would leave the rest alone.
#[derive(Debug, Clone, Serialize)]
pub(in crate::raixer) struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) street2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) zip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::raixer) country: Option<String>,
}
