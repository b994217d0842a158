use domain::{
    account::Vendor,
    command::{Answer, Evidence, FailureCode},
};

use super::*;
use crate::{
    raixer::testing::{BASIC, account, fixture, lines, target},
    testing::{HandClock, Reaction, Server, departure, impatient_factory, json},
};

async fn open(reactions: Vec<Reaction>) -> (Result<Receipt, VendorError>, Server) {
    let server = Server::start(reactions).await;
    let departure = departure(HandClock::new());
    let result = account(&server).dispatch(&Action::OpenDoor, &target(), &departure).await;
    (result, server)
}

#[tokio::test]
async fn the_bytes_of_an_opening() {
    let (result, server) = open(vec![json(200, fixture!("open_one"))]).await;
    let receipt = result.unwrap();
    assert_eq!(receipt.answer, Answer::Succeeded { evidence: Evidence::VendorAck });
    assert_eq!(receipt.notes[0].text, "The action openDoor was executed successfully");
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /devices/edcba54321/open-door/2 HTTP/1.1");
    assert_eq!(request.header("authorization"), Some(BASIC));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!((request.header("content-length"), request.body.as_str()), (Some("0"), ""));
}

#[tokio::test]
async fn a_base_url_with_a_path_keeps_it() {
    let server = Server::start(vec![json(200, fixture!("open_one"))]).await;
    let url = format!("{}/sim/raixer/", server.url);
    let settings = [("user", "me"), ("password", "canary")];
    let connection = crate::testing::connect(Vendor::Raixer, &url, &settings, &impatient_factory());
    let departure = departure(HandClock::new());
    connection.door_control().dispatch(&Action::OpenDoor, &target(), &departure).await.unwrap();
    assert_eq!(lines(&server), ["POST /sim/raixer/devices/edcba54321/open-door/2"]);
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
    assert_eq!(lines(&server), ["POST /devices/edcba54321/open-door/2", "GET /devices"]);
    let (result, _) = open(vec![json(401, ""), json(200, "[]")]).await;
    assert!(matches!(result, Err(VendorError::Rejected { code: FailureCode::DeviceNotFound, .. })));
    let (result, _) = open(vec![json(401, ""), json(503, "")]).await;
    assert!(matches!(result, Err(VendorError::NotReady { .. })));
}

#[tokio::test]
async fn only_openings_at_a_position() {
    let server = Server::start(Vec::new()).await;
    let (raixer, departure) = (account(&server), departure(HandClock::new()));
    for position in [None, Some(0), Some(4)] {
        let target = Target { position, ..target() };
        let result = raixer.dispatch(&Action::OpenDoor, &target, &departure).await;
        assert!(matches!(result, Err(VendorError::Unsupported { .. })));
    }
    let result = raixer.dispatch(&Action::CloseDoor, &target(), &departure).await;
    assert!(matches!(result, Err(VendorError::Unsupported { .. })));
    assert_eq!(raixer.look(&target()).await, Ok(None));
    assert!(raixer.poll("x", &target()).await.is_err());
    assert!(server.requests().is_empty());
}
