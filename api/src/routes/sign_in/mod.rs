//! `/sign-in` and `/sign-out`: how a browser comes to a session, and how it is rid of it. `provider` is the way over an
//! identity provider, `page` what a person sees. Only pages of ours may sign somebody in or out.

mod page;
mod provider;

use axum::{
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header::SET_COOKIE},
    response::{IntoResponse, Redirect, Response},
};
use domain::secret::Secret;
use serde::Deserialize;

pub(crate) use self::provider::{Exchanges, begin, finish};
use self::{page::Notice, provider::host};
use crate::{
    app::AppState,
    auth::{Admission, Brought, Cookie, Credential, Peer, Session, SignedIn},
    body,
};

/// The longest form that is read, in bytes.
pub(crate) const LONGEST_FORM: usize = 4_096;
/// Longer ways back are forgotten: a cookie has to hold them.
const LONGEST_WAY_BACK: usize = 512;

/// What the address of the page carries.
#[derive(Deserialize)]
pub(crate) struct Asked {
    return_to: Option<String>,
}

/// Shows who is signed in, or how to.
pub(crate) async fn show(
    State(state): State<AppState>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let return_to = asked.ok().and_then(|Query(asked)| asked.return_to);
    let Brought::Credential(credential) = state.browsers.shown_session(&headers) else {
        return offer(&state, None, return_to.as_deref());
    };
    match state.shared.keys.admit(&credential, None).await {
        Ok(Admission::Session(session)) => page::signed_in(&state, &session),
        Ok(_) => state.browsers.forgetting(Cookie::Session, offer(&state, None, return_to.as_deref())),
        Err(error) => {
            tracing::warn!(%error, "whose cookie it is could not be looked up");
            offer(&state, Some(Notice::Unavailable), return_to.as_deref())
        }
    }
}

/// Signs in with a key that somebody typed.
pub(crate) async fn with_key(
    State(state): State<AppState>,
    Peer(peer): Peer,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let body = match body::whole(request, &state).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let (mut key, mut return_to) = (None, None);
    for (name, value) in form_urlencoded::parse(&body) {
        match name.as_ref() {
            "key" => key = Some(Secret::new(value)),
            "return_to" => return_to = Some(value.into_owned()),
            _ => {}
        }
    }
    let refused = |notice| offer(&state, Some(notice), return_to.as_deref());
    // Who may sign somebody in can make them work for somebody else.
    if !state.browsers.page_of_ours_asks(&headers) {
        return refused(Notice::ForeignPage);
    }
    let credential = key.map(|key| Credential::of_key(key.expose()));
    let Some(Ok(credential)) = credential else { return refused(Notice::WrongKey) };
    let session = match state.shared.keys.admit(&credential, peer).await {
        Ok(Admission::Session(session)) => session,
        Ok(Admission::Nobody) => return refused(Notice::WrongKey),
        Ok(Admission::Slowed(pause)) => return refused(Notice::Slowed(pause)),
        Ok(Admission::Unreachable) => return refused(Notice::Unavailable),
        Err(error) => {
            tracing::warn!(%error, "a key could not be looked up");
            return refused(Notice::Unavailable);
        }
    };
    match cookie_of(&state, &credential, &session) {
        Some(cookie) => {
            let way = way_back(&state, return_to.as_deref());
            ([(SET_COOKIE, cookie)], Redirect::to(&way)).into_response()
        }
        None => refused(Notice::Unavailable),
    }
}

fn cookie_of(state: &AppState, key: &Credential, session: &Session) -> Option<HeaderValue> {
    let now = state.shared.clock.now();
    let signed_in = SignedIn::by_key(key, session.principal.expires_at, now)?;
    state.browsers.sign_in(&signed_in, now)
}

/// Makes the browser forget who is signed in.
pub(crate) async fn out(State(state): State<AppState>, headers: HeaderMap) -> Response {
    if !state.browsers.page_of_ours_asks(&headers) {
        return offer(&state, Some(Notice::ForeignPage), None);
    }
    let back = Redirect::to(&state.browsers.path("/sign-in")).into_response();
    state.browsers.forgetting(Cookie::Session, back)
}

fn offer(state: &AppState, notice: Option<Notice>, return_to: Option<&str>) -> Response {
    let issuers = state.issuers.for_browsers().map(|issuer| (issuer.url.as_str(), host(&issuer.url)));
    page::offer(state, &issuers.collect::<Vec<_>>(), notice, return_to.filter(|path| is_ours(path)))
}

/// Where a browser goes that is signed in: where it wanted to, or to the page that says who is.
fn way_back(state: &AppState, wanted: Option<&str>) -> String {
    wanted.filter(|path| is_ours(path)).map_or_else(|| state.browsers.path("/sign-in"), str::to_owned)
}

/// Whether this is a path of our own host, however a browser reads it.
fn is_ours(path: &str) -> bool {
    let is_plain = |letter: u8| letter.is_ascii_graphic() && letter != b'\\';
    path.starts_with('/') && !path.starts_with("//") && path.len() <= LONGEST_WAY_BACK && path.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_host() {
        for path in ["/", "/graphiql", "/doors?text=a%2Fb#c", "/a//b"] {
            assert!(is_ours(path), "{path}");
        }
        let long = format!("/{}", "a".repeat(LONGEST_WAY_BACK));
        for path in [
            "",
            "graphiql",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n",
            "https://evil.example",
            "/ü",
            &long,
        ] {
            assert!(!is_ours(path), "{path}");
        }
    }
}
