//! R33 and R34: what a device tells about itself. The lists are those of the reference, by device type.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    body::Refusal,
    functions,
    hardware::Alarm,
    ok,
    state::{Device, Raixer, RaixerKind},
    wire::time,
};
use crate::answer::{Answer, Call, Circumstances};

const PRODUCT: u32 = 1234;

/// Which devices have a variable or a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    All,
    /// Intercom Two Doors and Access.
    Larger,
    /// Intercom One Door and Intercom Two Doors.
    Intercoms,
    TwoDoors,
    Access,
}

impl On {
    pub(super) fn has(self, kind: RaixerKind) -> bool {
        match self {
            On::All => true,
            On::Larger => kind.is_larger(),
            On::Intercoms => matches!(kind, RaixerKind::OneDoor | RaixerKind::TwoDoors),
            On::TwoDoors => kind == RaixerKind::TwoDoors,
            On::Access => kind == RaixerKind::Access,
        }
    }
}

/// Name, type (in the words of the device cloud; the reference has none) and devices.
const VARIABLES: [(&str, &str, On); 19] = [
    ("connected", "int32", On::All),
    ("status", "string", On::All),
    ("status2", "string", On::Larger),
    ("buzzerValue", "int32", On::All),
    ("buzzerValue2", "int32", On::Larger),
    ("openValue", "int32", On::All),
    ("openValue2", "int32", On::Larger),
    ("tolerance", "int32", On::All),
    ("tolerance2", "int32", On::Larger),
    ("sensorMode", "int32", On::All),
    ("sensorMode2", "int32", On::Larger),
    ("doorIsOpen", "int32", On::Intercoms),
    ("doorIsOpen2", "int32", On::TwoDoors),
    ("doorIsOpen3", "int32", On::Access),
    ("movement", "int32", On::Larger),
    ("lastMovement", "int32", On::Larger),
    ("timeNow", "int32", On::Larger),
    ("timeValid", "bool", On::Larger),
    ("moveAlarm", "int32", On::Larger),
];

/// Millivolts at rest.
const REST: u32 = 120;

impl Device {
    /// When the device was last heard: just now while it is online.
    fn heard(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        if self.online { now } else { self.last_heard }
    }

    /// The six parts of `status`.
    fn status(&self, port: u32) -> String {
        let (listening, by, since) = match self.listening(port) {
            Some((since, by)) => (1, by, since.timestamp()),
            None => (0, "", 0),
        };
        let openings = self.port(port).map_or(0, |port| port.openings);
        let intercom = u8::from(self.kind != RaixerKind::Power);
        format!("{listening},{by},{since},{},{intercom},{openings}", self.powered_on.timestamp())
    }

    fn variable(&self, name: &str, now: DateTime<Utc>) -> Option<Value> {
        let (_, _, on) = VARIABLES.iter().find(|(known, _, _)| *known == name)?;
        if !on.has(self.kind) {
            return None;
        }
        let (stem, port) = match name.chars().last().and_then(|last| last.to_digit(10)) {
            Some(port) => (name.trim_end_matches(|letter: char| letter.is_ascii_digit()), port),
            None => (name, 1),
        };
        let door = |key: &str| self.door_at(port).and_then(|door| door.fields.get(key)).cloned().unwrap_or(json!(0));
        let state = self.port(port);
        Some(match stem {
            "connected" => json!(1),
            "status" => json!(self.status(port)),
            "buzzerValue" => json!(REST),
            "openValue" => door("openingValue"),
            "tolerance" => door("tolerance"),
            "sensorMode" => json!(u8::from(self.door_at(port).is_some_and(|door| door.is_opening_sensor()))),
            "doorIsOpen" => json!(u8::from(state.is_some_and(|state| state.open != state.reversed))),
            "movement" => json!(u8::from(self.movement)),
            "lastMovement" => json!(self.last_movement.map_or(0, |at| at.timestamp())),
            "timeNow" => json!(now.timestamp()),
            "timeValid" => json!(true),
            _ => json!(u8::from(self.alarm != Alarm::Off)),
        })
    }
}

impl Raixer {
    /// R33, also of a device that is offline.
    pub(super) fn get_information(
        &self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let device = self.devices.get(self.permitted(account, call)?).ok_or(Refusal::NO_SUCH_DEVICE)?;
        let variables = VARIABLES.iter().filter(|(_, _, on)| on.has(device.kind));
        let variables: Map<String, Value> =
            variables.map(|(name, kind, _)| ((*name).to_owned(), json!(kind))).collect();
        Ok(ok(&json!({
            "id": device.id,
            "name": device.name,
            "last_app": null,
            "last_ip_address": "198.51.100.7",
            "last_heard": time(device.heard(at.now)),
            "product_id": PRODUCT,
            "connected": device.online,
            "platform_id": 8,
            "cellular": false,
            "notes": null,
            "status": "normal",
            "current_build_target": "0.8.0-rc.10",
            "system_firmware_version": "0.8.0-rc.10",
            "pinned_build_target": "0.8.0-rc.10",
            "default_build_target": "0.7.0",
            "variables": variables,
            "functions": functions::names(device.kind),
            "groups": [],
            "targeted_firmware_release_version": null,
        })))
    }

    /// R34. A variable the device does not have is a 404 here: the reference says only that it must be listed.
    pub(super) fn get_variable(&self, account: usize, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        let index = self.permitted(account, call)?;
        let device = self.devices.get(index).ok_or(Refusal::NO_SUCH_DEVICE)?;
        let result = device.variable(call.param(1), at.now).ok_or(Refusal::NOT_FOUND)?;
        self.attempt(index, 0, true, at).map_err(|_| Refusal::UNREACHABLE)?;
        Ok(ok(&json!({
            "cmd": "VarReturn",
            "name": call.param(1),
            "result": result,
            "coreInfo": {
                "last_app": "",
                "last_heard": time(device.heard(at.now)),
                "connected": device.online,
                "last_handshake_at": time(device.powered_on),
                "deviceID": device.id,
                "product_id": PRODUCT,
            },
        })))
    }
}
