//! Looking for what a change left behind whose answer was lost. Reads only. That something is absent is concluded from
//! complete lists alone, and that it was us only from what began after the sending.

use chrono::TimeDelta;
use domain::{
    change::{AccessHolder, Change, MovementAlarm},
    clock::Timestamp,
    record::{CredentialStatus, RecordKind},
};
use serde_json::json;

use super::{access::is_of, done, done_at, done_without, phones::with_id, record, target};
use crate::{
    error::VendorError,
    port::{ChangeReceipt, Hint, Order, Target, Trace},
    raixer::{
        client::Raixer,
        control::position,
        mapping::{self, orders, records, values},
        wire,
    },
};

/// How far Raixer's clock may be behind ours. A record that is older than this was made by somebody else.
const CLOCKS: TimeDelta = TimeDelta::minutes(2);

fn made(receipt: ChangeReceipt) -> Trace {
    Trace::Made(Box::new(receipt))
}

/// For levels: whether the state is as wished; `None` if it is not told.
fn level(is_met: Option<bool>, receipt: impl FnOnce() -> ChangeReceipt) -> Trace {
    match is_met {
        Some(true) => made(receipt()),
        Some(false) => Trace::Absent,
        None => Trace::Unclear,
    }
}

/// The newest of what matches, if it was made after the sending; `None` is where that can not be told.
fn newest<T>(
    matching: impl Iterator<Item = T>,
    created: impl Fn(&T) -> Option<Timestamp>,
    first_sent_at: Option<Timestamp>,
) -> Option<Option<T>> {
    let mut newest: Option<(Timestamp, T)> = None;
    for item in matching {
        let at = created(&item)?;
        if first_sent_at.is_none_or(|sent| at >= sent - CLOCKS) && newest.as_ref().is_none_or(|(best, _)| at > *best) {
            newest = Some((at, item));
        }
    }
    Some(newest.map(|(_, item)| item))
}

impl Raixer {
    pub(super) async fn trace(&self, order: &Order<'_>) -> Result<Trace, VendorError> {
        if let Change::UpdateAccountProfile(profile) = order.change {
            let id = match profile.user.trim() {
                "" => self.own_user().await?,
                user => Some(user.to_owned()),
            };
            let Some(user) = (match &id {
                Some(id) => self.user(id).await?,
                None => None,
            }) else {
                return Ok(Trace::Unclear);
            };
            let address = user.address.as_ref().map(records::address).unwrap_or_default();
            let met = |wished: &Option<String>, is: &Option<String>| wished.is_none() || wished == is;
            let is_met = met(&profile.display_name, &user.display_name)
                && met(&profile.email, &user.email)
                && profile.address.as_ref().is_none_or(|wished| orders::is_met_by(wished, &address));
            return Ok(level(Some(is_met), || {
                done(None, vec![Hint::Record(record(RecordKind::Profile, &id.unwrap_or_default()))])
            }));
        }
        let target = target(order)?;
        match order.change {
            Change::StartAutoAccess(_) | Change::StopAutoAccess => self.trace_listening(order, target).await,
            Change::SetAutoAccessAlwaysActive { .. } | Change::SetOfflineAutoAccess { .. } => {
                self.trace_mode(order, target).await
            }
            Change::SetMovementAlarm { alarm } => self.trace_alarm(*alarm, target).await,
            Change::SetPhoneAccess { .. }
            | Change::SetAnyCallerAccess { .. }
            | Change::CreateDoor(_)
            | Change::UpdateDoor(_)
            | Change::DeleteDoor => self.trace_door(order, target).await,
            // Nothing is left of a question: it may be asked again.
            Change::ReadDeviceVariable { .. } | Change::ReadDeviceInformation => Ok(Trace::Absent),
            Change::RemoveDevice => {
                let gone = !self.known_devices().await?.iter().any(|known| known.id == target.device);
                Ok(level(Some(gone), || done_at(target)))
            }
            Change::CreateSensor(_) | Change::UpdateSensor { .. } | Change::DeleteSensor { .. } => {
                self.trace_sensor(order, target).await
            }
            Change::AuthorizePhone { .. }
            | Change::SuspendPhone { .. }
            | Change::ResumePhone { .. }
            | Change::RemovePhone { .. } => self.trace_phone(order, target).await,
            Change::GrantDeviceAccess(_)
            | Change::ChangeDeviceAccess { .. }
            | Change::SuspendDeviceAccess { .. }
            | Change::ResumeDeviceAccess { .. }
            | Change::RevokeDeviceAccess { .. } => self.trace_access(order, target).await,
            Change::CreateAutoAccessSchedule { .. }
            | Change::UpdateAutoAccessSchedule { .. }
            | Change::DeleteAutoAccessSchedule { .. } => self.trace_schedule(order, target).await,
            _ => Ok(Trace::Unclear),
        }
    }

    async fn trace_listening(&self, order: &Order<'_>, target: &Target) -> Result<Trace, VendorError> {
        let Some(status) = self.status(&target.device, position(target)?).await? else { return Ok(Trace::Unclear) };
        if *order.change == Change::StopAutoAccess {
            return Ok(level(Some(!status.listening), || done_at(target)));
        }
        // The device tells whole seconds.
        let since = status.listening_since.filter(|_| status.listening).map(|since| since + TimeDelta::seconds(1));
        let is_ours = since.zip(order.first_sent_at).is_some_and(|(since, sent)| since > sent);
        Ok(if is_ours { made(done_at(target)) } else { Trace::Unclear })
    }

    async fn trace_mode(&self, order: &Order<'_>, target: &Target) -> Result<Trace, VendorError> {
        let known = self.known_devices().await?.into_iter().find(|known| known.id == target.device);
        let Some(known) = known else { return Ok(Trace::Unclear) };
        let updated = known.device.updated;
        let beside = mapping::Beside { access: known.access.as_ref(), ..mapping::Beside::default() };
        let Some(found) = mapping::device(known.device, Vec::new(), &beside) else { return Ok(Trace::Unclear) };
        let (is, wished) = match order.change {
            Change::SetAutoAccessAlwaysActive { active } => (found.details.auto_access_always_active, *active),
            Change::SetOfflineAutoAccess { active } => (found.details.offline_auto_access, *active),
            _ => (None, true),
        };
        Ok(switched(order, is, wished, updated, target))
    }

    async fn trace_alarm(&self, alarm: MovementAlarm, target: &Target) -> Result<Trace, VendorError> {
        let path = ["devices", &target.device, "variable", "moveAlarm"];
        let variable: Option<wire::Variable> = self.of_device("read alarm", &path, &[]).await?;
        let active = variable.as_ref().and_then(values::switch);
        Ok(match (active, alarm) {
            (Some(active), MovementAlarm::Off) => level(Some(!active), || done(None, Vec::new())),
            (Some(false), _) => Trace::Absent,
            // It does not tell once from always.
            (Some(true), _) | (None, _) => Trace::Unclear,
        })
    }

    async fn trace_door(&self, order: &Order<'_>, target: &Target) -> Result<Trace, VendorError> {
        let Some(doors) = self.doors_of(&target.device).await? else { return Ok(Trace::Unclear) };
        if let Change::CreateDoor(wished) = order.change {
            let matching = doors.into_iter().filter(|door| orders::is_met(wished, &mapping::settings(door.clone())));
            return Ok(match newest(matching, |door| door.created, order.first_sent_at) {
                None => Trace::Unclear,
                Some(None) => Trace::Absent,
                Some(Some(door)) => {
                    made(done(Some(json!({ "externalId": door.id })), vec![Hint::Device(target.device.clone())]))
                }
            });
        }
        let door = doors.into_iter().find(|door| door.id.is_some() && door.id == target.door);
        Ok(match (order.change, door) {
            (Change::DeleteDoor, door) => level(Some(door.is_none()), || done_at(target)),
            (Change::UpdateDoor(wished), Some(door)) => {
                level(Some(orders::is_met(wished, &mapping::settings(door))), || done_at(target))
            }
            (Change::SetPhoneAccess { enabled }, Some(door)) => {
                switched(order, door.calling_enabled, *enabled, door.updated, target)
            }
            (Change::SetAnyCallerAccess { enabled }, Some(door)) => {
                switched(order, door.any_caller_enabled, *enabled, door.updated, target)
            }
            _ => Trace::Unclear,
        })
    }

    async fn trace_sensor(&self, order: &Order<'_>, target: &Target) -> Result<Trace, VendorError> {
        let Some(sensors) = self.sensors_of(&target.device).await? else { return Ok(Trace::Unclear) };
        let is_met = |wished: &domain::change::SensorSettings, sensor: &wire::Sensor| {
            (wished.name.is_none() || wished.name == sensor.name)
                && (wished.port.is_none() || wished.port == mapping::port_side(sensor.port.as_deref()))
        };
        let find = |id: &str| sensors.iter().find(|sensor| sensor.id.as_deref() == Some(id));
        Ok(match order.change {
            Change::CreateSensor(wished) => {
                let matching = sensors.iter().filter(|sensor| is_met(wished, sensor));
                match newest(matching, |sensor| sensor.created, order.first_sent_at) {
                    None => Trace::Unclear,
                    Some(None) => Trace::Absent,
                    Some(Some(sensor)) => {
                        let mut receipt = done(Some(json!({ "externalId": sensor.id })), Vec::new());
                        receipt.found.records.extend(records::sensor(sensor, &target.device));
                        made(receipt)
                    }
                }
            }
            Change::UpdateSensor { sensor, settings } => match find(sensor) {
                Some(is) => level(Some(is_met(settings, is)), || {
                    let mut receipt = done(None, Vec::new());
                    receipt.found.records.extend(records::sensor(is, &target.device));
                    receipt
                }),
                None => Trace::Unclear,
            },
            Change::DeleteSensor { sensor } => {
                level(Some(find(sensor).is_none()), || done_without(RecordKind::Sensor, sensor))
            }
            _ => Trace::Unclear,
        })
    }

    async fn trace_phone(&self, order: &Order<'_>, target: &Target) -> Result<Trace, VendorError> {
        let (phone, wished) = match order.change {
            Change::AuthorizePhone { number, authorized } => {
                return self.trace_new_phone(order, target, number, *authorized).await;
            }
            Change::SuspendPhone { phone } => (phone, Some(CredentialStatus::Suspended)),
            Change::ResumePhone { phone } => (phone, Some(CredentialStatus::Active)),
            Change::RemovePhone { phone } => (phone, None),
            _ => return Ok(Trace::Unclear),
        };
        let id = with_id(phone)?;
        let again = || done(None, vec![Hint::Record(record(RecordKind::Credential, id))]);
        Ok(match (self.phone_by_id(id).await?, wished) {
            (None, Some(CredentialStatus::Active)) => Trace::Unclear,
            (None, _) => made(done_without(RecordKind::Credential, id)),
            (Some(_), None) => Trace::Absent,
            (Some(phone), Some(wished)) => match records::status(&phone) {
                CredentialStatus::Unknown => Trace::Unclear,
                is => level(Some(is == wished), again),
            },
        })
    }

    async fn trace_new_phone(
        &self,
        order: &Order<'_>,
        target: &Target,
        number: &str,
        authorized: bool,
    ) -> Result<Trace, VendorError> {
        let Some(listed) = self.phones_of(&target.device).await? else { return Ok(Trace::Unclear) };
        let same = |phone: &&wire::Phone| {
            phone.phone_number.as_deref().is_some_and(|known| known.trim_start_matches('+') == number)
        };
        let receipt = |phone: &wire::Phone| {
            let found = records::phone(phone, Some(&target.device));
            let mut receipt = done(found.as_ref().map(|found| json!({ "externalId": found.external_id })), Vec::new());
            receipt.found.records.extend(found);
            receipt
        };
        if let Some(bare) = listed.iter().filter(same).find(|phone| phone.id.is_none()) {
            // On the list, though by whom is not told: as wished if it is to open.
            return Ok(if authorized { made(receipt(bare)) } else { Trace::Unclear });
        }
        Ok(match newest(listed.iter().filter(same), |phone| phone.created, order.first_sent_at) {
            None => Trace::Unclear,
            Some(None) => Trace::Absent,
            Some(Some(phone)) => made(receipt(phone)),
        })
    }

    async fn trace_access(&self, order: &Order<'_>, target: &Target) -> Result<Trace, VendorError> {
        let again = || done(None, vec![Hint::Device(target.device.clone())]);
        if matches!(order.change, Change::GrantDeviceAccess(_)) {
            let listed: Vec<wire::Access> = self.own("list accesses", &["connections"], &[]).await?;
            let here = listed.into_iter().filter(|access| access.device_id.as_deref() == Some(&target.device));
            return Ok(match newest(here, |access| access.created, order.first_sent_at) {
                None => Trace::Unclear,
                Some(None) => Trace::Absent,
                Some(Some(access)) => {
                    made(ChangeReceipt { result: Some(json!({ "externalId": access.id })), ..again() })
                }
            });
        }
        let holder = match order.change {
            Change::ChangeDeviceAccess { holder, .. }
            | Change::SuspendDeviceAccess { holder }
            | Change::ResumeDeviceAccess { holder }
            | Change::RevokeDeviceAccess { holder } => holder,
            _ => return Ok(Trace::Unclear),
        };
        let accesses: Vec<wire::Access> = match holder {
            AccessHolder::Record(id) => self.access_by_id(id).await?.into_iter().collect(),
            AccessHolder::Email(email) => {
                let Some(listed) = self.accesses_of(&target.device).await? else { return Ok(Trace::Unclear) };
                if listed.iter().any(|access| access.owner_email.is_none()) {
                    return Ok(Trace::Unclear);
                }
                listed.into_iter().filter(|access| is_of(access, email)).collect()
            }
        };
        let is_met = |access: &wire::Access| match order.change {
            Change::SuspendDeviceAccess { .. } => access.disabled == Some(true),
            Change::ResumeDeviceAccess { .. } => access.disabled != Some(true),
            Change::ChangeDeviceAccess { plan, .. } => {
                plan.profile.is_none_or(|profile| access.profile.as_deref() == Some(profile.as_str()))
                    && plan.disabled.is_none_or(|disabled| (access.disabled == Some(true)) == disabled)
                    && (plan.name.is_none() || plan.name == access.name)
            }
            _ => false,
        };
        let revokes = matches!(order.change, Change::SuspendDeviceAccess { .. } | Change::RevokeDeviceAccess { .. });
        if accesses.is_empty() {
            let gone = match holder {
                AccessHolder::Record(id) => done_without(RecordKind::DeviceAccess, id),
                AccessHolder::Email(_) => again(),
            };
            return Ok(if revokes { made(gone) } else { Trace::Unclear });
        }
        Ok(level(Some(accesses.iter().all(is_met)), again))
    }

    async fn trace_schedule(&self, order: &Order<'_>, target: &Target) -> Result<Trace, VendorError> {
        let (old, starts_at, minutes) = match order.change {
            Change::CreateAutoAccessSchedule { starts_at, minutes } => (None, *starts_at, *minutes),
            Change::UpdateAutoAccessSchedule { schedule, starts_at, minutes } => (Some(schedule), *starts_at, *minutes),
            Change::DeleteAutoAccessSchedule { schedule } => {
                let gone = self.schedule_by_id(schedule).await?.is_none();
                return Ok(level(Some(gone), || done_without(RecordKind::AutoAccessSchedule, schedule)));
            }
            _ => return Ok(Trace::Unclear),
        };
        let campaign = self.campaign_of(target).await?;
        let query = [("campaignId", campaign.as_str())];
        let listed: Vec<wire::Schedule> = self.own("list schedules of campaign", &["schedules"], &query).await?;
        let port = position(target)?;
        let is_met = |schedule: &&wire::Schedule| {
            records::starts_at(schedule).map(|at| at.timestamp_millis()) == Some(starts_at.timestamp_millis())
                && schedule.time.and_then(values::whole) == Some(minutes)
                && schedule.door_port.as_deref().map_or(Some(1), |door_port| door_port.parse().ok()) == Some(port)
        };
        let old_is_listed = old.is_none_or(|old| listed.iter().any(|schedule| schedule.id.as_ref() == Some(old)));
        Ok(match newest(listed.iter().filter(is_met), |schedule| schedule.created, order.first_sent_at) {
            None => Trace::Unclear,
            // One that has begun may have been taken off the list because it has.
            Some(None) if starts_at <= self.now() || !old_is_listed => Trace::Unclear,
            Some(None) => Trace::Absent,
            Some(Some(schedule)) => {
                let mut receipt = done(Some(json!({ "externalId": schedule.id, "replaced": old })), Vec::new());
                receipt.found.records.extend(records::schedule(schedule, Some(target.device.clone())));
                let replaced = old.filter(|old| schedule.id.as_ref() != Some(*old));
                receipt.gone = replaced.map(|old| record(RecordKind::AutoAccessSchedule, old)).into_iter().collect();
                made(receipt)
            }
        })
    }
}

/// A switch: off is a level, on is an edge that only what changed since the sending proves.
fn switched(order: &Order<'_>, is: Option<bool>, wished: bool, updated: Option<Timestamp>, target: &Target) -> Trace {
    if !wished {
        return level(is.map(|is| !is), || done_at(target));
    }
    // Raixer tells whole milliseconds.
    let whole = |at: Timestamp| at.timestamp_millis();
    let since = updated.zip(order.first_sent_at).is_some_and(|(updated, sent)| whole(updated) >= whole(sent));
    if is == Some(true) && since { made(done_at(target)) } else { Trace::Unclear }
}

#[cfg(test)]
mod tests;
