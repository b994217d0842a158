use chrono::TimeDelta;
use domain::command::{Answer, Evidence};

use super::*;
use crate::{
    registry::Connection,
    testing::{self, HandClock, Reaction, Server, departure, factory, impatient_factory, json},
};

const DEVICE: &str = include_str!("../fixtures/device.json");
const COMMAND: &str = include_str!("../fixtures/command.json");
const ERROR: &str = include_str!("../fixtures/error.json");

fn connect(server: &Server) -> Connection {
    testing::connect(Vendor::Bikeep, &server.url, &[("token", "canary")], &factory())
}

fn target() -> Target {
    testing::target("dev-1", "BIKE_HOUSE_DOOR", "dev-1", 1)
}

async fn dispatch(reaction: Reaction) -> (Result<Receipt, VendorError>, Server) {
    let server = Server::start(vec![reaction]).await;
    let connection = testing::connect(Vendor::Bikeep, &server.url, &[("token", "canary")], &impatient_factory());
    let departure = departure(HandClock::new());
    let result = connection.door_control().dispatch(&Action::OpenDoor, &target(), &departure).await;
    assert_eq!(server.requests().len(), 1);
    (result, server)
}

#[tokio::test]
async fn the_bytes_of_a_command() {
    let (result, server) = dispatch(json(200, COMMAND)).await;
    let receipt = result.unwrap();
    let Answer::Pending { reference, evidence, .. } = receipt.answer else { unreachable!() };
    assert_eq!((reference.as_deref(), evidence), (Some("00000000-0000-0000-0000-000000000000"), Evidence::VendorAck));
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /device/v1/devices/dev-1/commands HTTP/1.1");
    assert_eq!(request.body, "{\"command\":\"unlock\"}");
    assert_eq!(request.header("authorization"), Some("Bearer canary"));
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn the_bytes_of_the_questions() {
    let server = Server::start(vec![json(200, COMMAND), json(200, DEVICE)]).await;
    let connection = connect(&server);
    connection.door_control().poll("cmd-1", &target()).await.unwrap();
    assert!(connection.door_control().look(&target()).await.unwrap().is_some());
    let lines: Vec<_> = server.requests().iter().map(|request| request.line.clone()).collect();
    assert_eq!(lines, ["GET /device/v1/commands/cmd-1 HTTP/1.1", "GET /device/v1/devices/dev-1 HTTP/1.1"]);
    for request in server.requests() {
        assert_eq!((request.header("authorization"), request.body.as_str()), (Some("Bearer canary"), ""));
    }
}

#[tokio::test]
async fn refusals_by_the_document() {
    let code = |result: Result<Receipt, VendorError>| match result {
        Err(VendorError::Rejected { code, message }) => (code, message),
        other => unreachable!("{other:?}"),
    };
    let (code_404, message) = code(dispatch(json(404, ERROR)).await.0);
    assert_eq!(code_404, FailureCode::DeviceNotFound);
    assert!(message.contains("Device not found, ERRORS.NOT_FOUND, correlation 3f6d1d7e"), "{message}");
    assert_eq!(code(dispatch(json(403, "{}")).await.0).0, FailureCode::VendorRejected);
    assert_eq!(code(dispatch(json(400, "{}")).await.0).0, FailureCode::VendorRejected);
    let body = "{\"error_code\":\"ERRORS.INVALID_TIMEOUT_AT\",\"error_message\":\"canary\"}";
    let (code_400, message) = code(dispatch(json(400, body)).await.0);
    assert_eq!(code_400, FailureCode::Malformed);
    assert!(!message.contains("canary"), "an echoed token stays out");
}

#[tokio::test]
async fn what_is_not_known_is_not_called_a_failure() {
    for (status, body) in [(500, ERROR), (502, "<html>"), (408, "")] {
        let result = dispatch(json(status, body)).await.0;
        assert!(matches!(result, Err(VendorError::Indeterminate { .. })), "{status}");
    }
    for body in ["", "{}", "[]", "null", "{\"id\":null}", "{\"id\":\"\"}", "<html>", "{\"id\":\"c1\""] {
        let result = dispatch(json(200, body)).await.0;
        assert!(matches!(result, Err(VendorError::Protocol { .. })), "{body}");
    }
    assert!(matches!(dispatch(Reaction::Silence).await.0, Err(VendorError::Indeterminate { .. })));
    assert!(dispatch(json(401, "")).await.0.unwrap_err().is_auth_invalid());
}

#[tokio::test]
async fn what_the_connector_does_not_offer_is_not_sent() {
    let server = Server::start(Vec::new()).await;
    let connection = connect(&server);
    let result = connection.door_control().dispatch(&Action::CloseDoor, &target(), &departure(HandClock::new())).await;
    assert!(matches!(result, Err(VendorError::Unsupported { .. })));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_state_that_does_not_fit_is_an_ordinary_refusal() {
    for (code, expected) in [
        ("ERRORS.INVALID_STATE", FailureCode::VendorRejected),
        ("ERRORS.INVALID_TIMEOUT_AT", FailureCode::Malformed),
        ("ERRORS.FORBIDDEN", FailureCode::VendorRejected),
    ] {
        let result = dispatch(json(400, &format!("{{\"error_code\":\"{code}\"}}"))).await.0;
        assert!(matches!(result, Err(VendorError::Rejected { code, .. }) if code == expected), "{code}");
    }
}

#[tokio::test]
async fn below_a_base_url_with_a_path() {
    let server = Server::start(vec![json(200, DEVICE)]).await;
    let url = format!("{}/bikeep/", server.url);
    let connection = testing::connect(Vendor::Bikeep, &url, &[("token", "canary")], &factory());
    connection.door_control().look(&target()).await.unwrap();
    assert_eq!(server.requests()[0].line, "GET /bikeep/device/v1/devices/dev-1 HTTP/1.1");
}

#[tokio::test]
async fn throttling_is_passed_on() {
    let slow = testing::with_headers(429, "Retry-After: 3\r\n", b"");
    let result = dispatch(slow).await.0;
    assert_eq!(result, Err(VendorError::Throttled { retry_after: Some(TimeDelta::seconds(3)) }));
}
