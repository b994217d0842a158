//! A caller from outside: GraphQL over HTTP and over graphql-transport-ws, with one API key.

use std::{net::SocketAddr, time::Duration};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use crate::wait::PATIENCE;

/// One caller.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    key: String,
}

/// An HTTP client for plain `http://`.
///
/// # Panics
/// It cannot be built.
#[must_use]
#[expect(clippy::expect_used, reason = "a test without a client cannot go on")]
pub fn http() -> reqwest::Client {
    // Refused when another test was first; both install the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("an HTTP client")
}

impl Client {
    /// A caller with this key.
    #[must_use]
    pub fn new(address: SocketAddr, key: &str) -> Self {
        Self { http: http(), address, key: key.to_owned() }
    }

    /// The same caller with another key; none if it is empty.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// Where the API listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A request to a path of the API, with the key but nothing else.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.address));
        if self.key.is_empty() { request } else { request.bearer_auth(&self.key) }
    }

    /// The whole answer to a GraphQL request.
    ///
    /// # Panics
    /// The server does not answer, or not with JSON.
    #[expect(clippy::expect_used, reason = "a test without an answer cannot go on")]
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        self.try_ask(query, variables).await.expect("an answer")
    }

    /// The whole answer to a GraphQL request, unless the server is out of reach.
    ///
    /// # Errors
    /// No answer, or none in JSON.
    pub async fn try_ask(&self, query: &str, variables: Value) -> reqwest::Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        self.request(reqwest::Method::POST, "/graphql").json(&body).send().await?.json().await
    }

    /// The data of an answer that must have no errors.
    ///
    /// # Panics
    /// The answer has errors.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }

    /// Sends a mutation with one `input` and returns its payload.
    pub async fn mutate(&self, name: &str, input: Value) -> Value {
        let upper = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let query = format!(
            "mutation($input: {upper}Input!) {{ {name}(input: $input) {{ command {{ {COMMAND} }} \
             userErrors {{ code message path }} }} }}"
        );
        let mut data = self.data(&query, json!({ "input": input })).await;
        data[name].take()
    }

    /// Sends a mutation that must be accepted and returns the id of its command.
    ///
    /// # Panics
    /// It is refused.
    pub async fn command(&self, name: &str, input: Value) -> String {
        let payload = self.mutate(name, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        text(&payload["command"]["id"])
    }

    /// A command as it is now.
    pub async fn read_command(&self, id: &str) -> Value {
        let query = format!("query($id: ID!) {{ command(id: $id) {{ {COMMAND} }} }}");
        let mut data = self.data(&query, json!({ "id": id })).await;
        data["command"].take()
    }

    /// A command once it has come to an end.
    pub async fn finished(&self, id: &str) -> Value {
        crate::wait::until(&format!("{id} ends"), async || {
            let command = self.read_command(id).await;
            let state = command["state"].as_str().unwrap_or_default();
            (!matches!(state, "QUEUED" | "DISPATCHING" | "ACCEPTED")).then_some(command)
        })
        .await
    }

    /// A command once it is in this state.
    pub async fn in_state(&self, id: &str, state: &str) -> Value {
        crate::wait::until(&format!("{id} is {state}"), async || {
            let command = self.read_command(id).await;
            (command["state"] == state).then_some(command)
        })
        .await
    }

    /// Opens a subscription.
    ///
    /// # Panics
    /// The server refuses the connection.
    pub async fn subscribe(&self, query: &str, variables: Value) -> Subscription {
        let mut subscription =
            Subscription::connect(self.address, json!({ "authorization": format!("Bearer {}", self.key) })).await;
        let acknowledged = subscription.next_message().await;
        assert_eq!(
            acknowledged.as_ref().map(|message| &message["type"]),
            Some(&json!("connection_ack")),
            "{acknowledged:?}"
        );
        subscription.start("1", query, variables).await;
        subscription
    }
}

impl Client {
    /// Opens a subscription, unless the server is out of reach.
    pub async fn try_subscribe(&self, query: &str, variables: Value) -> Option<Subscription> {
        let mut socket = Subscription::try_open(self.address).await?;
        let payload = json!({ "authorization": format!("Bearer {}", self.key) });
        let init = json!({ "type": "connection_init", "payload": payload });
        socket.socket.send(Message::text(init.to_string())).await.ok()?;
        socket.next_message().await.filter(|message| message["type"] == "connection_ack")?;
        let payload = json!({ "query": query, "variables": variables });
        let subscribe = json!({ "id": "1", "type": "subscribe", "payload": payload });
        socket.socket.send(Message::text(subscribe.to_string())).await.ok()?;
        Some(socket)
    }
}

/// What tests read of a command.
pub const COMMAND: &str = "id kind state evidence terminal createdAt expiresAt dispatchedAt finishedAt attempts \
    idempotencyKey requestedBy version failure { code message } coalescedWith { id } \
    timeline { at vendorAt step state detail } door { id } device { id }";

/// The text of a JSON string.
///
/// # Panics
/// It is no string.
#[must_use]
#[expect(clippy::panic, reason = "a test that reads no text cannot go on")]
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| panic!("no text: {value}"), str::to_owned)
}

/// One WebSocket with the protocol graphql-transport-ws.
#[derive(Debug)]
pub struct Subscription {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Subscription {
    /// Connects and sends `connection_init`.
    ///
    /// # Panics
    /// The server refuses the upgrade.
    #[expect(clippy::expect_used, reason = "a test without a socket cannot go on")]
    pub async fn connect(address: SocketAddr, payload: Value) -> Self {
        let mut subscription = Self::try_open(address).await.expect("an upgrade");
        subscription.send(json!({ "type": "connection_init", "payload": payload })).await;
        subscription
    }

    async fn try_open(address: SocketAddr) -> Option<Self> {
        let mut request = format!("ws://{address}/graphql/ws").into_client_request().ok()?;
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, _) = connect_async(request).await.ok()?;
        Some(Self { socket })
    }

    /// Starts an operation.
    pub async fn start(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// Sends a message.
    ///
    /// # Panics
    /// The socket is gone.
    #[expect(clippy::expect_used, reason = "a test without a socket cannot go on")]
    pub async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.expect("sent");
    }

    /// The next message, or the close code as `{"close": code}`; `None` when the socket ended without one.
    ///
    /// # Panics
    /// Nothing comes for two minutes.
    #[expect(clippy::expect_used, reason = "a test that waits in vain must fail")]
    pub async fn next_message(&mut self) -> Option<Value> {
        // A socket that is only asked whether it is there says nothing.
        let heard = async {
            loop {
                match self.socket.next().await? {
                    Ok(Message::Text(text)) => return serde_json::from_str(&text).ok(),
                    Ok(Message::Close(frame)) => {
                        return Some(json!({ "close": frame.map(|frame| u16::from(frame.code)) }));
                    }
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.expect("a message")
    }

    /// The data of the next event; `None` when the operation completed.
    ///
    /// # Panics
    /// The event has errors, or the socket ended.
    #[expect(clippy::expect_used, clippy::panic, reason = "a test that hears something else must fail")]
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let mut message = self.next_message().await.expect("a message");
            match message["type"].as_str() {
                Some("next") => {
                    assert!(message["payload"].get("errors").is_none(), "{message:#}");
                    return Some(message["payload"]["data"].take());
                }
                Some("complete") => return None,
                Some("ping" | "pong") => {}
                _ => panic!("unexpected: {message:#}"),
            }
        }
    }
}
