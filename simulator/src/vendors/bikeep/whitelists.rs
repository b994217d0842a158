//! Bikeep's allow lists (/whitelist/v1): the cards of one list, the only reply of that service the documents show.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Refusal, state::Bikeep, wire::time};
use crate::answer::{Answer, Call, Circumstances};

/// An RFID card on a list.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) comment: String,
}

/// The list of a location, which its guard keeps.
#[derive(Debug)]
pub(crate) struct Whitelist {
    pub(crate) id: String,
    pub(crate) cards: Vec<Card>,
}

impl Bikeep {
    pub(crate) fn list_cards(&self, account: usize, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        let id = call.param(0).to_lowercase();
        let location = self
            .locations
            .iter()
            .find(|location| location.whitelist.id == id)
            .ok_or_else(|| Refusal::not_found("Whitelist"))?;
        if location.account != account {
            return Err(Refusal::forbidden("No access to this whitelist"));
        }
        let data: Vec<Value> = location.whitelist.cards.iter().map(|card| card_json(card, at.now)).collect();
        let uri = format!("{}/whitelist/v1/whitelists/{id}/entities", call.base_url);
        Ok(Answer::json(200, &json!({ "data": data, "uri": uri })))
    }
}

fn card_json(card: &Card, now: DateTime<Utc>) -> Value {
    let expired = card.expires_at.is_some_and(|expires| expires <= now);
    json!({
        "id": card.id,
        "id_type": "rfid",
        "status": if expired { "EXPIRED" } else { "ACTIVE" },
        "expires_at": card.expires_at.map(time).unwrap_or_default(),
        "is_master_key": false,
        "created_at": time(card.created_at),
        "comment": card.comment,
    })
}
