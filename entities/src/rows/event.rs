//! Events: immutable facts with two clocks.

use std::collections::BTreeMap;

use domain::{
    clock::Timestamp,
    event::EventType,
    ledger::{Details, Facts, Hash, MARK, Notary},
};
use sea_orm::entity::prelude::*;
use serde_json::json;

use super::word;
use crate::error::StoreError;

/// A row of `events`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where.
    pub site_id: Option<Uuid>,
    /// At which device.
    pub device_id: Option<Uuid>,
    /// At which door.
    pub door_id: Option<Uuid>,
    /// By which command.
    pub command_id: Option<Uuid>,
    /// At which vendor account, if its vendor told of it.
    pub account_id: Option<Uuid>,
    /// The vendor's id of it, unique in the account.
    pub external_id: Option<String>,
    /// What it is in the vendor's word.
    pub vendor_code: Option<String>,
    /// A `domain::event::EventType`.
    #[sea_orm(column_name = "type")]
    pub event_type: String,
    /// When it happened, by the clock of whoever saw it.
    pub occurred_at: Timestamp,
    /// When we wrote it down.
    pub recorded_at: Timestamp,
    /// Who caused it.
    pub actor: Option<String>,
    /// Details; never a secret. `{"erased": ...}` once they were erased.
    pub data: Json,
    /// The block of the ledger that chains it; written once, a moment after the event. 0: not written by this house.
    pub block: Option<i64>,
    /// The mark of this house under all that it says, until it is chained. Half of one once its details were erased.
    pub mark: Option<Vec<u8>>,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What happened.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn event_type(&self) -> Result<EventType, StoreError> {
        word(EventType::parse, "events", "type", &self.event_type)
    }

    /// Whether this house wrote it, and so: for one that is in no block yet.
    #[must_use]
    pub fn is_ours(&self, notary: &dyn Notary) -> bool {
        let Some(mark) = &self.mark else { return false };
        // Nobody erases details by taking their mark away.
        let is_whole = mark.len() > MARK || self.data == erased(None);
        is_whole && notary.made(&Facts::from(self.clone()), mark)
    }
}

/// The only key of details that were erased.
const ERASED: &str = "erased";

/// What stands in place of erased details: what was committed to, once the event is chained.
#[must_use]
pub fn erased(commitment: Option<Hash>) -> Json {
    commitment.map_or_else(|| json!({ ERASED: true }), |hash| json!({ ERASED: hash.to_string() }))
}

/// What a vendor told, as details: nothing that it tells looks as if it had been erased.
pub(crate) fn told(facts: &BTreeMap<String, String>) -> Json {
    let told: Json = facts.iter().map(|(name, fact)| (name.clone(), Json::from(fact.as_str()))).collect();
    if is_erased(&told) { json!({ "told": told }) } else { told }
}

/// Whether details were erased.
#[must_use]
pub fn is_erased(data: &Json) -> bool {
    data.as_object().is_some_and(|object| object.len() == 1 && object.contains_key(ERASED))
}

impl From<Model> for Facts {
    fn from(row: Model) -> Self {
        let committed = row.data.get(ERASED).filter(|_| is_erased(&row.data)).and_then(Json::as_str);
        let details = match committed.and_then(|hash| hash.parse().ok()) {
            Some(hash) => Details::Erased(hash),
            // Keys are sorted (serde_json without `preserve_order`): one text per meaning on both databases.
            None => Details::Plain(row.data.to_string()),
        };
        Self {
            id: row.id,
            organization: row.organization_id,
            site: row.site_id,
            device: row.device_id,
            door: row.door_id,
            command: row.command_id,
            account: row.account_id,
            external_id: row.external_id,
            vendor_code: row.vendor_code,
            event_type: row.event_type,
            occurred_at: row.occurred_at,
            recorded_at: row.recorded_at,
            actor: row.actor,
            details,
            block: row.block,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_have_one_text() {
        let read: Json = serde_json::from_str(r#"{"b": {"d": 1, "c": 2.50}, "a": "ä"}"#).unwrap();
        assert_eq!(read.to_string(), r#"{"a":"ä","b":{"c":2.5,"d":1}}"#);
    }

    #[test]
    fn only_what_was_erased_looks_like_it() {
        let hash = Hash::NOTHING;
        assert!(is_erased(&erased(Some(hash))) && is_erased(&erased(None)));
        assert!(!is_erased(&json!({ "erased": true, "name": "Ada" })) && !is_erased(&json!({})));
        let facts = |name: &str| BTreeMap::from([(name.to_owned(), hash.to_string())]);
        assert_eq!(told(&facts("erased")), json!({ "told": { "erased": hash.to_string() } }));
        assert_eq!(told(&facts("name")), json!({ "name": hash.to_string() }));
    }
}
