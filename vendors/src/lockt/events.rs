//! Lockt's events: a bounded cache, read from the last id on. The cursor is that id. Whether the answer includes it is
//! not documented, and the ids have holes: what is lost is known only from the whole cache.

use std::collections::BTreeMap;

use domain::event::{EventType, FoundDoorRef, FoundEvent};
use http::StatusCode;
use serde_json::Value;

use super::{
    client::{Lockt, unexpected},
    wire,
    zone::{Edge, Zone},
};
use crate::{digest, error::VendorError, port::Portion};

/// The most events in one portion.
const PORTION: usize = 500;

/// Events by their number, and those that have none.
#[derive(Default)]
struct Rows {
    numbered: BTreeMap<i64, FoundEvent>,
    others: Vec<FoundEvent>,
}

impl Lockt {
    /// What happened since the event `cursor`; without one, all that Lockt still has.
    pub(super) async fn events(&self, cursor: Option<&str>) -> Result<Vec<Portion>, VendorError> {
        let Some(last) = cursor.and_then(|cursor| cursor.parse::<i64>().ok()) else {
            let rows = self.rows(&self.list("list events", "events").await?)?;
            return Ok(portions(rows, None, None));
        };
        let reply = self.ask("list new events", "events", &[("id", &last.to_string())]).await?;
        // An event that fell out of the cache may be one that is not found.
        let listed = match reply.status {
            StatusCode::NOT_FOUND => self.list("list events", "events").await?,
            _ => self.items(&reply)?,
        };
        let mut rows = self.rows(&listed)?;
        let Some((&first, _)) = rows.numbered.first_key_value() else { return Ok(portions(rows, Some(last), None)) };
        if rows.numbered.keys().all(|id| *id < last) {
            // Lockt counts from the beginning again: what lies between is not known.
            let gap = gap(last, first);
            return Ok(portions(rows, None, Some(gap)));
        }
        let mut lost = None;
        if first > last.saturating_add(1) {
            let cache = self.rows(&self.list("list events", "events").await?)?;
            lost = cache.numbered.keys().next().filter(|oldest| **oldest > last.saturating_add(1)).copied();
            rows.numbered.extend(cache.numbered);
        }
        rows.numbered = rows.numbered.split_off(&last.saturating_add(1));
        Ok(portions(rows, Some(last), lost.map(|oldest| gap(last, oldest))))
    }

    fn rows(&self, listed: &[Value]) -> Result<Rows, VendorError> {
        let mut rows = Rows::default();
        // Newest first, as documented.
        for row in listed.iter().rev() {
            let event: wire::Event = serde_json::from_value(row.clone()).map_err(|_| unexpected())?;
            let number = event.id.as_deref().and_then(|id| id.parse().ok());
            let found = self::event(&event, row, self.zone);
            match number {
                Some(number) => drop(rows.numbered.insert(number, found)),
                None => rows.others.push(found),
            }
        }
        Ok(rows)
    }
}

fn portions(rows: Rows, last: Option<i64>, gap: Option<FoundEvent>) -> Vec<Portion> {
    let mut cursor = last;
    let before = gap.into_iter().map(|gap| (None, gap));
    let numbered = rows.numbered.into_iter().map(|(number, event)| (Some(number), event));
    let others = rows.others.into_iter().map(|event| (None, event));
    let mut portions: Vec<Portion> = Vec::new();
    for (number, event) in before.chain(numbered).chain(others) {
        cursor = number.or(cursor);
        if portions.last().is_none_or(|portion| portion.events.len() >= PORTION) {
            portions.push(Portion::default());
        }
        if let Some(portion) = portions.last_mut() {
            portion.events.push(event);
            portion.cursor = cursor.map(|cursor| cursor.to_string());
        }
    }
    portions
}

/// Events between the last one that we know and the oldest one that Lockt still has are lost.
fn gap(last: i64, oldest: i64) -> FoundEvent {
    let (from, to) = (last.saturating_add(1), oldest.saturating_sub(1));
    FoundEvent {
        external_id: format!("gap:{from}-{to}"),
        occurred_at: None,
        event_type: EventType::EventGap,
        vendor_code: String::new(),
        device: None,
        door: None,
        reading: None,
        facts: [("from", from), ("to", to)].map(|(name, id)| (name.to_owned(), id.to_string())).into(),
    }
}

/// An event. One without an id is named by all that it tells.
fn event(event: &wire::Event, row: &Value, zone: Zone) -> FoundEvent {
    let code = [&event.code, &event.subcode].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(":");
    let times = [&event.event_time, &event.hw_time, &event.db_time];
    let facts = [
        ("code_text", &event.code_text),
        ("subcode_text", &event.subcode_text),
        ("schedule", &event.schedule),
        ("controller", &event.controller),
        ("location", &event.location),
        ("card_num", &event.card_num),
        ("user", &event.user),
        ("category", &event.category),
        ("category_text", &event.category_text),
        ("db_time", &event.db_time),
    ];
    FoundEvent {
        external_id: event
            .id
            .clone()
            .unwrap_or_else(|| format!("digest:{}", digest::id_of([("row", row.to_string().as_str())]))),
        occurred_at: times.into_iter().flatten().find_map(|text| zone.read(text, Edge::From)),
        event_type: event_type(event),
        vendor_code: code,
        device: None,
        door: event.device.clone().map(FoundDoorRef::Name),
        reading: None,
        facts: facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect(),
    }
}

/// Only samples show codes: 48 and 49, in the categories 1 and 2. What contradicts itself claims nothing.
fn event_type(event: &wire::Event) -> EventType {
    let by_code = match event.code.as_deref() {
        Some("48") => Some(EventType::AccessGranted),
        Some("49") => Some(EventType::AccessDenied),
        _ => None,
    };
    let by_category = match event.category.as_deref() {
        Some("1") => Some(EventType::AccessGranted),
        Some("2") => Some(EventType::AccessDenied),
        _ => None,
    };
    match (by_code, by_category) {
        (Some(code), Some(category)) if code != category => EventType::VendorEvent,
        (code, category) => code.or(category).unwrap_or(EventType::VendorEvent),
    }
}

#[cfg(test)]
mod tests;
