//! ParqEx's words in ours; pure. Above all: its sentences, which tell the truth where `success` and the status do not.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use domain::{
    clock::Timestamp,
    command::{Action, Answer, CommandKind, Evidence, FailureCode},
    device::Health,
    door::{DoorKind, DoorReading, Position},
};

use super::wire;
use crate::{
    error::VendorError,
    port::{FoundDevice, FoundDoor, Receipt},
};

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
        return Some(Err(VendorError::auth_invalid("ParqEx: the login has expired.")));
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
    let doors = device
        .doors
        .unwrap_or_default()
        .into_iter()
        .map(|door| found_door(door, controller_is_active, &mut taken))
        .collect::<Option<Vec<_>>>()?;
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
        capabilities: BTreeSet::new(),
        doors,
    })
}

fn found_door(door: wire::Door, controller_is_active: bool, taken: &mut BTreeSet<i32>) -> Option<FoundDoor> {
    let reading = reading(&door);
    let position = door
        .entity_number
        .filter(|number| *number >= 1 && !taken.contains(number))
        .or_else(|| (1..).find(|number| !taken.contains(number)))?;
    taken.insert(position);
    let name = door.name.unwrap_or_else(|| format!("Door {position}"));
    let capabilities = if controller_is_active && door.active != Some(false) {
        BTreeSet::from([CommandKind::OpenDoor, CommandKind::CloseDoor])
    } else {
        BTreeSet::new()
    };
    Some(FoundDoor { external_id: door.id?, kind: kind(&name), name, position, capabilities, reading })
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

fn naive_utc(text: &str) -> Option<Timestamp> {
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
    let plain = |id: &str| id.replace('-', "").to_ascii_lowercase();
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests;
