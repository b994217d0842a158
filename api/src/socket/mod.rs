//! GraphQL over WebSocket (`graphql-transport-ws`): the upgrade and who may ask for it. `protocol` is the wording of the
//! messages, `connection` one socket from its first frame to its last.

mod connection;
mod protocol;

use axum::{
    extract::ws::WebSocketUpgrade,
    http::{
        HeaderMap, StatusCode,
        header::{HOST, ORIGIN},
    },
    response::{IntoResponse, Response},
};

use platform::oidc::LONGEST_TOKEN;

use crate::{
    app::AppState,
    auth::{Brought, Peer},
    connections::Allowance,
};

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// All that is read of a socket before its caller is known, in bytes: a `connection_init` with the longest token.
const BEFORE_ADMISSION: usize = LONGEST_TOKEN + 4 * 1024;

/// Upgrades to `graphql-transport-ws`. A page of a foreign origin is refused: a browser asks nobody before it opens a
/// WebSocket.
pub(crate) fn upgrade(
    state: AppState,
    Peer(peer): Peer,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
    allowance: Allowance,
) -> Response {
    if is_foreign(headers, &state.origins) && !state.browsers.page_of_ours_is_named(headers) {
        return (StatusCode::FORBIDDEN, "Pages of this origin may not connect: see allowed_origins.\n").into_response();
    }
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(state.max_message_bytes);
    // A frame is buffered as a whole before it is part of a message.
    let upgrade = upgrade.max_frame_size(state.max_message_bytes);
    if upgrade.selected_protocol().is_none() {
        return (StatusCode::BAD_REQUEST, "Offer the subprotocol graphql-transport-ws.\n").into_response();
    }
    let signed_in = match state.browsers.socket_session(headers) {
        Brought::Credential(credential) => Some(credential),
        Brought::Nothing | Brought::Unreadable => None,
    };
    allowance.limit(BEFORE_ADMISSION);
    let caller = connection::Caller { peer, signed_in, allowance };
    upgrade.on_upgrade(move |socket| connection::serve(socket, state, caller))
}

/// Whether a page of another origin asks: neither of this host, nor of an origin that is known.
fn is_foreign(headers: &HeaderMap, known: &[String]) -> bool {
    // Only browsers send it, and always.
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let Ok(origin) = origin.to_str() else { return true };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin.split_once("://").is_some_and(|(_, place)| host.is_some_and(|host| host == place));
    !own && !known.iter().any(|known| known.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_page_of_this_host_or_a_known_origin_may_connect() {
        let judge = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("doors.example:8000"))]);
            headers.extend(origin.map(|origin| (ORIGIN, HeaderValue::from_static(origin))));
            is_foreign(&headers, &["https://desk.example".to_owned()])
        };
        for known in [None, Some("http://doors.example:8000"), Some("https://desk.example")] {
            assert!(!judge(known), "{known:?}");
        }
        for foreign in ["https://evil.example", "http://doors.example", "null", "https://desk.example.evil.example"] {
            assert!(judge(Some(foreign)), "{foreign}");
        }
    }
}
