use domain::{account::Vendor, event::FoundDoorRef, record::RecordDetails};

use super::*;
use crate::{
    registry::Connection,
    testing::{self, Server, impatient_factory, json, noon},
};

const SYNC: &str = include_str!("../fixtures/sync.json");
const HISTORY: &str = include_str!("../fixtures/history.json");
const USER: &str = include_str!("../fixtures/user_info.json");
const SETTINGS: &str = include_str!("../fixtures/user_settings.json");
const REFUSED: &str = "{\"errors\":[{\"message\":\"no canary here\"}]}";
const BOX: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const DOOR: &str = "f9e8d7c6b5a493827160f5e4d3c2b1a0";

fn connect(server: &Server) -> Connection {
    testing::connect(Vendor::Parqex, &server.url, &[("access_token", "canary")], &impatient_factory())
}

async fn read(server: &Server, part: SyncPart) -> Result<Vec<Portion>, VendorError> {
    connect(server).inventory().read(part, None, noon()).try_collect().await
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.line.clone()).collect()
}

#[tokio::test]
async fn devices_are_one_call_with_the_five_headers() {
    let server = Server::start(vec![json(200, SYNC), json(200, SYNC), json(200, SYNC)]).await;
    let portions = read(&server, SyncPart::Devices).await.unwrap();
    assert_eq!((portions.len(), portions[0].devices.len()), (1, 1));
    let connection = connect(&server);
    let reread = async |id: &str| connection.inventory().reread(&Hint::Device(id.to_owned()), noon()).await.unwrap();
    assert_eq!(reread(&BOX.to_uppercase()).await.devices.len(), 1);
    assert!(reread("another").await.devices.is_empty(), "gone");
    for request in server.requests() {
        assert_eq!(request.line, "GET /oauth/v1/endpoints/sync HTTP/1.1");
        assert_eq!(request.header("authorization"), Some("Bearer canary"));
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("accept-charset"), Some("utf-8"));
        assert_eq!(request.header("accept-encoding"), Some("gzip"));
    }
}

#[tokio::test]
async fn a_broken_inventory_says_so() {
    for (status, body) in [(200, "{}"), (200, "[]"), (200, "{\"devices\":[{}]}"), (500, ""), (401, "")] {
        let server = Server::start(vec![json(status, body)]).await;
        assert!(read(&server, SyncPart::Devices).await.is_err(), "{status} {body}");
    }
    let server = Server::start(vec![json(200, "{\"success\":false,\"code\":401}")]).await;
    assert!(read(&server, SyncPart::Devices).await.unwrap_err().is_auth_invalid());
    let server = Server::start(vec![json(400, REFUSED)]).await;
    let error = read(&server, SyncPart::Devices).await.unwrap_err();
    assert_eq!(error.to_string(), "PARQEX answered HTTP 400: no *** here");
}

#[tokio::test]
async fn the_profile_is_both_verbs_of_user_info_without_the_pin() {
    let server = Server::start(vec![json(200, USER), json(200, SETTINGS)]).await;
    let portions = read(&server, SyncPart::Profile).await.unwrap();
    let record = &portions[0].records[0];
    assert_eq!((record.external_id.as_str(), record.name.as_str()), ("01010101aaaabbbbccccddddeeeeffff", "Ada Quill"));
    let RecordDetails::Profile(details) = &record.details else { unreachable!() };
    assert_eq!(details.time_zone.as_deref(), Some("America/Chicago"));
    assert!(!format!("{portions:?}").contains("canary-4711"));
    let expected = ["GET /oauth/v1/endpoints/user-info HTTP/1.1", "POST /oauth/v1/endpoints/user-info HTTP/1.1"];
    assert_eq!(lines(&server), expected);
    assert_eq!(server.requests()[1].body, "");
}

#[tokio::test]
async fn a_profile_needs_no_settings_but_an_id() {
    let server = Server::start(vec![json(200, USER), json(403, REFUSED)]).await;
    assert_eq!(read(&server, SyncPart::Profile).await.unwrap()[0].records.len(), 1);
    let server = Server::start(vec![json(200, USER), json(500, "")]).await;
    assert!(matches!(read(&server, SyncPart::Profile).await, Err(VendorError::NotReady { .. })));
    let server = Server::start(vec![json(200, "{\"data\":{}}"), json(200, SETTINGS)]).await;
    assert!(matches!(read(&server, SyncPart::Profile).await, Err(VendorError::Protocol { .. })));
}

#[tokio::test]
async fn the_history_is_read_by_controller_and_by_user() {
    let server = Server::start(vec![json(200, SYNC), json(200, HISTORY), json(200, HISTORY)]).await;
    let portions = read(&server, SyncPart::Events).await.unwrap();
    let cursors: Vec<_> = portions.iter().map(|portion| portion.cursor.as_deref()).collect();
    assert_eq!(cursors, [None, Some("2031-03-02")], "only when all is read");
    let event = &portions[0].events[0];
    assert_eq!((event.device.as_deref(), &event.door), (Some(BOX), &Some(FoundDoorRef::Id(DOOR.to_owned()))));
    assert_eq!(portions[1].events, portions[0].events, "the same line by another way is the same event");
    let days = "start_date=2031-03-01&end_date=2031-03-03";
    let expected = [
        "GET /oauth/v1/endpoints/sync HTTP/1.1".to_owned(),
        format!("GET /oauth/v1/endpoints/toggle-history?history_type=device&device_id={BOX}&{days} HTTP/1.1"),
        format!("GET /oauth/v1/endpoints/toggle-history?history_type=user&{days} HTTP/1.1"),
    ];
    assert_eq!(lines(&server), expected);
}

#[tokio::test]
async fn where_controllers_are_refused_the_doors_are_asked_for() {
    let server = Server::start(vec![json(200, SYNC), json(400, REFUSED), json(200, HISTORY), json(200, HISTORY)]).await;
    let portions = read(&server, SyncPart::Events).await.unwrap();
    assert_eq!((portions.len(), portions[0].events.len()), (2, 1));
    let asked = format!("history_type=door&door_id={DOOR}&");
    assert!(lines(&server)[2].contains(&asked), "{:?}", lines(&server));
}

#[tokio::test]
async fn a_history_that_breaks_off_moves_no_cursor() {
    let server = Server::start(vec![json(200, SYNC), json(200, HISTORY), json(500, ""), json(200, HISTORY)]).await;
    let connection = connect(&server);
    let mut portions = connection.inventory().read(SyncPart::Events, Some("2031-02-01"), noon());
    assert_eq!(portions.next().await.unwrap().unwrap().cursor, None);
    assert!(portions.next().await.unwrap().is_err());
    assert!(portions.next().await.is_none());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_check_tells_whose_account_it_is() {
    let with_email = "{\"data\":{\"id\":\"u\",\"email\":\"ada@example.test\"}}";
    let reactions = vec![json(200, with_email), json(200, USER), json(403, REFUSED), json(200, SYNC), json(401, "")];
    let server = Server::start(reactions).await;
    let connection = connect(&server);
    let check = async || connection.inventory().check().await.map(|check| check.signed_in_as);
    assert_eq!(check().await.unwrap().as_deref(), Some("ada@example.test"));
    assert_eq!(check().await.unwrap().as_deref(), Some("01010101aaaabbbbccccddddeeeeffff"));
    assert_eq!(check().await.unwrap(), None, "the devices may be read, the user not");
    assert!(check().await.unwrap_err().is_auth_invalid());
}

#[tokio::test]
async fn what_parqex_does_not_keep_is_unsupported() {
    let server = Server::start(Vec::new()).await;
    assert!(matches!(read(&server, SyncPart::Users).await, Err(VendorError::Unsupported { .. })));
}
