//! Browsers: what they are given to bring back. A cookie holds, sealed by the vault, who signed in and until when; we keep
//! nothing of it, and look up on each request whose it is, as for a key. It counts only for pages of our own origin.

use std::{fmt, sync::Arc};

use axum::{
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, SET_COOKIE},
    },
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{clock::Timestamp, secret::Secret};
use platform::{
    oidc::Proven,
    vault::{Place, Vault},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Credential, origin::OwnOrigin};

/// The longest that a browser stays signed in.
const LONGEST: TimeDelta = TimeDelta::hours(12);
/// Longer texts are not opened: none of ours is that long, and browsers keep no longer ones.
const LONGEST_COOKIE: usize = 4_096;

/// Who signed in with a browser, and until when.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    pub(super) who: Who,
    pub(super) until: Timestamp,
}

/// By what they signed in. It is looked up again each time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Who {
    /// A key, as it is found and verified; the key itself is not in the cookie.
    Key { prefix: String, hash: Vec<u8> },
    /// A person, as their provider names them.
    Person { issuer: String, subject: String },
}

impl SignedIn {
    /// By a key that ends at `ends`.
    pub(crate) fn by_key(key: &Credential, ends: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        let who = Who::Key { prefix: key.prefix()?.to_owned(), hash: key.hash().to_vec() };
        let longest = now + LONGEST;
        Some(Self { who, until: ends.map_or(longest, |ends| ends.min(longest)) })
    }

    /// By a provider.
    pub(crate) fn by_provider(proven: &Proven, now: Timestamp) -> Self {
        let who = Who::Person { issuer: proven.issuer.url.clone(), subject: proven.subject.clone() };
        Self { who, until: proven.signed_in_until(now) }
    }

    /// What people may read of it.
    pub(super) fn name(&self) -> String {
        match &self.who {
            Who::Key { prefix, .. } => format!("API key {prefix}"),
            Who::Person { .. } => "sign-in through an identity provider".to_owned(),
        }
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignedIn").field("until", &self.until).finish_non_exhaustive()
    }
}

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Who is signed in.
    Session,
    /// How a browser's return from a provider is judged.
    Attempt,
}

/// What a browser brings of a session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Brought {
    /// Nothing, or nothing that counts for whoever asks.
    Nothing,
    /// What no key of ours opens.
    Unreadable,
    Credential(Credential),
}

/// How browsers reach us, and what they are given.
pub(crate) struct Browsers {
    vault: Arc<Vault>,
    own: OwnOrigin,
    /// The path of the public address, without a slash at its end.
    base: String,
}

impl Browsers {
    pub(crate) fn new(vault: Arc<Vault>, public_url: &str) -> Self {
        let place = public_url.split_once("://").map_or(public_url, |(_, place)| place);
        let base = place.find('/').and_then(|slash| place.get(slash..)).unwrap_or_default();
        Self { vault, own: OwnOrigin::of(public_url), base: base.trim_end_matches('/').to_owned() }
    }

    /// A path of ours as browsers have to write it.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether a page of ours makes this request.
    pub(crate) fn page_of_ours_asks(&self, headers: &HeaderMap) -> bool {
        self.own.asks(headers)
    }

    /// Whether the request names a page of ours as the one that asks.
    pub(crate) fn page_of_ours_is_named(&self, headers: &HeaderMap) -> bool {
        self.own.is_named(headers)
    }

    /// The session for a request that a page of ours makes.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Brought {
        if self.own.asks(headers) { self.brought(headers) } else { Brought::Nothing }
    }

    /// The session for a socket that a page of ours opens: browsers name the page each time.
    pub(crate) fn socket_session(&self, headers: &HeaderMap) -> Brought {
        if self.own.is_named(headers) { self.brought(headers) } else { Brought::Nothing }
    }

    /// The session for a page that only shows whose it is, and changes nothing.
    pub(crate) fn shown_session(&self, headers: &HeaderMap) -> Brought {
        if super::is_sent_by_others(headers) { Brought::Nothing } else { self.brought(headers) }
    }

    /// What makes a browser signed in.
    pub(crate) fn sign_in(&self, signed_in: &SignedIn, now: Timestamp) -> Option<HeaderValue> {
        let text = Secret::new(serde_json::to_string(signed_in).ok()?);
        self.give(Cookie::Session, &text, signed_in.until - now)
    }

    /// What makes a browser keep a text, which it cannot read.
    pub(crate) fn give(&self, cookie: Cookie, text: &Secret, time: TimeDelta) -> Option<HeaderValue> {
        let sealed = self.vault.seal(text, cookie.place()).ok()?;
        self.header(cookie, &URL_SAFE_NO_PAD.encode(sealed), time)
    }

    /// What a browser kept; `None` without, or if it is not ours.
    pub(crate) fn take(&self, cookie: Cookie, headers: &HeaderMap) -> Option<Secret> {
        self.open(cookie, self.find(cookie, headers)?)
    }

    /// The same answer, after which the browser has forgotten a cookie.
    pub(crate) fn forgetting(&self, cookie: Cookie, mut answer: Response) -> Response {
        if let Some(header) = self.forget(cookie) {
            answer.headers_mut().append(SET_COOKIE, header);
        }
        answer
    }

    fn forget(&self, cookie: Cookie) -> Option<HeaderValue> {
        self.header(cookie, "", TimeDelta::zero())
    }

    fn brought(&self, headers: &HeaderMap) -> Brought {
        let Some(text) = self.find(Cookie::Session, headers) else { return Brought::Nothing };
        let opened = self.open(Cookie::Session, text);
        match opened.and_then(|opened| serde_json::from_str::<SignedIn>(opened.expose()).ok()) {
            Some(signed_in) => Brought::Credential(Credential::of_cookie(text, signed_in)),
            None => Brought::Unreadable,
        }
    }

    fn find<'a>(&self, cookie: Cookie, headers: &'a HeaderMap) -> Option<&'a str> {
        let name = self.name(cookie);
        let headers = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = headers.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, text)| text)
    }

    fn open(&self, cookie: Cookie, text: &str) -> Option<Secret> {
        let sealed = (text.len() <= LONGEST_COOKIE).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        self.vault.open(&sealed, cookie.place()).ok()
    }

    /// A browser takes a name that begins so only over TLS, for this host alone and for all of it.
    fn name(&self, cookie: Cookie) -> &'static str {
        match (cookie, self.own.is_secure()) {
            (Cookie::Session, true) => "__Host-gatehouse",
            (Cookie::Session, false) => "gatehouse",
            (Cookie::Attempt, true) => "__Host-gatehouse-attempt",
            (Cookie::Attempt, false) => "gatehouse-attempt",
        }
    }

    /// Without TLS a browser would not keep what it may send over TLS only.
    fn header(&self, cookie: Cookie, text: &str, time: TimeDelta) -> Option<HeaderValue> {
        let (name, seconds) = (self.name(cookie), time.num_seconds().max(0));
        let site = match cookie {
            // Nothing that another site's page begins carries it, not even a link.
            Cookie::Session => "Strict",
            // The provider's page sends the browser back.
            Cookie::Attempt => "Lax",
        };
        let secure = if self.own.is_secure() { "; Secure" } else { "" };
        let header = format!("{name}={text}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={site}{secure}");
        let mut header = HeaderValue::from_str(&header).ok().filter(|header| header.len() <= LONGEST_COOKIE)?;
        header.set_sensitive(true);
        Some(header)
    }
}

impl Cookie {
    /// What is sealed as the one is never opened as the other, nor as anything of a row.
    const fn place(self) -> Place {
        let column = match self {
            Self::Session => "session",
            Self::Attempt => "attempt",
        };
        Place { table: "cookies", column, row: Uuid::nil() }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::{HOST, ORIGIN};
    use platform::vault::VaultError;

    use super::*;

    const KEY: &str = "gh_12345678canarycanary";

    fn now() -> Timestamp {
        Timestamp::from_timestamp_secs(1_800_000_000).unwrap()
    }

    fn signed_in() -> SignedIn {
        SignedIn::by_key(&Credential::of_key(KEY).unwrap(), None, now()).unwrap()
    }

    fn browsers(public_url: &str) -> Browsers {
        Browsers::new(Arc::new(Vault::new(&Vault::generate_key()).unwrap()), public_url)
    }

    /// What a page of ours sends that has this cookie.
    fn with_cookie(text: &str) -> HeaderMap {
        let own = ("sec-fetch-site".parse().unwrap(), HeaderValue::from_static("same-origin"));
        HeaderMap::from_iter([own, (COOKIE, text.parse().unwrap())])
    }

    /// The pair that a browser sends back.
    fn pair(header: &HeaderValue) -> String {
        header.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    #[test]
    fn a_cookie_is_for_this_host_alone_and_no_script_reads_it() {
        let house = browsers("https://doors.example/house/");
        let header = house.sign_in(&signed_in(), now()).unwrap();
        let (value, attributes) = header.to_str().unwrap().split_once(';').unwrap();
        assert!(value.starts_with("__Host-gatehouse="), "{value}");
        assert_eq!(attributes, " Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
        let attempt = house.give(Cookie::Attempt, &Secret::new("a"), TimeDelta::minutes(10)).unwrap();
        let (value, attributes) = attempt.to_str().unwrap().split_once(';').unwrap();
        assert!(value.starts_with("__Host-gatehouse-attempt="), "{value}");
        assert_eq!(attributes, " Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure");
        let at_home = browsers("http://127.0.0.1:8080");
        assert_eq!(
            at_home.forget(Cookie::Session).unwrap(),
            "gatehouse=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        );
        assert_eq!((house.path("/sign-in").as_str(), at_home.path("/").as_str()), ("/house/sign-in", "/"));
        assert!(house.give(Cookie::Attempt, &Secret::new("a".repeat(4_000)), TimeDelta::minutes(10)).is_none());
    }

    #[test]
    fn what_comes_back_is_what_was_given_or_nothing() {
        let house = browsers("https://doors.example");
        let cookie = pair(&house.sign_in(&signed_in(), now()).unwrap());
        let brought = house.session(&with_cookie(&format!("a=b; {cookie}; c")));
        let Brought::Credential(credential) = &brought else { panic!("{brought:?}") };
        assert!(credential.is_sealed() && credential.name() == "API key gh_12345678");
        // It is not the key: it ends earlier, and is not taken for it.
        assert_ne!(*credential, Credential::of_key(KEY).unwrap());
        assert!(!format!("{brought:?}").contains("canary"));
        let attempt = pair(&house.give(Cookie::Attempt, &Secret::new("{}"), TimeDelta::minutes(10)).unwrap());
        let moved = attempt.replace("__Host-gatehouse-attempt", "__Host-gatehouse");
        let elsewhere = pair(&browsers("https://doors.example").sign_in(&signed_in(), now()).unwrap());
        let longer = format!("{cookie}{}", "A".repeat(LONGEST_COOKIE));
        for unreadable in ["__Host-gatehouse=", "__Host-gatehouse=nonsense", &moved, &elsewhere, &longer] {
            assert_eq!(house.session(&with_cookie(unreadable)), Brought::Unreadable, "{unreadable}");
        }
        for nothing in ["", "gatehouse=x", "__Host-gatehouse", &attempt] {
            assert_eq!(house.session(&with_cookie(nothing)), Brought::Nothing, "{nothing}");
        }
        assert_eq!(house.take(Cookie::Attempt, &with_cookie(&attempt)), Some(Secret::new("{}")));
        assert_eq!(house.take(Cookie::Attempt, &with_cookie(&cookie)), None);
        // Nor is it anything of a row.
        let sealed = URL_SAFE_NO_PAD.decode(cookie.split_once('=').unwrap().1).unwrap();
        let row = Place { table: "vendor_accounts", column: "credentials", row: Uuid::nil() };
        assert_eq!(house.vault.open(&sealed, row), Err(VaultError::Altered));
    }

    #[test]
    fn a_session_counts_where_its_page_is_ours() {
        let house = browsers("https://doors.example");
        let cookie = pair(&house.sign_in(&signed_in(), now()).unwrap());
        let judge = |name: &str, value: &str| {
            let mut headers = with_cookie(&cookie);
            headers.remove("sec-fetch-site");
            headers.insert(HOST, HeaderValue::from_static("doors.example"));
            headers.insert(axum::http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            let counts = |brought| matches!(brought, Brought::Credential(_));
            let (request, socket, shown) =
                (house.session(&headers), house.socket_session(&headers), house.shown_session(&headers));
            (counts(request), counts(socket), counts(shown))
        };
        let origin = ORIGIN.as_str();
        for (name, value, expected) in [
            ("x-nothing", "", (false, false, true)),
            ("sec-fetch-site", "same-origin", (true, false, true)),
            ("sec-fetch-site", "same-site", (false, false, false)),
            ("sec-fetch-site", "cross-site", (false, false, false)),
            ("sec-fetch-site", "none", (false, false, true)),
            (origin, "https://doors.example", (true, true, true)),
            (origin, "http://doors.example", (false, false, true)),
            (origin, "https://desk.example", (false, false, true)),
        ] {
            assert_eq!(judge(name, value), expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_session_ends_with_its_key_and_within_half_a_day() {
        let key = Credential::of_key(KEY).unwrap();
        let until = |ends: Option<TimeDelta>| {
            SignedIn::by_key(&key, ends.map(|ends| now() + ends), now()).unwrap().until - now()
        };
        assert_eq!(until(None), TimeDelta::hours(12));
        assert_eq!(until(Some(TimeDelta::hours(1))), TimeDelta::hours(1));
        assert_eq!(until(Some(TimeDelta::days(1))), TimeDelta::hours(12));
    }
}
