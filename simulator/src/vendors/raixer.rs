//! Raixer's API, after its reference. Here: who may call, and the endpoints. The 56 documented endpoints are in `catalogue`,
//! what exists is in `state`, its JSON in `wire`.

mod catalogue;
mod state;
mod wire;

use axum::body::Bytes;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

pub(crate) use catalogue::ROWS;
pub(crate) use state::{DeviceSeed, Raixer};
pub use state::{RaixerProfile, RaixerUse};

use crate::{
    answer::{Answer, Call, Circumstances},
    faults::FaultKind,
    journal::{EffectKind, Place},
    vendors::Vendor,
};

/// A refusal: only the documented status counts, the body's shape is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refusal(u16);

impl Refusal {
    const BAD_REQUEST: Refusal = Refusal(400);
    /// No or wrong credentials, or no permission on the device.
    const UNAUTHORIZED: Refusal = Refusal(401);
    /// The device does not exist.
    const NO_SUCH_DEVICE: Refusal = Refusal(403);
}

fn ok(body: &Value) -> Answer {
    Answer { content_type: "application/json; charset=utf-8", ..Answer::json(200, body) }
}

/// The wording of the reference's table of errors.
pub(crate) fn plain_error(status: u16) -> Answer {
    let text = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
    Answer { content_type: "application/json; charset=utf-8", ..Answer::json(status, &json!({ "error": text })) }
}

/// Which doors an open call selects.
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

impl Raixer {
    /// Ids of the device a request is about, for faults.
    pub(crate) fn subjects(&self, call: &Call) -> Vec<String> {
        call.params.first().cloned().into_iter().collect()
    }

    /// Answers one call. An opening has been carried out, or has failed, when this returns.
    pub(crate) fn answer(&mut self, operation: &str, call: &Call, at: &Circumstances<'_>) -> Answer {
        let Some(account) = credentials(call).and_then(|(user, password)| self.account(&user, &password)) else {
            return plain_error(401);
        };
        let answered = match operation {
            "list_devices" => Ok(ok(&self.owned_devices_json(account))),
            "get_device" => self.permitted(account, call).map(|device| ok(&self.device_json(device))),
            "list_doors" => self.permitted(account, call).map(|device| ok(&self.doors_json(device))),
            "list_device_connections" => {
                self.permitted(account, call).map(|device| ok(&self.device_connections_json(device)))
            }
            "list_connections" => Ok(ok(&self.connections_json(account))),
            "open_door_at" => self.open_door_at(account, call, at),
            "open_door" => self.open_one(account, 1, call, at),
            _ => self.open_one(account, 2, call, at),
        };
        answered.unwrap_or_else(|Refusal(status)| plain_error(status))
    }

    /// The device of the first path parameter: 403 if there is none, 401 if it is none of the caller's.
    fn permitted(&self, account: usize, call: &Call) -> Result<usize, Refusal> {
        let device = self.device_index(call.param(0)).ok_or(Refusal::NO_SUCH_DEVICE)?;
        if self.may_use(account, device) { Ok(device) } else { Err(Refusal::UNAUTHORIZED) }
    }

    /// R36: one element per selected door, also when it is only one or none.
    fn open_door_at(&mut self, account: usize, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        check_body(call)?;
        let device = self.permitted(account, call)?;
        let doors = self.select(device, Selection::read(call.param(1))?);
        let last = doors.last().copied();
        let results: Vec<Value> = doors
            .into_iter()
            .map(|position| self.open(device, position, last == Some(position), call.sequence, at))
            .collect();
        Ok(ok(&Value::Array(results)))
    }

    /// R42 and R43: one object for the door at the first or second port.
    fn open_one(
        &mut self,
        account: usize,
        position: u32,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        check_body(call)?;
        let device = self.permitted(account, call)?;
        let doors = self.select(device, Selection::Position(position));
        let position = doors.first().copied().ok_or(Refusal::BAD_REQUEST)?;
        Ok(ok(&self.open(device, position, true, call.sequence, at)))
    }

    fn select(&self, device: usize, selection: Selection) -> Vec<u32> {
        let Some(device) = self.devices.get(device) else { return Vec::new() };
        let chosen = |position: &u32, usage: RaixerUse| match selection {
            Selection::Position(wanted) => *position == wanted,
            Selection::Use(wanted) => usage == wanted,
        };
        (1..)
            .zip(&device.doors)
            .filter(|(position, door)| chosen(position, door.usage))
            .map(|(position, _)| position)
            .collect()
    }

    /// Opens one door, or says that it did not. How a failed element looks is not documented.
    fn open(&self, device: usize, position: u32, last: bool, caused_by: u64, at: &Circumstances<'_>) -> Value {
        let action = if position == 1 { "openDoor".to_owned() } else { format!("openDoor{position}") };
        let Some(device) = self.devices.get(device) else { return Value::Null };
        let door = usize::try_from(position - 1).ok().and_then(|index| device.doors.get(index));
        let mut word = "success";
        let failure = match at.fault {
            _ if !device.online => Some("the device is offline".to_owned()),
            Some(FaultKind::Offline) => Some("the device is offline".to_owned()),
            Some(FaultKind::CommandError { reason }) => Some(reason.clone()),
            Some(FaultKind::PartialFailure { positions }) => {
                let fails = if positions.is_empty() { last } else { positions.contains(&position) };
                fails.then(|| "the device did not confirm".to_owned())
            }
            Some(FaultKind::UnknownStatusWord { word: unknown }) => {
                word = unknown;
                None
            }
            _ => None,
        };
        let (status, msg) = match failure {
            Some(reason) => ("error", format!("The action {action} could not be executed: {reason}")),
            None => {
                let door = door.map(|door| door.id.as_str());
                let place = Place { vendor: Vendor::Raixer, device: &device.id, door, position: Some(position) };
                at.journal.effect(place, EffectKind::Open, at.now, Some(caused_by));
                (word, format!("The action {action} was executed successfully"))
            }
        };
        json!({ "status": status, "msg": msg, "deviceId": device.id, "notifications": [] })
    }
}

/// User and password of HTTP Basic.
fn credentials(call: &Call) -> Option<(String, String)> {
    let encoded = call.authorization.as_deref()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// A POST must say that it is JSON, even when it has no body, and must then be JSON.
fn check_body(call: &Call) -> Result<(), Refusal> {
    let body: &Bytes = call.body();
    let readable = body.is_empty() || serde_json::from_slice::<Value>(body).is_ok();
    if call.declares_json() && readable { Ok(()) } else { Err(Refusal::BAD_REQUEST) }
}
