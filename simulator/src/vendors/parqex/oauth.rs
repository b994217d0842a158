//! ParqEx's OAuth endpoints (oauth/v2): the authorization page as an answer instead of a page, and the token endpoint. Errors
//! are those of RFC 6749, which the vendor says it follows. What becomes of tokens is in `grants`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Url;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    grants::{Code, Pair, Scope},
    state::Parqex,
};
use crate::answer::{Answer, Call, Circumstances};

/// The application that is registered at ParqEx.
#[derive(Debug, Default)]
pub(crate) struct Application {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// The registered redirect URIs; any is accepted while there are none.
    pub(crate) redirect_uris: Vec<String>,
}

/// What the person in front of the browser does.
#[derive(Debug, Default)]
pub(crate) struct Consent {
    /// Who is logged in; the first account if nobody in particular.
    pub(crate) user: Option<usize>,
    pub(crate) denied: bool,
}

/// The parameters of a request, decoded.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(pairs: &str) -> Parameters {
        let url = Url::parse(&format!("http://parqex/?{pairs}"));
        Parameters(url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default())
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, value)| name == key && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Whether any of a parameter's values is this one: the vendor's sample of a refresh names two grant types.
    fn has(&self, key: &str, value: &str) -> bool {
        self.0.iter().any(|(name, given)| name == key && given == value)
    }
}

fn refused(status: u16, error: &str, why: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": why }))
}

/// Back to the caller's redirect URI, with the unchanged state.
fn back(mut url: Url, results: &[(&str, &str)], state: Option<&str>) -> Answer {
    url.query_pairs_mut().extend_pairs(results).extend_pairs(state.map(|state| ("state", state)));
    Answer::redirect(url.into())
}

impl Parqex {
    /// P2, step 1. The person allows at once, unless `deny` is in the query or the control says that they deny.
    pub(crate) fn authorize(&mut self, call: &Call, at: &Circumstances<'_>) -> Answer {
        let parameters = Parameters::read(call.received.query.as_deref().unwrap_or_default());
        if parameters.get("client_id") != Some(&self.application.client_id) {
            return refused(400, "invalid_client", "unknown client_id");
        }
        let Some(url) = parameters.get("redirect_uri").and_then(|uri| self.redirect_to(uri)) else {
            return refused(400, "invalid_request", "redirect_uri is not registered");
        };
        let state = parameters.get("state");
        let fail = |error: &str| back(url.clone(), &[("error", error)], state);
        if parameters.get("response_type") != Some("code") {
            return fail("unsupported_response_type");
        }
        let Some(scope) = parameters.get("scope").and_then(Scope::read) else {
            return fail("invalid_scope");
        };
        let challenge = parameters.get("code_challenge").map(str::to_owned);
        if challenge.is_some() && parameters.get("code_challenge_method") != Some("S256") {
            return fail("invalid_request");
        }
        let user = match parameters.get("user") {
            Some(email) => self.account_named(email),
            None => self.consent.user.or(Some(0)),
        };
        let Some(account) = user.filter(|user| self.accounts.get(*user).is_some_and(|account| account.valid)) else {
            return fail("access_denied");
        };
        if self.consent.denied || parameters.get("deny").is_some() {
            self.grants.deny(account);
            return fail("access_denied");
        }
        let redirect_uri = parameters.get("redirect_uri").unwrap_or_default().to_owned();
        let code = self.grants.authorize(Code { account, scope, redirect_uri, challenge }, at.now);
        back(url, &[("code", &code)], state)
    }

    fn redirect_to(&self, uri: &str) -> Option<Url> {
        let known = &self.application.redirect_uris;
        let accepted = known.is_empty() || known.iter().any(|known| known == uri);
        Url::parse(uri).ok().filter(|_| accepted)
    }

    /// P2, step 3, and P3: documented as a GET with everything in the query; a POST with a form does as well.
    pub(crate) fn token(&mut self, call: &Call, at: &Circumstances<'_>) -> Answer {
        let form = String::from_utf8_lossy(call.body());
        let pairs =
            if call.received.method == "POST" { &form } else { call.received.query.as_deref().unwrap_or_default() };
        let parameters = Parameters::read(pairs);
        let kind = call.header("content-type").and_then(|kind| kind.split(';').next());
        if kind.is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
            return refused(400, "invalid_request", "Content-Type must be application/x-www-form-urlencoded");
        }
        let application = &self.application;
        if parameters.get("client_id") != Some(&application.client_id)
            || parameters.get("client_secret") != Some(&application.client_secret)
        {
            return refused(401, "invalid_client", "client_id and client_secret do not match");
        }
        let issued = if parameters.has("grant_type", "refresh_token") {
            let Some(token) = parameters.get("refresh_token") else {
                return refused(400, "invalid_request", "refresh_token is required");
            };
            self.grants.refresh(token, at.now)
        } else if parameters.has("grant_type", "authorization_code") {
            let Some(code) = parameters.get("code") else {
                return refused(400, "invalid_request", "code is required");
            };
            let code = self.grants.take_code(code, at.now);
            let kept = code.filter(|code| {
                parameters.get("redirect_uri") == Some(&code.redirect_uri)
                    && proves(parameters.get("code_verifier"), code.challenge.as_deref())
            });
            kept.map(|code| self.grants.exchange(&code, at.now))
        } else {
            return refused(400, "unsupported_grant_type", "grant_type is authorization_code or refresh_token");
        };
        match issued {
            Some(Pair { access, refresh, expires_in }) => Answer::json(
                200,
                &json!({ "access_token": access, "refresh_token": refresh, "expires_in": expires_in }),
            ),
            None => refused(400, "invalid_grant", "the code or token is unknown, used, expired or revoked"),
        }
    }
}

/// PKCE: whoever gave a challenge must show what it was made of.
fn proves(verifier: Option<&str>, challenge: Option<&str>) -> bool {
    challenge.is_none_or(|challenge| {
        verifier.is_some_and(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge)
    })
}
