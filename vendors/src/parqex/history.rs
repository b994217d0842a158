//! ParqEx's access history, pure: which days are asked for, and what a line says. It has no ids and, as documented, only
//! dates: a coarse audit that never says how a door is now.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::{
    clock::{Timestamp, truncate},
    event::{EventType, FoundDoorRef, FoundEvent},
};
use serde_json::Value;

use super::{mapping, wire};
use crate::digest;

/// The longest stretch of days in one question; what the vendor allows is not documented.
const LONGEST: u64 = 7;

/// A question's first and last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    /// The day up to which everything is known once it is answered.
    pub(super) done: NaiveDate,
}

/// The windows from where the last read ended up to now, oldest first; without that, since yesterday.
///
/// Each begins a day early and the last ends a day late, because the zone of the vendor's days is not documented; and
/// they share their border, because it is not either whether the last day is included. What is read twice has the same
/// id twice.
pub(super) fn windows(cursor: Option<&str>, now: Timestamp) -> Vec<Window> {
    let today = now.date_naive();
    let later = |day: NaiveDate, days| day.checked_add_days(Days::new(days)).unwrap_or(day);
    let known = cursor.and_then(|day| day.parse().ok()).map_or(today, |day: NaiveDate| day.min(today));
    let end = later(today, 1);
    let mut from = known.pred_opt().unwrap_or(known);
    let mut windows = Vec::new();
    while from < end {
        let to = later(from, LONGEST).min(end);
        windows.push(Window { from, to, done: to.min(today) });
        from = to;
    }
    windows
}

/// The lines of an answer, oldest first. `device_of` knows the controller of a door and the door's id as `sync` has it.
pub(super) fn events(history: wire::History, device_of: impl Fn(&str) -> Option<(String, String)>) -> Vec<FoundEvent> {
    let mut lines: Vec<wire::PastToggle> =
        history.data.toggle_events.into_iter().filter(Value::is_object).map(line).collect();
    lines.sort_by(|one, other| one.toggle_date_time.cmp(&other.toggle_date_time));
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    lines
        .into_iter()
        .map(|line| {
            let digest = digest_of(&line);
            // Lines may be equal to the letter: twice through the same door on one day.
            let count = seen.entry(digest.clone()).or_default();
            *count += 1;
            let external_id = if *count == 1 { digest } else { format!("{digest}-{count}") };
            event(line, external_id, &device_of)
        })
        .collect()
}

fn line(value: Value) -> wire::PastToggle {
    serde_json::from_value(value).unwrap_or_default()
}

/// All that a line tells, but for the door's name: every user may change that.
fn digest_of(line: &wire::PastToggle) -> String {
    let door = line.door_id.as_deref().map(mapping::plain_id);
    let told = facts(line);
    let told = told.iter().filter(|(name, _)| name.as_str() != "door_name");
    let state = ("door_state", line.door_state.as_deref().unwrap_or_default());
    digest::id_of(
        [("door_id", door.as_deref().unwrap_or_default()), state]
            .into_iter()
            .chain(told.map(|(name, value)| (name.as_str(), value.as_str()))),
    )
}

fn facts(line: &wire::PastToggle) -> BTreeMap<String, String> {
    let user = line.user.as_ref();
    let told = [
        ("door_name", line.door_name.clone()),
        ("channel", line.channel.clone()),
        ("was_success", line.was_success.map(|success| success.to_string())),
        ("toggle_date_time", line.toggle_date_time.clone()),
        ("user.id", user.and_then(|user| user.id.clone())),
        ("user.first_name", user.and_then(|user| user.first_name.clone())),
        ("user.last_name", user.and_then(|user| user.last_name.clone())),
        ("user.email_address", user.and_then(|user| user.email_address.clone())),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn event(
    line: wire::PastToggle,
    external_id: String,
    device_of: impl Fn(&str) -> Option<(String, String)>,
) -> FoundEvent {
    let facts = facts(&line);
    let (device, door) = match line.door_id.as_deref() {
        Some(id) => match device_of(id) {
            Some((device, door)) => (Some(device), Some(door)),
            None => (None, Some(mapping::plain_id(id))),
        },
        None => (None, None),
    };
    let event_type = match line.door_state.as_deref() {
        _ if line.was_success == Some(false) => EventType::VendorEvent,
        Some("OPEN") => EventType::DoorOpened,
        Some("CLOSED") => EventType::DoorClosed,
        _ => EventType::VendorEvent,
    };
    FoundEvent {
        external_id,
        occurred_at: line.toggle_date_time.as_deref().and_then(instant),
        event_type,
        vendor_code: line.door_state.unwrap_or_else(|| "toggle".to_owned()),
        device,
        door: door.map(FoundDoorRef::Id),
        reading: None,
        facts,
    }
}

/// A time of day makes an instant; a bare date, as in the document's sample, does not.
fn instant(text: &str) -> Option<Timestamp> {
    let with_zone = DateTime::parse_from_rfc3339(text).ok().map(|at| truncate(at.with_timezone(&Utc)));
    with_zone.or_else(|| mapping::naive_utc(text))
}

#[cfg(test)]
mod tests;
