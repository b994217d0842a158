//! Bikeep's words in ours, both ways; pure. An unknown word is never an outcome, and what was not told stays `None`.

mod details;

use std::collections::BTreeSet;

use chrono::{DurationRound, SecondsFormat, TimeDelta};
use domain::{
    clock::Timestamp,
    command::{Action, Answer, CommandKind, Evidence, Failure, FailureCode, ForceReason},
    device::Health,
    door::{DoorKind, DoorReading, LockState, Mode, Occupancy},
};

pub(super) use self::details::{instant, location, scalar};
use super::wire;
use crate::{
    error::VendorError,
    port::{FoundDevice, FoundDoor, Receipt, VendorNote},
};

/// How many of a command's events are kept: the latest.
const NOTE_LIMIT: usize = 20;

/// The body that asks for `action` on a device of type `model`.
pub(super) fn order(action: &Action, model: &str) -> Result<wire::Order, VendorError> {
    Ok(match action {
        Action::OpenDoor if DeviceType::of(model).opens_by_unlocking() => wire::Order::Unlock,
        Action::OpenDoor => {
            return Err(VendorError::unsupported("Bikeep docks and lockers are unlocked or booked, not opened."));
        }
        Action::CloseDoor => return Err(VendorError::unsupported("Bikeep has no command that closes a door.")),
        Action::LockDoor { on_behalf_of } => wire::Order::Lock { user_id: on_behalf_of.clone() },
        Action::UnlockDoor => wire::Order::Unlock,
        Action::ForceLockDoor => wire::Order::ForceLock,
        Action::ForceUnlockDoor { reason, comment } => {
            let needed = matches!(reason, ForceReason::StuckUserOtherIssue | ForceReason::Other);
            let comment = comment.as_deref().map(|text| text.trim().to_owned()).filter(|_| needed);
            wire::Order::ForceUnlock { reason: reason.as_str(), comment }
        }
        Action::BookDoor { until } => wire::Order::Book { timeout_at: until.map(whole_seconds) },
        Action::CancelBooking => wire::Order::CancelBooking,
        Action::ForceCancelBooking => wire::Order::ForceCancelBooking,
        Action::SyncDevice { power_cycle } => wire::Order::SyncDevice { power_cycle: *power_cycle },
        Action::TakePhoto => wire::Order::TakePhoto,
        Action::Change(_) => {
            return Err(VendorError::unsupported("Bikeep documents no change of what it keeps, only commands."));
        }
    })
}

/// RFC 3339 in whole seconds, rounded up so that a booking is never shorter than asked for.
fn whole_seconds(at: Timestamp) -> String {
    let second = at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at);
    let up = if second < at { second + TimeDelta::seconds(1) } else { second };
    up.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What a command's present state says. `None` when it is no command: it has no id.
pub(super) fn receipt(command: wire::Command, clean: impl Fn(&str) -> String) -> Option<Receipt> {
    let reference = command.id?;
    let state = command.state.unwrap_or_default();
    let answer = match state.value.as_deref() {
        Some("SUCCESS") => Answer::Succeeded { evidence: Evidence::DeviceAck },
        Some("ERROR") => {
            let reason = state.reason.as_deref().map(&clean).unwrap_or_default();
            let colon = if reason.is_empty() { "." } else { ": " };
            let message = format!("Bikeep reports an error{colon}{reason}");
            Answer::Failed { failure: Failure::new(FailureCode::DeviceError, message), evidence: Evidence::VendorAck }
        }
        word => Answer::Pending {
            reference: Some(reference),
            evidence: if word == Some("RECEIVED") { Evidence::DeviceAck } else { Evidence::VendorAck },
            vendor_timeout_at: state.timeout_at,
        },
    };
    Some(Receipt { answer, door: None, notes: notes(command.events.unwrap_or_default(), clean) })
}

fn notes(events: Vec<serde_json::Value>, clean: impl Fn(&str) -> String) -> Vec<VendorNote> {
    let mut notes: Vec<_> = events
        .into_iter()
        .filter_map(|event| serde_json::from_value::<wire::Event>(event).ok())
        .filter_map(|event| Some(VendorNote { at: event.timestamp, text: clean(&event.name?) }))
        .collect();
    // Only where every event has a time is there an order to restore; otherwise the vendor's own is the best there is.
    if notes.iter().all(|note| note.at.is_some()) {
        notes.sort_by_key(|note| note.at);
    }
    notes.split_off(notes.len().saturating_sub(NOTE_LIMIT))
}

/// A device with its one door. `None` without an id.
pub(super) fn device(device: &wire::Device, asked_location: &str) -> Option<FoundDevice> {
    let external_id = device.id.clone()?;
    let model = device.kind.clone().unwrap_or_default();
    let name = [&device.alias, &device.code].into_iter().flatten().next().unwrap_or(&external_id).clone();
    let (on_device, on_door): (BTreeSet<_>, BTreeSet<_>) =
        capabilities(device).into_iter().partition(|kind| kind.is_for_device());
    let told_location = device.location.as_ref().and_then(|location| location.id.clone());
    let (health, health_since) = health(device);
    Some(FoundDevice {
        details: details::of_device(device),
        doors: vec![FoundDoor {
            external_id: external_id.clone(),
            name: name.clone(),
            kind: DeviceType::of(&model).door_kind(),
            position: 1,
            capabilities: on_door,
            reading: reading(device),
            settings: None,
            phone_access: None,
        }],
        external_id,
        location: told_location.unwrap_or_else(|| asked_location.to_owned()),
        name,
        model,
        firmware: None,
        health,
        health_since,
        battery_percent: None,
        capabilities: on_device,
    })
}

/// The door's state: the physical lock over the service's word for it, and use and mode apart from both.
pub(super) fn reading(device: &wire::Device) -> DoorReading {
    let state = device.state.as_ref();
    let value = state.and_then(|state| state.value.as_deref());
    let logical = match value {
        Some("LOCKED") => Some(LockState::Locked),
        Some("UNLOCKED") => Some(LockState::Unlocked),
        Some("LOCKING") => Some(LockState::Locking),
        Some("UNLOCKING") => Some(LockState::Unlocking),
        _ => None,
    };
    let physical = match device.lock_state.as_deref() {
        Some("LOCKED") => Some(LockState::Locked),
        Some("UNLOCKED") => Some(LockState::Unlocked),
        _ => None,
    };
    let contradicts = matches!(
        (logical, physical),
        (Some(LockState::Locked), Some(LockState::Unlocked)) | (Some(LockState::Unlocked), Some(LockState::Locked))
    );
    let mode = match device.hardware_state.as_deref() {
        Some("NORMAL") => Some(Mode::Normal),
        Some("DISABLED" | "DISABLED_LOCKING" | "DISABLED_UNLOCKING") => Some(Mode::Blocked),
        _ => None,
    };
    DoorReading {
        lock: physical.or(logical),
        position: None,
        mode,
        occupancy: DeviceType::of(device.kind.as_deref().unwrap_or_default()).occupancy(value),
        // The vendor dates its own word only: where the lock contradicts it, that date is not the lock's.
        observed_at: state.and_then(|state| state.changed_at).filter(|_| !contradicts),
        measured: false,
    }
}

/// Only `heartbeat_v2` is real data; what the hardware says of itself can make it worse, never better.
fn health(device: &wire::Device) -> (Health, Option<Timestamp>) {
    let beat = device.heartbeat_v2.as_ref();
    let told = match beat.and_then(|beat| beat.health.as_deref()) {
        Some("HEALTHY") => Health::Healthy,
        Some("UNHEALTHY") => Health::Unhealthy,
        Some("DEAD") => Health::Offline,
        Some("LONG_DEAD") => Health::Dead,
        _ => Health::Unknown,
    };
    if matches!(told, Health::Offline | Health::Dead) {
        return (told, beat.and_then(|beat| beat.dead_since));
    }
    let asleep = matches!(device.sleep_state.as_deref(), Some("LIGHT_SLEEP" | "DEEP_SLEEP"));
    let out_of_reach = asleep && device.power_save_strategy.as_deref() == Some("LOCAL_WAKEUP");
    let health = match device.hardware_state.as_deref() {
        Some("NOT_RESPONDING") => Health::Offline,
        _ if out_of_reach => Health::Offline,
        Some("ERROR") => Health::Unhealthy,
        _ => told,
    };
    (health, None)
}

/// The device's own `commands` map decides; a device that shows none is taken for a typical one of its type.
fn capabilities(device: &wire::Device) -> BTreeSet<CommandKind> {
    let model = DeviceType::of(device.kind.as_deref().unwrap_or_default());
    let typical;
    let words: Vec<&str> = match &device.commands {
        Some(commands) => commands.keys().map(String::as_str).collect(),
        None => {
            typical = model.typical_commands(device.has_camera == Some(true));
            typical
        }
    };
    let mut kinds = BTreeSet::new();
    for word in words {
        match word.trim().to_ascii_lowercase().replace('_', "-").as_str() {
            "lock" => kinds.extend([CommandKind::LockDoor]),
            "unlock" if model.opens_by_unlocking() => {
                kinds.extend([CommandKind::OpenDoor, CommandKind::UnlockDoor]);
            }
            "unlock" => kinds.extend([CommandKind::UnlockDoor]),
            "book" => kinds.extend([CommandKind::BookDoor]),
            "cancel-booking" => kinds.extend([CommandKind::CancelBooking]),
            "force-lock" => kinds.extend([CommandKind::ForceLockDoor]),
            "force-unlock" => kinds.extend([CommandKind::ForceUnlockDoor]),
            "force-cancel-booking" => kinds.extend([CommandKind::ForceCancelBooking]),
            "sync-device" => kinds.extend([CommandKind::SyncDevice]),
            "take-photo" => kinds.extend([CommandKind::TakePhoto]),
            _ => {}
        }
    }
    kinds
}

/// What matters of a device's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeviceType {
    Guard,
    Dock,
    ScooterDock,
    Locker,
    HouseDoor,
    Door,
    Unknown,
}

impl DeviceType {
    fn of(word: &str) -> Self {
        match word {
            "GUARD" => Self::Guard,
            "BIKE_DOCK" | "DOCK" | "DOCK_SESSIONLESS" | "BIKE_RENT" | "SCOOTER_RENT" => Self::Dock,
            "SCOOTER_DOCK" => Self::ScooterDock,
            "LOCKER" => Self::Locker,
            "BIKE_HOUSE_DOOR" => Self::HouseDoor,
            "DOOR" => Self::Door,
            _ => Self::Unknown,
        }
    }

    const fn door_kind(self) -> DoorKind {
        match self {
            Self::Dock | Self::ScooterDock => DoorKind::Dock,
            Self::Locker => DoorKind::Locker,
            Self::HouseDoor | Self::Door => DoorKind::Door,
            Self::Guard | Self::Unknown => DoorKind::Other,
        }
    }

    const fn opens_by_unlocking(self) -> bool {
        matches!(self, Self::HouseDoor | Self::Door)
    }

    /// Free means available: UNLOCKED for docks and lockers, LOCKED for a bike house's door (vendors-extra 4.5).
    fn occupancy(self, value: Option<&str>) -> Option<Occupancy> {
        match (self, value?) {
            (Self::HouseDoor, "LOCKED") => Some(Occupancy::Free),
            (Self::HouseDoor, "UNLOCKED" | "UNLOCKING" | "LOCKING") => Some(Occupancy::InUse),
            (Self::Dock | Self::ScooterDock | Self::Locker, value) => match value {
                "UNLOCKED" => Some(Occupancy::Free),
                "BOOKED" => Some(Occupancy::Booked),
                "LOCKED" | "LOCKING" | "UNLOCKING" => Some(Occupancy::InUse),
                // Assigned, and not yet told to whom or for what.
                _ => Some(Occupancy::Unknown),
            },
            _ => None,
        }
    }

    /// vendors-extra 4.4, without the administrative commands, which need a permission.
    fn typical_commands(self, has_camera: bool) -> Vec<&'static str> {
        match self {
            Self::Locker => vec!["lock", "unlock", "book", "cancel-booking"],
            Self::Dock => vec!["lock", "unlock", "book", "cancel-booking"],
            Self::ScooterDock => vec!["lock", "unlock", "book"],
            Self::HouseDoor => vec!["unlock"],
            Self::Guard if has_camera => vec!["take-photo"],
            Self::Guard | Self::Door | Self::Unknown => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
