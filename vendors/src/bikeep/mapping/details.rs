//! What Bikeep documents of devices and locations beyond the words that every vendor has; kept under its own names.

use chrono::{DateTime, SecondsFormat};
use domain::{
    clock::{Timestamp, truncate},
    device::DeviceDetails,
    record::{FoundRecord, LocationDetails, RecordDetails},
};
use serde_json::Value;

use super::wire;

/// Everything that is not deprecated. Of the user there is the id; the access key is a secret.
pub(super) fn of_device(device: &wire::Device) -> DeviceDetails {
    let (state, settings) = (device.state.as_ref(), device.settings.as_ref());
    let beat = device.heartbeat_v2.as_ref();
    let truth = |value: Option<bool>| value.map(|truth| truth.to_string());
    let commands = device.commands.as_ref().map(|commands| commands.keys().cloned().collect::<Vec<_>>().join(","));
    let told = [
        ("alias", device.alias.clone()),
        ("code", device.code.clone()),
        ("hardware_id", device.hardware_id.clone()),
        ("hardware_state", device.hardware_state.clone()),
        ("lock_state", device.lock_state.clone()),
        ("state.value", state.and_then(|state| state.value.clone())),
        ("state.changed_at", time(state.and_then(|state| state.changed_at))),
        ("state.timeout_at", time(state.and_then(|state| state.timeout_at))),
        ("heartbeat_v2.health", beat.and_then(|beat| beat.health.clone())),
        ("heartbeat_v2.dead_since", time(beat.and_then(|beat| beat.dead_since))),
        ("sleep_state", device.sleep_state.clone()),
        ("power_save_strategy", device.power_save_strategy.clone()),
        ("commands", commands.filter(|names| !names.is_empty())),
        ("has_camera", truth(device.has_camera)),
        ("has_otp_support", truth(device.has_otp_support)),
        ("has_access_lists", truth(device.has_access_lists)),
        ("has_allowlist", truth(device.has_allowlist)),
        ("has_subscription", truth(device.has_subscription)),
        ("price_list.id", device.price_list.as_ref().and_then(|list| list.id.clone())),
        ("price_list.uri", device.price_list.as_ref().and_then(|list| list.uri.clone())),
        ("settings.created_at", time(settings.and_then(|settings| settings.created_at))),
        ("settings.updated_at", time(settings.and_then(|settings| settings.updated_at))),
        ("settings.deep_link", settings.and_then(|settings| settings.deep_link.clone())),
        ("location.uri", device.location.as_ref().and_then(|location| location.uri.clone())),
        ("tags", device.tags.as_deref().and_then(list)),
        ("comment", device.comment.clone()),
        ("user.id", device.user.as_ref().and_then(|user| user.id.clone())),
        ("uri", device.uri.clone()),
    ];
    DeviceDetails {
        serial_number: device.code.clone(),
        last_contact_at: beat.and_then(|beat| beat.dead_since),
        more: told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
        ..DeviceDetails::default()
    }
}

/// A location as a record; its time zone is told by no field. `None` without an id.
pub(in crate::bikeep) fn location(location: wire::Location) -> Option<FoundRecord> {
    let external_id = location.id?;
    let name = [&location.label, &location.name, &location.code].into_iter().flatten().next();
    let name = name.unwrap_or(&external_id).clone();
    Some(FoundRecord {
        location: external_id.clone(),
        external_id,
        device: None,
        name,
        details: RecordDetails::Location(LocationDetails {
            address: location.address,
            location_type: location.kind,
            ..LocationDetails::default()
        }),
        secret: None,
    })
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn list(values: &[Value]) -> Option<String> {
    let texts: Vec<String> = values.iter().filter_map(scalar).collect();
    Some(texts.join(",")).filter(|joined| !joined.is_empty())
}

/// An RFC 3339 time.
pub(in crate::bikeep) fn instant(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| truncate(at.to_utc()))
}

/// A single value as text.
pub(in crate::bikeep) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
