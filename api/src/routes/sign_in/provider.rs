//! Signing in through an identity provider: the way there with what the return is judged by, in a sealed cookie of ten
//! minutes, and the way back. Nothing of the addresses is logged or shown.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{
        HeaderMap, HeaderValue,
        header::{CACHE_CONTROL, SET_COOKIE},
    },
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use domain::{clock::Timestamp, secret::Secret};
use platform::oidc::{Attempt, NotSignedIn};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{is_ours, offer, page, page::Notice, way_back};
use crate::{
    app::AppState,
    auth::{Cookie, SignedIn, is_sent_by_others},
    token,
};

/// How long somebody may take at their provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// Codes that are exchanged at once: whoever has a cookie can come back with any code.
const AT_ONCE: usize = 16;

/// How much may be asked of providers at once.
#[derive(Clone)]
pub(crate) struct Exchanges(Arc<Semaphore>);

impl Default for Exchanges {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// What the link on the page carries.
#[derive(Deserialize)]
pub(crate) struct Chosen {
    issuer: String,
    return_to: Option<String>,
}

/// What the provider's redirect carries. No `Debug`: it can not be printed.
#[derive(Deserialize)]
pub(crate) struct Returned {
    state: Option<String>,
    code: Option<String>,
    /// Who sends the browser back (RFC 9207).
    iss: Option<String>,
}

/// What is remembered in between. No `Debug`: it can not be printed.
#[derive(Serialize, Deserialize)]
struct Remembered {
    issuer: String,
    state: String,
    nonce: String,
    verifier: String,
    return_to: Option<String>,
    until: Timestamp,
}

impl Remembered {
    fn attempt(&self) -> Attempt {
        let secret = |text: &str| Secret::new(text);
        Attempt { state: secret(&self.state), nonce: secret(&self.nonce), verifier: secret(&self.verifier) }
    }
}

/// Sends a browser to a provider.
pub(crate) async fn begin(
    State(state): State<AppState>,
    headers: HeaderMap,
    chosen: Result<Query<Chosen>, QueryRejection>,
) -> Response {
    let Ok(Query(chosen)) = chosen else { return offer(&state, None, None) };
    let return_to = chosen.return_to.filter(|path| is_ours(path));
    // Nobody is signed in by following a link of somebody else's: they see first where they are.
    if is_sent_by_others(&headers) {
        return offer(&state, None, return_to.as_deref());
    }
    let attempt = Attempt { state: token::generate(), nonce: token::generate(), verifier: token::generate() };
    let address = match state.issuers.authorization_url(&chosen.issuer, &attempt, &redirect_uri(&state)).await {
        Ok(address) => address,
        Err(why) => return offer(&state, Some(why.into()), return_to.as_deref()),
    };
    let expose = |secret: &Secret| secret.expose().to_owned();
    let remembered = Remembered {
        issuer: chosen.issuer,
        state: expose(&attempt.state),
        nonce: expose(&attempt.nonce),
        verifier: expose(&attempt.verifier),
        return_to,
        until: state.shared.clock.now() + PATIENCE,
    };
    let text = serde_json::to_string(&remembered).ok().map(Secret::new);
    match text.and_then(|text| state.browsers.give(Cookie::Attempt, &text, PATIENCE)) {
        Some(cookie) => {
            let headers = [(SET_COOKIE, cookie), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (headers, Redirect::to(&address)).into_response()
        }
        None => offer(&state, Some(Notice::Unavailable), None),
    }
}

/// Takes a browser back that was sent to a provider.
pub(crate) async fn finish(
    State(state): State<AppState>,
    headers: HeaderMap,
    returned: Result<Query<Returned>, QueryRejection>,
) -> Response {
    let kept = state.browsers.take(Cookie::Attempt, &headers);
    let remembered = kept.and_then(|kept| serde_json::from_str::<Remembered>(kept.expose()).ok());
    let response = match (remembered, returned) {
        (Some(remembered), Ok(Query(returned))) => match accept(&state, &remembered, returned).await {
            Ok(response) => response,
            Err(notice) => offer(&state, Some(notice), remembered.return_to.as_deref()),
        },
        _ => offer(&state, Some(Notice::UnknownReturn), None),
    };
    // It counts once, well or not.
    state.browsers.forgetting(Cookie::Attempt, response)
}

async fn accept(state: &AppState, remembered: &Remembered, returned: Returned) -> Result<Response, Notice> {
    let now = state.shared.clock.now();
    let is_same = |told: &str| platform::api_key::is_same(told.as_bytes(), remembered.state.as_bytes());
    let is_the_one = returned.iss.as_deref().is_none_or(|iss| iss == remembered.issuer);
    if remembered.until <= now || !is_the_one || !returned.state.as_deref().is_some_and(is_same) {
        return Err(Notice::UnknownReturn);
    }
    let code = returned.code.filter(|code| !code.is_empty()).map(Secret::new).ok_or(Notice::Denied)?;
    let Ok(_turn) = state.exchanges.0.try_acquire() else { return Err(Notice::Unavailable) };
    let (attempt, redirect_uri) = (remembered.attempt(), redirect_uri(state));
    let proven = state.issuers.exchange(&remembered.issuer, &attempt, &redirect_uri, &code).await?;
    match state.shared.keys.may_sign_in(&proven).await {
        Ok(true) => {}
        Ok(false) => return Err(Notice::NobodyHere),
        Err(error) => {
            tracing::warn!(%error, "who signs in could not be looked up");
            return Err(Notice::Unavailable);
        }
    }
    let cookie = state.browsers.sign_in(&SignedIn::by_provider(&proven, now), now).ok_or(Notice::Unavailable)?;
    let way = way_back(state, remembered.return_to.as_deref());
    Ok(([(SET_COOKIE, cookie)], page::onwards(&way)).into_response())
}

/// Where providers send browsers back to.
fn redirect_uri(state: &AppState) -> String {
    format!("{}/sign-in/callback", state.shared.public_url)
}

/// What people know a provider by.
pub(super) fn host(address: &str) -> &str {
    let place = address.split_once("://").map_or(address, |(_, place)| place);
    place.trim_end_matches('/')
}

impl From<NotSignedIn> for Notice {
    fn from(why: NotSignedIn) -> Self {
        match why {
            NotSignedIn::UnknownIssuer => Self::UnknownReturn,
            NotSignedIn::Unreachable => Self::ProviderUnreachable,
            NotSignedIn::Refused => Self::Refused,
        }
    }
}
