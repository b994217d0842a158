//! Changing what Raixer keeps. `device` configures intercoms and makes them listen, `access` and `phones` say who may
//! use them, `plans` are schedules and the account's profile, `traces` looks for what a lost answer left behind.

mod access;
mod device;
mod phones;
mod plans;
mod traces;

use async_trait::async_trait;
use domain::{
    change::{AccessHolder, Change},
    record::{RecordKind, RecordRef},
};
use serde_json::Value;

use super::{client::Raixer, mapping::answers};
use crate::{
    error::VendorError,
    port::{Administration, ChangeReceipt, Departure, Hint, Inventory, Order, Target, Trace},
};

#[async_trait]
impl Administration for Raixer {
    async fn carry_out(&self, order: Order<'_>, departure: &Departure) -> Result<ChangeReceipt, VendorError> {
        match order.change {
            Change::UpdateAccountProfile(profile) => return self.update_profile(profile, departure).await,
            change if is_foreign(change) => {
                return Err(VendorError::unsupported(format!("Raixer offers no {} through its API.", change.kind())));
            }
            _ => {}
        }
        let target = target(&order)?;
        match order.change {
            Change::StartAutoAccess(options) => self.start_auto_access(target, options, departure).await,
            Change::StopAutoAccess => self.stop_auto_access(target, departure).await,
            Change::SetAutoAccessAlwaysActive { active } => self.set_always_active(target, *active, departure).await,
            Change::SetOfflineAutoAccess { active } => self.set_offline(target, *active, departure).await,
            Change::SetMovementAlarm { alarm } => self.set_movement_alarm(target, *alarm, departure).await,
            Change::SetPhoneAccess { enabled } => self.set_phone_access(target, false, *enabled, departure).await,
            Change::SetAnyCallerAccess { enabled } => self.set_phone_access(target, true, *enabled, departure).await,
            Change::ReadDeviceVariable { variable } => self.read_variable(target, variable).await,
            Change::ReadDeviceInformation => self.read_information(target).await,
            Change::ExecuteDeviceFunction { function, argument } => {
                self.execute_function(target, function, argument.as_deref(), departure).await
            }
            Change::RemoveDevice => self.remove_device(target, departure).await,
            Change::CreateDoor(settings) => self.create_door(target, settings, departure).await,
            Change::UpdateDoor(settings) => self.update_door(target, settings, departure).await,
            Change::DeleteDoor => self.delete_door(target, departure).await,
            Change::CreateSensor(settings) => self.create_sensor(target, settings, departure).await,
            Change::UpdateSensor { sensor, settings } => self.update_sensor(target, sensor, settings, departure).await,
            Change::DeleteSensor { sensor } => self.delete_sensor(target, sensor, departure).await,
            Change::AuthorizePhone { number, authorized } => {
                self.authorize_phone(target, number, *authorized, departure).await
            }
            Change::SuspendPhone { phone } => self.set_phone(target, phone, false, departure).await,
            Change::ResumePhone { phone } => self.set_phone(target, phone, true, departure).await,
            Change::RemovePhone { phone } => self.remove_phone(target, phone, departure).await,
            Change::GrantDeviceAccess(plan) => self.grant_access(target, plan, departure).await,
            Change::ChangeDeviceAccess { holder, plan } => self.change_access(target, holder, plan, departure).await,
            Change::SuspendDeviceAccess { holder } => self.set_access(target, holder, true, departure).await,
            Change::ResumeDeviceAccess { holder } => self.set_access(target, holder, false, departure).await,
            Change::RevokeDeviceAccess { holder: AccessHolder::Record(id) } => self.revoke_record(id, departure).await,
            Change::RevokeDeviceAccess { holder: AccessHolder::Email(email) } => {
                self.revoke_email(target, email, departure).await
            }
            Change::CreateAutoAccessSchedule { starts_at, minutes } => {
                self.create_schedule(target, *starts_at, *minutes, departure).await
            }
            Change::UpdateAutoAccessSchedule { schedule, starts_at, minutes } => {
                self.update_schedule(target, schedule, (*starts_at, *minutes), departure).await
            }
            Change::DeleteAutoAccessSchedule { schedule } => self.delete_schedule(schedule, departure).await,
            change => Err(VendorError::unsupported(format!("Raixer offers no {} through its API.", change.kind()))),
        }
    }

    async fn look_for(&self, order: Order<'_>) -> Result<Trace, VendorError> {
        self.trace(&order).await
    }
}

/// What other vendors keep.
const fn is_foreign(change: &Change) -> bool {
    matches!(
        change,
        Change::CreateDoors { .. }
            | Change::ImportUsers { .. }
            | Change::DisableUsers { .. }
            | Change::CreateFobs { .. }
            | Change::AssignFobs { .. }
            | Change::ReissueCredentials { .. }
            | Change::ReadNextCardNumber
            | Change::AddPmsAccessToken(_)
            | Change::UpdatePmsAccessToken { .. }
            | Change::DeletePmsAccessToken { .. }
    )
}

fn target<'a>(order: &Order<'a>) -> Result<&'a Target, VendorError> {
    order.target.ok_or_else(|| VendorError::unsupported("This is asked of a Raixer device, and none is named."))
}

/// The vendor's id of the door that is meant.
fn door(target: &Target) -> Result<&str, VendorError> {
    target.door.as_deref().ok_or_else(|| VendorError::unsupported("This is asked of a Raixer door, and none is named."))
}

/// Done, with what the caller gets and what is to be read again.
fn done(result: Option<Value>, hints: Vec<Hint>) -> ChangeReceipt {
    ChangeReceipt { result, hints, ..ChangeReceipt::of(answers::done()) }
}

/// Done, and the device is to be read again.
fn done_at(target: &Target) -> ChangeReceipt {
    done(None, vec![Hint::Device(target.device.clone())])
}

/// Done: a record is gone.
fn done_without(kind: RecordKind, id: &str) -> ChangeReceipt {
    ChangeReceipt { gone: vec![record(kind, id)], ..ChangeReceipt::of(answers::done()) }
}

fn record(kind: RecordKind, id: &str) -> RecordRef {
    RecordRef { kind, external_id: id.to_owned() }
}

/// What was read before anything was sent: an answer that makes no sense leaves nothing open then.
fn before<T>(read: Result<T, VendorError>) -> Result<T, VendorError> {
    read.map_err(|error| match error {
        VendorError::Protocol { message } => VendorError::not_ready(message),
        error => error,
    })
}

fn nothing_to_change() -> VendorError {
    VendorError::unsupported("Nothing is to be changed.")
}

impl Raixer {
    /// Adds what Raixer now keeps of a record. If it can not be read at once, it is to be read again: the change itself
    /// is done.
    async fn with_record(&self, mut receipt: ChangeReceipt, kind: RecordKind, id: &str) -> ChangeReceipt {
        let hint = Hint::Record(record(kind, id));
        match self.reread(&hint, self.now()).await {
            Ok(portion) if !portion.records.is_empty() => receipt.found.records.extend(portion.records),
            _ => receipt.hints.push(hint),
        }
        receipt
    }
}

#[cfg(test)]
mod tests;
