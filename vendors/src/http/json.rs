//! Reading answers. A text of a vendor's has no NUL: PostgreSQL keeps none, and one text must not hold up all others.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// How JSON writes NUL.
const NUL: &[u8] = b"\\u0000";

/// What a body says, without NUL.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    if body.windows(NUL.len()).any(|window| window == NUL) {
        return serde_json::from_value(without_nul(serde_json::from_slice(body)?));
    }
    serde_json::from_slice(body)
}

fn without_nul(told: Value) -> Value {
    match told {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(all) => all.into_iter().map(without_nul).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name.replace('\0', ""), without_nul(value))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_has_a_nul() {
        let told: Value = read(br#"{"na\u0000me": ["\u0000A\u0000b", 1, {"b": "\\u0000"}]}"#).unwrap();
        assert_eq!(told, json!({ "name": ["Ab", 1, { "b": "\\u0000" }] }));
        assert!(read::<Value>(br#"{"a": "\u0000""#).is_err() && read::<u64>(br#""\u0000""#).is_err());
    }
}
