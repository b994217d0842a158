//! Raixer's accesses, telephone numbers, sensors, campaigns, schedules and users as records. `None` is what has no id.

use domain::{
    change::Address,
    clock::{Timestamp, truncate},
    record::{
        AccessProfile, AutoAccessScheduleDetails, CampaignDetails, CampaignKind, CredentialDetails, CredentialStatus,
        CredentialType, DeviceAccessDetails, FoundRecord, ProfileDetails, RecordDetails, SensorDetails,
    },
};
use serde_json::Value;

use super::{port_side, values::whole};
use crate::raixer::wire;

/// What stands for the id of a telephone number that a list told without one: between device and number.
const WITHOUT_ID: &str = "number:";

fn found(external_id: String, device: Option<String>, name: String, details: RecordDetails) -> FoundRecord {
    FoundRecord { external_id, device, location: String::new(), name, details, secret: None }
}

/// Somebody's right to use a device of `owner`.
pub(in crate::raixer) fn access(access: &wire::Access, owner: Option<&str>) -> Option<FoundRecord> {
    let id = access.id.clone()?;
    let details = DeviceAccessDetails {
        holder: access.owner.clone(),
        holder_name: access.owner_name.clone(),
        holder_email: access.owner_email.clone(),
        profile: access.profile.as_deref().and_then(AccessProfile::parse),
        disabled: access.disabled == Some(true),
        device_owner: owner.map(str::to_owned),
    };
    let name = [&access.name, &access.owner_name, &access.owner_email].into_iter().flatten().next();
    let name = name.unwrap_or(&id).clone();
    Some(found(id, access.device_id.clone(), name, RecordDetails::DeviceAccess(details)))
}

/// A telephone number of a device, as one element of a list: a number, a text, or an object with an id.
pub(in crate::raixer) fn listed_phone(listed: Value) -> Option<wire::Phone> {
    match listed {
        Value::Number(number) => Some(wire::Phone { phone_number: Some(number.to_string()), ..wire::Phone::default() }),
        Value::String(text) if !text.trim().is_empty() => {
            Some(wire::Phone { phone_number: Some(text.trim().to_owned()), ..wire::Phone::default() })
        }
        Value::Object(_) => serde_json::from_value(listed).ok(),
        _ => None,
    }
}

/// A telephone number. Without an id, its device and itself have to name it.
pub(in crate::raixer) fn phone(phone: &wire::Phone, asked_device: Option<&str>) -> Option<FoundRecord> {
    let device = phone.device_id.clone().or_else(|| asked_device.map(str::to_owned));
    let id = match (&phone.id, &device, &phone.phone_number) {
        (Some(id), _, _) => id.clone(),
        (None, Some(device), Some(number)) => format!("{WITHOUT_ID}{device}/{number}"),
        _ => return None,
    };
    let details = CredentialDetails {
        credential_type: CredentialType::PhoneNumber,
        status: status(phone),
        number: phone.phone_number.clone(),
        id_number: None,
        user: None,
        access_from: None,
        access_until: None,
        access_levels: None,
        last_used_at: None,
    };
    let name = phone.phone_number.clone().unwrap_or_else(|| id.clone());
    Some(found(id, device, name, RecordDetails::Credential(details)))
}

/// Whether a telephone number opens. The document's samples leave `authorized` out and give true as its default; a bare
/// number in a list says nothing of it.
pub(in crate::raixer) fn status(phone: &wire::Phone) -> CredentialStatus {
    let word = match &phone.authorized {
        None if phone.id.is_some() => return CredentialStatus::Active,
        None => return CredentialStatus::Unknown,
        Some(Value::String(word)) => word.trim().to_ascii_lowercase(),
        Some(other) => other.to_string(),
    };
    match word.as_str() {
        "true" | "1" => CredentialStatus::Active,
        "false" | "0" => CredentialStatus::Suspended,
        _ => CredentialStatus::Unknown,
    }
}

/// The device of a telephone number that has no id at the vendor.
pub(in crate::raixer) fn device_of_phone_without_id(external_id: &str) -> Option<&str> {
    external_id.strip_prefix(WITHOUT_ID).and_then(|rest| rest.rsplit_once('/')).map(|(device, _)| device)
}

/// A sensor of a device.
pub(in crate::raixer) fn sensor(sensor: &wire::Sensor, device: &str) -> Option<FoundRecord> {
    let id = sensor.id.clone()?;
    let details = SensorDetails { usage: sensor.purpose.clone(), port: port_side(sensor.port.as_deref()) };
    let name = sensor.name.clone().unwrap_or_else(|| id.clone());
    Some(found(id, Some(device.to_owned()), name, RecordDetails::Sensor(details)))
}

/// The plan of a device.
pub(in crate::raixer) fn campaign(
    campaign: &wire::Campaign,
    kind: CampaignKind,
    device: Option<String>,
) -> Option<FoundRecord> {
    let id = campaign.id.clone()?;
    let details = CampaignDetails {
        campaign_kind: kind,
        mode: campaign.mode.clone(),
        price: campaign.price,
        accumulated: campaign.accumulated,
        time: campaign.time,
        subscription: campaign.subscription_id.clone(),
        offline_auto_access: campaign.offline_auto_access,
        auto_access_always_active: campaign.auto_access_always_active,
    };
    let name = campaign.name.clone().unwrap_or_else(|| id.clone());
    Some(found(id, device, name, RecordDetails::Campaign(details)))
}

/// When a door will listen. `None` also without a time: a plan without one must not be shown as one.
pub(in crate::raixer) fn schedule(schedule: &wire::Schedule, device: Option<String>) -> Option<FoundRecord> {
    let id = schedule.id.clone()?;
    let details = AutoAccessScheduleDetails {
        campaign: schedule.campaign_id.clone(),
        starts_at: starts_at(schedule)?,
        minutes: whole(schedule.time?)?,
        position: schedule.door_port.as_deref().map_or(Some(1), |port| port.parse().ok()),
    };
    let name = format!("{} min", details.minutes);
    Some(found(id, device, name, RecordDetails::AutoAccessSchedule(details)))
}

/// When a planned listening begins.
pub(in crate::raixer) fn starts_at(schedule: &wire::Schedule) -> Option<Timestamp> {
    super::values::instant_of_milliseconds(schedule.schedule?).map(truncate)
}

/// The account's own profile.
pub(in crate::raixer) fn profile(user: &wire::User) -> Option<FoundRecord> {
    let id = user.id.clone()?;
    let details = ProfileDetails {
        display_name: user.display_name.clone(),
        email: user.email.clone(),
        time_zone: None,
        address: user.address.as_ref().map(address),
    };
    let name = [&user.display_name, &user.email].into_iter().flatten().next().unwrap_or(&id).clone();
    Some(found(id, None, name, RecordDetails::Profile(details)))
}

/// Where invoices go; the vendor calls the identification number `address`, and the street `street2`.
pub(in crate::raixer) fn address(address: &wire::Address) -> Address {
    Address {
        email: address.email.clone(),
        name: address.name.clone(),
        tax_id: address.address.clone(),
        street: address.street2.clone(),
        city: address.city.clone(),
        postal_code: address.zip.clone(),
        state: address.state.clone(),
        country: address.country.clone(),
    }
}

#[cfg(test)]
mod tests;
