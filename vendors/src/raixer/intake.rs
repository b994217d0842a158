//! What Raixer pushes: the notifications that document 001 names for custom webhooks. Their form is not documented, so
//! the names are taken from wherever a device cloud commonly puts them, and the rest is asked for. There is no
//! signature: the secret is in the address that the notifications are sent to.

use std::collections::BTreeMap;

use chrono::DateTime;
use domain::{
    clock::{Timestamp, truncate},
    event::{EventType, FoundDoorRef, FoundEvent},
};
use serde_json::{Map, Value};

use super::{
    client::Raixer,
    mapping::events::{Meaning, meaning},
};
use crate::{
    digest,
    port::{Delivery, Hint, Intake, Notice, NoticeError, SyncPart},
};

/// Where the name of what happened may stand.
const NAMES: [&str; 4] = ["event", "action", "notification", "name"];
/// Where the device may stand.
const DEVICES: [&str; 4] = ["coreid", "deviceId", "deviceID", "device"];
/// Where the time may stand.
const TIMES: [&str; 4] = ["published_at", "created", "timestamp", "date"];
/// The most notifications in one delivery.
const MOST: usize = 100;

impl Intake for Raixer {
    fn notice(&self, delivery: Delivery<'_>) -> Result<Notice, NoticeError> {
        let unreadable = || NoticeError::Unreadable("It is no notification of Raixer's.".to_owned());
        let items = match serde_json::from_slice(delivery.body).map_err(|_| unreadable())? {
            Value::Array(items) if items.len() <= MOST => items,
            item @ Value::Object(_) => vec![item],
            _ => return Err(unreadable()),
        };
        let mut notice = Notice::default();
        for item in &items {
            let fields = item.as_object().ok_or_else(unreadable)?;
            let name = text(fields, &NAMES).ok_or_else(unreadable)?;
            let told = meaning(&name);
            let device = text(fields, &DEVICES);
            notice.events.push(self.event(fields, &name, told, device.clone(), delivery.received_at));
            for hint in hints(told, device) {
                if !notice.hints.contains(&hint) {
                    notice.hints.push(hint);
                }
            }
        }
        if notice.events.iter().all(|event| event.occurred_at.is_some()) {
            notice.events.sort_by_key(|event| event.occurred_at);
        }
        Ok(notice)
    }
}

impl Raixer {
    fn event(
        &self,
        fields: &Map<String, Value>,
        name: &str,
        told: Meaning,
        device: Option<String>,
        received_at: Timestamp,
    ) -> FoundEvent {
        let at = time(fields);
        let mut all: Vec<(String, String)> =
            fields.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        if at.is_none() {
            // Without a time of its own, each would otherwise look like a repetition of the first.
            all.push(("received".to_owned(), received_at.to_rfc3339()));
        }
        all.sort();
        let digest = digest::id_of(all.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let data = text(fields, &["data"]).map(|data| self.caller.clean(&data));
        FoundEvent {
            external_id: format!("notice:{digest}"),
            occurred_at: at,
            event_type: told.event_type,
            vendor_code: self.caller.clean(name),
            device,
            door: told.position.map(FoundDoorRef::Position),
            // Without a door it is true of the device's only one; of several, nobody knows which.
            reading: told.reading(at),
            facts: data.map(|data| ("data".to_owned(), data)).into_iter().collect::<BTreeMap<_, _>>(),
        }
    }
}

/// What should be read again. The history tells at which door; the device tells its health and modes.
fn hints(told: Meaning, device: Option<String>) -> Vec<Hint> {
    let device = device.map_or(Hint::Part(SyncPart::Devices), Hint::Device);
    match told.event_type {
        EventType::DoorOpened | EventType::DoorClosed if told.position.is_none() => vec![Hint::Part(SyncPart::Events)],
        EventType::DeviceOnline
        | EventType::DeviceOffline
        | EventType::AutoAccessStarted
        | EventType::AutoAccessStopped => vec![device],
        EventType::VendorEvent => vec![device, Hint::Part(SyncPart::Events)],
        _ => Vec::new(),
    }
}

fn text(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match fields.get(*name)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn time(fields: &Map<String, Value>) -> Option<Timestamp> {
    let text = text(fields, &TIMES)?;
    DateTime::parse_from_rfc3339(&text).ok().map(|at| truncate(at.to_utc()))
}

#[cfg(test)]
mod tests;
