//! ParqEx's resource endpoints (oauth/v1), after its documentation. Here: the catalogue, the required headers and the endpoints.
//! What exists is in `state`, how gates move in `motion`, JSON in `wire`, webhooks in `notice`, linking in `oauth` and `grants`.

mod grants;
mod motion;
mod notice;
mod oauth;
mod state;
mod wire;

use serde::Deserialize;
use serde_json::{Value, json};

pub use grants::ParqexOauthCounts;
use grants::Scope;
pub(crate) use oauth::Consent;
pub use state::ParqexHardware;
pub(crate) use state::{ControllerSeed, DoorSeed, DoorState, Parqex, plain_id};

use crate::{
    answer::{Answer, Call, Circumstances},
    catalogue::{Row, RowKind, row, row_with_query},
    faults::FaultKind,
    options::ParqexStatus,
};

pub(crate) static ROWS: &[Row] = &[
    row("P1", "toggle", "POST", "/oauth/v1/endpoint/toggle", RowKind::DeviceCall),
    row("P1", "toggle", "POST", "/api/oauth/v1/endpoints/toggle", RowKind::DeviceCall),
    row("P2", "authorize", "GET", "/oauth/v2/endpoints/authorization/", RowKind::Read),
    row("P2", "token", "GET", "/oauth/v2/endpoints/token/", RowKind::Read),
    row("P2", "token", "POST", "/oauth/v2/endpoints/token/", RowKind::Read),
    row_with_query(row("P3", "refresh_token", "GET", "/oauth/v2/endpoints/token/", RowKind::Read), "refresh_token"),
    row("P4", "sync", "GET", "/oauth/v1/endpoints/sync", RowKind::Read),
    row("P4", "sync", "POST", "/oauth/v1/endpoints/sync", RowKind::Read),
    row("P4", "toggle_history", "GET", "/oauth/v1/endpoints/toggle-history", RowKind::Read),
    row("P4", "user_info", "GET", "/oauth/v1/endpoints/user-info", RowKind::Read),
    row("P4", "user_settings", "POST", "/oauth/v1/endpoints/user-info", RowKind::Read),
];

/// The documented outcomes of a toggle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    Ok,
    Malformed,
    Authentication,
    NotFound,
    SensorRequired,
    NotImplemented,
}

impl Message {
    const ALL: [(&'static str, Message); 6] = [
        ("ok", Message::Ok),
        ("malformed", Message::Malformed),
        ("authentication", Message::Authentication),
        ("not_found", Message::NotFound),
        ("sensor_required", Message::SensorRequired),
        ("not_implemented", Message::NotImplemented),
    ];

    /// The documented sentence, with the name of the hardware filled in.
    fn text(self, hardware: &str) -> String {
        match self {
            Message::Ok => "200".to_owned(),
            Message::Malformed => format!("Error communicating with {hardware}. Malformed Request. (400)"),
            Message::Authentication => format!("Error communicating with {hardware}. Authentication error. (401)"),
            Message::NotFound => {
                format!("Sorry, your {hardware} can't be found. Please unplug the {hardware} and then plug it back in.")
            }
            Message::SensorRequired => {
                format!("Your {hardware} requires pairing a door sensor before the request can be processed. (428)")
            }
            Message::NotImplemented => format!("Error communicating with {hardware}. Not Implemented error. (501)"),
        }
    }

    fn status(self) -> u16 {
        match self {
            Message::Ok => 200,
            Message::Malformed => 400,
            Message::Authentication => 401,
            Message::NotFound => 404,
            Message::SensorRequired => 428,
            Message::NotImplemented => 501,
        }
    }
}

/// A documented toggle message by the name faults use.
pub(crate) fn message_named(name: &str) -> Option<Message> {
    Message::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, message)| message)
}

/// The error body documented for user-info.
pub(crate) fn plain_error(status: u16) -> Answer {
    let text = match status {
        400 => "Malformed Request",
        401 => "Authentication error",
        403 => "Forbidden",
        404 => "Not found",
        429 => "Too many requests",
        _ => "Server error",
    };
    Answer::json(status, &json!({ "errors": [{ "message": text }] }))
}

/// Header names and the value each must always have.
const REQUIRED_HEADERS: [(&str, &str); 4] = [
    ("accept", "application/json"),
    ("content-type", "application/json"),
    ("accept-charset", "utf-8"),
    ("accept-encoding", "gzip"),
];

fn headers_as_documented(call: &Call) -> bool {
    REQUIRED_HEADERS
        .iter()
        .all(|(name, value)| call.header(name).is_some_and(|given| given.trim().eq_ignore_ascii_case(value)))
}

#[derive(Debug, Deserialize)]
struct Toggle {
    door_id: String,
    door_state: DoorState,
}

impl Parqex {
    /// Ids of the door and the controller a request is about, for faults.
    pub(crate) fn subjects(&self, operation: &str, call: &Call) -> Vec<String> {
        if operation != "toggle" {
            return Vec::new();
        }
        let body: Option<Value> = serde_json::from_slice(call.body()).ok();
        let door = body.as_ref().and_then(|body| body["door_id"].as_str()).map(plain_id);
        door.map(|door| self.subjects_of(&door)).unwrap_or_default()
    }

    /// Answers one call; a toggle has reached its controller when this returns, the gate moves afterwards.
    pub(crate) fn answer(&mut self, operation: &str, call: &Call, at: &Circumstances<'_>) -> Answer {
        match operation {
            "toggle" => return self.toggle(call, at),
            "authorize" => return self.authorize(call, at),
            "token" | "refresh_token" => return self.token(call, at),
            _ => {}
        }
        let Some((account, _)) = self.caller(call, at) else {
            return plain_error(401);
        };
        if !headers_as_documented(call) {
            return plain_error(400);
        }
        match operation {
            "sync" => self.sync(account, at),
            "toggle_history" => self.toggle_history(account, call, at),
            "user_info" => self.user_info(account, at),
            _ => self.user_settings(account, at),
        }
    }

    /// Whose token a request bears, and what it permits.
    fn caller(&self, call: &Call, at: &Circumstances<'_>) -> Option<(usize, Scope)> {
        let found = self.grants.bearer(call.bearer()?, at.now)?;
        self.accounts.get(found.0).filter(|account| account.valid).map(|_| found)
    }

    /// P1. Every documented variant says `success: true`; the message alone tells.
    fn toggle(&mut self, call: &Call, at: &Circumstances<'_>) -> Answer {
        if let Some(FaultKind::ParqexMessage { name, http_status }) = at.fault {
            let message = message_named(name).unwrap_or(Message::Malformed);
            let answer = self.say(message, "access point", at);
            return Answer { status: http_status.unwrap_or(answer.status), ..answer };
        }
        let Some((account, scope)) = self.caller(call, at) else {
            return self.say(Message::Authentication, "access point", at);
        };
        let body = if headers_as_documented(call) { serde_json::from_slice::<Toggle>(call.body()).ok() } else { None };
        let Some(body) = body else {
            return self.say(Message::Malformed, "access point", at);
        };
        let permitted = match body.door_state {
            DoorState::Open => scope.open,
            DoorState::Closed => scope.close,
        };
        if !permitted {
            // What a missing scope is answered is not documented; of the documented messages only this one fits.
            return self.say(Message::Authentication, "access point", at);
        }
        let (message, hardware) = self.operate(account, &plain_id(&body.door_id), body.door_state, call.sequence, at);
        if let (Message::Ok, Some(FaultKind::UnknownStatusWord { word })) = (message, at.fault) {
            return wire::toggle_answer(200, word, at.now);
        }
        self.say(message, hardware, at)
    }

    fn say(&self, message: Message, hardware: &str, at: &Circumstances<'_>) -> Answer {
        let status = match self.status {
            ParqexStatus::AlwaysOk => 200,
            ParqexStatus::AsMessage => message.status(),
        };
        wire::toggle_answer(status, &message.text(hardware), at.now)
    }
}
