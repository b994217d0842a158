//! The messages of `graphql-transport-ws` (enisdenjo/graphql-ws, PROTOCOL.md) and its close codes. Pure.

use async_graphql::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why a socket is closed by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// A message that the protocol does not know.
    BadRequest,
    /// Something was asked for before `connection_ack`.
    Unauthorized,
    /// The key of `connection_init` does not count, or no longer.
    Forbidden,
    /// `connection_init` did not come in time.
    InitTimeout,
    /// A running operation has that id.
    SubscriberExists,
    /// A second `connection_init`.
    TooManyInits,
    /// The caller has as many sockets and streams open as they may.
    Crowded,
    /// The server cannot serve just now (RFC 6455's registry, as are the following).
    TryAgainLater,
    /// What comes is no WebSocket.
    ProtocolError,
    /// A text that is no UTF-8.
    NotText,
    /// More than is read.
    TooBig,
    /// The process ends.
    GoingAway,
}

impl Close {
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::BadRequest => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::InitTimeout => 4408,
            Self::SubscriberExists => 4409,
            Self::TooManyInits => 4429,
            // Not one of the protocol's, on which its clients give up for good.
            Self::Crowded | Self::TryAgainLater => 1013,
            Self::ProtocolError => 1002,
            Self::NotText => 1007,
            Self::TooBig => 1009,
            Self::GoingAway => 1001,
        }
    }

    /// At most 123 bytes: a close frame holds no more.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::BadRequest => "Invalid message",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "UNAUTHENTICATED",
            Self::InitTimeout => "Connection initialisation timeout",
            Self::SubscriberExists => "Subscriber already exists",
            Self::TooManyInits => "Too many initialisation requests",
            Self::Crowded => "RATE_LIMITED",
            Self::TryAgainLater => "UNAVAILABLE",
            Self::ProtocolError => "Invalid frame",
            Self::NotText => "Not UTF-8",
            Self::TooBig => "Message too big",
            Self::GoingAway => "The server stops",
        }
    }
}

/// What a client says.
#[derive(Debug)]
pub(super) enum Incoming {
    Init(Value),
    Ping,
    Pong,
    Subscribe { id: String, request: Box<Request> },
    Complete { id: String },
}

/// A message with the members that its type has; what a type does not have is ignored, as the protocol asks.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    message_type: String,
    id: Option<String>,
    payload: Option<Value>,
}

/// Longer ids are no ids.
const LONGEST_ID: usize = 128;

impl Incoming {
    /// Reads a message; `None` for whatever the protocol does not know.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let Frame { message_type, id, payload } = serde_json::from_slice(text).ok()?;
        let id = id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
        let object = payload.is_none() || matches!(payload, Some(Value::Object(_) | Value::Null));
        match message_type.as_str() {
            "connection_init" => Some(Self::Init(payload.unwrap_or_default())),
            "ping" if object => Some(Self::Ping),
            "pong" if object => Some(Self::Pong),
            "subscribe" => {
                let members: Map<String, Value> = match payload? {
                    Value::Object(members) => members,
                    _ => return None,
                };
                let has_query = members.get("query").is_some_and(Value::is_string);
                let request: Request = serde_json::from_value(Value::Object(members)).ok()?;
                // A persisted query is named by its hash.
                if !has_query && !request.extensions.contains_key("persistedQuery") {
                    return None;
                }
                Some(Self::Subscribe { id: id?, request: Box::new(request) })
            }
            "complete" => Some(Self::Complete { id: id? }),
            _ => None,
        }
    }
}

/// What we say.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Outgoing<'a> {
    ConnectionAck,
    Pong,
    Next { id: &'a str, payload: &'a Response },
    Error { id: &'a str, payload: &'a [async_graphql::ServerError] },
    Complete { id: &'a str },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_protocol_knows_is_read() {
        let read = |text: &str| Incoming::read(text.as_bytes());
        assert!(matches!(read(r#"{"type":"connection_init"}"#), Some(Incoming::Init(Value::Null))));
        assert!(matches!(read(r#"{"type":"ping","payload":{"a":1}}"#), Some(Incoming::Ping)));
        let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","operationName":null}}"#;
        assert!(matches!(read(subscribe), Some(Incoming::Subscribe { id, .. }) if id == "1"));
        let hashed = r#"{"type":"subscribe","id":"1","payload":{"extensions":{"persistedQuery":{"version":1}}}}"#;
        assert!(matches!(read(hashed), Some(Incoming::Subscribe { request, .. }) if request.query.is_empty()));
        for nonsense in [
            "",
            "[]",
            r#"{"type":"start"}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"complete","id":""}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#,
            r#"{"type":"ping","payload":"x"}"#,
        ] {
            assert!(read(nonsense).is_none(), "{nonsense}");
        }
    }

    #[test]
    fn every_reason_fits_a_close_frame() {
        for close in [Close::BadRequest, Close::InitTimeout, Close::SubscriberExists, Close::TooManyInits] {
            assert!(close.reason().len() <= 123);
        }
    }

    proptest! {
        #[test]
        fn no_frame_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
            let _ = Incoming::read(&bytes);
            let _ = Incoming::read(format!(r#"{{"type":"subscribe","id":"1","payload":{text}}}"#).as_bytes());
        }
    }
}
