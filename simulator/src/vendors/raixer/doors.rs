//! R21 to R32: the doors and sensors configured in a device, as records. Opening is not done here.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    body::{Fields, Refusal, not_negative},
    ok,
    state::{Device, Raixer, RaixerUse},
    wire::{self, time},
};
use crate::{
    answer::{Answer, Call, Circumstances},
    journal::EffectKind,
};

/// The numbers a caller may set on a door.
const NUMBERS: [&str; 8] = [
    "openingValue",
    "tolerance",
    "maxOpenings",
    "waitTimeFirst",
    "remainingOpenings",
    "remainingTestOpenings",
    "remainingPhoneCalls",
    "remainingRaixerPhoneCalls",
];
/// The booleans a caller may set on a door.
const FLAGS: [&str; 2] = ["twoOpenings", "mustCallBellFirst"];
const PORTS: [&str; 2] = ["right", "left"];
const USES: [&str; 4] = ["street", "home", "garage", "other"];
const SENSOR_MODES: [&str; 2] = ["bell", "openingSensor"];
const SENSOR_USES: [&str; 1] = ["movement"];

/// The number of a port: the right one is the first (document 001, schedules), null the one in the middle.
fn port_number(port: Option<&Value>) -> u32 {
    match port.and_then(Value::as_str) {
        Some("right") => 1,
        Some("left") => 2,
        _ => 3,
    }
}

/// A configured door: the documented fields by name.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) id: String,
    pub(super) fields: Map<String, Value>,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

impl Door {
    fn new(id: String, fields: Map<String, Value>, at: DateTime<Utc>) -> Door {
        let mut all = Map::from_iter([
            ("openingValue".to_owned(), json!(7500)),
            ("tolerance".to_owned(), json!(1000)),
            ("maxOpenings".to_owned(), json!(7)),
            ("waitTimeFirst".to_owned(), json!(0)),
            ("twoOpenings".to_owned(), json!(false)),
            ("mustCallBellFirst".to_owned(), json!(false)),
            ("remainingOpenings".to_owned(), json!(100)),
            ("remainingTestOpenings".to_owned(), json!(25)),
            ("remainingPhoneCalls".to_owned(), json!(100)),
            ("remainingRaixerPhoneCalls".to_owned(), json!(25)),
            ("sensorMode".to_owned(), json!("bell")),
            ("name".to_owned(), json!("Door")),
            ("port".to_owned(), Value::Null),
            ("use".to_owned(), Value::Null),
            ("intercomCallFirst".to_owned(), json!(false)),
            ("intercomEnableAutoAccess".to_owned(), json!(true)),
            ("phoneNumber".to_owned(), Value::Null),
            ("callingEnabled".to_owned(), json!(false)),
            ("anyCallerEnabled".to_owned(), json!(false)),
        ]);
        all.extend(fields);
        Door { id, fields: all, created: at, updated: at }
    }

    /// A door as a device comes with it.
    pub(super) fn factory(id: String, port: usize, usage: RaixerUse, at: DateTime<Utc>) -> Door {
        let port = PORTS.get(port.wrapping_sub(1)).map_or(Value::Null, |port| json!(port));
        let fields = [("port", port), ("use", json!(usage.word())), ("name", json!(usage.title()))];
        Door::new(id, fields.map(|(key, value)| (key.to_owned(), value)).into_iter().collect(), at)
    }

    /// The position by which calls name it.
    pub(super) fn position(&self) -> u32 {
        port_number(self.fields.get("port"))
    }

    pub(super) fn has_use(&self, usage: RaixerUse) -> bool {
        self.fields.get("use").and_then(Value::as_str) == Some(usage.word())
    }

    pub(super) fn number(&self, key: &str) -> f64 {
        self.fields.get(key).and_then(Value::as_f64).unwrap_or_default()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.fields.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn is_opening_sensor(&self) -> bool {
        self.fields.get("sensorMode").and_then(Value::as_str) == Some("openingSensor")
    }
}

/// A configured sensor that belongs to no door.
#[derive(Debug)]
pub(super) struct Sensor {
    pub(super) id: String,
    pub(super) fields: Map<String, Value>,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

/// One of the documented words, or null where null is documented.
fn word_of(value: &Value, words: &[&str], nullable: bool) -> bool {
    match value {
        Value::Null => nullable,
        Value::String(word) => words.contains(&word.as_str()),
        _ => false,
    }
}

/// The documented fields of a body, each of its type; fields nobody documents are left aside, `deviceId` because the path
/// has it.
fn take(fields: &Fields, rule: impl Fn(&str, &Value) -> bool, keys: &[&str]) -> Result<Map<String, Value>, Refusal> {
    let mut taken = Map::new();
    for key in keys {
        if let Some(value) = fields.get(key) {
            if !rule(key, value) {
                return Err(Refusal::BAD_REQUEST);
            }
            taken.insert((*key).to_owned(), value.clone());
        }
    }
    Ok(taken)
}

fn door_fields(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let fields = Fields::of(call)?;
    fields.text("deviceId")?;
    let rule = |key: &str, value: &Value| match key {
        "sensorMode" => word_of(value, &SENSOR_MODES, false),
        "port" => word_of(value, &PORTS, true),
        "use" => word_of(value, &USES, true),
        "name" => value.is_string(),
        key if FLAGS.contains(&key) => value.is_boolean(),
        _ => not_negative(value).is_some(),
    };
    let keys: Vec<&str> = NUMBERS.iter().chain(&FLAGS).chain(&["sensorMode", "port", "use", "name"]).copied().collect();
    take(&fields, rule, &keys)
}

fn sensor_fields(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let rule = |key: &str, value: &Value| match key {
        "use" => word_of(value, &SENSOR_USES, false),
        "port" => word_of(value, &PORTS, true),
        _ => value.is_string(),
    };
    take(&Fields::of(call)?, rule, &["name", "use", "port"])
}

impl Raixer {
    fn device_mut(&mut self, device: usize) -> Result<&mut Device, Refusal> {
        self.devices.get_mut(device).ok_or(Refusal::NO_SUCH_DEVICE)
    }

    /// Device and door of the first two path parameters.
    fn door(&self, account: usize, call: &Call) -> Result<(usize, usize), Refusal> {
        let device = self.permitted(account, call)?;
        let doors = self.devices.get(device).map(|device| device.doors.as_slice()).unwrap_or_default();
        let door = doors.iter().position(|door| door.id == call.param(1)).ok_or(Refusal::NOT_FOUND)?;
        Ok((device, door))
    }

    /// Device and sensor of the first two path parameters.
    fn sensor(&self, account: usize, call: &Call) -> Result<(usize, usize), Refusal> {
        let device = self.permitted(account, call)?;
        let sensors = self.devices.get(device).map(|device| device.sensors.as_slice()).unwrap_or_default();
        let sensor = sensors.iter().position(|sensor| sensor.id == call.param(1)).ok_or(Refusal::NOT_FOUND)?;
        Ok((device, sensor))
    }

    /// R22. Nothing is required; what is left out has the value a device comes with.
    pub(super) fn create_door(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let fields = door_fields(call)?;
        let device = self.permitted(account, call)?;
        let id = self.fresh_id();
        self.device_mut(device)?.doors.push(Door::new(id.clone(), fields, at.now));
        self.changed(device, Some(&id), EffectKind::DoorCreated, Some(call), at);
        Ok(ok(&json!({ "insertedId": id })))
    }

    /// R23. Fields left out stay as they are.
    pub(super) fn update_door(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let fields = door_fields(call)?;
        self.write_door(account, call, fields, EffectKind::DoorChanged, at)
    }

    /// R29 to R32.
    pub(super) fn set_door_phone(
        &mut self,
        account: usize,
        call: &Call,
        field: &str,
        enabled: bool,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        Fields::of(call)?;
        let (device, door) = self.door(account, call)?;
        let mut fields = Map::from_iter([(field.to_owned(), json!(enabled))]);
        let known = self.devices.get(device).and_then(|device| device.doors.get(door));
        // Where the number to call comes from is not documented; here the door gets one when it is first enabled.
        if enabled && known.is_some_and(|door| door.fields.get("phoneNumber").is_none_or(Value::is_null)) {
            fields.insert("phoneNumber".to_owned(), json!(34_910_000_000_u64 + self.next()));
        }
        self.write_door(account, call, fields, EffectKind::PhoneAccessChanged, at)
    }

    fn write_door(
        &mut self,
        account: usize,
        call: &Call,
        fields: Map<String, Value>,
        kind: EffectKind,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let (device, door) = self.door(account, call)?;
        let door = self.device_mut(device)?.doors.get_mut(door).ok_or(Refusal::NOT_FOUND)?;
        door.fields.extend(fields);
        door.updated = at.now;
        let id = door.id.clone();
        self.changed(device, Some(&id), kind, Some(call), at);
        Ok(ok(&wire::updated()))
    }

    /// R24. "A Raixer Device should always have at least 1 door configured": the last one is refused.
    pub(super) fn delete_door(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let (device, door) = self.door(account, call)?;
        let doors = &mut self.device_mut(device)?.doors;
        if doors.len() == 1 {
            return Err(Refusal::BAD_REQUEST);
        }
        let door = doors.remove(door);
        self.changed(device, Some(&door.id), EffectKind::DoorDeleted, Some(call), at);
        Ok(ok(&wire::deleted()))
    }

    /// R25.
    pub(super) fn list_sensors(&self, account: usize, call: &Call) -> Result<Answer, Refusal> {
        let device = self.devices.get(self.permitted(account, call)?).ok_or(Refusal::NO_SUCH_DEVICE)?;
        let sensors = device.sensors.iter().map(|sensor| {
            let mut body = Value::Object(sensor.fields.clone());
            body["_id"] = json!(sensor.id);
            body["deviceId"] = json!(device.id);
            body["created"] = json!(time(sensor.created));
            body["updated"] = json!(time(sensor.updated));
            body
        });
        Ok(ok(&Value::Array(sensors.collect())))
    }

    /// R26. Nothing is required.
    pub(super) fn create_sensor(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let given = sensor_fields(call)?;
        let device = self.permitted(account, call)?;
        let id = self.fresh_id();
        let mut fields = Map::from_iter([
            ("name".to_owned(), json!("Movement")),
            ("use".to_owned(), json!("movement")),
            ("port".to_owned(), Value::Null),
        ]);
        fields.extend(given);
        let sensor = Sensor { id: id.clone(), fields, created: at.now, updated: at.now };
        self.device_mut(device)?.sensors.push(sensor);
        self.changed(device, None, EffectKind::SensorCreated, Some(call), at);
        Ok(ok(&json!({ "insertedId": id })))
    }

    /// R27. Fields left out stay as they are.
    pub(super) fn update_sensor(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let fields = sensor_fields(call)?;
        let (device, sensor) = self.sensor(account, call)?;
        let sensor = self.device_mut(device)?.sensors.get_mut(sensor).ok_or(Refusal::NOT_FOUND)?;
        sensor.fields.extend(fields);
        sensor.updated = at.now;
        self.changed(device, None, EffectKind::SensorChanged, Some(call), at);
        Ok(ok(&wire::updated()))
    }

    /// R28.
    pub(super) fn delete_sensor(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let (device, sensor) = self.sensor(account, call)?;
        self.device_mut(device)?.sensors.remove(sensor);
        self.changed(device, None, EffectKind::SensorDeleted, Some(call), at);
        Ok(ok(&wire::deleted()))
    }
}
