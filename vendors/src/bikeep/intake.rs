//! Bikeep's webhooks (vendors-extra 4.7): anomalies, told together after a while. None tells of a lock that moved or of a
//! command that ended, so none changes a door's state: each says what is to be read again, and the reading brings the
//! vendor's own time with it.

use std::collections::BTreeMap;

use chrono::{DurationRound, SecondsFormat, TimeDelta};
use domain::{
    clock::Timestamp,
    event::{EventType, FoundEvent},
};
use serde_json::Value;

use super::{client::Bikeep, mapping, wire};
use crate::{
    digest,
    port::{Delivery, Hint, Intake, Notice, NoticeError, SyncPart},
};

/// The most facts of one event: `data` has no documented shape.
const FACT_LIMIT: usize = 40;
/// The longest of them, in characters.
const LONGEST_FACT: usize = 300;
/// What opens something, or lets somebody read what is not theirs.
const SECRETS: [&str; 8] = ["access_key", "report_url", "deep_link", "pin", "otp", "password", "secret", "token"];
/// Where an item's time may be; none of these is documented.
const TIMES: [&str; 5] = ["occurred_at", "timestamp", "changed_at", "created_at", "offline_since"];

impl Intake for Bikeep {
    fn notice(&self, delivery: Delivery<'_>) -> Result<Notice, NoticeError> {
        let envelope: wire::Envelope = serde_json::from_slice(delivery.body)
            .map_err(|_| NoticeError::Unreadable("The delivery is no JSON object.".to_owned()))?;
        // What the hash is taken of, and how, is not documented: all that can be asked is that there is one.
        if self.credentials.webhook_seed.is_some() && !envelope.hash.as_deref().is_some_and(is_hex) {
            return Err(NoticeError::NotAuthentic("The delivery carries no hash.".to_owned()));
        }
        notice(envelope, delivery.received_at)
    }
}

fn is_hex(text: &str) -> bool {
    text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn notice(envelope: wire::Envelope, received_at: Timestamp) -> Result<Notice, NoticeError> {
    let Some(kind) = envelope.kind else {
        return Err(NoticeError::Unreadable("The delivery has no type.".to_owned()));
    };
    if envelope.version.is_some_and(|version| version != 2) {
        return Err(NoticeError::Unreadable("The delivery is of a version that is not documented.".to_owned()));
    }
    let items = match envelope.data {
        Value::Array(items) => items,
        item => vec![item],
    };
    let mut notice = Notice::default();
    for item in &items {
        let event = event(&kind, item, received_at);
        // Told of a whole location, it is about the devices there.
        let hint = event.device.clone().map_or(Hint::Part(SyncPart::Devices), Hint::Device);
        // A report or a reminder says nothing of the hardware.
        if tells_of_hardware(&kind) && !notice.hints.contains(&hint) {
            notice.hints.push(hint);
        }
        notice.events.push(event);
    }
    // One without a time stays where it was among its neighbours.
    if notice.events.iter().all(|event| event.occurred_at.is_some()) {
        notice.events.sort_by_key(|event| event.occurred_at);
    }
    Ok(notice)
}

fn tells_of_hardware(kind: &str) -> bool {
    !matches!(kind, "parking_reminder" | "report" | "maintenance_log")
}

fn event(kind: &str, item: &Value, received_at: Timestamp) -> FoundEvent {
    let mut facts = BTreeMap::new();
    flatten("", item, &mut facts);
    let time = |name: &&str| facts.get(*name).and_then(|text| mapping::instant(text));
    let occurred_at = TIMES.iter().find_map(time);
    let device = ["device_id", "device.id"].into_iter().find_map(|name| facts.get(name)).cloned();
    let connection = facts.get("connection").map(|word| word.to_ascii_lowercase());
    let event_type = match (kind, connection.as_deref()) {
        ("connection" | "connection_confirmed", Some("offline")) if device.is_some() => EventType::DeviceOffline,
        ("connection" | "connection_confirmed", Some("online")) if device.is_some() => EventType::DeviceOnline,
        ("alarm" | "status", _) => EventType::DeviceAlarm,
        _ => EventType::VendorEvent,
    };
    // Without a time of its own, the same words an hour later are another event; a repeated delivery is not.
    let hour = received_at.duration_trunc(TimeDelta::hours(1)).unwrap_or(received_at);
    let hour = hour.to_rfc3339_opts(SecondsFormat::Secs, true);
    let dated = if occurred_at.is_some() { ("", "") } else { ("received", hour.as_str()) };
    let told = facts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let external_id = digest::id_of([("type", kind), dated].into_iter().chain(told));
    FoundEvent {
        external_id,
        occurred_at,
        event_type,
        vendor_code: kind.to_owned(),
        device,
        door: None,
        reading: None,
        facts,
    }
}

/// Every single value under its path. Deeper than a few levels nothing is documented to be.
fn flatten(path: &str, value: &Value, facts: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if facts.len() >= FACT_LIMIT || path.matches('.').count() > 4 {
        return;
    }
    match value {
        Value::Object(fields) => {
            // In the order of their names, whatever the order of arrival: the digest must not depend on it.
            let fields: BTreeMap<_, _> = fields.iter().collect();
            for (name, value) in fields {
                if !SECRETS.iter().any(|secret| name.to_ascii_lowercase().contains(secret)) {
                    flatten(&below(name), value, facts);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&below(&index.to_string()), item, facts);
            }
        }
        single => {
            if let Some(text) = mapping::scalar(single) {
                let name = if path.is_empty() { "data" } else { path };
                facts.insert(name.to_owned(), text.chars().take(LONGEST_FACT).collect());
            }
        }
    }
}

#[cfg(test)]
mod tests;
