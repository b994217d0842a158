//! Reading the credential out of a request: the `Authorization` header, the payload of `connection_init`, or a cookie of ours.
//! A key is hashed at once and never kept; a token is kept as long as its caller is served, because each delivery asks
//! again whether it counts.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use axum::http::{HeaderMap, header::AUTHORIZATION};
use domain::secret::Secret;
use platform::oidc::LONGEST_TOKEN;
use serde_json::Value;

use super::browsers::SignedIn;

/// What was presented; whose it is, or whether anybody's, is for [`super::Keys`] to say.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    hash: Arc<[u8]>,
    presented: Presented,
}

/// What a credential is.
#[derive(Debug, Clone)]
pub(super) enum Presented {
    /// An API key, which is found by this prefix.
    Key(Arc<str>),
    /// A token of an identity provider.
    Token(Arc<Secret>),
    /// A cookie that we sealed.
    Cookie(Arc<SignedIn>),
}

/// Something was presented, but nothing that could be a key or token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Longer texts are not hashed: no key is that long.
const LONGEST: usize = 200;

/// The same hash is the same credential.
impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Credential {}

impl Hash for Credential {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl Credential {
    /// The credential of the `Authorization: Bearer …` header; `None` without the header.
    pub(crate) fn of_headers(headers: &HeaderMap) -> Result<Option<Self>, Malformed> {
        let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
        Self::of_bearer(value.to_str().map_err(|_| Malformed)?).map(Some)
    }

    /// That of `{"authorization": "Bearer …"}`, `{"Authorization": …}` or `{"token": "…"}`.
    pub(crate) fn of_init_payload(payload: &Value) -> Result<Option<Self>, Malformed> {
        for name in ["authorization", "Authorization"] {
            if let Some(value) = payload.get(name) {
                return Self::of_bearer(value.as_str().ok_or(Malformed)?).map(Some);
            }
        }
        match payload.get("token") {
            Some(value) => Self::of_text(value.as_str().ok_or(Malformed)?).map(Some),
            None => Ok(None),
        }
    }

    /// An API key, as somebody types it.
    pub(crate) fn of_key(text: &str) -> Result<Self, Malformed> {
        Self::of_text(text.trim()).and_then(|it| if it.prefix().is_some() { Ok(it) } else { Err(Malformed) })
    }

    /// What a cookie says. Its hash is of the cookie, so that it is never taken for the key that is behind it: its time is
    /// shorter.
    pub(super) fn of_cookie(text: &str, signed_in: SignedIn) -> Self {
        Self { hash: platform::api_key::hash(text).into(), presented: Presented::Cookie(Arc::new(signed_in)) }
    }

    /// Whether we made it ourselves: nobody guesses what is sealed.
    pub(super) const fn is_sealed(&self) -> bool {
        matches!(self.presented, Presented::Cookie(_))
    }

    /// What a key is verified by.
    pub(super) fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// What a key is found by.
    pub(super) fn prefix(&self) -> Option<&str> {
        match &self.presented {
            Presented::Key(prefix) => Some(prefix),
            Presented::Token(_) | Presented::Cookie(_) => None,
        }
    }

    /// What people may read of it.
    pub(crate) fn name(&self) -> String {
        match &self.presented {
            Presented::Key(prefix) => format!("API key {prefix}"),
            Presented::Token(_) => "token of an identity provider".to_owned(),
            Presented::Cookie(signed_in) => signed_in.name(),
        }
    }

    /// What it is.
    pub(super) const fn presented(&self) -> &Presented {
        &self.presented
    }

    fn of_bearer(value: &str) -> Result<Self, Malformed> {
        let (scheme, text) = value.trim().split_once(' ').ok_or(Malformed)?;
        if scheme.eq_ignore_ascii_case("bearer") { Self::of_text(text.trim()) } else { Err(Malformed) }
    }

    fn of_text(text: &str) -> Result<Self, Malformed> {
        let presented = if text.len() <= LONGEST && text.starts_with(platform::api_key::PREFIX) {
            Presented::Key(platform::api_key::prefix(text).into())
        } else if text.len() <= LONGEST_TOKEN && text.matches('.').count() == 2 {
            Presented::Token(Arc::new(Secret::new(text)))
        } else {
            return Err(Malformed);
        };
        Ok(Self { hash: platform::api_key::hash(text).into(), presented })
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
    fn a_token_is_read_and_not_printed() {
        let token = Credential::of_init_payload(&json!({ "token": "canary.canary.canary" })).unwrap().unwrap();
        assert!(matches!(token.presented(), Presented::Token(_)) && token.prefix().is_none());
        assert!(!format!("{token:?}").contains("canary"));
        let key = Credential::of_init_payload(&json!({ "token": "gh_12345678canary" })).unwrap().unwrap();
        assert_eq!(key.prefix(), Some("gh_12345678"));
        assert!(!format!("{key:?}").contains("canary"));
    }

    #[test]
    fn what_is_no_credential_is_malformed() {
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
