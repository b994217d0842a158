//! Bikeep's device service (/device/v1), after its reference pages. Here: the catalogue and its four endpoints. What is allowed
//! is in `rules`, how a command moves hardware in `machine`, how things look on the wire in `wire`, what exists in `state` and
//! `device`. The other services have a file each: `tokens`, `locations`, `whitelists`; webhooks are in `notices`.

mod device;
mod locations;
mod machine;
mod notices;
mod rules;
mod state;
mod tokens;
mod whitelists;
mod wire;

use serde_json::json;

pub(crate) use device::PowerSave;
pub use device::{BikeepHardware, BikeepHealth, BikeepSleep, BikeepType};
pub use notices::BikeepNotice;
pub(crate) use state::{Account, Bikeep, DeviceSeed, Location};
pub(crate) use tokens::Client;
pub(crate) use whitelists::{Card, Whitelist};

use crate::{
    answer::{Answer, Call, Circumstances},
    catalogue::{Row, RowKind, row},
    faults::FaultKind,
};

pub(crate) static ROWS: &[Row] = &[
    row("B1", "list_devices", "GET", "/device/v1/locations/:location_id/devices", RowKind::Read),
    row("B2", "get_device", "GET", "/device/v1/devices/:device_id", RowKind::Read),
    row("B3", "send_command", "POST", "/device/v1/devices/:device_id/commands", RowKind::Command),
    row("B4", "get_command", "GET", "/device/v1/commands/:command_id", RowKind::Read),
    // Documented beyond the excerpt: section 4.3 of vendors-extra.md.
    row("BX1", "token", "POST", "/oauth2/token", RowKind::Read),
    row("BX2", "list_locations", "GET", "/location/v1/locations", RowKind::Read),
    row("BX3", "get_location", "GET", "/location/v1/locations/:location_id", RowKind::Read),
    row("BX4", "list_cards", "GET", "/whitelist/v1/whitelists/:whitelist_id/entities", RowKind::Read),
];

/// Why a request is refused. `NOT_FOUND` and `INVALID_TIMEOUT_AT` are documented codes; the others follow their pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Refusal { status, code, message: message.into() }
    }

    fn not_found(what: &str) -> Self {
        Refusal::new(404, "ERRORS.NOT_FOUND", format!("{what} not found"))
    }

    fn forbidden(message: &str) -> Self {
        Refusal::new(403, "ERRORS.FORBIDDEN", message)
    }

    fn answer(&self, sequence: u64) -> Answer {
        error(self.status, self.code, &self.message, sequence)
    }
}

/// The documented error body.
fn error(status: u16, code: &str, message: &str, sequence: u64) -> Answer {
    let correlation = uuid::Uuid::from_u128(0xc0_44e1_a710_4000_8000_0000_0000_0000 | u128::from(sequence));
    Answer::json(
        status,
        &json!({
            "error_message": message,
            "status_code": status,
            "correlation_id": correlation,
            "error_code": code,
        }),
    )
}

pub(crate) fn plain_error(status: u16, sequence: u64) -> Answer {
    let (code, message) = match status {
        400 => ("ERRORS.BAD_REQUEST", "Bad request"),
        401 => ("ERRORS.UNAUTHORIZED", "Invalid or missing access token"),
        403 => ("ERRORS.FORBIDDEN", "Forbidden"),
        404 => ("ERRORS.NOT_FOUND", "Not found"),
        429 => ("ERRORS.TOO_MANY_REQUESTS", "Too many requests"),
        _ => ("ERRORS.INTERNAL", "Internal error"),
    };
    error(status, code, message, sequence)
}

impl Bikeep {
    /// Ids of the devices a request is about, for faults.
    pub(crate) fn subjects(&self, operation: &str, call: &Call) -> Vec<String> {
        let id = call.param(0).to_lowercase();
        match operation {
            "get_device" | "send_command" => vec![id],
            "get_command" => self.command(&id).map(|command| self.device_id(command.device)).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Answers one call; a command is accepted here and carried out by the timers.
    pub(crate) fn answer(&mut self, operation: &str, call: &Call, at: &Circumstances<'_>) -> Answer {
        if operation == "token" {
            return self.token(call, at);
        }
        let Some(account) = call.bearer().and_then(|token| self.account(token, at.now)) else {
            return plain_error(401, call.sequence);
        };
        let answered = match operation {
            "list_devices" => self.list_devices(account, call, at),
            "get_device" => self.get_device(account, call, at),
            "send_command" => self.send_command(account, call, at),
            "list_locations" => self.list_locations(account, call),
            "get_location" => self.get_location(account, call),
            "list_cards" => self.list_cards(account, call, at),
            _ => self.get_command(account, call, at),
        };
        answered.unwrap_or_else(|refusal| refusal.answer(call.sequence))
    }

    /// B1. The document lists 403 but no 404 for it, so an unknown location is forbidden too.
    fn list_devices(&self, account: usize, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        let location = self
            .location(&call.param(0).to_lowercase())
            .filter(|location| location.account == account)
            .ok_or_else(|| Refusal::forbidden("No access to this location"))?;
        let data: Vec<_> = location
            .devices
            .iter()
            .filter_map(|device| self.device_json(account, *device, &call.base_url, at))
            .collect();
        let uri = format!("{}/device/v1/locations/{}/devices", call.base_url, location.id);
        Ok(Answer::json(200, &json!({ "data": data, "uri": uri })))
    }

    /// B2.
    fn get_device(&self, account: usize, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        let device = self.visible_device(account, call.param(0))?;
        self.device_json(account, device, &call.base_url, at)
            .map(|body| Answer::json(200, &body))
            .ok_or_else(|| Refusal::not_found("Device"))
    }

    /// B3.
    fn send_command(&mut self, account: usize, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        let device = self.visible_device(account, call.param(0))?;
        if !call.declares_json() {
            return Err(Refusal::new(400, "ERRORS.INVALID_REQUEST", "Content-Type must be application/json"));
        }
        let order = self.check_order(account, device, call.body(), at.now)?;
        let id = self.submit(device, order, call.sequence, at);
        self.command_answer(&id, call, at)
    }

    /// B4. Malformed ids are the documented 400.
    fn get_command(&self, account: usize, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        let id = call.param(0).to_lowercase();
        if uuid::Uuid::try_parse(&id).is_err() {
            return Err(Refusal::new(400, "ERRORS.INVALID_REQUEST", "command_id must be a UUID"));
        }
        let command = self.command(&id).ok_or_else(|| Refusal::not_found("Command"))?;
        if self.account_of(command.device) != Some(account) {
            return Err(Refusal::forbidden("No access to this command"));
        }
        self.command_answer(&id, call, at)
    }

    fn command_answer(&self, id: &str, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        let word = match at.fault {
            Some(FaultKind::UnknownStatusWord { word }) => Some(word.as_str()),
            _ => None,
        };
        self.command(id)
            .map(|command| Answer::json(200, &self.command_json(id, command, &call.base_url, word)))
            .ok_or_else(|| Refusal::not_found("Command"))
    }

    fn visible_device(&self, account: usize, id: &str) -> Result<usize, Refusal> {
        let device = self.device_index(&id.to_lowercase()).ok_or_else(|| Refusal::not_found("Device"))?;
        if self.account_of(device) == Some(account) {
            Ok(device)
        } else {
            Err(Refusal::forbidden("No access to this device"))
        }
    }
}
