//! R35: the device's functions by name, each as the reference lists it, with what it recommends. The ones not recommended for
//! direct use work all the same, and leave a mark of their own in the journal.

use serde_json::{Value, json};

use super::{
    body::{Fields, Refusal, required},
    doors::Door,
    hardware::{Alarm, Order, port_mut},
    ok,
    positions::Deed,
    state::{Raixer, RaixerKind},
    variables::On,
};
use crate::{
    answer::{Answer, Call, Circumstances},
    journal::EffectKind,
};

/// The documented argument of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    Nothing,
    /// 1 or 0.
    Flag,
    /// 1, 0 or infinite.
    Alarm,
    Number,
    /// Numbers separated by commas.
    List,
}

#[derive(Debug, Clone, Copy)]
struct Function {
    name: &'static str,
    on: On,
    wants: Wants,
    /// Recommended use "API or Direct" (or "APP, API or Direct").
    direct: bool,
}

const fn function(name: &'static str, on: On, wants: Wants) -> Function {
    Function { name, on, wants, direct: false }
}

const fn direct(name: &'static str, on: On, wants: Wants) -> Function {
    Function { name, on, wants, direct: true }
}

const FUNCTIONS: [Function; 31] = [
    function("relay", On::All, Wants::List),
    function("relay2", On::Larger, Wants::List),
    function("solenoid", On::All, Wants::Nothing),
    function("cut", On::All, Wants::Nothing),
    function("cut2", On::Larger, Wants::Nothing),
    function("state", On::All, Wants::Nothing),
    function("add", On::All, Wants::Number),
    function("intercom", On::All, Wants::Nothing),
    function("openDoor", On::All, Wants::Nothing),
    function("openDoor2", On::Larger, Wants::Nothing),
    function("openDoor3", On::Access, Wants::Nothing),
    function("calibrate", On::All, Wants::Nothing),
    function("calibrate2", On::Larger, Wants::Nothing),
    function("getRestMean", On::All, Wants::Nothing),
    function("getRestMean2", On::Larger, Wants::Nothing),
    function("getMean", On::All, Wants::Nothing),
    function("getMean2", On::Larger, Wants::Nothing),
    function("getTol", On::All, Wants::Nothing),
    function("getTol2", On::Larger, Wants::Nothing),
    function("setValues", On::All, Wants::List),
    function("setValues2", On::Larger, Wants::List),
    function("activate", On::Access, Wants::Flag),
    function("changeMode", On::Access, Wants::Nothing),
    direct("lastMove", On::Larger, Wants::Nothing),
    direct("alarm", On::Larger, Wants::Alarm),
    direct("offlineAA", On::All, Wants::Flag),
    direct("alwaysActive", On::All, Wants::Flag),
    function("resetMemory", On::All, Wants::Nothing),
    direct("invertSensor", On::Larger, Wants::Flag),
    // "1 or 0" in the table's argument, seconds in its text: any number is taken.
    direct("waitBells", On::All, Wants::Number),
    direct("waitBells2", On::Larger, Wants::Number),
];

/// The functions a device of a type lists.
pub(super) fn names(kind: RaixerKind) -> Vec<&'static str> {
    FUNCTIONS.iter().filter(|function| function.on.has(kind)).map(|function| function.name).collect()
}

/// How a call carries the argument is not documented: `arg` as in the device cloud underneath, or the table's own word.
fn argument(call: &Call) -> Result<Option<String>, Refusal> {
    let fields = Fields::of(call)?;
    match fields.get("arg").or(fields.get("argument")) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(flag)) => Ok(Some(u8::from(*flag).to_string())),
        Some(_) => Err(Refusal::BAD_REQUEST),
    }
}

/// "You didn't provide the necessary parameters for a function" is a 400.
fn check(wants: Wants, argument: Option<&str>) -> Result<(), Refusal> {
    let fits = |argument: &str| match wants {
        Wants::Nothing => true,
        Wants::Flag => matches!(argument, "0" | "1"),
        Wants::Alarm => matches!(argument, "0" | "1" | "infinite"),
        Wants::Number => argument.parse::<f64>().is_ok_and(|number| number >= 0.0),
        Wants::List => argument.contains(','),
    };
    if wants == Wants::Nothing || fits(required(argument)?) { Ok(()) } else { Err(Refusal::BAD_REQUEST) }
}

/// A part of a list; empty is absent.
fn part(list: &str, index: usize) -> Option<&str> {
    list.split(',').nth(index).map(str::trim).filter(|part| !part.is_empty())
}

fn number(list: &str, index: usize) -> Option<f64> {
    part(list, index)?.parse().ok().filter(|number: &f64| *number >= 0.0)
}

/// One execution: where, by whom, of what.
struct Execution<'a> {
    device: usize,
    account: usize,
    call: &'a Call,
    argument: &'a str,
    port: u32,
}

impl Raixer {
    /// R35. The value a function returns is `result`, as in the answer of the movement alarm; the sample shows none.
    pub(super) fn call_function(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let given = argument(call)?;
        let device = self.permitted(account, call)?;
        let kind = self.devices.get(device).map(|device| device.kind).ok_or(Refusal::NO_SUCH_DEVICE)?;
        let found = FUNCTIONS.iter().find(|function| function.name == call.param(1) && function.on.has(kind));
        let function = found.ok_or(Refusal::NOT_FOUND)?;
        check(function.wants, given.as_deref())?;
        let port = function.name.chars().last().and_then(|last| last.to_digit(10)).unwrap_or(1);
        let attempt = self.attempt(device, port, true, at);
        let mut body = self.executed(device, function.name, &attempt);
        body["notifications"] = json!([]);
        if attempt.is_ok() {
            let kind = if function.direct { EffectKind::DirectFunction } else { EffectKind::DiscouragedFunction };
            self.changed(device, None, kind, Some(call), at);
            let argument = given.as_deref().unwrap_or_default();
            body["result"] =
                json!(self.execute(function.name, &Execution { device, account, call, argument, port }, at));
        }
        Ok(ok(&body))
    }

    fn execute(&mut self, name: &str, of: &Execution<'_>, at: &Circumstances<'_>) -> i64 {
        let on = of.argument != "0";
        let caller = (of.account, of.call);
        match name {
            "openDoor" | "openDoor2" | "openDoor3" => {
                self.act(of.device, of.port, true, &Deed::Open, caller, at);
                1
            }
            "solenoid" => {
                self.open_as_configured(of.device, of.port, Some(of.call.sequence), at);
                1
            }
            "cut" | "cut2" => {
                self.act(of.device, of.port, true, &Deed::Stop, caller, at);
                1
            }
            "relay" | "relay2" => self.relay(of, at),
            "add" => self.add_minutes(of, at),
            "intercom" => i64::from(self.devices.get(of.device).is_some_and(|device| device.kind != RaixerKind::Power)),
            // Seconds of calibration, and millivolts it measures.
            "calibrate" | "calibrate2" => 5,
            "getRestMean" | "getRestMean2" => 120,
            "getMean" | "getMean2" => self.configured(of, "openingValue"),
            "getTol" | "getTol2" => self.configured(of, "tolerance"),
            "setValues" | "setValues2" => self.set_values(of, at),
            "lastMove" => self.last_move(of.device),
            "alarm" => {
                let alarm = match of.argument {
                    "0" => Alarm::Off,
                    "1" => Alarm::ONCE,
                    _ => Alarm::Infinite,
                };
                self.set_alarm(of.device, alarm, of.call, at);
                i64::from(on)
            }
            "offlineAA" => {
                self.set_mode(of.device, of.account, "offlineAutoAccess", on, of.call, at);
                i64::from(on)
            }
            "alwaysActive" => {
                self.set_mode(of.device, of.account, "autoAccessAlwaysActive", on, of.call, at);
                i64::from(on)
            }
            "invertSensor" => {
                if let Some(device) = self.devices.get_mut(of.device) {
                    device.movement_inverted = on;
                }
                i64::from(on)
            }
            "waitBells" | "waitBells2" => {
                let seconds = number(of.argument, 0).unwrap_or_default();
                if let Some(port) =
                    self.devices.get_mut(of.device).and_then(|device| port_mut(&mut device.ports, of.port))
                {
                    port.wait_bells = seconds;
                }
                i64::from(seconds > 0.0)
            }
            "resetMemory" => {
                if let Some(device) = self.devices.get_mut(of.device) {
                    device.forget();
                }
                1
            }
            "activate" => i64::from(on),
            // "state" and "changeMode".
            _ => 1,
        }
    }

    /// Starts auto access; 0 if a required part is missing, which for an Access is only the time. The time is taken for
    /// minutes, as in start-job.
    fn relay(&mut self, of: &Execution<'_>, at: &Circumstances<'_>) -> i64 {
        let lenient = self.devices.get(of.device).is_some_and(|device| device.kind == RaixerKind::Access);
        let complete = lenient || (2..=5).all(|index| number(of.argument, index).is_some());
        let Some(minutes) = number(of.argument, 0).filter(|_| complete) else { return 0 };
        let order = Order {
            by: part(of.argument, 1).unwrap_or_default().to_owned(),
            seconds: Some(minutes * 60.0),
            most_openings: number(of.argument, 4),
            wait: number(of.argument, 5),
        };
        self.act(of.device, of.port, true, &Deed::Start(order), (of.account, of.call), at);
        1
    }

    /// Prolongs auto access by minutes; 0 if there is none that ends by the clock.
    fn add_minutes(&mut self, of: &Execution<'_>, at: &Circumstances<'_>) -> i64 {
        let auto = self.devices.get(of.device).and_then(|device| device.port(of.port)?.auto.clone());
        let (Some(auto), Some(minutes)) = (auto, number(of.argument, 0)) else { return 0 };
        i64::from(self.prolong(of.device, of.port, &auto, minutes * 60.0, at))
    }

    fn configured(&self, of: &Execution<'_>, key: &str) -> i64 {
        let door = self.devices.get(of.device).and_then(|device| device.door_at(of.port));
        door.and_then(|door| door.fields.get(key)?.as_i64()).unwrap_or_default()
    }

    fn set_values(&mut self, of: &Execution<'_>, at: &Circumstances<'_>) -> i64 {
        let Some(device) = self.devices.get_mut(of.device) else { return 0 };
        if let Some(port) = port_mut(&mut device.ports, of.port) {
            port.reversed = part(of.argument, 5) == Some("1");
        }
        if let Some(door) = device.doors.iter_mut().find(|door: &&mut Door| door.position() == of.port) {
            for (index, key) in ["openingValue", "tolerance", "maxOpenings", "waitTimeFirst"].into_iter().enumerate() {
                if let Some(value) = part(of.argument, index).and_then(|part| part.parse::<serde_json::Number>().ok()) {
                    door.fields.insert(key.to_owned(), Value::Number(value));
                }
            }
            let mode = if part(of.argument, 4) == Some("1") { "openingSensor" } else { "bell" };
            door.fields.insert("sensorMode".to_owned(), json!(mode));
            door.updated = at.now;
        }
        1
    }

    /// When the last movement was; 0 if it was told before.
    fn last_move(&mut self, device: usize) -> i64 {
        let Some(device) = self.devices.get_mut(device) else { return 0 };
        let told = std::mem::replace(&mut device.movement_told, true);
        if told { 0 } else { device.last_movement.map_or(0, |at| at.timestamp()) }
    }
}
