//! An intercom itself: listening, modes, doors, sensors, and what its own cloud offers.

use domain::{
    change::{AutoAccessOptions, DoorSettings, MovementAlarm, SensorSettings},
    command::FailureCode,
    record::RecordKind,
};
use http::Method;
use serde_json::json;

use super::{before, done, done_at, done_without, door, nothing_to_change, record};
use crate::{
    error::VendorError,
    port::{ChangeReceipt, Departure, Hint, SyncPart, Target},
    raixer::{
        client::{Raixer, Write, body},
        control::position,
        mapping::{answers, orders, values},
        wire::{self, bodies},
    },
};

fn unknown_device() -> VendorError {
    VendorError::rejected(FailureCode::DeviceNotFound, "Raixer does not know the device, or not for this account.")
}

impl Raixer {
    pub(super) async fn start_auto_access(
        &self,
        target: &Target,
        options: &AutoAccessOptions,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let write = Write {
            operation: "start auto access",
            method: Method::POST,
            path: &["devices", &target.device, "start-job", &position(target)?.to_string()],
            body: body(&orders::auto_access(options))?,
        };
        let reply = self.write(write, departure).await?;
        let note = answers::of_one_door(reply.json()?, |words| self.caller.clean(words))?;
        Ok(ChangeReceipt { notes: note.into_iter().collect(), ..done_at(target) })
    }

    pub(super) async fn stop_auto_access(
        &self,
        target: &Target,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let write = Write {
            operation: "stop auto access",
            method: Method::POST,
            path: &["devices", &target.device, "stop-job", &position(target)?.to_string()],
            body: None,
        };
        let executions: Vec<wire::Execution> = self.write(write, departure).await?.json()?;
        let notes = answers::of_doors(&executions, |words| self.caller.clean(words))?;
        Ok(ChangeReceipt { notes: notes.into_iter().take(20).collect(), ..done_at(target) })
    }

    pub(super) async fn set_always_active(
        &self,
        target: &Target,
        active: bool,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let write = Write {
            operation: "set auto access always active",
            method: Method::POST,
            path: &["devices", &target.device, "auto-access-always-active"],
            body: body(&bodies::AlwaysActive { auto_access_always_active: active })?,
        };
        self.update(write, departure).await?;
        Ok(done_at(target))
    }

    pub(super) async fn set_offline(
        &self,
        target: &Target,
        active: bool,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let write = Write {
            operation: "set offline auto access",
            method: Method::POST,
            path: &["devices", &target.device, "offline-auto-access"],
            body: body(&bodies::OfflineAutoAccess { offline_auto_access: active })?,
        };
        self.update(write, departure).await?;
        Ok(done_at(target))
    }

    pub(super) async fn set_movement_alarm(
        &self,
        target: &Target,
        alarm: MovementAlarm,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let (action, expected) = orders::movement_alarm(alarm);
        let write = Write {
            operation: "set movement alarm",
            method: Method::POST,
            path: &["devices", &target.device, "movement-alarm", action],
            body: None,
        };
        let execution: wire::Execution = self.write(write, departure).await?.json()?;
        let note = answers::of_one(&execution, |words| self.caller.clean(words))?;
        answers::returned(&execution, Some(expected))?;
        Ok(ChangeReceipt { notes: note.into_iter().collect(), ..done(None, Vec::new()) })
    }

    pub(super) async fn set_phone_access(
        &self,
        target: &Target,
        any_caller: bool,
        enabled: bool,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let switch = if enabled { "enable" } else { "disable" };
        let of_phones = ["devices", &target.device, "doors", door(target)?, "phone", switch];
        let of_any_caller = ["devices", &target.device, "doors", door(target)?, "phone", "any-caller", switch];
        let path: &[&str] = if any_caller { &of_any_caller } else { &of_phones };
        let write = Write { operation: "set phone access", method: Method::POST, path, body: None };
        self.update(write, departure).await?;
        Ok(done_at(target))
    }

    pub(super) async fn read_variable(&self, target: &Target, name: &str) -> Result<ChangeReceipt, VendorError> {
        let path = ["devices", &target.device, "variable", name];
        let variable: Option<wire::Variable> = self.of_device("read variable", &path, &[]).await?;
        let variable = variable.ok_or_else(unknown_device)?;
        if variable.result.is_none() {
            return Err(answers::odd());
        }
        let result = values::variable(name, &variable, |words| self.caller.clean(words));
        Ok(done(Some(result), Vec::new()))
    }

    pub(super) async fn read_information(&self, target: &Target) -> Result<ChangeReceipt, VendorError> {
        let path = ["devices", &target.device, "information"];
        let information: Option<wire::Information> = self.of_device("read information", &path, &[]).await?;
        let information = information.ok_or_else(unknown_device)?;
        Ok(done(Some(values::information(&information, |words| self.caller.clean(words))), Vec::new()))
    }

    pub(super) async fn execute_function(
        &self,
        target: &Target,
        name: &str,
        argument: Option<&str>,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let function = orders::function(name, argument)?;
        let body = match function.argument {
            Some(arg) => body(&bodies::FunctionCall { arg })?,
            None => None,
        };
        let path = ["devices", &target.device, "function", name];
        let write = Write { operation: "execute function", method: Method::POST, path: &path, body };
        let execution: wire::Execution = self.write(write, departure).await?.json()?;
        let note = answers::of_one(&execution, |words| self.caller.clean(words))?;
        answers::returned(&execution, function.returns)?;
        let result = json!({ "function": name, "value": execution.result });
        Ok(ChangeReceipt { result: Some(result), notes: note.into_iter().collect(), ..done_at(target) })
    }

    pub(super) async fn remove_device(
        &self,
        target: &Target,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let path = ["devices", &target.device];
        let answer: Option<wire::Removed> = self.remove_with_answer("remove device", &path, departure).await?;
        match answer.map(|answer| answer.removed) {
            None | Some(Some(true)) => {
                let hints = vec![Hint::Device(target.device.clone()), Hint::Part(SyncPart::DeviceAccess)];
                Ok(done(None, hints))
            }
            Some(Some(false)) => {
                Err(VendorError::rejected(FailureCode::VendorRejected, "Raixer did not remove the device."))
            }
            Some(None) => Err(answers::odd()),
        }
    }

    pub(super) async fn create_door(
        &self,
        target: &Target,
        settings: &DoorSettings,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let write = Write {
            operation: "create door",
            method: Method::POST,
            path: &["devices", &target.device, "doors"],
            body: body(&orders::door(&target.device, settings))?,
        };
        let id = self.insert(write, departure).await?;
        Ok(done(Some(json!({ "externalId": id })), vec![Hint::Device(target.device.clone())]))
    }

    pub(super) async fn update_door(
        &self,
        target: &Target,
        settings: &DoorSettings,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        if *settings == DoorSettings::default() {
            return Err(nothing_to_change());
        }
        let write = Write {
            operation: "update door",
            method: Method::PUT,
            path: &["devices", &target.device, "doors", door(target)?],
            body: body(&orders::door(&target.device, settings))?,
        };
        self.update(write, departure).await?;
        Ok(done_at(target))
    }

    /// A device keeps at least one door (document 001), so its doors are read before one is taken away.
    pub(super) async fn delete_door(
        &self,
        target: &Target,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let door = door(target)?;
        let doors = before(self.doors_of(&target.device).await)?.ok_or_else(unknown_device)?;
        if !doors.iter().any(|listed| listed.id.as_deref() == Some(door)) {
            return Ok(done_at(target));
        }
        if doors.len() < 2 {
            return Err(VendorError::unsupported(
                "It is the device's last door, and a Raixer device has at least one.",
            ));
        }
        self.remove("delete door", &["devices", &target.device, "doors", door], departure).await?;
        Ok(done_at(target))
    }

    pub(super) async fn create_sensor(
        &self,
        target: &Target,
        settings: &SensorSettings,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let write = Write {
            operation: "create sensor",
            method: Method::POST,
            path: &["devices", &target.device, "sensors"],
            body: body(&orders::sensor(settings))?,
        };
        let id = self.insert(write, departure).await?;
        let receipt = done(Some(json!({ "externalId": id })), Vec::new());
        Ok(self.with_sensor(receipt, target, &id).await)
    }

    pub(super) async fn update_sensor(
        &self,
        target: &Target,
        sensor: &str,
        settings: &SensorSettings,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        if *settings == SensorSettings::default() {
            return Err(nothing_to_change());
        }
        let write = Write {
            operation: "update sensor",
            method: Method::PUT,
            path: &["devices", &target.device, "sensors", sensor],
            body: body(&orders::sensor(settings))?,
        };
        self.update(write, departure).await?;
        Ok(self.with_sensor(done(None, Vec::new()), target, sensor).await)
    }

    pub(super) async fn delete_sensor(
        &self,
        target: &Target,
        sensor: &str,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        self.remove("delete sensor", &["devices", &target.device, "sensors", sensor], departure).await?;
        Ok(done_without(RecordKind::Sensor, sensor))
    }

    /// Adds what the device's list now tells of a sensor, or has it read again.
    pub(super) async fn with_sensor(&self, mut receipt: ChangeReceipt, target: &Target, id: &str) -> ChangeReceipt {
        let sensors = self.sensors_of(&target.device).await.ok().flatten().unwrap_or_default();
        let found = sensors.iter().find(|sensor| sensor.id.as_deref() == Some(id));
        match found.and_then(|sensor| crate::raixer::mapping::records::sensor(sensor, &target.device)) {
            Some(found) => receipt.found.records.push(found),
            None => receipt.hints.push(Hint::Record(record(RecordKind::Sensor, id))),
        }
        receipt
    }
}
