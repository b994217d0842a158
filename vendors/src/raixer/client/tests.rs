use domain::command::{Answer, Evidence};
use futures::TryStreamExt as _;

use super::*;
use crate::{
    registry::Connection,
    testing::{self, HandClock, Reaction, Server, departure, impatient_factory, json},
};

const DEVICE: &str = include_str!("../fixtures/device.json");
const DEVICES: &str = include_str!("../fixtures/devices.json");
const DOORS: &str = include_str!("../fixtures/doors.json");
const CONNECTIONS: &str = include_str!("../fixtures/connections.json");
const OPEN_ONE: &str = include_str!("../fixtures/open_one.json");

fn connect(server: &Server) -> Connection {
    testing::connect(Vendor::Raixer, &server.url, &[("user", "me"), ("password", "canary")], &impatient_factory())
}

fn target() -> Target {
    testing::target("edcba54321", "intercom", "abcde54321", 2)
}

async fn open(reactions: Vec<Reaction>) -> (Result<Receipt, VendorError>, Server) {
    let server = Server::start(reactions).await;
    let departure = departure(HandClock::new());
    let result = connect(&server).door_control().dispatch(&Action::OpenDoor, &target(), &departure).await;
    (result, server)
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|request| request.line).collect()
}

#[tokio::test]
async fn the_bytes_of_an_opening() {
    let (result, server) = open(vec![json(200, OPEN_ONE)]).await;
    assert_eq!(result.unwrap().answer, Answer::Succeeded { evidence: Evidence::VendorAck });
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /devices/edcba54321/open-door/2 HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Basic bWU6Y2FuYXJ5"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!((request.header("content-length"), request.body.as_str()), (Some("0"), ""));
}

#[tokio::test]
async fn refusals_by_the_document() {
    for (status, expected) in [
        (400, FailureCode::Malformed),
        (403, FailureCode::DeviceNotFound),
        (404, FailureCode::Unsupported),
        (409, FailureCode::VendorRejected),
    ] {
        let (result, server) = open(vec![json(status, "whatever")]).await;
        assert!(matches!(result, Err(VendorError::Rejected { code, .. }) if code == expected), "{status}");
        assert_eq!(server.requests().len(), 1);
    }
    for status in [500, 503] {
        let result = open(vec![json(status, "")]).await.0;
        assert!(matches!(result, Err(VendorError::Indeterminate { .. })), "{status}");
    }
    for body in ["", "{}", "[", "[]", "[null]", "{\"status\":\"success\"}"] {
        let result = open(vec![json(200, body)]).await.0;
        assert!(matches!(result, Err(VendorError::Protocol { .. })), "{body}");
    }
}

#[tokio::test]
async fn the_two_meanings_of_401() {
    let (result, server) = open(vec![json(401, ""), json(401, "")]).await;
    assert!(result.unwrap_err().is_auth_invalid());
    assert_eq!(lines(&server), ["POST /devices/edcba54321/open-door/2 HTTP/1.1", "GET /devices HTTP/1.1"]);
    let (result, _) = open(vec![json(401, ""), json(200, "[]")]).await;
    assert!(matches!(result, Err(VendorError::Rejected { code: FailureCode::DeviceNotFound, .. })));
    let (result, _) = open(vec![json(401, ""), json(503, "")]).await;
    assert!(matches!(result, Err(VendorError::NotReady { .. })));
}

#[tokio::test]
async fn only_openings_at_a_position() {
    let server = Server::start(Vec::new()).await;
    let connection = connect(&server);
    let (control, departure) = (connection.door_control(), departure(HandClock::new()));
    for target in [Target { position: None, ..target() }, Target { position: Some(0), ..target() }] {
        let result = control.dispatch(&Action::OpenDoor, &target, &departure).await;
        assert!(matches!(result, Err(VendorError::Unsupported { .. })));
    }
    let result = control.dispatch(&Action::LockDoor, &target(), &departure).await;
    assert!(matches!(result, Err(VendorError::Unsupported { .. })));
    assert_eq!(control.look(&target()).await, Ok(None));
    assert!(control.poll("x", &target()).await.is_err());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_inventory_has_owned_and_shared_devices() {
    let server = Server::start(vec![
        json(200, DEVICES),
        json(200, CONNECTIONS),
        json(200, DOORS),
        json(200, DOORS),
        json(200, DEVICE),
        json(200, DOORS),
        json(403, ""),
    ])
    .await;
    let portions: Vec<_> = connect(&server).inventory().devices().try_collect().await.unwrap();
    let ids: Vec<_> = portions.iter().flatten().map(|device| device.external_id.as_str()).collect();
    assert_eq!(ids, ["edcba54321", "edcba54322", "abcde12345"], "the one that does not exist is left out");
    assert_eq!(
        lines(&server),
        [
            "GET /devices HTTP/1.1",
            "GET /connections HTTP/1.1",
            "GET /devices/edcba54321/doors HTTP/1.1",
            "GET /devices/edcba54322/doors HTTP/1.1",
            "GET /devices/abcde12345 HTTP/1.1",
            "GET /devices/abcde12345/doors HTTP/1.1",
            "GET /devices/abcde54321 HTTP/1.1",
        ]
    );
    assert!(server.requests().iter().all(|request| request.header("authorization") == Some("Basic bWU6Y2FuYXJ5")));
}

#[tokio::test]
async fn a_disabled_connection_is_no_access() {
    let connections = "[{\"deviceId\":\"x\",\"disabled\":true},{\"deviceId\":\"x\",\"disabled\":\"true\"}]";
    let server = Server::start(vec![json(200, "[]"), json(200, connections)]).await;
    let portions: Vec<_> = connect(&server).inventory().devices().try_collect().await.unwrap();
    assert!(portions.is_empty());
}

#[tokio::test]
async fn an_inventory_that_breaks_off_says_so_and_ends() {
    let shared = "[{\"deviceId\":\"x\"},{\"deviceId\":\"y\"}]";
    // Credentials that stop to work half way must not make devices look removed.
    for (reactions, auth) in [
        (vec![json(200, "[]"), json(200, shared), json(401, ""), json(401, "")], true),
        (vec![json(200, "[]"), json(200, shared), json(500, "")], false),
        (vec![json(200, "[]"), json(200, shared), json(404, "")], false),
        (vec![json(200, "[]"), json(200, "{}")], false),
        (vec![json(200, "[{}]"), json(200, "[]")], false),
        (vec![json(200, "[]"), json(200, "[{}]")], false),
        (vec![json(401, "")], true),
    ] {
        let server = Server::start(reactions).await;
        let connection = connect(&server);
        let mut portions = connection.inventory().devices();
        assert_eq!(portions.next().await.unwrap().unwrap_err().is_auth_invalid(), auth);
        assert!(portions.next().await.is_none());
    }
}
