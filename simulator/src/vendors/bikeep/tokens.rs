//! Bikeep's token endpoint for back ends: client credentials, an hour, no refresh. Errors are those of RFC 6749, because the
//! document shows none.

use std::{collections::HashMap, time::Duration};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Utc};
use reqwest::Url;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::state::Bikeep;
use crate::{
    answer::{Answer, Call, Circumstances},
    clock::later,
};

/// How long an access token lives, as documented.
const LIFE: Duration = Duration::from_secs(3600);

/// What a back end was issued.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) operator: String,
    /// With which webhooks are hashed.
    pub(crate) webhook_seed: String,
}

/// The access tokens that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    live: HashMap<String, (usize, DateTime<Utc>)>,
    next: u64,
}

impl Tokens {
    /// Whose token it is, if it is good now.
    pub(crate) fn account(&self, token: &str, now: DateTime<Utc>) -> Option<usize> {
        self.live.get(token).filter(|(_, expires)| *expires > now).map(|(account, _)| *account)
    }

    /// A token in the form of a JWT; nobody can verify its signature, as with the vendor's.
    fn issue(&mut self, account: usize, client: &str, secret: &str, born: u64, now: DateTime<Utc>) -> String {
        self.next += 1;
        let expires = later(now, LIFE);
        self.live.retain(|_, (_, expires)| *expires > now);
        let part = |value: String| URL_SAFE_NO_PAD.encode(value);
        let header = part(json!({ "typ": "JWT", "alg": "HS256" }).to_string());
        let id = format!("{born:x}-{}", self.next);
        let claims = part(json!({ "sub": client, "exp": expires.timestamp(), "jti": id }).to_string());
        let signature = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{secret}.{claims}")));
        let token = format!("{header}.{claims}.{signature}");
        self.live.insert(token.clone(), (account, expires));
        token
    }
}

fn refused(status: u16, error: &str) -> Answer {
    Answer::json(status, &json!({ "error": error }))
}

impl Bikeep {
    /// POST /oauth2/token: the client's id and secret in the form or as HTTP Basic.
    pub(crate) fn token(&mut self, call: &Call, at: &Circumstances<'_>) -> Answer {
        let kind = call.header("content-type").and_then(|kind| kind.split(';').next());
        if kind.is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
            return refused(400, "invalid_request");
        }
        let form = format!("http://bikeep/?{}", String::from_utf8_lossy(call.body()));
        let form: HashMap<String, String> =
            Url::parse(&form).map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default();
        match form.get("grant_type").map(String::as_str) {
            Some("client_credentials") => {}
            Some(_) => return refused(400, "unsupported_grant_type"),
            None => return refused(400, "invalid_request"),
        }
        let given = basic(call).or_else(|| form.get("client_id").cloned().zip(form.get("client_secret").cloned()));
        let found = given.and_then(|(id, secret)| {
            self.accounts
                .iter()
                .position(|account| account.valid && account.client.id == id && account.client.secret == secret)
                .map(|account| (account, id, secret))
        });
        let Some((account, id, secret)) = found else {
            return refused(401, "invalid_client");
        };
        let token = self.tokens.issue(account, &id, &secret, self.born, at.now);
        let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": LIFE.as_secs() });
        Answer::json(200, &body)
    }
}

/// User and password of HTTP Basic.
fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.authorization.as_deref()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}
