//! Raixer's devices and doors in our words; pure. Above all: which number names which door, and which mode it follows.
//! `answers` judges what became of a change, `records`, `events` and `values` translate the rest, `orders` our wishes.

pub(super) mod answers;
pub(super) mod events;
pub(super) mod orders;
pub(super) mod records;
pub(super) mod values;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    change::{DoorSettings, DoorUse, PortSide, SensorMode},
    command::CommandKind,
    device::{DeviceDetails, Health, PhoneAccess},
    door::{DoorKind, DoorReading, Mode},
};

use super::wire;
use crate::port::{FoundDevice, FoundDoor};

/// The ports that document 001 numbers are 1 to 3; a door that none of them names gets a position above.
const FIRST_UNNAMED: i32 = 4;

/// What can be asked of a door whose position names it alone.
const BY_POSITION: [CommandKind; 3] =
    [CommandKind::OpenDoor, CommandKind::StartAutoAccess, CommandKind::StopAutoAccess];
/// What else can be, where the device has a campaign for it to belong to.
const BY_CAMPAIGN: [CommandKind; 2] = [CommandKind::CreateAutoAccessSchedule, CommandKind::UpdateAutoAccessSchedule];
/// What can be asked of every door, by its id.
const BY_ID: [CommandKind; 3] = [CommandKind::SetPhoneAccess, CommandKind::SetAnyCallerAccess, CommandKind::UpdateDoor];
/// What can be asked of every device.
const OF_DEVICE: [CommandKind; 20] = [
    CommandKind::SetAutoAccessAlwaysActive,
    CommandKind::SetOfflineAutoAccess,
    CommandKind::SetMovementAlarm,
    CommandKind::ReadDeviceVariable,
    CommandKind::ReadDeviceInformation,
    CommandKind::ExecuteDeviceFunction,
    CommandKind::CreateDoor,
    CommandKind::CreateSensor,
    CommandKind::UpdateSensor,
    CommandKind::DeleteSensor,
    CommandKind::AuthorizePhone,
    CommandKind::SuspendPhone,
    CommandKind::ResumePhone,
    CommandKind::RemovePhone,
    CommandKind::GrantDeviceAccess,
    CommandKind::ChangeDeviceAccess,
    CommandKind::SuspendDeviceAccess,
    CommandKind::ResumeDeviceAccess,
    CommandKind::RevokeDeviceAccess,
    CommandKind::DeleteAutoAccessSchedule,
];

/// What is known of a device beside its own description.
#[derive(Debug, Default)]
pub(super) struct Beside<'a> {
    /// Whether it is the account's own: only then it may be taken off the vendor.
    pub(super) owned: bool,
    /// The account's access to it, with the device as that tells it.
    pub(super) access: Option<&'a wire::Access>,
    /// What its `status` variables say, by position.
    pub(super) listening: BTreeMap<i32, bool>,
}

/// A device with its doors. `None` without an id, or when a door has none.
pub(super) fn device(device: wire::Device, doors: Vec<wire::Door>, beside: &Beside<'_>) -> Option<FoundDevice> {
    let external_id = device.id.clone()?;
    let details = details(&device, beside);
    let only = doors.len() == 1;
    let positions = positions(&doors);
    let doors = doors
        .into_iter()
        .zip(positions)
        .map(|(door, (position, named))| {
            let mut capabilities = BTreeSet::from(BY_ID);
            if named {
                capabilities.extend(BY_POSITION);
                capabilities.extend(details.campaign.iter().flat_map(|_| BY_CAMPAIGN));
            }
            if !only {
                capabilities.insert(CommandKind::DeleteDoor);
            }
            let listening = beside.listening.get(&position).copied();
            Some(FoundDoor {
                external_id: door.id.clone()?,
                name: door.name.clone().unwrap_or_else(|| format!("Door {position}")),
                kind: usage(&door).map_or(DoorKind::Other, DoorUse::door_kind),
                position,
                capabilities,
                reading: DoorReading { mode: mode(&details, device.online, listening), ..DoorReading::default() },
                phone_access: phone_access(&door),
                settings: Some(settings(door)),
            })
        })
        .collect::<Option<Vec<_>>>()?;
    let mut capabilities = BTreeSet::from(OF_DEVICE);
    if beside.owned {
        capabilities.insert(CommandKind::RemoveDevice);
    }
    let name = device.name.or_else(|| beside.access.and_then(|access| access.name.clone()));
    Some(FoundDevice {
        name: name.unwrap_or_else(|| external_id.clone()),
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
        details,
        capabilities,
        doors,
    })
}

fn details(device: &wire::Device, beside: &Beside<'_>) -> DeviceDetails {
    let embedded = beside.access.and_then(|access| access.device.as_ref());
    let campaigns = || {
        let of_embedded = embedded.and_then(|embedded| embedded.campaign.as_ref());
        device.campaign.iter().chain(of_embedded)
    };
    let devices = || std::iter::once(device).chain(embedded);
    let times = [("created", device.created), ("updated", device.updated)];
    DeviceDetails {
        owner: device.owner.clone(),
        campaign: campaign_of(device).or_else(|| embedded.and_then(campaign_of)),
        // The document shows neither where these two are kept; where they are told, they are taken.
        auto_access_always_active: devices()
            .find_map(|device| device.auto_access_always_active)
            .or_else(|| campaigns().find_map(|campaign| campaign.auto_access_always_active)),
        offline_auto_access: devices()
            .find_map(|device| device.offline_auto_access)
            .or_else(|| campaigns().find_map(|campaign| campaign.offline_auto_access)),
        more: times.into_iter().filter_map(|(name, at)| Some((name.to_owned(), at?.to_rfc3339()))).collect(),
        ..DeviceDetails::default()
    }
}

/// The campaign that a device belongs to, by its own word or by the campaign that it brings along.
pub(super) fn campaign_of(device: &wire::Device) -> Option<String> {
    let embedded = || device.campaign.as_ref().and_then(|campaign| campaign.id.clone());
    device.campaign_id.clone().or_else(embedded)
}

/// The rule that a door follows, as far as Raixer tells. That it does not listen is known by its `status` only.
fn mode(details: &DeviceDetails, online: Option<bool>, listening: Option<bool>) -> Option<Mode> {
    let always = details.auto_access_always_active == Some(true);
    match listening {
        Some(false) => Some(Mode::Normal),
        _ if always => Some(Mode::AlwaysActive),
        Some(true) => Some(Mode::AutoAccess),
        None if online == Some(false) && details.offline_auto_access == Some(true) => Some(Mode::OfflineContingency),
        None => None,
    }
}

fn usage(door: &wire::Door) -> Option<DoorUse> {
    door.purpose.as_deref().and_then(DoorUse::parse)
}

fn phone_access(door: &wire::Door) -> Option<PhoneAccess> {
    if door.calling_enabled.is_none() && door.any_caller_enabled.is_none() {
        return None;
    }
    Some(PhoneAccess {
        enabled: door.calling_enabled == Some(true),
        any_caller: door.any_caller_enabled == Some(true),
        number: door.phone_number.clone(),
    })
}

/// The side of a port, where it has one; the third port of an Access device is in the middle.
pub(super) fn port_side(port: Option<&str>) -> Option<PortSide> {
    match port {
        Some("RIGHT" | "1") => Some(PortSide::Right),
        Some("LEFT" | "2") => Some(PortSide::Left),
        _ => None,
    }
}

/// A door's settings as Raixer keeps them.
pub(super) fn settings(door: wire::Door) -> DoorSettings {
    DoorSettings {
        usage: usage(&door),
        port: port_side(door.port.as_deref()),
        sensor_mode: match door.sensor_mode.as_deref() {
            Some("BELL") => Some(SensorMode::Bell),
            Some("OPENINGSENSOR") => Some(SensorMode::OpeningSensor),
            _ => None,
        },
        name: door.name,
        opening_value: door.opening_value,
        tolerance: door.tolerance,
        max_openings: door.max_openings.and_then(values::whole),
        wait_time_first: door.wait_time_first.and_then(values::whole),
        two_openings: door.two_openings,
        must_call_bell_first: door.must_call_bell_first,
        intercom_call_first: door.intercom_call_first,
        intercom_enable_auto_access: door.intercom_enable_auto_access,
    }
}

/// The position of each door, and whether that number certainly names it alone. See the README for the reasons.
pub(super) fn positions(doors: &[wire::Door]) -> Vec<(i32, bool)> {
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
