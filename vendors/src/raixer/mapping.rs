//! Raixer's words in ours; pure. Above all: which number names which door, and what an array of results adds up to.

use std::collections::BTreeSet;

use domain::{
    command::{Answer, CommandKind, Evidence, FailureCode},
    device::Health,
    door::{DoorKind, DoorReading},
};

use super::wire;
use crate::{
    error::VendorError,
    port::{FoundDevice, FoundDoor, Receipt, VendorNote},
};

/// The ports that document 001 numbers are 1 to 3; a door that none of them names gets a position above.
const FIRST_UNNAMED: i32 = 4;

/// What an answer to `open-door/:position` says, judged door by door. One position names one door.
pub(super) fn receipt(openings: Vec<wire::Opening>, clean: impl Fn(&str) -> String) -> Result<Receipt, VendorError> {
    let count = openings.len();
    let Ok([opening]) = <[wire::Opening; 1]>::try_from(openings) else {
        return Err(VendorError::protocol(format!("Raixer answered for {count} doors; one was asked to open.")));
    };
    let said = opening.msg.as_deref().map(&clean).unwrap_or_default();
    match opening.status.as_deref() {
        Some("SUCCESS") => {
            let note = VendorNote { at: None, text: said };
            Ok(Receipt {
                answer: Answer::Succeeded { evidence: Evidence::VendorAck },
                door: None,
                notes: [note].into_iter().filter(|note| !note.text.is_empty()).collect(),
            })
        }
        Some("ERROR" | "FAIL" | "FAILED" | "FAILURE") if timed_out(&said) => Err(VendorError::indeterminate(
            FailureCode::VendorFailed,
            format!("Raixer gave up waiting for the device: {said}"),
        )),
        Some("ERROR" | "FAIL" | "FAILED" | "FAILURE") => {
            Err(VendorError::rejected(FailureCode::DeviceError, format!("Raixer could not open the door: {said}")))
        }
        _ => Err(VendorError::protocol("Raixer answered with a status that is not documented.")),
    }
}

/// The cloud that waited in vain does not know whether the device acted (vendors-extra 2.4).
fn timed_out(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["timeout", "time-out", "timed out", "time out"].iter().any(|words| message.contains(words))
}

/// A device with its doors. `None` without an id, or when a door has none.
pub(super) fn device(
    device: wire::Device,
    connection_name: Option<&str>,
    doors: Vec<wire::Door>,
) -> Option<FoundDevice> {
    let external_id = device.id?;
    let positions = positions(&doors);
    let doors = doors
        .into_iter()
        .zip(positions)
        .map(|(door, (position, named))| {
            let purpose = door.purpose.as_deref();
            let capabilities = if named { BTreeSet::from([CommandKind::OpenDoor]) } else { BTreeSet::new() };
            Some(FoundDoor {
                external_id: door.id?,
                name: door.name.unwrap_or_else(|| format!("Door {position}")),
                kind: kind(purpose),
                position,
                capabilities,
                reading: DoorReading::default(),
            })
        })
        .collect::<Option<Vec<_>>>()?;
    Some(FoundDevice {
        name: device.name.or_else(|| connection_name.map(str::to_owned)).unwrap_or_else(|| external_id.clone()),
        external_id,
        location: String::new(),
        model: device.kind.unwrap_or_default(),
        firmware: device.version,
        health: match device.online {
            Some(true) => Health::Healthy,
            Some(false) => Health::Offline,
            None => Health::Unknown,
        },
        health_since: None,
        battery_percent: None,
        capabilities: BTreeSet::new(),
        doors,
    })
}

fn kind(purpose: Option<&str>) -> DoorKind {
    match purpose {
        Some("STREET" | "HOME") => DoorKind::Door,
        Some("GARAGE") => DoorKind::Garage,
        _ => DoorKind::Other,
    }
}

/// The position of each door, and whether that number certainly names it alone. See the README for the reasons.
fn positions(doors: &[wire::Door]) -> Vec<(i32, bool)> {
    let portless = |door: &wire::Door| matches!(door.port.as_deref(), None | Some("NULL"));
    let all_portless = doors.iter().all(portless);
    let wanted: Vec<Option<i32>> = (1..)
        .zip(doors)
        .map(|(order, door)| match door.port.as_deref() {
            Some("RIGHT" | "1") => Some(1),
            Some("LEFT" | "2") => Some(2),
            Some("3") => Some(3),
            _ if all_portless => Some(order),
            _ if portless(door) => Some(3),
            _ => None,
        })
        .collect();
    let mut unnamed = FIRST_UNNAMED.max(i32::try_from(doors.len()).unwrap_or(i32::MAX - 1) + 1)..;
    wanted
        .iter()
        .map(|position| match position {
            Some(number) if wanted.iter().filter(|other| *other == position).count() == 1 => (*number, true),
            _ => (unnamed.next().unwrap_or(i32::MAX), false),
        })
        .collect()
}

#[cfg(test)]
mod tests;
