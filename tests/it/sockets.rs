//! graphql-transport-ws by the book: what closes a socket and with which code, and what does not.

use chrono::TimeDelta;
use domain::access::Role;
use futures::{SinkExt, StreamExt};
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Subscription, text},
    house::{BackEnd, Plan, TestHouse},
    wait::PATIENCE,
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

const ENDLESS: &str = "subscription($site: ID!) { doorStateChanged(siteId: $site) { id } }";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn house() -> TestHouse {
    Plan::on(BackEnd::Embedded).without_worker().with_manual_clock().start().await
}

/// A socket on which nothing was said yet.
async fn open(house: &TestHouse, origin: Option<&str>) -> Result<Socket, Box<Error>> {
    let mut request = format!("ws://{}/graphql/ws", house.client.address()).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    Ok(connect_async(request).await.map_err(Box::new)?.0)
}

/// The code that a socket is closed with once these frames were sent.
async fn closed_with(socket: &mut Socket, frames: &[Message]) -> Option<u16> {
    for frame in frames {
        socket.send(frame.clone()).await.unwrap();
    }
    while let Some(message) = socket.next().await {
        if let Ok(Message::Close(frame)) = message {
            return frame.map(|frame| frame.code.into());
        }
    }
    None
}

async fn site(house: &TestHouse) -> String {
    text(&house.doors().await[0]["site"]["id"])
}

async fn admitted(house: &TestHouse, secret: &str) -> Subscription {
    let mut socket = Subscription::connect(house.client.address(), json!({ "token": secret })).await;
    assert_eq!(socket.next_message().await.unwrap()["type"], "connection_ack");
    socket
}

async fn secret(house: &TestHouse, lifetime: Option<TimeDelta>) -> String {
    let plan = KeyPlan { lifetime, ..KeyPlan::unlimited("socket", Role::Viewer) };
    let secret = platform::api_key::generate();
    gatehouse::keys::store_key(house.foundation(), house.organization, &plan, &secret).await.unwrap();
    secret.expose().to_owned()
}

/// The next message of an operation.
async fn of(socket: &mut Subscription, id: &str) -> Value {
    loop {
        let message = socket.next_message().await.unwrap();
        if message["id"] == id {
            return message;
        }
    }
}

#[tokio::test]
async fn what_the_protocol_does_not_know_closes_with_its_code() {
    let house = house().await;
    let key = secret(&house, None).await;
    let text = |value: Value| Message::text(value.to_string());
    let init = text(json!({ "type": "connection_init", "payload": { "token": key } }));
    let query = |id: &str| {
        text(json!({ "type": "subscribe", "id": id, "payload": { "query": ENDLESS, "variables": { "site": "x" } } }))
    };
    for (frames, code) in [
        (vec![Message::text("{not json")], 4400),
        (vec![Message::binary(vec![1])], 4400),
        (vec![init.clone(), text(json!({ "type": "start", "id": "1" }))], 4400),
        (vec![init.clone(), text(json!({ "type": "subscribe", "payload": { "query": "{ __typename }" } }))], 4400),
        (vec![init.clone(), text(json!({ "type": "subscribe", "id": "1", "payload": {} }))], 4400),
        (vec![query("1")], 4401),
        (vec![text(json!({ "type": "connection_init", "payload": { "token": "gh_nobody" } }))], 4403),
        (vec![init.clone(), init.clone()], 4429),
    ] {
        let mut socket = open(&house, None).await.unwrap();
        assert_eq!(closed_with(&mut socket, &frames).await, Some(code), "{frames:?}");
    }
    let mut silent = open(&house, None).await.unwrap();
    // It is served once it answers.
    silent.send(text(json!({ "type": "ping" }))).await.unwrap();
    assert_eq!(silent.next().await.unwrap().unwrap(), Message::text(r#"{"type":"pong"}"#));
    house.advance(TimeDelta::seconds(11));
    assert_eq!(closed_with(&mut silent, &[]).await, Some(4408));
    house.stop().await;
}

#[tokio::test]
async fn an_id_is_used_once_at_a_time() {
    let house = house().await;
    let (key, site) = (secret(&house, None).await, site(&house).await);
    let mut socket = admitted(&house, &key).await;
    socket.start("a", ENDLESS, json!({ "site": site })).await;
    assert_eq!(of(&mut socket, "a").await["type"], "next");
    socket.send(json!({ "type": "complete", "id": "a" })).await;
    socket.start("a", "{ __typename }", json!({})).await;
    // What was under way of the first may still arrive; then comes the second, and its end.
    let answer = loop {
        let message = of(&mut socket, "a").await;
        if !message["payload"]["data"]["__typename"].is_null() {
            break message;
        }
    };
    assert_eq!(answer["payload"]["data"]["__typename"], "Query");
    assert_eq!(of(&mut socket, "a").await["type"], "complete");
    socket.start("b", ENDLESS, json!({ "site": site })).await;
    socket.start("b", ENDLESS, json!({ "site": site })).await;
    loop {
        let message = socket.next_message().await.unwrap();
        if !message["close"].is_null() {
            assert_eq!(message["close"], 4409);
            break;
        }
    }
    house.stop().await;
}

#[tokio::test]
async fn what_was_not_executed_is_an_error_and_the_socket_goes_on() {
    let house = house().await;
    let (key, site) = (secret(&house, None).await, site(&house).await);
    let mut socket = admitted(&house, &key).await;
    for (id, query) in [("parse", "{ unclosed"), ("validate", "{ nothingLikeThis }")] {
        socket.start(id, query, json!({})).await;
        let message = of(&mut socket, id).await;
        assert_eq!(message["type"], "error", "{message:#}");
        assert!(message["payload"][0]["message"].is_string());
    }
    for number in 0..100 {
        socket.start(&number.to_string(), ENDLESS, json!({ "site": site })).await;
    }
    socket.start("one more", ENDLESS, json!({ "site": site })).await;
    let message = of(&mut socket, "one more").await;
    assert_eq!(
        (&message["type"], &message["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("TOO_COMPLEX"))
    );
    house.stop().await;
}

#[tokio::test]
async fn a_socket_ends_with_its_key() {
    let house = house().await;
    let key = secret(&house, Some(TimeDelta::seconds(60))).await;
    let mut socket = admitted(&house, &key).await;
    socket.start("a", ENDLESS, json!({ "site": site(&house).await })).await;
    assert_eq!(of(&mut socket, "a").await["type"], "next");
    house.advance(TimeDelta::seconds(61));
    loop {
        let message = socket.next_message().await.unwrap();
        if !message["close"].is_null() {
            assert_eq!(message["close"], 4403);
            break;
        }
    }
    house.stop().await;
}

/// The head of a frame of the client's that says how long its text is; the mask is all zeros.
fn head(length: u64) -> Vec<u8> {
    [vec![0x81, 0xFF], length.to_be_bytes().to_vec(), vec![0; 4]].concat()
}

/// A socket on which bytes were written beside the protocol, once it is admitted if it has a key.
async fn raw(house: &TestHouse, key: Option<&str>, bytes: &[u8]) -> Socket {
    let mut socket = open(house, None).await.unwrap();
    if let Some(key) = key {
        let init = json!({ "type": "connection_init", "payload": { "token": key } });
        socket.send(Message::text(init.to_string())).await.unwrap();
        assert!(socket.next().await.unwrap().unwrap().to_text().unwrap().contains("connection_ack"));
    }
    socket.get_mut().write_all(bytes).await.unwrap();
    socket
}

/// Nothing is kept of what is too much: a frame by its head alone, and of somebody who is nobody yet very little.
#[tokio::test]
async fn what_is_too_big_is_not_read() {
    let house = house().await;
    let key = secret(&house, None).await;
    let wordy = [head(500_000), vec![b' '; 24_000]].concat();
    for (key, bytes, code) in [
        (Some(key.as_str()), head(2_000_000), 1009),
        (None, head(2_000_000), 1009),
        (None, wordy, 1009),
        // What is no frame, and no text.
        (Some(key.as_str()), vec![0x83, 0x80, 0, 0, 0, 0], 1002),
        (Some(key.as_str()), vec![0x81, 0x81, 0, 0, 0, 0, 0xFF], 1007),
    ] {
        let mut socket = raw(&house, key, &bytes).await;
        let closed = timeout(PATIENCE, closed_with(&mut socket, &[])).await.unwrap();
        assert_eq!(closed, Some(code), "{} bytes", bytes.len());
    }
    // Whoever is somebody may say more.
    let mut socket = admitted(&house, &key).await;
    socket.start("long", &format!("{{ __typename }} #{}", "x".repeat(100_000)), json!({})).await;
    assert_eq!(of(&mut socket, "long").await["payload"]["data"]["__typename"], "Query");
    house.stop().await;
}

#[tokio::test]
async fn a_clients_goodbye_is_answered() {
    let house = house().await;
    let mut socket = open(&house, None).await.unwrap();
    let goodbye = Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "enough".into() }));
    assert_eq!(timeout(PATIENCE, closed_with(&mut socket, &[goodbye])).await.unwrap(), Some(1000));
    house.stop().await;
}

/// As over HTTP: once it was sent with its hash, its hash is enough.
#[tokio::test]
async fn a_persisted_query_is_named_by_its_hash() {
    let house = house().await;
    let key = secret(&house, None).await;
    let query = "query Hashed { viewer { role } }";
    let hash = ring::digest::digest(&ring::digest::SHA256, query.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let mut socket = admitted(&house, &key).await;
    for (id, payload, answer) in [
        ("1", json!({ "extensions": extensions }), "PERSISTED_QUERY_NOT_FOUND"),
        ("2", json!({ "extensions": extensions, "query": query }), "VIEWER"),
        ("3", json!({ "extensions": extensions }), "VIEWER"),
    ] {
        socket.send(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
        let told = of(&mut socket, id).await;
        assert!(told.to_string().contains(answer), "{told:#}");
    }
    house.stop().await;
}

#[tokio::test]
async fn pages_of_foreign_origins_may_not_connect() {
    let house = Plan::on(BackEnd::Embedded)
        .without_worker()
        .with_setting("allowed_origins", "https://desk.example")
        .start()
        .await;
    let own = format!("http://{}", house.client.address());
    for origin in [None, Some(own.as_str()), Some("https://desk.example")] {
        assert!(open(&house, origin).await.is_ok(), "{origin:?}");
    }
    let behind = Plan::on(BackEnd::Embedded).without_worker().with_setting("public_url", "https://doors.example");
    let behind = behind.start().await;
    for (origin, may) in
        [("https://doors.example", true), ("http://doors.example", false), ("https://a.example", false)]
    {
        assert_eq!(open(&behind, Some(origin)).await.is_ok(), may, "{origin}");
    }
    behind.stop().await;
    let refused = open(&house, Some("https://evil.example")).await.unwrap_err();
    assert!(matches!(*refused, Error::Http(ref response) if response.status() == 403), "{refused}");
    let preflight = |origin: &'static str| {
        let request = house.client.request(reqwest::Method::OPTIONS, "/graphql").header("origin", origin);
        request.header("access-control-request-method", "POST").send()
    };
    let admitted = preflight("https://desk.example").await.unwrap();
    assert_eq!(admitted.headers()["access-control-allow-origin"], "https://desk.example");
    let refused = preflight("https://evil.example").await.unwrap();
    assert!(refused.headers().get("access-control-allow-origin").is_none());
    house.stop().await;
}
