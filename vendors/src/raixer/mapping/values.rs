//! The values that devices give: numbers, instants, variables with the documented types, and what their cloud knows.

use chrono::{DateTime, SecondsFormat};
use domain::clock::Timestamp;
use serde_json::{Map, Value, json};

use crate::raixer::wire;

/// A whole number that is not negative, from one that may be written with a fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
pub(in crate::raixer) fn whole(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

/// An instant from milliseconds since 1970.
#[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
pub(in crate::raixer) fn instant_of_milliseconds(number: f64) -> Option<Timestamp> {
    (0.0..=9e15).contains(&number).then(|| DateTime::from_timestamp_millis(number as i64)).flatten()
}

/// The six parts of a `status` variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::raixer) struct Status {
    /// Whether the door listens to its bell.
    pub(in crate::raixer) listening: bool,
    /// Who last made it listen.
    pub(in crate::raixer) user: Option<String>,
    /// Since when it listens.
    pub(in crate::raixer) listening_since: Option<Timestamp>,
    /// When the device was last switched on.
    pub(in crate::raixer) powered_on_at: Option<Timestamp>,
    /// Whether it is an intercom.
    pub(in crate::raixer) intercom: Option<bool>,
    /// How often it has opened by itself since it listens.
    pub(in crate::raixer) openings: Option<u32>,
}

impl Status {
    /// Reads `0,,0,1537376277,1,0`. `None` for anything that has not six parts, or does not say whether it listens.
    pub(in crate::raixer) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let [listening, user, since, powered_on, intercom, openings] = *parts.as_slice() else { return None };
        let truth = |part: &str| match part {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        };
        Some(Self {
            listening: truth(listening)?,
            user: Some(user.to_owned()).filter(|user| !user.is_empty()),
            listening_since: epoch(since),
            powered_on_at: epoch(powered_on),
            intercom: truth(intercom),
            openings: openings.parse().ok(),
        })
    }

    fn in_our_words(&self) -> Value {
        json!({
            "listening": self.listening,
            "userId": self.user,
            "listeningSince": self.listening_since.map(written),
            "poweredOnAt": self.powered_on_at.map(written),
            "intercom": self.intercom,
            "autoOpenings": self.openings,
        })
    }
}

/// Seconds since 1970, or milliseconds where seconds would be in a far future; 0 stands for never.
fn epoch(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok().filter(|number| *number > 0)?;
    if number < 100_000_000_000 { DateTime::from_timestamp(number, 0) } else { DateTime::from_timestamp_millis(number) }
}

fn written(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Whether a variable is one of the `status` family.
fn is_status(name: &str) -> bool {
    name.strip_prefix("status").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The status that a variable's answer holds.
pub(in crate::raixer) fn status(variable: &wire::Variable) -> Option<Status> {
    variable.result.as_ref().and_then(Value::as_str).and_then(Status::parse)
}

/// A variable that is 1 or 0.
pub(in crate::raixer) fn switch(variable: &wire::Variable) -> Option<bool> {
    match variable.result.as_ref()? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number| matches!(number, 0 | 1))
    .map(|number| number == 1)
}

/// A variable for the caller: its value by the documented type, as it came where that does not fit.
pub(in crate::raixer) fn variable(name: &str, variable: &wire::Variable, clean: impl Fn(&str) -> String) -> Value {
    let told = variable.result.clone().unwrap_or(Value::Null);
    let text = match &told {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let value = match (name, text) {
        (_, Some(text)) if is_status(name) => Status::parse(&text).map(|status| status.in_our_words()),
        ("lastMovement" | "timeNow", Some(text)) => match text.as_str() {
            "0" => Some(Value::Null),
            text => epoch(text).map(|at| Value::String(written(at))),
        },
        ("timeValid", Some(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        (_, Some(text)) => text.parse().ok().map(Value::Number),
        _ => None,
    };
    let core = variable.core_info.clone().unwrap_or_default();
    json!({
        "variable": name,
        "value": value.unwrap_or_else(|| cleaned(told, &clean)),
        "connected": core.connected,
        "lastHeardAt": core.last_heard.map(written),
        "lastHandshakeAt": core.last_handshake_at.map(written),
    })
}

/// What the device's cloud knows, for the caller.
pub(in crate::raixer) fn information(information: &wire::Information, clean: impl Fn(&str) -> String) -> Value {
    let text = |told: &Option<String>| told.as_deref().map(&clean);
    json!({
        "id": text(&information.id),
        "name": text(&information.name),
        "connected": information.connected,
        "cellular": information.cellular,
        "status": text(&information.status),
        "notes": text(&information.notes),
        "lastHeardAt": information.last_heard.map(written),
        "lastIpAddress": text(&information.last_ip_address),
        "lastApp": text(&information.last_app),
        "productId": information.product_id,
        "platformId": information.platform_id,
        "systemFirmwareVersion": text(&information.system_firmware_version),
        "currentBuildTarget": text(&information.current_build_target),
        "pinnedBuildTarget": text(&information.pinned_build_target),
        "defaultBuildTarget": text(&information.default_build_target),
        "targetedFirmwareReleaseVersion": text(&information.targeted_firmware_release_version),
        "variables": cleaned(information.variables.clone(), &clean),
        "functions": cleaned(information.functions.clone(), &clean),
        "groups": cleaned(information.groups.clone(), &clean),
    })
}

/// JSON of the vendor's with its texts cleaned; bounded by what a call reads.
fn cleaned(told: Value, clean: &impl Fn(&str) -> String) -> Value {
    match told {
        Value::String(text) => Value::String(clean(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| cleaned(item, clean)).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, cleaned(value, clean)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests;
