//! GraphQL over WebSocket (`graphql-transport-ws`): the upgrade, the key in `connection_init`, and the close codes.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use async_graphql::{
    Data,
    http::{WebSocket as Protocol, WebSocketProtocols, WsMessage},
};
use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderValue, StatusCode, header::ALLOW},
    response::{IntoResponse, Response},
};
use futures::{SinkExt, StreamExt};

use crate::{
    app::AppState,
    auth::{Credential, Malformed},
    shared::Shared,
};

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// `graphql-transport-ws`: the server refuses the payload of `connection_init`.
const FORBIDDEN: u16 = 4403;

/// RFC 6455's registry: the server cannot serve just now.
const TRY_AGAIN_LATER: u16 = 1013;

/// A close frame holds 125 bytes, two of which are the code.
const LONGEST_REASON: usize = 120;

/// Upgrades to `graphql-transport-ws`. A plain GET is told to POST.
pub(crate) async fn upgrade(
    State(state): State<AppState>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let allow = [(ALLOW, HeaderValue::from_static("POST"))];
        return (StatusCode::METHOD_NOT_ALLOWED, allow, "POST an operation, or upgrade to a WebSocket.\n")
            .into_response();
    };
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(state.max_message_bytes);
    if upgrade.selected_protocol().is_none() {
        return (StatusCode::BAD_REQUEST, "Offer the subprotocol graphql-transport-ws.\n").into_response();
    }
    upgrade.on_upgrade(move |socket| serve(socket, state))
}

async fn serve(socket: WebSocket, state: AppState) {
    let (mut sink, incoming) = socket.split();
    let frames = incoming.take_while(|frame| std::future::ready(frame.is_ok())).filter_map(|frame| {
        std::future::ready(match frame {
            Ok(frame @ (Message::Text(_) | Message::Binary(_))) => Some(frame.into_data()),
            _ => None,
        })
    });
    // The library closes a refused connection with a code of its own.
    let refusal = Arc::new(AtomicU16::new(0));
    let init = {
        let (shared, refusal) = (Arc::clone(&state.shared), Arc::clone(&refusal));
        move |payload| async move {
            admit(&shared, payload).await.map_err(|(code, reason)| {
                refusal.store(code, Ordering::Relaxed);
                async_graphql::Error::new(reason)
            })
        }
    };
    let protocol = Protocol::new(state.execution, frames, WebSocketProtocols::GraphQLWS).on_connection_init(init);
    futures::pin_mut!(protocol);
    while let Some(message) = protocol.next().await {
        let message = match message {
            WsMessage::Text(text) => Message::Text(text.into()),
            WsMessage::Close(code, reason) => {
                let refusal = refusal.load(Ordering::Relaxed);
                let code = if refusal == 0 { code } else { refusal };
                Message::Close(Some(CloseFrame { code, reason: cut(&reason).into() }))
            }
        };
        if sink.send(message).await.is_err() {
            return;
        }
    }
}

/// The key of `connection_init`, verified; it is verified again for each operation and delivery. A refusal is a close
/// code and its reason.
async fn admit(shared: &Shared, payload: serde_json::Value) -> Result<Data, (u16, &'static str)> {
    let credential = match Credential::of_init_payload(&payload) {
        Ok(Some(credential)) => credential,
        Ok(None) | Err(Malformed) => return Err((FORBIDDEN, "UNAUTHENTICATED")),
    };
    match shared.keys.verify(&credential).await {
        Ok(Some(_)) => {
            let mut data = Data::default();
            data.insert(credential);
            Ok(data)
        }
        Ok(None) => Err((FORBIDDEN, "UNAUTHENTICATED")),
        Err(error) => {
            tracing::warn!(%error, "a key could not be looked up");
            Err((TRY_AGAIN_LATER, "UNAVAILABLE"))
        }
    }
}

fn cut(reason: &str) -> String {
    let mut end = reason.len().min(LONGEST_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default().to_owned()
}
