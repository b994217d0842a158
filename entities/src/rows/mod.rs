//! One file per table: its columns, and what they mean in the words of `domain`.

pub mod access_assignment;
pub mod access_level;
pub mod access_level_door;
pub mod access_token;
pub mod access_token_door;
pub mod account_location;
pub mod alert;
pub mod api_key;
pub mod command;
pub mod consent;
pub mod credential;
pub mod credential_door;
pub mod device;
pub mod door;
pub mod erased_record;
pub mod erasure;
pub mod event;
pub mod identity;
pub mod lane;
pub mod ledger_block;
pub mod ledger_horizon;
pub mod membership;
pub mod organization;
pub mod placement;
pub mod record;
pub mod record_link;
pub mod reservation;
pub mod reservation_door;
pub mod resource_door;
pub mod schedule;
pub mod site;
pub mod sync_part;
pub mod taken_value;
pub mod used_key;
pub mod user;
pub mod vault_key;
pub mod vendor_account;
pub mod webhook_delivery;

use std::collections::BTreeSet;

use domain::command::CommandKind;
use sea_orm::JsonValue;

use crate::error::StoreError;

/// Reads a word of a fixed vocabulary.
fn word<T>(
    parse: impl Fn(&str) -> Option<T>,
    table: &'static str,
    column: &'static str,
    value: &str,
) -> Result<T, StoreError> {
    parse(value).ok_or_else(|| StoreError::unreadable(table, column, value))
}

/// Reads a JSON column.
pub(crate) fn json<T: serde::de::DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    value: &JsonValue,
) -> Result<T, StoreError> {
    T::deserialize(value).map_err(|_| StoreError::unreadable(table, column, &value.to_string()))
}

/// Reads a set of capabilities. A word that only a newer version knows is left out: it cannot be asked for here.
fn capabilities(value: &JsonValue) -> BTreeSet<CommandKind> {
    let words = value.as_array().map(Vec::as_slice).unwrap_or_default();
    words.iter().filter_map(|word| CommandKind::parse(word.as_str()?)).collect()
}

/// Writes a set of capabilities.
pub(crate) fn capability_words(kinds: &BTreeSet<CommandKind>) -> JsonValue {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().into()
}

/// Writes a JSON column.
pub(crate) fn to_json<T: serde::Serialize + ?Sized>(
    table: &'static str,
    column: &'static str,
    value: &T,
) -> Result<JsonValue, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::unreadable(table, column, &error.to_string()))
}
