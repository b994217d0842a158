//! Reading JSON that does not keep its promises: nulls, missing fields, numbers as strings, booleans as words.
//! Each function is for `#[serde(deserialize_with)]` with `default`; what can not be read is `None`, never an error.

use chrono::DateTime;
use domain::clock::{Timestamp, truncate};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A text that is not empty; numbers and booleans are taken as written.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    })
}

/// A word of an enumeration, in capitals.
pub(crate) fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(text(from)?.map(|word| word.to_ascii_uppercase()))
}

/// A boolean; `"true"`, `"false"`, `"1"`, `"0"`, 1 and 0 too.
pub(crate) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(match text(from)?.map(|word| word.to_ascii_lowercase()).as_deref() {
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        _ => None,
    })
}

/// A whole number that fits an `i32`.
pub(crate) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i32>, D::Error> {
    Ok(text(from)?.and_then(|text| text.parse().ok()))
}

/// A number, also as a text.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(text(from)?.and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite()))
}

/// An RFC 3339 instant.
pub(crate) fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(text(from)?.and_then(|text| DateTime::parse_from_rfc3339(&text).ok()).map(|at| truncate(at.to_utc())))
}

/// Whatever has the shape of `T`.
pub(crate) fn shaped<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}
