//! Reading the key out of a request: the `Authorization` header, or the payload of `connection_init`.
//! The key itself is hashed at once and never kept.

use std::sync::Arc;

use axum::http::{HeaderMap, header::AUTHORIZATION};
use serde_json::Value;

/// The hash of a presented key; whose it is, or whether anybody's, is for [`super::Keys`] to say.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Credential(Arc<[u8]>);

/// Something was presented, but nothing that could be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Longer texts are not hashed: no key is that long.
const LONGEST: usize = 200;

impl Credential {
    /// The key of the `Authorization: Bearer gh_…` header; `None` without the header.
    pub(crate) fn of_headers(headers: &HeaderMap) -> Result<Option<Self>, Malformed> {
        let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
        Self::of_bearer(value.to_str().map_err(|_| Malformed)?).map(Some)
    }

    /// The key of `{"authorization": "Bearer gh_…"}`, `{"Authorization": …}` or `{"token": "gh_…"}`.
    pub(crate) fn of_init_payload(payload: &Value) -> Result<Option<Self>, Malformed> {
        for name in ["authorization", "Authorization"] {
            if let Some(value) = payload.get(name) {
                return Self::of_bearer(value.as_str().ok_or(Malformed)?).map(Some);
            }
        }
        match payload.get("token") {
            Some(value) => Self::of_key(value.as_str().ok_or(Malformed)?).map(Some),
            None => Ok(None),
        }
    }

    /// What the key is found by.
    pub(crate) fn hash(&self) -> &[u8] {
        &self.0
    }

    fn of_bearer(value: &str) -> Result<Self, Malformed> {
        let (scheme, key) = value.trim().split_once(' ').ok_or(Malformed)?;
        if scheme.eq_ignore_ascii_case("bearer") { Self::of_key(key.trim()) } else { Err(Malformed) }
    }

    fn of_key(key: &str) -> Result<Self, Malformed> {
        if key.len() > LONGEST || !key.starts_with(platform::api_key::PREFIX) {
            return Err(Malformed);
        }
        Ok(Self(platform::api_key::hash(key).into()))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_key_is_read_from_everywhere() {
        let mut headers = HeaderMap::new();
        assert_eq!(Credential::of_headers(&headers), Ok(None));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("bearer  gh_abc"));
        let expected = Credential::of_headers(&headers);
        assert!(matches!(expected, Ok(Some(_))));
        for payload in [
            json!({ "authorization": "Bearer gh_abc" }),
            json!({ "Authorization": "Bearer gh_abc" }),
            json!({ "token": "gh_abc" }),
        ] {
            assert_eq!(Credential::of_init_payload(&payload), expected);
        }
    }

    #[test]
    fn what_is_no_key_is_malformed() {
        for payload in [
            json!({ "authorization": "gh_abc" }),
            json!({ "authorization": "Basic gh_abc" }),
            json!({ "token": 7 }),
            json!({ "token": "abc" }),
            json!({ "token": format!("gh_{}", "x".repeat(LONGEST)) }),
        ] {
            assert_eq!(Credential::of_init_payload(&payload), Err(Malformed));
        }
        assert_eq!(Credential::of_init_payload(&json!(null)), Ok(None));
    }
}
