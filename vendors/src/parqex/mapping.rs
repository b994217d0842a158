//! ParqEx's words in ours; pure. Above all: its sentences, which tell the truth where `success` and the status do not.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use domain::{
    clock::Timestamp,
    command::{Action, Answer, CommandKind, Evidence, FailureCode},
    device::{DeviceDetails, Health},
    door::{DoorKind, DoorReading, Position},
    record::{FoundRecord, ProfileDetails, RecordDetails},
};
use serde_json::Value;

use super::wire;
use crate::{
    error::VendorError,
    port::{FoundDevice, FoundDoor, Receipt},
};

/// What is documented of a controller beyond what every device has. The owner's names stay outside.
const DEVICE_FIELDS: [&str; 5] = [
    "registered",
    "number_of_entities_controlled",
    "time_before_door_open_alert",
    "bluetooth_onboard",
    "bluetooth_mac_address",
];
/// What is documented of a door beyond what every door has.
const DOOR_FIELDS: [&str; 5] = [
    "bluetooth_sensor_mac_address",
    "bluetooth_sensor_battery_level",
    "door_auto_close_enabled",
    "door_auto_close_delay",
    "user_relationship",
];

/// The requested state that stands for `action`.
pub(super) fn door_state(action: &Action) -> Option<&'static str> {
    match action {
        Action::OpenDoor => Some("OPEN"),
        Action::CloseDoor => Some("CLOSED"),
        _ => None,
    }
}

/// What an answer to `toggle` means. `None` when its text says nothing that is documented: the outcome is not known.
pub(super) fn outcome(
    toggled: &wire::Toggled,
    status_is_success: bool,
    clean: impl Fn(&str) -> String,
) -> Option<Result<Receipt, VendorError>> {
    let message = toggled.message.as_deref().unwrap_or_default();
    if message == "200" && status_is_success {
        let answer = Answer::Succeeded { evidence: Evidence::VendorAck };
        return Some(Ok(Receipt { answer, door: None, notes: Vec::new() }));
    }
    let said = format!("ParqEx: {}", clean(message));
    if login_expired(toggled.code.as_deref()) {
        return Some(Err(expired()));
    }
    let code = match code_at_end(message) {
        Some("400") => FailureCode::Malformed,
        Some("401") => return Some(Err(VendorError::auth_invalid(said))),
        Some("428") => FailureCode::SensorRequired,
        Some("501") => FailureCode::Unsupported,
        _ if can_not_be_found(message) => FailureCode::DeviceNotFound,
        _ => return None,
    };
    Some(Err(VendorError::rejected(code, said)))
}

/// A predecessor's way to say so, in the body of any answer (vendors-extra 1.5, inferred).
pub(super) fn login_expired(code: Option<&str>) -> bool {
    code == Some("401")
}

/// What that means.
pub(super) fn expired() -> VendorError {
    VendorError::auth_invalid("ParqEx: the login has expired.")
}

fn code_at_end(message: &str) -> Option<&str> {
    let (_, code) = message.trim_end_matches('.').strip_suffix(')')?.rsplit_once('(')?;
    Some(code.trim())
}

fn can_not_be_found(message: &str) -> bool {
    message.to_lowercase().replace('\u{2019}', "'").contains("can't be found")
}

/// The controllers of an answer to `sync`; `None` when it has no list of them, which is not an empty list.
pub(super) fn devices(sync: wire::Sync) -> Option<Vec<wire::Device>> {
    sync.devices.or(sync.data.map(|data| data.devices))
}

/// A controller with its doors. `None` when something has no id.
pub(super) fn device(device: wire::Device) -> Option<FoundDevice> {
    let external_id = device.id?;
    let serial = device.blackbox_code.as_deref().unwrap_or(&external_id);
    let name = format!("ParqEx {serial}");
    let controller_is_active = device.active != Some(false);
    let mut taken = BTreeSet::new();
    let mut more = documented(&device.rest, &DEVICE_FIELDS, "");
    note(&mut more, "active", device.active);
    note(&mut more, "last_contact", device.last_contact.as_deref());
    let doors = device
        .doors
        .unwrap_or_default()
        .into_iter()
        .map(|door| found_door(door, controller_is_active, &mut taken, &mut more))
        .collect::<Option<Vec<_>>>()?;
    let last_contact_at = device.last_contact.as_deref().and_then(naive_utc);
    Some(FoundDevice {
        external_id,
        location: String::new(),
        name,
        model: String::new(),
        firmware: device.software_version,
        // `last_contact` has no zone and no threshold, so it proves neither health nor its absence.
        health: Health::Unknown,
        health_since: None,
        battery_percent: None,
        details: DeviceDetails {
            serial_number: device.blackbox_code,
            last_contact_at,
            more,
            ..DeviceDetails::default()
        },
        capabilities: BTreeSet::new(),
        doors,
    })
}

fn found_door(
    door: wire::Door,
    controller_is_active: bool,
    taken: &mut BTreeSet<i32>,
    more: &mut BTreeMap<String, String>,
) -> Option<FoundDoor> {
    let reading = reading(&door);
    let position = door
        .entity_number
        .filter(|number| *number >= 1 && !taken.contains(number))
        .or_else(|| (1..).find(|number| !taken.contains(number)))?;
    taken.insert(position);
    // A door has no such shelf of its own, so its settings stand with its controller, under its position.
    let shelf = format!("door{position}.");
    more.extend(documented(&door.rest, &DOOR_FIELDS, &shelf));
    note(more, &format!("{shelf}active"), door.active);
    note(more, &format!("{shelf}sensor"), door.sensor);
    note(more, &format!("{shelf}bluetooth_sensor"), door.bluetooth_sensor);
    let name = door.name.unwrap_or_else(|| format!("Door {position}"));
    let capabilities = if controller_is_active && door.active != Some(false) {
        BTreeSet::from([CommandKind::OpenDoor, CommandKind::CloseDoor])
    } else {
        BTreeSet::new()
    };
    Some(FoundDoor {
        external_id: door.id?,
        kind: kind(&name),
        name,
        position,
        capabilities,
        reading,
        settings: None,
        phone_access: None,
    })
}

fn documented(told: &BTreeMap<String, Value>, fields: &[&str], shelf: &str) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    fields.iter().filter_map(|field| Some((format!("{shelf}{field}"), text(told.get(*field)?)?))).collect()
}

fn note(more: &mut BTreeMap<String, String>, name: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        more.insert(name.to_owned(), value.to_string());
    }
}

/// The linked user's profile. `None` without an id.
pub(super) fn profile(user: wire::UserInfo, settings: wire::UserSettings) -> Option<FoundRecord> {
    let external_id = user.id?;
    let full_name = [user.first_name, user.last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let display_name = Some(full_name).filter(|name| !name.is_empty());
    let email = user.email.or(user.email_address);
    let name = display_name.as_ref().or(email.as_ref()).unwrap_or(&external_id).clone();
    let details = ProfileDetails { display_name, email, time_zone: settings.time_zone, address: None };
    Some(FoundRecord {
        external_id,
        device: None,
        location: String::new(),
        name,
        details: RecordDetails::Profile(details),
        secret: None,
    })
}

/// The door's state as ParqEx believes it to be.
pub(super) fn reading(door: &wire::Door) -> DoorReading {
    DoorReading {
        position: match door.state.as_deref() {
            Some("OPEN") => Some(Position::Open),
            Some("CLOSED") => Some(Position::Closed),
            _ => None,
        },
        observed_at: door.last_toggled.as_deref().and_then(naive_utc),
        measured: door.sensor == Some(true) || door.bluetooth_sensor == Some(true),
        ..DoorReading::default()
    }
}

/// A time without a zone, taken for UTC (vendors-extra 1.4, inferred).
pub(super) fn naive_utc(text: &str) -> Option<Timestamp> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok().map(|at| at.and_utc())
}

/// ParqEx tells no kind; the name that a person gave is the only hint.
fn kind(name: &str) -> DoorKind {
    let name = name.to_lowercase();
    [("gate", DoorKind::Gate), ("garage", DoorKind::Garage), ("elevator", DoorKind::Elevator), ("door", DoorKind::Door)]
        .into_iter()
        .find_map(|(word, kind)| name.contains(word).then_some(kind))
        .unwrap_or(DoorKind::Other)
}

/// Whether two ids are the same: history writes them with dashes, `sync` without, in either case (vendors-extra 1.6).
pub(super) fn same_id(one: &str, other: &str) -> bool {
    plain_id(one) == plain_id(other)
}

/// An id as `sync` writes it.
pub(super) fn plain_id(id: &str) -> String {
    id.replace('-', "").to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
