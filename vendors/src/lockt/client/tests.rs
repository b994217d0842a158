use domain::record::{CredentialDetails, CredentialStatus, CredentialType, RecordDetails, RecordKind, RecordRef};
use futures::TryStreamExt as _;

use super::*;
use crate::{
    port::{Hint, Listed, Portion, SyncPart},
    registry::Connection,
    testing::{self, Reaction, Server, factory, json, noon},
};

const DOORS: &str = include_str!("../fixtures/doors.json");
const USERS: &str = include_str!("../fixtures/users.json");
const USER_BY_ID: &str = include_str!("../fixtures/user_by_id.json");
const CREDENTIALS: &str = include_str!("../fixtures/credentials.json");
const FOBS: &str = include_str!("../fixtures/fobs.json");
const UPSTREAM_FAULT: &str =
    "{\"data\":{\"error\":\"Unable to locate template. Batch has been terminated and exception flagged.\"}}";

fn connect(server: &Server, prefix: &str) -> Connection {
    let settings = [("api_user", "canary-user"), ("api_key", "canary-key"), ("time_zone", "Europe/Tallinn")];
    testing::connect(Vendor::Lockt, &format!("{}{prefix}", server.url), &settings, &factory())
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|request| request.line.replace(" HTTP/1.1", "")).collect()
}

async fn read(part: SyncPart, answers: Vec<Reaction>) -> (Result<Vec<Portion>, VendorError>, Vec<String>) {
    let server = Server::start(answers).await;
    let portions = connect(&server, "").inventory().read(part, None, noon()).try_collect().await;
    (portions, lines(&server))
}

async fn reread(hint: Hint, answers: Vec<Reaction>) -> (Result<Portion, VendorError>, Vec<String>) {
    let server = Server::start(answers).await;
    let portion = connect(&server, "").inventory().reread(&hint, noon()).await;
    (portion, lines(&server))
}

fn record(kind: RecordKind, id: &str) -> Hint {
    Hint::Record(RecordRef { kind, external_id: id.to_owned() })
}

fn ids(portion: &Portion) -> Vec<&str> {
    let devices = portion.devices.iter().map(|device| device.external_id.as_str());
    devices.chain(portion.records.iter().map(|record| record.external_id.as_str())).collect()
}

#[tokio::test]
async fn the_bytes_of_the_questions() {
    let server = Server::start(vec![json(200, DOORS), json(200, DOORS)]).await;
    let connection = connect(&server, "/lockt/");
    let check = connection.inventory().check().await.unwrap();
    assert_eq!(check.locations, [("Main Hall".to_owned(), "Main Hall".to_owned())]);
    let request = &server.requests()[0];
    assert_eq!(request.line, "GET /lockt/api/v1/door HTTP/1.1");
    assert_eq!((request.header("apiuser"), request.header("apikey")), (Some("canary-user"), Some("canary-key")));
    assert_eq!((request.header("content-type"), request.body.as_str()), (Some("application/json"), ""));
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn doors_are_two_calls_for_the_whole_account() {
    let states = include_str!("../fixtures/door_states.json").replace("187", "166");
    let (portions, lines) = read(SyncPart::Devices, vec![json(200, DOORS), json(200, &states)]).await;
    let portions = portions.unwrap();
    assert_eq!(lines, ["GET /api/v1/door", "GET /api/v1/doorstate"]);
    assert_eq!((portions.len(), ids(&portions[0])), (1, vec!["166", "174", "603"]));
    assert_eq!(portions[0].devices[0].battery_percent, Some(64));
    assert_eq!(portions[0].devices[1].battery_percent, None);
    let (portions, _) = read(SyncPart::Devices, vec![json(200, DOORS), json(404, "")]).await;
    assert_eq!(portions.unwrap()[0].devices.len(), 3, "without charges, but not without doors");
}

#[tokio::test]
async fn people_levels_and_schedules_are_one_call_each() {
    let (portions, lines) = read(SyncPart::Users, vec![json(200, USERS)]).await;
    assert_eq!((ids(&portions.unwrap()[0]), lines), (vec!["5678", "6789"], vec!["GET /api/v1/user".to_owned()]));
    let levels = json(200, include_str!("../fixtures/access_levels.json"));
    let schedules = json(200, include_str!("../fixtures/schedules.json"));
    let (portions, lines) = read(SyncPart::AccessLevels, vec![levels, schedules]).await;
    let portions = portions.unwrap();
    assert_eq!(lines, ["GET /api/v1/accesslevel", "GET /api/v1/schedule"]);
    assert_eq!((ids(&portions[0]), ids(&portions[1])), (vec!["208", "212", "512", "574"], vec!["543", "1404"]));
}

#[tokio::test]
async fn credentials_with_fobs_are_one_list() {
    let tagged = CREDENTIALS.replace("129813", "613297").replace("\"1234\"", "\"5599\"");
    let check = json(200, include_str!("../fixtures/fob_check.json"));
    let summary = json(200, "{\"data\":{\"claimed\":1,\"unclaimed\":1}}");
    let (portions, lines) =
        read(SyncPart::Credentials, vec![json(200, &tagged), json(200, FOBS), check, summary]).await;
    let portions = portions.unwrap();
    assert_eq!(
        lines,
        ["GET /api/v1/credential", "GET /api/v1/fob", "GET /api/v1/fobcheck", "GET /api/v1/credentialsummary"]
    );
    assert_eq!(ids(&portions[0]), ["335", "613297", "613298"], "the tagged one is one record");
    let RecordDetails::Credential(CredentialDetails { credential_type, status, user, .. }) =
        &portions[0].records[1].details
    else {
        panic!("no credential");
    };
    assert_eq!(
        (*credential_type, *status, user.as_deref()),
        (CredentialType::Fob, CredentialStatus::Active, Some("244"))
    );
    assert_eq!(ids(&portions[1]), ["credentials"]);
}

#[tokio::test]
async fn what_is_not_released_yet_is_no_fault() {
    let answers = vec![json(200, CREDENTIALS), json(200, FOBS), json(404, ""), json(404, "")];
    let portions = read(SyncPart::Credentials, answers).await.0.unwrap();
    assert_eq!((portions[0].records.len(), portions[1].records.len()), (4, 0));
    let (portions, lines) = read(SyncPart::Users, vec![json(404, "")]).await;
    assert!(matches!(portions, Err(VendorError::Unsupported { .. })));
    assert_eq!(lines.len(), 1);
    assert!(matches!(read(SyncPart::Reservations, Vec::new()).await.0, Err(VendorError::Unsupported { .. })));
}

#[tokio::test]
async fn the_documents_sample_of_fobs_shows_doors_and_is_not_believed() {
    let printed = json(200, include_str!("../fixtures/fobs_as_printed.json"));
    let result = read(SyncPart::Credentials, vec![json(200, CREDENTIALS), printed]).await.0;
    assert!(matches!(result, Err(VendorError::Protocol { .. })));
}

#[tokio::test]
async fn a_read_that_breaks_off_says_so_and_ends() {
    let server = Server::start(vec![json(500, ""), json(200, "{\"data\":[]}")]).await;
    let connection = connect(&server, "");
    let inventory = connection.inventory();
    let result: Result<Vec<_>, _> = inventory.read(SyncPart::AccessLevels, None, noon()).try_collect().await;
    assert!(matches!(result, Err(VendorError::NotReady { .. })));
    assert_eq!(server.requests().len(), 1);
    for body in [
        "{}",
        "{\"data\":null}",
        "{\"data\":{}}",
        "{\"data\":[null]}",
        "{\"data\":[[9]]}",
        "{\"data\":[{\"name\":\"x\"}]}",
        "[]",
    ] {
        let result = read(SyncPart::Users, vec![json(200, body)]).await.0;
        assert!(matches!(result, Err(VendorError::Protocol { .. })), "{body}");
    }
    assert_eq!(read(SyncPart::Users, vec![json(200, "{\"data\":[]}")]).await.0.unwrap()[0].records.len(), 0);
}

#[tokio::test]
async fn refusals_by_the_document() {
    let refused = |answer| async { read(SyncPart::Users, vec![answer]).await.0.unwrap_err() };
    for status in [200, 400] {
        assert!(matches!(refused(json(status, UPSTREAM_FAULT)).await, VendorError::NotReady { .. }), "{status}");
    }
    let said = "{\"data\":{\"error\":\"no such thing, canary-key\"}}";
    for answer in [json(400, said), json(200, said), json(200, "{\"data\":[{\"error\":\"no such thing\"}]}")] {
        let error = refused(answer).await;
        assert!(matches!(error, VendorError::Rejected { code: FailureCode::VendorRejected, .. }), "{error:?}");
        assert!(error.to_string().contains("no such thing") && !error.to_string().contains("canary"), "{error}");
    }
    assert!(refused(json(401, said)).await.is_auth_invalid());
    assert!(matches!(refused(json(502, "<html>")).await, VendorError::NotReady { .. }));
}

#[tokio::test]
async fn one_person_is_read_by_id_and_by_number_for_the_levels() {
    let with_number = USER_BY_ID.replace("\"id_num\": \"\"", "\"id_num\": \"GH 1\"");
    let with_levels = with_number.replace("\"enabled\": true", "\"enabled\": true, \"accesslevels\": [{\"id\": 574}]");
    let levels = |portion: &Portion| match &portion.records[0].details {
        RecordDetails::User(details) => details.access_levels.clone(),
        other => panic!("{other:?}"),
    };
    let hint = record(RecordKind::User, "1693");
    let (portion, lines) = reread(hint.clone(), vec![json(200, &with_number), json(200, &with_levels)]).await;
    assert_eq!(levels(&portion.unwrap()), Some(["574".to_owned()].into()));
    assert_eq!(lines, ["GET /api/v1/user?id=1693", "GET /api/v1/user?idnum=GH+1"]);
    let (portion, lines) = reread(hint.clone(), vec![json(200, USER_BY_ID)]).await;
    assert_eq!((levels(&portion.unwrap()), lines.len()), (None, 1), "not told is not none");
    for gone in [json(404, ""), json(200, "{\"data\":[]}")] {
        assert!(reread(hint.clone(), vec![gone]).await.0.unwrap().records.is_empty());
    }
    assert!(reread(hint, vec![json(500, "")]).await.0.is_err());
}

#[tokio::test]
async fn one_thing_is_read_again_from_its_list() {
    let (portion, _) = reread(Hint::Device("174".to_owned()), vec![json(200, DOORS), json(404, "")]).await;
    assert_eq!(ids(&portion.unwrap()), ["174"]);
    let levels = || vec![json(200, include_str!("../fixtures/access_levels.json"))];
    assert_eq!(ids(&reread(record(RecordKind::AccessLevel, "574"), levels()).await.0.unwrap()), ["574"]);
    let answers = vec![json(200, CREDENTIALS), json(200, FOBS), json(404, "")];
    assert_eq!(ids(&reread(record(RecordKind::Credential, "335"), answers).await.0.unwrap()), ["335"]);
    let (portion, _) = reread(Hint::Part(SyncPart::Users), vec![json(200, USERS)]).await;
    assert_eq!(portion.unwrap().records.len(), 2);
    assert!(reread(record(RecordKind::Reservation, "1"), Vec::new()).await.0.is_err());
}

#[test]
fn every_part_says_what_it_completes() {
    let http = factory();
    let settings = [("api_user", "u"), ("api_key", "k")];
    let connection = testing::connect(Vendor::Lockt, DEFAULT_BASE_URL, &settings, &http);
    let parts = connection.inventory().parts();
    assert_eq!(parts.first().map(|plan| plan.completes), Some(&[Listed::Devices][..]));
    let events = parts.last().unwrap();
    assert!(events.part == SyncPart::Events && events.completes.is_empty());
}

#[test]
fn an_account_that_can_not_be_used_is_told() {
    let account = |zone: Option<&str>, key: &str| LocktCredentials {
        api_user: domain::secret::Secret::new("u"),
        api_key: domain::secret::Secret::new(key),
        time_zone: zone.map(str::to_owned),
    };
    let new = |zone, key| Lockt::new(DEFAULT_BASE_URL, &account(zone, key), &factory()).err();
    assert!(matches!(new(Some("Nowhere"), "k"), Some(VendorError::Unsupported { .. })));
    assert!(new(None, "a\nb").unwrap().is_auth_invalid());
    assert!(new(Some("Europe/Tallinn"), "k").is_none());
}
