//! ParqEx's webhooks (vendors-extra 1.9): one for each movement of a door and each linked user. Only the payload of doors
//! is documented; of the others it is kept that they came.

use std::collections::BTreeMap;

use chrono::DateTime;
use domain::{
    clock::Timestamp,
    door::{DoorReading, Position},
    event::{EventType, FoundDoorRef, FoundEvent},
};

use super::{client::Parqex, mapping, wire};
use crate::{
    digest,
    port::{Delivery, Hint, Intake, Notice, NoticeError, SyncPart},
};

/// From here on a number of seconds would lie in the year 5138: it is milliseconds.
const MILLISECONDS: i64 = 100_000_000_000;

impl Intake for Parqex {
    fn notice(&self, delivery: Delivery<'_>) -> Result<Notice, NoticeError> {
        if let Some(key) = &self.credentials.webhook_key {
            let name = self.credentials.webhook_key_header.as_deref().map(str::to_ascii_lowercase);
            // The document does not name the header: where nobody has told us, any may hold the key.
            let mut candidates = delivery.headers.iter().filter(|(header, _)| match &name {
                Some(name) => header == name,
                None => true,
            });
            if !candidates.any(|(_, value)| digest::same_secret(value.trim(), key.expose())) {
                return Err(NoticeError::NotAuthentic("The delivery does not carry ParqEx's key.".to_owned()));
            }
        }
        let pushed: wire::Pushed = serde_json::from_slice(delivery.body)
            .map_err(|_| NoticeError::Unreadable("The delivery is no JSON object.".to_owned()))?;
        notice(pushed, delivery.body)
    }
}

fn notice(pushed: wire::Pushed, body: &[u8]) -> Result<Notice, NoticeError> {
    if pushed.id.is_none() && pushed.event_type.is_none() && pushed.door_id.is_none() {
        return Err(NoticeError::Unreadable("The delivery is nothing that ParqEx documents.".to_owned()));
    }
    let door = pushed.door_id.as_deref().map(mapping::plain_id);
    let device = pushed.device_id.as_deref().map(mapping::plain_id);
    let position = position(&pushed);
    let occurred_at = pushed.event_occurred_utc.or_else(|| pushed.event_occurred.as_deref().and_then(epoch));
    let event = FoundEvent {
        external_id: pushed
            .id
            .as_deref()
            .map_or_else(|| digest::id_of([("", String::from_utf8_lossy(body).as_ref())]), mapping::plain_id),
        occurred_at,
        event_type: match position {
            Some(Position::Open) => EventType::DoorOpened,
            Some(Position::Closed) => EventType::DoorClosed,
            _ => EventType::VendorEvent,
        },
        vendor_code: pushed.event_type.clone().unwrap_or_else(|| "door_state_change".to_owned()),
        device: device.clone(),
        reading: position.filter(|_| door.is_some()).map(|position| DoorReading {
            position: Some(position),
            observed_at: occurred_at,
            measured: pushed.channel.as_deref().is_some_and(|channel| channel.to_lowercase().contains("sensor")),
            ..DoorReading::default()
        }),
        door: door.map(FoundDoorRef::Id),
        facts: facts(pushed),
    };
    // The body is vouched for by no more than the key, so `sync` has the last word.
    let hint = device.map_or(Hint::Part(SyncPart::Devices), Hint::Device);
    Ok(Notice { events: vec![event], hints: vec![hint] })
}

/// `doorState` before what the type says.
fn position(pushed: &wire::Pushed) -> Option<Position> {
    let told = pushed.event_type.as_deref().map(str::to_lowercase).unwrap_or_default();
    let of_door = told.starts_with("door");
    match pushed.door_state.as_deref() {
        Some("OPEN") => Some(Position::Open),
        Some("CLOSED") => Some(Position::Closed),
        Some(_) => None,
        None if of_door && told.ends_with("_open") => Some(Position::Open),
        None if of_door && told.ends_with("_closed") => Some(Position::Closed),
        None => None,
    }
}

fn epoch(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    if number >= MILLISECONDS { DateTime::from_timestamp_millis(number) } else { DateTime::from_timestamp(number, 0) }
}

fn facts(pushed: wire::Pushed) -> BTreeMap<String, String> {
    let user = pushed.user_that_toggled.unwrap_or_default();
    let told = [
        ("toggleID", pushed.toggle_id),
        ("channel", pushed.channel),
        ("eventOccurred", pushed.event_occurred),
        ("doorOwnerUserID", pushed.door_owner_user_id),
        ("userThatToggled.firstName", user.first_name),
        ("userThatToggled.lastName", user.last_name),
        ("userThatToggled.emailAddress", user.email_address),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests;
