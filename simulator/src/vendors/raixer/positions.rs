//! R36 to R45: opening, starting and stopping auto access at a position, and the modes of a device. What the hardware then
//! does is in `hardware`.

use serde_json::{Value, json};

use super::{
    body::{Fields, Refusal, required},
    hardware::{Alarm, AlwaysActive, Order},
    history::suffix,
    ok,
    state::{Raixer, RaixerUse},
    wire,
};
use crate::{
    answer::{Answer, Call, Circumstances},
    faults::FaultKind,
    journal::EffectKind,
};

/// Which doors a call selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Selection {
    Position(u32),
    Use(RaixerUse),
}

impl Selection {
    /// A number from 1, or one of the four uses.
    fn read(text: &str) -> Result<Selection, Refusal> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.parse() {
                Ok(position) if position >= 1 => Ok(Selection::Position(position)),
                _ => Err(Refusal::BAD_REQUEST),
            };
        }
        RaixerUse::named(text).map(Selection::Use).ok_or(Refusal::BAD_REQUEST)
    }
}

/// What is done at a door.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    Open,
    Start(Order),
    Stop,
}

impl Deed {
    /// Name of the device's function and of the action in the history. The third port has no documented relay or cut, but
    /// documented actions.
    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Deed::Open => ("openDoor", "openDoor"),
            Deed::Start(_) => ("relay", "startJob"),
            Deed::Stop => ("cut", "stopJob"),
        }
    }

    /// What the body of the call asks for; only starting has parameters.
    pub(super) fn read(operation: &str, call: &Call) -> Result<Deed, Refusal> {
        let fields = Fields::of(call)?;
        match operation {
            "open_door_at" | "open_door" | "open_door_2" => Ok(Deed::Open),
            "stop_job_at" | "stop_job" => Ok(Deed::Stop),
            _ => {
                let number = |key| fields.number(key).map(|number| number.and_then(serde_json::Number::as_f64));
                let minutes = required(number("minutes")?)?;
                number("openingValue")?;
                number("tolerance")?;
                Ok(Deed::Start(Order {
                    by: String::new(),
                    seconds: Some(minutes * 60.0),
                    most_openings: number("maxOpenings")?,
                    wait: number("waitTimeFirst")?,
                }))
            }
        }
    }
}

impl Raixer {
    /// R36 to R38: one element per selected door, also when it is only one or none.
    pub(super) fn at_position(
        &mut self,
        account: usize,
        deed: &Deed,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let device = self.permitted(account, call)?;
        let ports = self.select(device, Selection::read(call.param(1))?);
        let last = ports.last().copied();
        let results: Vec<Value> = ports
            .into_iter()
            .map(|port| self.act(device, port, last == Some(port), deed, (account, call), at))
            .collect();
        Ok(ok(&Value::Array(results)))
    }

    /// R42 to R45: one object for the door at the first or second port.
    pub(super) fn at_port(
        &mut self,
        account: usize,
        port: u32,
        deed: &Deed,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let device = self.permitted(account, call)?;
        if self.select(device, Selection::Position(port)).is_empty() {
            return Err(Refusal::BAD_REQUEST);
        }
        Ok(ok(&self.act(device, port, true, deed, (account, call), at)))
    }

    /// The ports of the selected doors, in the order of configuration.
    fn select(&self, device: usize, selection: Selection) -> Vec<u32> {
        let doors = self.devices.get(device).map(|device| device.doors.as_slice()).unwrap_or_default();
        let chosen = doors.iter().filter(|door| match selection {
            Selection::Position(wanted) => door.position() == wanted,
            Selection::Use(wanted) => door.has_use(wanted),
        });
        chosen.map(super::doors::Door::position).collect()
    }

    /// Why the device does not do something at a port (0: at none in particular), or the status word of its success.
    pub(super) fn attempt(
        &self,
        device: usize,
        port: u32,
        last: bool,
        at: &Circumstances<'_>,
    ) -> Result<String, String> {
        let Some(device) = self.devices.get(device) else { return Err("the device is gone".to_owned()) };
        match at.fault {
            _ if !device.online => Err("the device is offline".to_owned()),
            _ if port > device.kind.ports() => Err(format!("the device has no port {port}")),
            Some(FaultKind::Offline) => Err("the device is offline".to_owned()),
            Some(FaultKind::CommandError { reason }) => Err(reason.clone()),
            Some(FaultKind::PartialFailure { positions }) => {
                let fails = if positions.is_empty() { last } else { positions.contains(&port) };
                if fails { Err("the device did not confirm".to_owned()) } else { Ok("success".to_owned()) }
            }
            Some(FaultKind::UnknownStatusWord { word }) => Ok(word.clone()),
            _ => Ok("success".to_owned()),
        }
    }

    /// Does something at one door, or says that it did not. How a failed element looks is not documented.
    pub(super) fn act(
        &mut self,
        device: usize,
        port: u32,
        last: bool,
        deed: &Deed,
        caller: (usize, &Call),
        at: &Circumstances<'_>,
    ) -> Value {
        let (account, call) = caller;
        let (function, action) = deed.names();
        let function = format!("{function}{}", suffix(port));
        let attempt = self.attempt(device, port, last, at);
        let name = self.accounts.get(account).map(|account| account.name.clone());
        // A stop is told when something stopped, by whoever ends it.
        if attempt.is_err() || !matches!(deed, Deed::Stop) {
            self.remember(device, action, port, (name.clone(), attempt.is_err()), at.now);
        }
        if attempt.is_ok() {
            let cause = Some(call.sequence);
            match deed {
                Deed::Open => self.open_as_configured(device, port, cause, at),
                Deed::Start(order) => {
                    let by = if order.by.is_empty() { self.account_id(account) } else { order.by.clone() };
                    self.start_auto_access(device, port, Order { by, ..order.clone() }, cause, at);
                }
                Deed::Stop => {
                    let by = Some((name.unwrap_or_default(), call.sequence));
                    self.end_auto_access(device, port, by, at);
                }
            }
        }
        let mut body = self.executed(device, &function, &attempt);
        body["notifications"] = json!([]);
        body
    }

    /// What is answered about an executed function.
    pub(super) fn executed(&self, device: usize, function: &str, attempt: &Result<String, String>) -> Value {
        let device = self.devices.get(device).map(|device| device.id.as_str());
        let (status, msg) = match attempt {
            Ok(word) => (word.as_str(), format!("The action {function} was executed successfully")),
            Err(reason) => ("error", format!("The action {function} could not be executed: {reason}")),
        };
        json!({ "status": status, "msg": msg, "deviceId": device })
    }

    /// R39: three notifications, endless ones, or none. Only the larger devices have the alarm.
    pub(super) fn movement_alarm(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        Fields::of(call)?;
        let device = self.permitted(account, call)?;
        let alarm = match call.param(1) {
            "1" => Alarm::ONCE,
            "infinite" => Alarm::Infinite,
            "0" => Alarm::Off,
            _ => return Err(Refusal::BAD_REQUEST),
        };
        if !self.devices.get(device).is_some_and(|device| device.kind.is_larger()) {
            return Err(Refusal::NOT_FOUND);
        }
        let attempt = self.attempt(device, 0, true, at);
        let mut body = self.executed(device, "alarm", &attempt);
        if attempt.is_ok() {
            body["result"] = json!(u8::from(alarm != Alarm::Off));
            self.set_alarm(device, alarm, call, at);
        }
        Ok(ok(&body))
    }

    pub(super) fn set_alarm(&mut self, device: usize, alarm: Alarm, call: &Call, at: &Circumstances<'_>) {
        if let Some(state) = self.devices.get_mut(device) {
            state.alarm = alarm;
        }
        self.changed(device, None, EffectKind::MovementAlarmSet, Some(call), at);
    }

    /// R40 and R41. Their answer has no word for a device that does not answer, so that is a 500.
    pub(super) fn mode(
        &mut self,
        account: usize,
        field: &str,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let on = required(Fields::of(call)?.flag(field)?)?;
        let device = self.permitted(account, call)?;
        self.attempt(device, 0, true, at).map_err(|_| Refusal::UNREACHABLE)?;
        self.set_mode(device, account, field, on, call, at);
        Ok(ok(&wire::updated()))
    }

    pub(super) fn set_mode(
        &mut self,
        device: usize,
        account: usize,
        field: &str,
        on: bool,
        call: &Call,
        at: &Circumstances<'_>,
    ) {
        let by = self.account_id(account);
        let Some(state) = self.devices.get_mut(device) else { return };
        let kind = if field == "offlineAutoAccess" {
            state.offline_auto_access = on;
            EffectKind::OfflineAutoAccessSet
        } else {
            state.always_active = on.then_some(AlwaysActive { since: at.now, by });
            EffectKind::AutoAccessAlwaysActiveSet
        };
        self.changed(device, None, kind, Some(call), at);
    }
}
