//! Understanding Mews' webhooks (vendors-extra 5.7). They carry ids only: whatever they name is read again.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::EventType;

use super::{
    client::Mews,
    wire::{self, Named},
};
use crate::{
    digest::{self, same_secret},
    port::{Delivery, FoundEvent, Hint, Intake, Notice, NoticeError, RecordKind, RecordRef, SyncPart},
};

/// The most stays of one message that are read again one by one, as the vendor advises: a sweep by time would cost less,
/// but may not see a new companion.
const STAYS_AT_MOST: usize = 10;
/// The most resources: all of them together cost as many questions as one.
const RESOURCES_AT_MOST: usize = 1;
/// The name under which the address of the request stands among a delivery's headers, as in HTTP/2.
const PATH: &str = ":path";

impl Intake for Mews {
    fn notice(&self, delivery: Delivery<'_>) -> Result<Notice, NoticeError> {
        if let Some(secret) = &self.webhook_secret
            && !delivery.headers.iter().any(|header| carries(header, secret.expose()))
        {
            return Err(NoticeError::NotAuthentic("The delivery does not carry the agreed secret.".to_owned()));
        }
        let unreadable = || NoticeError::Unreadable("This is no message of a Mews webhook.".to_owned());
        let message: wire::Message = serde_json::from_slice(delivery.body).map_err(|_| unreadable())?;
        match (message.events, message.action) {
            (Some(events), _) => Ok(changes(events, &delivery)),
            (None, Some(action)) => Ok(integration(&action, message.data.unwrap_or_default(), &delivery)),
            (None, None) => Err(unreadable()),
        }
    }
}

/// Whether a header is the agreed secret, or an address that holds it in its query or as a piece of its path.
fn carries((name, value): &(String, String), secret: &str) -> bool {
    if name != PATH {
        return same_secret(value, secret);
    }
    let Ok(address) = reqwest::Url::parse("http://intake").and_then(|base| base.join(value)) else { return false };
    address.query_pairs().any(|(_, value)| same_secret(&value, secret))
        || address.path_segments().into_iter().flatten().any(|piece| same_secret(piece, secret))
}

/// What is to be read after the events of the general webhook.
fn changes(events: Vec<wire::Event>, delivery: &Delivery<'_>) -> Notice {
    let mut notice = Notice::default();
    let mut records: BTreeMap<RecordKind, BTreeSet<String>> = BTreeMap::new();
    let mut parts = BTreeSet::new();
    for event in events {
        let id = event.value.and_then(|value| value.id);
        let kind = match event.discriminator.as_deref().unwrap_or_default() {
            "ServiceOrderUpdated" => RecordKind::Reservation,
            "ResourceUpdated" => RecordKind::Resource,
            "CustomerAdded" | "CustomerUpdated" => RecordKind::User,
            // Blocks can not be asked for by their ids.
            "ResourceBlockUpdated" => {
                parts.insert(SyncPart::Resources);
                continue;
            }
            "MessageAdded" | "PaymentUpdated" => continue,
            unknown => {
                let facts = id.into_iter().map(|id| ("id".to_owned(), id)).collect();
                notice.events.push(told(unknown, facts, delivery));
                parts.insert(SyncPart::Reservations);
                continue;
            }
        };
        match id {
            Some(id) => {
                records.entry(kind).or_default().insert(id);
            }
            None => {
                parts.insert(part_of(kind));
            }
        }
    }
    for (kind, ids) in records {
        let is_too_much = match kind {
            RecordKind::Reservation => ids.len() > STAYS_AT_MOST,
            RecordKind::Resource => ids.len() > RESOURCES_AT_MOST || parts.contains(&SyncPart::Resources),
            _ => false,
        };
        if is_too_much {
            parts.insert(part_of(kind));
        } else {
            let hints = ids.into_iter().map(|external_id| Hint::Record(RecordRef { kind, external_id }));
            notice.hints.extend(hints);
        }
    }
    notice.hints.extend(parts.into_iter().map(Hint::Part));
    notice
}

const fn part_of(kind: RecordKind) -> SyncPart {
    match kind {
        RecordKind::Resource => SyncPart::Resources,
        _ => SyncPart::Reservations,
    }
}

/// What happened to the integration itself. An access token that is in the message stays there.
fn integration(action: &str, data: wire::IntegrationData, delivery: &Delivery<'_>) -> Notice {
    let mut facts = BTreeMap::new();
    let mut tell = |what: &str, named: Option<Named>| {
        let Named { id, name } = named.unwrap_or_default();
        facts.extend(id.map(|id| (format!("{what}Id"), id)));
        facts.extend(name.map(|name| (format!("{what}Name"), name)));
    };
    tell("integration", data.integration);
    tell("enterprise", data.enterprise);
    // Whether the account can still be used shows when it is asked where it is.
    Notice { events: vec![told(action, facts, delivery)], hints: vec![Hint::Part(SyncPart::Profile)] }
}

fn told(code: &str, facts: BTreeMap<String, String>, delivery: &Delivery<'_>) -> FoundEvent {
    // Nothing in a message dates it. Mews repeats one after minutes; another day's is another event.
    let day = delivery.received_at.date_naive().to_string();
    let known = facts.iter().map(|(name, fact)| (name.as_str(), fact.as_str()));
    let external_id = digest::id_of([("code", code), ("day", day.as_str())].into_iter().chain(known));
    FoundEvent {
        external_id,
        occurred_at: None,
        event_type: EventType::VendorEvent,
        vendor_code: code.to_owned(),
        device: None,
        door: None,
        reading: None,
        facts,
    }
}

#[cfg(test)]
mod tests;
