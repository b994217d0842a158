//! The connections of the front door: none keeps it waiting for ever, there are not too many, and each ends as it should.

use std::io::ErrorKind;

use chrono::TimeDelta;
use domain::access::Role;
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, Subscription, text},
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
    wait::{PATIENCE, until},
};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const ENDLESS: &str = "subscription($site: ID!) { doorStateChanged(siteId: $site) { id } }";
const EVENTS: &str = "text/event-stream";

fn plan(back_end: BackEnd) -> Plan {
    Plan::on(back_end).without_worker()
}

async fn connect(house: &TestHouse) -> TcpStream {
    TcpStream::connect(house.client.address()).await.unwrap()
}

/// All that the house says until it closes the connection.
async fn to_the_end(mut connection: TcpStream) -> String {
    let mut said = Vec::new();
    // A reset is an end as well.
    let _ = timeout(PATIENCE, connection.read_to_end(&mut said)).await.unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

async fn site(house: &TestHouse) -> String {
    text(&house.doors().await[0]["site"]["id"])
}

/// What the house answers to whoever wants the changes of a site as events.
async fn events(client: &Client, site: &str) -> Response {
    let body = json!({ "query": ENDLESS, "variables": { "site": site } });
    client.request(Method::POST, "/graphql").header("accept", EVENTS).json(&body).send().await.unwrap()
}

async fn socket(client: &Client) -> Subscription {
    Subscription::connect(client.address(), json!({ "token": client.key() })).await
}

async fn admitted(client: &Client) -> Subscription {
    let mut socket = socket(client).await;
    assert_eq!(socket.next_message().await.unwrap()["type"], "connection_ack");
    socket
}

/// The code that a socket is closed with.
async fn close_code(socket: &mut Subscription) -> Value {
    loop {
        let mut message = socket.next_message().await.unwrap();
        if !message["close"].is_null() {
            return message["close"].take();
        }
    }
}

on_both_back_ends! {
    /// Half a head, a body that does not come, nothing to ask any more: each costs its connection, and nobody else's.
    async fn whoever_keeps_us_waiting_is_closed(back_end: BackEnd) {
        let house = plan(back_end).with_setting("client_patience_seconds", "1").start().await;
        let post = |path: &str, of: &str, body: &str| {
            format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {of}\r\nContent-Length: 99\r\n\r\n{body}")
        };
        for (sent, answered) in [
            (String::new(), ""),
            ("GET /healthz HTTP/1.1\r\nHost: ".to_owned(), ""),
            ("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "HTTP/1.1 200 OK"),
            (post("/graphql", "application/json", "{"), "HTTP/1.1 408 Request Timeout"),
            (post("/sign-in", "application/x-www-form-urlencoded", "k"), "HTTP/1.1 408 Request Timeout"),
        ] {
            let mut connection = connect(&house).await;
            connection.write_all(sent.as_bytes()).await.unwrap();
            let said = to_the_end(connection).await;
            assert_eq!(said.lines().next().unwrap_or_default(), answered, "{sent}");
            if sent.contains("/graphql") {
                assert!(said.contains("did not come to its end") && said.contains("BAD_USER_INPUT"), "{said}");
            }
        }
        house.stop().await;
    }

    /// A client that asks for much and reads nothing is closed, over JSON and over events, and its place is another's.
    async fn whoever_takes_no_answer_is_closed(back_end: BackEnd) {
        let settings = plan(back_end).with_setting("client_patience_seconds", "1");
        let house = settings.with_setting("max_streams_per_caller", "1").start().await;
        let site = site(&house).await;
        let body = json!({ "query": "{ _service { sdl } }" }).to_string();
        for accept in ["application/json", EVENTS] {
            let request = format!(
                "POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nAccept: {accept}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                house.client.key(),
                body.len(),
            );
            // More than all the buffers on the way hold.
            let mut connection = connect(&house).await;
            connection.write_all(request.repeat(100).as_bytes()).await.unwrap();
            until("the connection is closed", async || {
                connection.try_write(b"\r\n").err().filter(|error| error.kind() != ErrorKind::WouldBlock)
            })
            .await;
            until("its place is free", async || {
                (events(&house.client, &site).await.status() == StatusCode::OK).then_some(())
            })
            .await;
        }
        house.stop().await;
    }

    /// Sockets have places too. Whoever comes beyond the last waits until one is free.
    async fn connections_have_a_limit(back_end: BackEnd) {
        let settings = plan(back_end).with_setting("max_connections", "2");
        let house = settings.with_setting("client_patience_seconds", "1").start().await;
        let (mut first, second) = (admitted(&house.client).await, admitted(&house.client).await);
        let mut third = connect(&house).await;
        third.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        // The house has time for those who are in.
        for _ in 0..50 {
            first.send(json!({ "type": "ping" })).await;
            assert_eq!(first.next_message().await.unwrap()["type"], "pong");
        }
        let unanswered = third.try_read(&mut [0]).unwrap_err();
        assert_eq!(unanswered.kind(), ErrorKind::WouldBlock);
        drop(second);
        assert!(to_the_end(third).await.starts_with("HTTP/1.1 200 OK"));
        house.stop().await;
    }

    /// Sockets and event streams count together, for each caller alone.
    async fn a_caller_has_so_many_streams_and_no_more(back_end: BackEnd) {
        let house = plan(back_end).with_setting("max_streams_per_caller", "2").start().await;
        let site = site(&house).await;
        let caller = house.caller_with_role(Role::Viewer).await;
        let mut kept = admitted(&caller).await;
        let stream = events(&caller, &site).await;
        assert_eq!(stream.status(), StatusCode::OK);
        assert_eq!(close_code(&mut socket(&caller).await).await, 1013);
        let refused = events(&caller, &site).await;
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!(refused["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{refused}");
        // Neither somebody else nor what is no stream.
        admitted(&house.client).await;
        assert_eq!(caller.data("{ viewer { role } }", json!({})).await["viewer"]["role"], "VIEWER");
        drop(stream);
        until("there is room again", async || (events(&caller, &site).await.status() == StatusCode::OK).then_some(()))
            .await;
        kept.send(json!({ "type": "ping" })).await;
        assert_eq!(kept.next_message().await.unwrap()["type"], "pong");
        house.stop().await;
    }

    /// Also where nothing happens that would have its key looked at again.
    async fn an_event_stream_ends_with_its_key(back_end: BackEnd) {
        let house = plan(back_end).with_manual_clock().start().await;
        let key = KeyPlan { lifetime: Some(TimeDelta::seconds(60)), ..KeyPlan::unlimited("short", Role::Viewer) };
        let (site, caller) = (site(&house).await, house.caller(&key).await);
        let mut stream = events(&caller, &site).await;
        assert_eq!(stream.headers()["x-accel-buffering"], "no");
        assert!(stream.chunk().await.unwrap().is_some_and(|first| first.starts_with(b"event: next")));
        house.advance(TimeDelta::seconds(61));
        let rest = stream.text().await.unwrap();
        let last: Vec<&str> = rest.trim_end().rsplit("\n\n").take(2).collect();
        assert_eq!(last[0], "event: complete\ndata: null", "{rest}");
        assert!(last[1].starts_with("event: next") && last[1].contains("UNAUTHENTICATED"), "{rest}");
        house.stop().await;
    }

    /// A socket is told; a stream ends without being complete, so that its client asks elsewhere.
    async fn a_house_that_stops_says_so(back_end: BackEnd) {
        let house = plan(back_end).start().await;
        let mut stream = events(&house.client, &site(&house).await).await;
        assert!(stream.chunk().await.unwrap().is_some_and(|first| first.starts_with(b"event: next")));
        let mut socket = admitted(&house.client).await;
        let ((), code, told) = tokio::join!(house.stop(), close_code(&mut socket), stream.text());
        assert_eq!(code, 1001);
        let told = told.unwrap();
        assert!(!told.contains("event: complete"), "{told}");
    }
}
