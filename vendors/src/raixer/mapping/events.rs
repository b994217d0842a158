//! What happened, from a device's history and from notifications, in our words. A line that tells of an error tells of
//! nothing that happened at the door.

use std::collections::BTreeMap;

use domain::{
    clock::Timestamp,
    door::{DoorReading, Mode, Position},
    event::{EventType, FoundDoorRef, FoundEvent},
};

use crate::{digest, raixer::wire};

/// What stands before the names of the history.
const PREFIX: &str = "connections.detail.history.action.";

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::raixer) struct Meaning {
    /// In our words.
    pub(in crate::raixer) event_type: EventType,
    /// The door's position, if the name tells one.
    pub(in crate::raixer) position: Option<i32>,
    leaf: Option<Position>,
    mode: Option<Mode>,
    /// By what, where two names mean the same event.
    cause: Option<&'static str>,
}

impl Meaning {
    const fn of(event_type: EventType) -> Self {
        Self { event_type, position: None, leaf: None, mode: None, cause: None }
    }

    /// What it tells of the door's state.
    pub(in crate::raixer) fn reading(&self, at: Option<Timestamp>) -> Option<DoorReading> {
        (self.leaf.is_some() || self.mode.is_some()).then(|| DoorReading {
            position: self.leaf,
            mode: self.mode,
            observed_at: at,
            measured: self.leaf.is_some(),
            ..DoorReading::default()
        })
    }
}

/// The meaning of a name of the history, with or without its prefix, or of a notification. Unknown ones mean nothing.
pub(in crate::raixer) fn meaning(name: &str) -> Meaning {
    use EventType as Type;
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    let plain = match name {
        "online" => Some(Type::DeviceOnline),
        "offline" => Some(Type::DeviceOffline),
        "movement-1" | "movementDetected" => Some(Type::MovementDetected),
        "movement-0" => Some(Type::MovementEnded),
        "power-in" | "powerIn" => Some(Type::PowerRestored),
        "power-out" | "powerOut" => Some(Type::PowerLost),
        "mainButton-press" | "physicalButton" => Some(Type::ButtonPressed),
        _ => None,
    };
    if let Some(event_type) = plain {
        return Meaning::of(event_type);
    }
    let leaf = |event_type, leaf| Meaning { leaf: Some(leaf), ..Meaning::of(event_type) };
    match name {
        // Neither says at which of the doors.
        "door-open" => return leaf(Type::DoorOpened, Position::Open),
        "door-closed" => return leaf(Type::DoorClosed, Position::Closed),
        _ => {}
    }
    let (action, position) = match name.char_indices().next_back() {
        Some((end, '2')) => (name.get(..end).unwrap_or(name), 2),
        Some((end, '3')) => (name.get(..end).unwrap_or(name), 3),
        _ => (name, 1),
    };
    let caused = |event_type, cause| Meaning { cause: Some(cause), ..Meaning::of(event_type) };
    let meaning = match action {
        "doorIsOpen" => leaf(Type::DoorOpened, Position::Open),
        "doorIsClosed" => leaf(Type::DoorClosed, Position::Closed),
        "openDoor" => caused(Type::DoorOpened, "command"),
        "doorOpened" => caused(Type::DoorOpened, "autoAccess"),
        "startJob" => Meaning { mode: Some(Mode::AutoAccess), ..caused(Type::AutoAccessStarted, "command") },
        "startJobAutoAccess" => Meaning { mode: Some(Mode::AutoAccess), ..caused(Type::AutoAccessStarted, "schedule") },
        "stopJob" => Meaning { mode: Some(Mode::Normal), ..Meaning::of(Type::AutoAccessStopped) },
        "phoneCall" => Meaning::of(Type::PhoneCall),
        _ => return Meaning::of(Type::VendorEvent),
    };
    Meaning { position: Some(position), ..meaning }
}

/// A line of the history of `device`.
pub(in crate::raixer) fn happening(line: &wire::Happening, device: &str, clean: impl Fn(&str) -> String) -> FoundEvent {
    let code = line.action.as_deref().map(&clean).unwrap_or_default();
    let failed = line.error == Some(true);
    let told = meaning(line.action.as_deref().unwrap_or_default());
    let device = line.device_id.as_deref().unwrap_or(device);
    let facts = [
        ("details", line.details.as_deref().map(&clean)),
        ("cause", told.cause.map(str::to_owned)),
        ("error", failed.then(|| "true".to_owned())),
    ];
    FoundEvent {
        external_id: id_of(line, device),
        occurred_at: line.created,
        event_type: if failed { EventType::VendorEvent } else { told.event_type },
        vendor_code: code,
        device: Some(device.to_owned()),
        door: told.position.map(FoundDoorRef::Position),
        reading: if failed { None } else { told.reading(line.created) },
        facts: facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?))).collect(),
    }
}

/// The vendor's id together with the device, since the document's samples count from 1; a digest where there is none.
fn id_of(line: &wire::Happening, device: &str) -> String {
    if let Some(id) = &line.id {
        return format!("history:{device}:{id}");
    }
    let created = line.created.map(|at| at.to_rfc3339()).unwrap_or_default();
    let error = line.error.map(|error| error.to_string()).unwrap_or_default();
    let told = [
        ("device", device),
        ("action", line.action.as_deref().unwrap_or_default()),
        ("error", &error),
        ("details", line.details.as_deref().unwrap_or_default()),
        ("created", &created),
    ];
    format!("history:{}", digest::id_of(told))
}

/// That lines between two instants were not read, because the vendor no longer has them or has too many.
pub(in crate::raixer) fn gap(device: &str, from: Timestamp, until: Option<Timestamp>, why: &str) -> FoundEvent {
    let end = until.map_or_else(|| "now".to_owned(), |until| until.to_rfc3339());
    FoundEvent {
        external_id: format!("gap:{device}:{}-{end}", from.to_rfc3339()),
        occurred_at: until,
        event_type: EventType::EventGap,
        vendor_code: "history".to_owned(),
        device: Some(device.to_owned()),
        door: None,
        reading: None,
        facts: BTreeMap::from([
            ("from".to_owned(), from.to_rfc3339()),
            ("until".to_owned(), end),
            ("reason".to_owned(), why.to_owned()),
        ]),
    }
}

#[cfg(test)]
mod tests;
