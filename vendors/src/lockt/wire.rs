//! Lockt's JSON as it comes (document 002): tolerant, without meaning. Nothing here can be printed: bodies hold
//! registration keys and, in refusals, PINs.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::lenient;

/// A person, or a fob as the list of people shows it.
#[derive(Clone, Deserialize)]
pub(super) struct User {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id_num: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) first_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) last_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) card_num: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) credential_key: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) phone: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(super) enabled: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) access_effective: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) access_expires: Option<String>,
    #[serde(default, deserialize_with = "ids")]
    pub(super) accesslevels: Option<Vec<String>>,
}

/// A credential tagged as a fob. Lockt describes it in the words of a person.
pub(super) type Fob = User;

/// When a fob was last seen. Its members are not documented beyond that.
#[derive(Deserialize)]
pub(super) struct FobCheck {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(flatten)]
    pub(super) more: BTreeMap<String, Value>,
}

/// A credential.
#[derive(Deserialize)]
pub(super) struct Credential {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) card_num: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) credential_key: Option<String>,
    #[serde(default, deserialize_with = "lenient::word")]
    pub(super) claim_status: Option<String>,
    #[serde(default, deserialize_with = "named")]
    pub(super) user: Vec<Named>,
}

/// Something by its id and name.
#[derive(Clone, Deserialize)]
pub(super) struct Named {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
}

/// A door.
#[derive(Deserialize)]
pub(super) struct Door {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(default, rename = "type", deserialize_with = "lenient::text")]
    pub(super) kind: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) location: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(super) enabled: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) controller: Option<String>,
}

/// A door's battery.
#[derive(Deserialize)]
pub(super) struct DoorState {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) battery_level: Option<String>,
}

/// A weekly pattern; its days are `d0` to `d6`.
#[derive(Deserialize)]
pub(super) struct Schedule {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) start: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) stop: Option<String>,
    #[serde(flatten)]
    pub(super) more: BTreeMap<String, Value>,
}

/// Doors that are granted together.
#[derive(Deserialize)]
pub(super) struct AccessLevel {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "ids")]
    pub(super) doors: Option<Vec<String>>,
}

/// Something that happened. The document's table says `event_time`, its samples `hw_time`.
#[derive(Deserialize)]
pub(super) struct Event {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) device: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) code: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) code_text: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) subcode: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) subcode_text: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) schedule: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) controller: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) location: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) card_num: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) user: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) category: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) category_text: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) event_time: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) hw_time: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) db_time: Option<String>,
}

/// What an answer's `data` holds.
pub(super) enum Data {
    /// A list; one thing is a list of one.
    Items(Vec<Value>),
    /// Errors, in spite of a success's status (the document puts them into the same place).
    Words(Vec<String>),
    /// Neither.
    Other,
}

/// Takes an answer's list out of it.
pub(super) fn data(mut body: Value) -> Data {
    let errors = |item: &Value| item.get("error").filter(|_| item.get("id").is_none()).map(texts);
    match body.get_mut("data").map(Value::take) {
        Some(Value::Array(items)) => match items.iter().find_map(errors) {
            Some(words) => Data::Words(words),
            None => Data::Items(items),
        },
        Some(item @ Value::Object(_)) => match errors(&item) {
            Some(words) => Data::Words(words),
            None if item.get("id").is_some() => Data::Items(vec![item]),
            None => Data::Other,
        },
        _ => Data::Other,
    }
}

/// What an answer to a batch, or any refusal, says.
#[derive(Default)]
pub(super) struct Said {
    /// Words about all of it.
    pub(super) words: Vec<String>,
    /// What is wrong with single records.
    pub(super) records: Vec<RecordError>,
    pub(super) submitted: Option<u64>,
    pub(super) inserted: Option<u64>,
    pub(super) updated: Option<u64>,
    /// How many errors were counted.
    pub(super) errors: Option<u64>,
}

/// What is wrong with one record.
pub(super) struct RecordError {
    pub(super) messages: Vec<String>,
    /// The record as we sent it, PIN included: only good to see which one it was.
    pub(super) input: Value,
}

/// Reads an answer to a batch, or a refusal, in any of the document's forms.
pub(super) fn said(body: &Value) -> Said {
    let mut said = Said::default();
    let data = body.get("data").unwrap_or(&Value::Null);
    for part in [body, data] {
        if let Some(error) = record_error(part) {
            said.records.push(error);
            continue;
        }
        for member in ["result", "error"] {
            said.words.extend(part.get(member).map(texts).unwrap_or_default());
        }
        let count = |member: &str| part.get(member).and_then(number);
        said.submitted = said.submitted.or_else(|| count("submitted"));
        said.inserted = said.inserted.or_else(|| count("inserted"));
        said.updated = said.updated.or_else(|| count("updated"));
        said.errors = said.errors.or_else(|| count("errors"));
        let listed = part.get("errors").and_then(Value::as_array).or_else(|| part.as_array());
        for error in listed.into_iter().flatten() {
            match record_error(error) {
                Some(error) => said.records.push(error),
                None => said.words.extend(texts(error)),
            }
        }
    }
    said
}

fn record_error(value: &Value) -> Option<RecordError> {
    let input = value.get("input_data")?.clone();
    Some(RecordError { messages: value.get("error").map(texts).unwrap_or_default(), input })
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => vec![text.trim().to_owned()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => {
            members.get("error").or_else(|| members.get("message")).map(texts).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A text or number as a text.
pub(super) fn text(value: &Value) -> Option<String> {
    lenient::text(value).ok().flatten()
}

/// The ids of a list of things; nothing is told if one of them can not be read.
fn ids<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    let Value::Array(items) = Value::deserialize(from)? else { return Ok(None) };
    Ok(items.iter().map(|item| text(item.get("id").unwrap_or(item))).collect())
}

/// A list of things by id and name, or one.
fn named<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Named>, D::Error> {
    let items = match Value::deserialize(from)? {
        Value::Array(items) => items,
        item @ Value::Object(_) => vec![item],
        _ => Vec::new(),
    };
    Ok(items.into_iter().filter(Value::is_object).filter_map(|item| serde_json::from_value(item).ok()).collect())
}
