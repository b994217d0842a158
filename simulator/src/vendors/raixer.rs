//! Raixer's API, after its reference. Here: who may call, and which file answers. The 56 documented endpoints are in
//! `catalogue`, what exists is in `state`, what the devices do in `hardware` and `happenings`.

mod body;
mod campaigns;
mod catalogue;
mod change;
mod connections;
mod doors;
mod functions;
mod happenings;
mod hardware;
mod history;
mod phones;
mod positions;
mod schedules;
mod state;
mod users;
mod variables;
mod wire;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

pub(crate) use catalogue::ROWS;
pub use change::RaixerChange;
pub(crate) use state::{DeviceSeed, Raixer};
pub use state::{RaixerKind, RaixerProfile, RaixerUse};

use self::{body::Refusal, connections::ByEmail, positions::Deed};
use crate::answer::{Answer, Call, Circumstances};

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

impl Raixer {
    /// Ids a request is about, for faults: those of its path, and the device of its body or of its connection.
    pub(crate) fn subjects(&self, call: &Call) -> Vec<String> {
        let body: Option<Value> = serde_json::from_slice(call.body()).ok();
        let named = body.as_ref().and_then(|body| body["deviceId"].as_str()).map(str::to_owned);
        let connection = self.connection_index(call.param(0)).and_then(|index| self.connections.get(index));
        let connected = connection.and_then(|connection| self.devices.get(connection.device));
        call.params.iter().cloned().chain(named).chain(connected.map(|device| device.id.clone())).collect()
    }

    /// Answers one call. What is asked of a device has been carried out, or has failed, when this returns; only a door that
    /// waits before opening opens later.
    pub(crate) fn answer(&mut self, operation: &str, call: &Call, at: &Circumstances<'_>) -> Answer {
        let Some(account) = credentials(call).and_then(|(user, password)| self.account(&user, &password)) else {
            return plain_error(401);
        };
        let answered = match call.received.method.as_str() {
            "GET" => self.read(operation, account, call, at),
            _ => self.write(operation, account, call, at),
        };
        answered.unwrap_or_else(|Refusal(status)| plain_error(status))
    }

    fn read(&self, operation: &str, account: usize, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        match operation {
            "get_authorized_phone" => self.get_phone(account, call),
            "list_authorized_phones" => self.list_phones(account, call),
            "list_device_connections" => {
                self.permitted(account, call).map(|device| ok(&self.device_connections_json(device)))
            }
            "get_connection" => {
                self.readable_connection(account, call).map(|index| ok(&self.one_connection_json(index)))
            }
            "list_connections" => Ok(ok(&self.connections_json(account))),
            "list_connections_ordered" => Ok(ok(&self.ordered_connections_json(account))),
            "list_connection_history" => self.list_history(account, call),
            "get_device" => self.permitted(account, call).map(|device| ok(&self.device_json(device))),
            "list_devices" => Ok(ok(&self.owned_devices_json(account))),
            "list_doors" => self.permitted(account, call).map(|device| ok(&self.doors_json(device))),
            "list_sensors" => self.list_sensors(account, call),
            "get_information" => self.get_information(account, call, at),
            "get_variable" => self.get_variable(account, call, at),
            "get_intercom_campaign" => self.get_campaign(account, false, call),
            "list_intercom_campaigns" => Ok(self.list_campaigns(account, false)),
            "get_power_campaign" => self.get_campaign(account, true, call),
            "list_power_campaigns" => Ok(self.list_campaigns(account, true)),
            "get_schedule" => self.get_schedule(account, call),
            "list_schedules" => self.list_schedules(account, call),
            "get_user" => self.get_user(account, call),
            _ => Err(Refusal::NOT_FOUND),
        }
    }

    fn write(
        &mut self,
        operation: &str,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        match operation {
            "create_authorized_phone" => self.create_phone(account, call, at),
            "update_authorized_phone" => self.update_phone(account, call, at),
            "delete_authorized_phone" => self.delete_phone(account, call, at),
            "create_connection" => self.create_connection(account, call, at),
            "update_connection" => self.update_connection(account, call, at),
            "delete_connection" => self.delete_connection(account, call, at),
            "enable_connection_by_email" => self.by_email(account, call, ByEmail::Enable, at),
            "disable_connection_by_email" => self.by_email(account, call, ByEmail::Disable, at),
            "delete_connection_by_email" => self.by_email(account, call, ByEmail::Delete, at),
            "update_connection_by_email" => self.by_email(account, call, ByEmail::Update, at),
            "delete_device" => self.delete_device(account, call, at),
            "create_door" => self.create_door(account, call, at),
            "update_door" => self.update_door(account, call, at),
            "delete_door" => self.delete_door(account, call, at),
            "create_sensor" => self.create_sensor(account, call, at),
            "update_sensor" => self.update_sensor(account, call, at),
            "delete_sensor" => self.delete_sensor(account, call, at),
            "enable_door_phone" => self.set_door_phone(account, call, "callingEnabled", true, at),
            "disable_door_phone" => self.set_door_phone(account, call, "callingEnabled", false, at),
            "enable_any_caller" => self.set_door_phone(account, call, "anyCallerEnabled", true, at),
            "disable_any_caller" => self.set_door_phone(account, call, "anyCallerEnabled", false, at),
            "call_function" => self.call_function(account, call, at),
            "open_door_at" | "start_job_at" | "stop_job_at" => {
                self.at_position(account, &Deed::read(operation, call)?, call, at)
            }
            "open_door" | "start_job" | "stop_job" => self.at_port(account, 1, &Deed::read(operation, call)?, call, at),
            "open_door_2" => self.at_port(account, 2, &Deed::read(operation, call)?, call, at),
            "movement_alarm" => self.movement_alarm(account, call, at),
            "offline_auto_access" => self.mode(account, "offlineAutoAccess", call, at),
            "auto_access_always_active" => self.mode(account, "autoAccessAlwaysActive", call, at),
            "create_schedule" => self.create_schedule(account, call, at),
            "update_schedule" => self.update_schedule(account, call, at),
            "delete_schedule" => self.delete_schedule(account, call, at),
            "update_user" => self.update_user(account, call, at),
            _ => Err(Refusal::NOT_FOUND),
        }
    }

    /// The device of the first path parameter.
    fn permitted(&self, account: usize, call: &Call) -> Result<usize, Refusal> {
        self.permitted_named(account, call.param(0))
    }

    /// A device by its id: 403 if there is none, 401 if it is none of the caller's.
    fn permitted_named(&self, account: usize, id: &str) -> Result<usize, Refusal> {
        let device = self.device_index(id).ok_or(Refusal::NO_SUCH_DEVICE)?;
        if self.may_use(account, device) { Ok(device) } else { Err(Refusal::UNAUTHORIZED) }
    }
}

/// User and password of HTTP Basic.
fn credentials(call: &Call) -> Option<(String, String)> {
    let encoded = call.authorization.as_deref()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
