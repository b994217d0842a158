//! Reading what a caller sent: JSON bodies with their documented types, and the documented refusals. Knows no rule of a row.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Number, Value};

use super::state::RaixerProfile;
use crate::{answer::Call, clock::later};

/// A refusal: only the documented status counts, the body's shape is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) u16);

impl Refusal {
    pub(super) const BAD_REQUEST: Refusal = Refusal(400);
    /// No or wrong credentials, or no permission on the device.
    pub(super) const UNAUTHORIZED: Refusal = Refusal(401);
    /// The device does not exist.
    pub(super) const NO_SUCH_DEVICE: Refusal = Refusal(403);
    /// The function, variable or record does not exist. For records the reference names no status: this is the plainest.
    pub(super) const NOT_FOUND: Refusal = Refusal(404);
    /// The device does not answer. The reference names no status: this is the only one that blames nobody's request.
    pub(super) const UNREACHABLE: Refusal = Refusal(500);
}

/// The fields of a POST's or PUT's body.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// A POST or PUT must say that it is JSON, even without a body, and must then be a JSON object.
    pub(super) fn of(call: &Call) -> Result<Fields, Refusal> {
        if !call.declares_json() {
            return Err(Refusal::BAD_REQUEST);
        }
        if call.body().is_empty() {
            return Ok(Fields(Map::new()));
        }
        serde_json::from_slice(call.body()).map(Fields).map_err(|_| Refusal::BAD_REQUEST)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, Refusal> {
        self.0.get(key).map(|value| value.as_str().ok_or(Refusal::BAD_REQUEST)).transpose()
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Refusal> {
        self.0.get(key).map(|value| value.as_bool().ok_or(Refusal::BAD_REQUEST)).transpose()
    }

    /// A number that is not negative; no documented number can be.
    pub(super) fn number(&self, key: &str) -> Result<Option<&Number>, Refusal> {
        self.0.get(key).map(|value| not_negative(value).ok_or(Refusal::BAD_REQUEST)).transpose()
    }

    /// `profile`, one of its three words.
    pub(super) fn profile(&self) -> Result<Option<RaixerProfile>, Refusal> {
        self.text("profile")?.map(|word| RaixerProfile::named(word).ok_or(Refusal::BAD_REQUEST)).transpose()
    }
}

pub(super) fn not_negative(value: &Value) -> Option<&Number> {
    match value {
        Value::Number(number) if number.as_f64().is_some_and(|number| number >= 0.0) => Some(number),
        _ => None,
    }
}

/// A parameter the reference requires.
pub(super) fn required<T>(found: Option<T>) -> Result<T, Refusal> {
    found.ok_or(Refusal::BAD_REQUEST)
}

/// `at` and a number of seconds, which need not be whole; the end of time if there are too many.
pub(super) fn seconds_after(at: DateTime<Utc>, seconds: f64) -> DateTime<Utc> {
    later(at, Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}
