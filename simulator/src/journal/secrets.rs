//! How secrets are kept out of the journal: as short hashes, enough to tell two of them apart.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde_json::Value;

/// Takes the Authorization value out of the headers and leaves scheme and short hash, enough to tell two callers apart.
pub(crate) fn take_authorization(headers: &mut HeaderMap) -> Option<String> {
    let value = headers.remove(AUTHORIZATION)?;
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let (scheme, secret) = text.split_once(' ').unwrap_or(("", &text));
    let redacted = format!("{scheme} {}", short_hash(secret));
    if let Ok(redacted) = HeaderValue::from_str(redacted.trim_start()) {
        headers.insert(AUTHORIZATION, redacted);
    }
    Some(text)
}

/// Takes the value of Lockt's `apikey` header out of the headers and leaves a short hash.
pub(crate) fn take_api_key(headers: &mut HeaderMap) -> Option<String> {
    let value = headers.remove("apikey")?;
    let secret = String::from_utf8_lossy(value.as_bytes()).into_owned();
    if let Ok(redacted) = HeaderValue::from_str(&short_hash(&secret)) {
        headers.insert("apikey", redacted);
    }
    Some(secret)
}

/// Keys of a query or a form whose values are secrets.
const SECRET_KEYS: [&str; 5] = ["client_secret", "code", "code_verifier", "refresh_token", "access_token"];

/// A query or a form with its secrets as short hashes.
pub(super) fn without_secrets(pairs: &str) -> String {
    let readable = |pair: &str| match pair.split_once('=') {
        Some((key, value)) if SECRET_KEYS.contains(&key) => format!("{key}={}", short_hash(value)),
        _ => pair.to_owned(),
    };
    pairs.split('&').map(readable).collect::<Vec<_>>().join("&")
}

/// A request to Mews without the tokens it holds. One that is not JSON is not shown: they could be anywhere in it.
pub(super) fn without_tokens(body: &[u8]) -> String {
    let Ok(mut body) = serde_json::from_slice::<Value>(body) else {
        return format!("{} bytes that are not JSON", body.len());
    };
    for name in ["ClientToken", "AccessToken"] {
        if let Some(Value::String(token)) = body.get_mut(name) {
            *token = short_hash(token);
        }
    }
    body.to_string()
}

fn short_hash(secret: &str) -> String {
    let mut hasher = DefaultHasher::new();
    secret.hash(&mut hasher);
    format!("#{:08x}", hasher.finish() >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authorization_value_is_kept_only_as_a_hash() {
        let redact = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            let taken = take_authorization(&mut headers);
            assert_eq!(taken.as_deref(), Some(value));
            headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned).unwrap_or_default()
        };
        let one = redact("Bearer secret-one");
        assert!(one.starts_with("Bearer #") && !one.contains("secret"), "{one}");
        assert_ne!(one, redact("Bearer secret-two"));
        assert!(!redact("nakedsecret").contains("naked"));
    }

    #[test]
    fn secrets_of_a_query_are_kept_only_as_a_hash() {
        let readable = without_secrets("grant_type=refresh_token&refresh_token=rt_secret&client_secret=cs&state=7");
        assert!(readable.starts_with("grant_type=refresh_token&refresh_token=#"), "{readable}");
        assert!(readable.ends_with("&state=7") && !readable.contains("rt_secret") && !readable.contains("=cs"));
    }

    #[test]
    fn the_tokens_in_a_request_to_mews_are_kept_only_as_a_hash() {
        let readable = without_tokens(br#"{"ClientToken":"ct","AccessToken":"at","Ids":["1"]}"#);
        assert!(readable.contains(r##""AccessToken":"#"##) && readable.contains(r#""Ids":["1"]"#), "{readable}");
        assert!(!readable.contains("\"ct\"") && !readable.contains("\"at\""), "{readable}");
        assert!(!without_tokens(br#"{"ClientToken":"ct",}"#).contains("ct"));
    }
}
