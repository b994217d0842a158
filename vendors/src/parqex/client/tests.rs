use domain::{
    command::{Answer, Evidence},
    door::Position,
};

use super::*;
use crate::{
    registry::Connection,
    testing::{self, HandClock, Reaction, Server, departure, impatient_factory, json},
};

const SYNC: &str = include_str!("../fixtures/sync.json");
const AS_PRINTED: &str = include_str!("../fixtures/toggle_as_printed.txt");
const OK: &str = "{\"success\":true,\"timestamp\":1,\"message\":\"200\"}";
const DOOR: &str = "f9e8d7c6b5a493827160f5e4d3c2b1a0";

fn connect(server: &Server) -> Connection {
    testing::connect(Vendor::Parqex, &server.url, &[("access_token", "canary")], &impatient_factory())
}

fn target() -> Target {
    testing::target("0a1b2c3d4e5f60718293a4b5c6d7e8f9", "", DOOR, 1)
}

async fn toggle(action: Action, reaction: Reaction) -> (Result<Receipt, VendorError>, Server) {
    let server = Server::start(vec![reaction]).await;
    let departure = departure(HandClock::new());
    let result = connect(&server).door_control().dispatch(&action, &target(), &departure).await;
    assert_eq!(server.requests().len(), 1, "an edge is sent once");
    (result, server)
}

#[tokio::test]
async fn the_bytes_of_a_toggle() {
    for (action, state) in [(Action::OpenDoor, "OPEN"), (Action::CloseDoor, "CLOSED")] {
        let (result, server) = toggle(action, json(200, OK)).await;
        assert_eq!(result.unwrap().answer, Answer::Succeeded { evidence: Evidence::VendorAck });
        let request = &server.requests()[0];
        assert_eq!(request.line, "POST /oauth/v1/endpoint/toggle HTTP/1.1");
        assert_eq!(request.body, format!("{{\"door_id\":\"{DOOR}\",\"door_state\":\"{state}\"}}"));
        let mut names: Vec<&str> = request.headers.keys().map(String::as_str).collect();
        names.retain(|name| !matches!(*name, "host" | "content-length" | "user-agent"));
        assert_eq!(names, ["accept", "accept-charset", "accept-encoding", "authorization", "content-type"]);
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("authorization"), Some("Bearer canary"));
        assert_eq!(request.header("accept-charset"), Some("utf-8"));
        assert_eq!(request.header("accept-encoding"), Some("gzip"));
    }
}

#[tokio::test]
async fn the_toggle_path_can_be_set() {
    let server = Server::start(vec![json(200, OK)]).await;
    let settings = [("access_token", "canary"), ("toggle_path", "/api/oauth/v1/endpoints/toggle")];
    let connection = testing::connect(Vendor::Parqex, &server.url, &settings, &impatient_factory());
    let departure = departure(HandClock::new());
    connection.door_control().dispatch(&Action::OpenDoor, &target(), &departure).await.unwrap();
    assert_eq!(server.requests()[0].line, "POST /api/oauth/v1/endpoints/toggle HTTP/1.1");
}

#[tokio::test]
async fn what_the_texts_do_not_say_is_not_known() {
    for (status, body) in [
        (200, "{}"),
        (200, "{\"success\":true}"),
        (200, "{\"success\":true,\"message\":\"OK\"}"),
        (200, AS_PRINTED),
        (200, ""),
        (404, "<html>"),
        (400, "{\"errors\":[{\"message\":\"no\"}]}"),
        (500, OK),
        (502, "<html>"),
    ] {
        let result = toggle(Action::OpenDoor, json(status, body)).await.0;
        let unknown = matches!(result, Err(VendorError::Protocol { .. } | VendorError::Indeterminate { .. }));
        assert!(unknown, "{status} {body}: {result:?}");
    }
    let unauthorized = toggle(Action::OpenDoor, json(401, "")).await.0;
    assert!(unauthorized.unwrap_err().is_auth_invalid());
    let throttled = toggle(Action::OpenDoor, json(429, OK)).await.0;
    assert!(matches!(throttled, Err(VendorError::Throttled { .. })));
}

#[tokio::test]
async fn a_text_counts_whatever_the_status() {
    let body = "{\"success\":true,\"message\":\"Your canary requires pairing a door sensor. (428)\"}";
    for status in [200, 428, 500] {
        let result = toggle(Action::OpenDoor, json(status, body)).await.0;
        let Err(VendorError::Rejected { code, message }) = result else { unreachable!("{result:?}") };
        assert_eq!(code, FailureCode::SensorRequired);
        assert!(!message.contains("canary"));
    }
}

#[tokio::test]
async fn what_the_connector_does_not_offer_is_not_sent() {
    let server = Server::start(Vec::new()).await;
    let connection = connect(&server);
    let (control, departure) = (connection.door_control(), departure(HandClock::new()));
    for (action, target) in
        [(Action::LockDoor { on_behalf_of: None }, target()), (Action::OpenDoor, Target { door: None, ..target() })]
    {
        let result = control.dispatch(&action, &target, &departure).await;
        assert!(matches!(result, Err(VendorError::Unsupported { .. })));
    }
    assert!(control.poll("x", &target()).await.is_err());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_is_not_documented_is_told_in_whole_sentences() {
    let result = toggle(Action::OpenDoor, json(404, "{\"message\":\"gate canary is gone\"}")).await.0;
    let message = result.unwrap_err().to_string();
    assert_eq!(message, "PARQEX answered HTTP 404: gate *** is gone. This says nothing that ParqEx documents.");
}

#[tokio::test]
async fn a_look_finds_the_door_by_its_id_in_either_form() {
    let server = Server::start(vec![json(200, SYNC), json(200, SYNC), json(200, SYNC)]).await;
    let connection = connect(&server);
    for id in [DOOR, "F9E8D7C6-B5A4-9382-7160-F5E4D3C2B1A0"] {
        let target = Target { door: Some(id.to_owned()), ..target() };
        let reading = connection.door_control().look(&target).await.unwrap().unwrap();
        assert_eq!((reading.position, reading.measured), (Some(Position::Closed), true));
    }
    let other = Target { door: Some("unknown".to_owned()), ..target() };
    assert!(matches!(connection.door_control().look(&other).await, Err(VendorError::Rejected { .. })));
}

#[tokio::test]
async fn without_a_consent_nothing_is_sent() {
    let server = Server::start(Vec::new()).await;
    let settings = [("client_id", "me"), ("client_secret", "canary")];
    let connection = testing::connect(Vendor::Parqex, &server.url, &settings, &impatient_factory());
    let result = connection.door_control().dispatch(&Action::OpenDoor, &target(), &departure(HandClock::new())).await;
    assert!(result.unwrap_err().is_auth_invalid());
    assert!(connection.door_control().look(&target()).await.unwrap_err().is_auth_invalid());
    assert!(server.requests().is_empty());
}
