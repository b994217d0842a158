use chrono::DateTime;
use domain::{account::Vendor, clock::Timestamp, secret::Secret};

use super::*;
use crate::testing::{self, HandClock, Reaction, Server, departure, impatient_factory, json as answer};

const ANSWER: &str = include_str!("../fixtures/import_answer.json");
const RECORD_ERROR: &str = include_str!("../fixtures/record_error.json");
const DOORS_REFUSED: &str = include_str!("../fixtures/doors_refused.json");
const CREDENTIALS: &str = include_str!("../fixtures/credentials.json");
const FOBS: &str = include_str!("../fixtures/fobs.json");
const NONE: &str = "{\"data\":[]}";

type Carried = (Result<ChangeReceipt, VendorError>, Server);

async fn carry(change: Change, secret: Option<&str>, answers: Vec<Reaction>) -> Carried {
    let server = Server::start(answers).await;
    let settings = [("api_user", "canary-user"), ("api_key", "canary-key"), ("time_zone", "Europe/Tallinn")];
    let connection = testing::connect(Vendor::Lockt, &server.url, &settings, &impatient_factory());
    let secret = secret.map(Secret::new);
    let order = Order { change: &change, target: None, secret: secret.as_ref(), first_sent_at: None };
    let result = connection.administration().carry_out(order, &departure(HandClock::new())).await;
    (result, server)
}

async fn look(change: Change, answers: Vec<Reaction>) -> Trace {
    let server = Server::start(answers).await;
    let settings = [("api_user", "canary-user"), ("api_key", "canary-key")];
    let connection = testing::connect(Vendor::Lockt, &server.url, &settings, &impatient_factory());
    let order = Order { change: &change, target: None, secret: None, first_sent_at: None };
    let trace = connection.administration().look_for(order).await.unwrap();
    assert!(server.requests().iter().all(|request| request.line.starts_with("GET ")), "it only reads");
    trace
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|request| request.line.replace(" HTTP/1.1", "")).collect()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

const ALL: ImportOptions =
    ImportOptions { update_existing: true, validate_fails_batch: true, replace_privileges: true, dry_run: false };

fn ada() -> UserPlan {
    UserPlan {
        id_number: "GH-1".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Quill".to_owned(),
        enabled: true,
        access_until: at("2031-03-05T09:00:00Z"),
        access_levels: vec!["574".to_owned()],
        ..UserPlan::default()
    }
}

fn import(users: Vec<UserPlan>, options: ImportOptions) -> Change {
    Change::ImportUsers { users, options }
}

fn kept(levels: &str) -> Reaction {
    let user = "\"id\":9,\"id_num\":\"GH-1\",\"first_name\":\"Ada\",\"last_name\":\"Quill\",\"enabled\":true,\
        \"access_effective\":\"\",\"access_expires\":\"2031-03-05T09:00:00.000Z\"";
    answer(200, &format!("{{\"data\":[{{{user}{levels}}}]}}"))
}

fn kept_well() -> Reaction {
    kept(",\"accesslevels\":[{\"id\":574}]")
}

fn is_done(receipt: &ChangeReceipt) -> bool {
    receipt.answer == Answer::Succeeded { evidence: Evidence::VendorAck }
}

fn result(receipt: &ChangeReceipt) -> &Value {
    receipt.result.as_ref().unwrap()
}

#[tokio::test]
async fn people_are_imported_and_read_back() {
    let (receipt, server) = carry(import(vec![ada()], ALL), None, vec![answer(200, ANSWER), kept_well()]).await;
    let receipt = receipt.unwrap();
    assert!(is_done(&receipt));
    assert_eq!(lines(&server), ["POST /api/v1/user", "GET /api/v1/user?idnum=GH-1"]);
    let request = &server.requests()[0];
    assert_eq!((request.header("apiuser"), request.header("apikey")), (Some("canary-user"), Some("canary-key")));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["users"][0]["access_expires"], "2031-03-05 11:00:00", "in the account's zone");
    let expected = json!({
        "submitted": 1, "inserted": 0, "updated": 1, "errors": [],
        "records": [{"record": 0, "idNumber": "GH-1", "externalId": "9"}],
    });
    assert_eq!(result(&receipt), &expected);
    assert_eq!((receipt.found.records.len(), receipt.hints.len(), receipt.notes.len()), (1, 0, 0));
}

#[tokio::test]
async fn the_answer_by_number_may_omit_the_levels() {
    let answers = vec![answer(200, ANSWER), kept(""), kept(",\"accesslevels\":[]")];
    let (receipt, server) = carry(import(vec![ada()], ALL), None, answers).await;
    let receipt = receipt.unwrap();
    assert_eq!(lines(&server)[1..], ["GET /api/v1/user?idnum=GH-1".to_owned(), "GET /api/v1/user".to_owned()]);
    assert!(is_done(&receipt), "Lockt says so; but it is told what it made of it");
    let differs = json!([{"record": 0, "idNumber": "GH-1", "fields": ["accessLevels"]}]);
    assert_eq!(result(&receipt)["mismatches"], differs);
    assert!(receipt.notes[0].text.contains("otherwise"));
    let answers = vec![answer(200, ANSWER), kept(""), kept("")];
    let receipt = carry(import(vec![ada()], ALL), None, answers).await.0.unwrap();
    assert_eq!(result(&receipt)["unverified"][0]["fields"], json!(["accessLevels"]));
}

#[tokio::test]
async fn who_was_known_is_read_back_by_lockts_id() {
    let known = || UserPlan { external_id: Some("9".to_owned()), ..ada() };
    let answers = vec![answer(200, ANSWER), kept(""), kept_well()];
    let (receipt, server) = carry(import(vec![known()], ALL), None, answers).await;
    let receipt = receipt.unwrap();
    assert_eq!(lines(&server)[1..], ["GET /api/v1/user?id=9", "GET /api/v1/user?idnum=GH-1"]);
    assert!(is_done(&receipt) && result(&receipt)["mismatches"].is_null(), "{receipt:?}");
    assert_eq!(result(&receipt)["records"][0]["externalId"], "9");
    // Somebody else has the number by now, or they had another before: both are looked at.
    let other = "{\"data\":[{\"id\":9,\"id_num\":\"OLD\",\"accesslevels\":[]}]}";
    let answers = vec![answer(200, ANSWER), answer(200, other), kept_well()];
    let (_, server) = carry(import(vec![known()], ALL), None, answers).await;
    assert_eq!(lines(&server)[1..], ["GET /api/v1/user?id=9", "GET /api/v1/user?idnum=GH-1"]);
}

#[tokio::test]
async fn many_people_are_read_back_at_once() {
    let many: Vec<_> = (0..6).map(|number| UserPlan { id_number: format!("GH-{number}"), ..ada() }).collect();
    let (receipt, server) = carry(import(many, ALL), None, vec![answer(200, ANSWER), kept_well()]).await;
    assert_eq!(lines(&server), ["POST /api/v1/user", "GET /api/v1/user"]);
    let receipt = receipt.unwrap();
    assert_eq!(result(&receipt)["mismatches"].as_array().unwrap().len(), 5, "those are missing");
    assert_eq!(result(&receipt)["mismatches"][0]["fields"], json!(["missing"]));
}

#[tokio::test]
async fn a_failed_validation_is_told_by_record_and_without_the_pin() {
    let plan = UserPlan { id_number: "qjwi-880329359".to_owned(), has_pin: true, ..ada() };
    let secret = "{\"qjwi-880329359\":{\"pin\":\"0986\"}}";
    let refused = format!(
        "{{\"result\":[\"Validation errors found. Batch has failed. Details provided.\"],\"errors\":[{}]}}",
        RECORD_ERROR.replace("Non-Numeric card_num found: A8914", "Value not unique 0986")
    );
    for status in [400, 200] {
        let change = import(vec![plan.clone(), ada()], ALL);
        let (receipt, server) = carry(change, Some(secret), vec![answer(status, &refused)]).await;
        let receipt = receipt.unwrap();
        assert!(server.requests()[0].body.contains("\"pin\":\"0986\""));
        let Answer::Failed { failure, evidence } = &receipt.answer else { panic!("{:?}", receipt.answer) };
        assert_eq!((failure.code, *evidence), (FailureCode::VendorRejected, Evidence::VendorAck));
        let messages = json!(["Value not unique ***", "Invalid email address found: rgreswell0@@@@gravatar.com"]);
        let errors = json!([{"record": 0, "idNumber": "qjwi-880329359", "messages": messages}]);
        assert_eq!(result(&receipt)["errors"], errors);
        assert!(!format!("{receipt:?}").contains("0986"), "{receipt:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn those_who_pass_are_processed_if_that_was_wished() {
    let partly = ImportOptions { validate_fails_batch: false, ..ALL };
    let bad = UserPlan { id_number: "qjwi-880329359".to_owned(), ..ada() };
    let body = format!("{{\"result\":[\"Validation errors found.\"],\"errors\":[{RECORD_ERROR}]}}");
    for status in [400, 200] {
        let answers = vec![answer(status, &body), kept_well(), answer(200, NONE), kept_well()];
        let receipt = carry(import(vec![ada(), bad.clone()], partly), None, answers).await.0.unwrap();
        assert!(is_done(&receipt));
        assert_eq!(result(&receipt)["errors"][0]["record"], 1);
        assert_eq!(result(&receipt)["records"][0]["externalId"], "9");
        assert_eq!(result(&receipt).get("mismatches"), None, "that it is missing has been said with its reason");
    }
    let receipt = carry(import(vec![bad], partly), None, vec![answer(400, &body)]).await.0.unwrap();
    assert!(matches!(receipt.answer, Answer::Failed { .. }), "nobody passed");
}

#[tokio::test]
async fn whoever_is_left_alone_is_no_mismatch() {
    let leaving = ImportOptions { update_existing: false, ..ALL };
    let counts = "{\"data\":{\"submitted\":1,\"inserted\":0,\"updated\":0,\"errors\":0}}";
    let answers = || vec![answer(200, counts), kept(",\"accesslevels\":[]")];
    let receipt = carry(import(vec![ada()], leaving), None, answers()).await.0.unwrap();
    assert!(is_done(&receipt));
    assert_eq!(result(&receipt)["leftAlone"][0]["fields"], json!(["accessLevels"]));
    let receipt = carry(import(vec![ada()], ALL), None, answers()).await.0.unwrap();
    assert!(matches!(receipt.answer, Answer::Failed { .. }), "taken in by nobody, and not as wished");
    let receipt = carry(import(vec![ada()], ALL), None, vec![answer(200, counts), kept_well()]).await.0.unwrap();
    assert!(is_done(&receipt), "nothing had to be changed");
    let lost = carry(import(vec![ada()], ALL), None, vec![answer(200, counts), answer(500, "")]).await.0;
    assert!(matches!(lost, Err(VendorError::Indeterminate { .. })));
}

#[tokio::test]
async fn a_failed_read_back_takes_nothing_back() {
    let (receipt, _) = carry(import(vec![ada()], ALL), None, vec![answer(200, ANSWER), answer(500, "")]).await;
    let receipt = receipt.unwrap();
    assert!(is_done(&receipt));
    assert_eq!(receipt.hints, [Hint::Part(SyncPart::Users)]);
    assert_eq!(receipt.found.records, []);
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_may_be_unreleased() {
    let dry = || import(vec![ada()], ImportOptions { dry_run: true, ..ALL });
    let body = format!("{{\"result\":[\"Validation errors found.\"],\"errors\":[{RECORD_ERROR}]}}");
    let (receipt, server) = carry(dry(), None, vec![answer(400, &body)]).await;
    let receipt = receipt.unwrap();
    assert_eq!(lines(&server), ["POST /api/v1/uservalidate"]);
    assert!(is_done(&receipt), "it was checked");
    assert_eq!(result(&receipt)["dryRun"], true);
    assert_eq!(result(&receipt)["errors"].as_array().unwrap().len(), 1);
    assert!(matches!(carry(dry(), None, vec![answer(404, "")]).await.0, Err(VendorError::Unsupported { .. })));
    assert!(matches!(look(dry(), Vec::new()).await, Trace::Absent));
}

#[tokio::test]
async fn what_is_not_known_is_not_called_a_failure() {
    let terminated = "Unable to enumerate dependant record. Batch has been terminated and exception flagged.";
    for (status, body) in [
        (400, format!("{{\"data\":{{\"error\":\"{terminated}\"}}}}")),
        (200, format!("{{\"result\":[\"{terminated}\"]}}")),
        (200, "{\"data\":{\"error\":\"disk full\"}}".to_owned()),
        (500, String::new()),
    ] {
        let result = carry(import(vec![ada()], ALL), None, vec![answer(status, &body)]).await.0;
        assert!(matches!(result, Err(VendorError::Indeterminate { .. })), "{status} {body}: {result:?}");
    }
    for body in ["", "{}", "[]", "<html>", "{\"data\":{\"submitted\":1}}"] {
        let result = carry(import(vec![ada()], ALL), None, vec![answer(200, body)]).await.0;
        assert!(matches!(result, Err(VendorError::Protocol { .. })), "{body}");
    }
    let silent = carry(import(vec![ada()], ALL), None, vec![Reaction::Silence]).await.0;
    assert!(matches!(silent, Err(VendorError::Indeterminate { .. })));
}

#[tokio::test]
async fn refusals_by_the_document() {
    for (body, code) in [
        ("No data found or invalid JSON objects supplied. Could not parse input.", FailureCode::Malformed),
        ("Batch size exceeds maximum of 100 objects.", FailureCode::Malformed),
        ("Something else.", FailureCode::VendorRejected),
    ] {
        let body = format!("{{\"data\":{{\"error\":\"{body} canary-key\"}}}}");
        let error = carry(import(vec![ada()], ALL), None, vec![answer(400, &body)]).await.0.unwrap_err();
        assert!(matches!(&error, VendorError::Rejected { code: told, .. } if *told == code), "{error:?}");
        assert!(!error.to_string().contains("canary"));
    }
    assert!(carry(import(vec![ada()], ALL), None, vec![answer(401, "")]).await.0.unwrap_err().is_auth_invalid());
    let (unknown, server) = carry(Change::RemoveDevice, None, Vec::new()).await;
    assert!(matches!(unknown, Err(VendorError::Unsupported { .. })));
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn doors_are_created_with_their_ids() {
    let doors = || Change::CreateDoors { names: vec!["Door 1".to_owned()] };
    let listed = || answer(200, "{\"data\":[{\"id\":1,\"name\":\"Old\"},{\"id\":2,\"name\":\"Door 1\"}]}");
    let created = answer(200, include_str!("../fixtures/doors_answer.json"));
    let (receipt, server) = carry(doors(), None, vec![created, listed()]).await;
    let receipt = receipt.unwrap();
    assert_eq!(lines(&server), ["POST /api/v1/door", "GET /api/v1/door"]);
    let body = "{\"doors\":[{\"name\":\"Door 1\"}],\"options\":{\"validate_fails_batch\":\"true\"}}";
    assert_eq!(server.requests()[0].body, body);
    assert_eq!(result(&receipt)["records"], json!([{"record": 0, "name": "Door 1", "externalId": "2"}]));
    assert_eq!(receipt.found.devices.len(), 1);
    let refused = carry(doors(), None, vec![answer(400, DOORS_REFUSED)]).await.0.unwrap();
    let Answer::Failed { failure, .. } = &refused.answer else { panic!() };
    assert!(failure.message.contains("Door Name Already Exists: Door 1"));
    assert_eq!(result(&refused)["errors"][0]["name"], "Door 1");

    assert!(matches!(look(doors(), vec![listed()]).await, Trace::Made(receipt) if receipt.found.devices.len() == 1));
    assert!(matches!(look(doors(), vec![answer(200, NONE)]).await, Trace::Absent));
    let two = Change::CreateDoors { names: vec!["Door 1".to_owned(), "Door 2".to_owned()] };
    assert!(matches!(look(two, vec![listed()]).await, Trace::Unclear));
}

#[tokio::test]
async fn fobs_are_created_and_looked_for_by_number() {
    let fobs = |id_number: &str| Change::CreateFobs {
        fobs: vec![FobPlan {
            id_number: id_number.to_owned(),
            name: "Fob 1".to_owned(),
            card_number: "5599".to_owned(),
            access_from: at("2022-06-10T05:00:00Z"),
            access_until: at("2022-06-10T08:00:00Z"),
        }],
    };
    let created = answer(200, include_str!("../fixtures/fobs_answer.json"));
    let (receipt, server) = carry(fobs("ABC123"), None, vec![created, answer(200, FOBS)]).await;
    let receipt = receipt.unwrap();
    assert_eq!(lines(&server), ["POST /api/v1/fob", "GET /api/v1/fob"]);
    assert!(is_done(&receipt) && result(&receipt).get("mismatches").is_none(), "{receipt:?}");
    assert_eq!(result(&receipt)["records"], json!([{"record": 0, "idNumber": "ABC123", "externalId": "613297"}]));
    assert_eq!(receipt.found.records[0].external_id, "613297");
    assert!(matches!(look(fobs("ABC123"), vec![answer(200, FOBS)]).await, Trace::Made(_)));
    assert!(matches!(look(fobs("XYZ"), vec![answer(200, FOBS)]).await, Trace::Absent), "the card is somebody else's");
    assert!(matches!(look(fobs("ABC123"), vec![answer(200, NONE)]).await, Trace::Absent));
}

#[tokio::test]
async fn fobs_are_reassigned_by_put() {
    let assign = |user: &str| Change::AssignFobs {
        assignments: vec![FobAssignment {
            fob: "613297".to_owned(),
            user: user.to_owned(),
            access_from: at("2022-06-10T05:00:00Z"),
            access_until: at("2022-06-10T08:00:00Z"),
        }],
    };
    let held = CREDENTIALS.replace("\"1234\"", "\"5599\"");
    let lists = || vec![answer(200, &held), answer(200, FOBS), answer(404, "")];
    let mut answers = vec![answer(200, include_str!("../fixtures/fobs_answer.json"))];
    answers.extend(lists());
    let (receipt, server) = carry(assign("244"), None, answers).await;
    let receipt = receipt.unwrap();
    assert_eq!(
        lines(&server),
        ["PUT /api/v1/fob", "GET /api/v1/credential", "GET /api/v1/fob", "GET /api/v1/fobcheck"]
    );
    assert!(is_done(&receipt) && result(&receipt).get("mismatches").is_none(), "{receipt:?}");
    assert_eq!(receipt.found.records.len(), 1);
    assert!(matches!(look(assign("244"), lists()).await, Trace::Made(_)));
    assert!(matches!(look(assign("300"), lists()).await, Trace::Absent));
}

#[tokio::test]
async fn what_is_pending_release_is_unsupported_until_it_is_there() {
    let reissue = || Change::ReissueCredentials { credentials: vec!["335".to_owned()] };
    let (result, server) = carry(reissue(), None, vec![answer(404, "")]).await;
    assert!(matches!(result, Err(VendorError::Unsupported { .. })));
    assert_eq!(server.requests()[0].body, "{\"credentials\":[{\"id\":335}]}");
    let answers = vec![answer(200, ANSWER), answer(200, CREDENTIALS), answer(200, NONE), answer(404, "")];
    let receipt = carry(reissue(), None, answers).await.0.unwrap();
    assert!(is_done(&receipt));
    assert_eq!(receipt.found.records.len(), 1);
    assert!(!format!("{receipt:?}").contains("AAAA"), "a registration key is never shown");
    assert!(matches!(look(reissue(), Vec::new()).await, Trace::Unclear), "a new key looks like any other");

    let next = |reaction| carry(Change::ReadNextCardNumber, None, vec![reaction]);
    let (receipt, server) = next(answer(200, "{\"data\":[{\"card_num\":\"10002\"}]}")).await;
    assert_eq!(receipt.unwrap().result.unwrap(), json!({"value": "10002"}));
    assert_eq!(lines(&server), ["GET /api/v1/nextcardnum"]);
    assert!(matches!(next(answer(404, "")).await.0, Err(VendorError::Unsupported { .. })));
    assert!(matches!(next(answer(200, "{\"data\":[]}")).await.0, Err(VendorError::Protocol { .. })));
    assert!(matches!(look(Change::ReadNextCardNumber, Vec::new()).await, Trace::Absent));
}

#[tokio::test]
async fn people_are_looked_for_by_number() {
    let trace = look(import(vec![ada()], ALL), vec![kept_well()]).await;
    let Trace::Made(receipt) = trace else { panic!("{trace:?}") };
    assert_eq!(result(&receipt)["records"][0]["externalId"], "9");
    assert_eq!(receipt.found.records.len(), 1);
    assert!(matches!(look(import(vec![ada()], ALL), vec![answer(200, NONE), answer(200, NONE)]).await, Trace::Absent));
    let dark = look(import(vec![ada()], ALL), vec![kept(""), kept("")]).await;
    let forgotten = UserPlan { has_pin: true, ..ada() };
    let trace = look(import(vec![forgotten], ALL), vec![kept_well()]).await;
    assert!(matches!(trace, Trace::Made(_)), "a look needs no PIN");
    assert!(matches!(dark, Trace::Unclear), "whether the levels were set can not be seen");
}

/// A request that we gave up may still be served there; the next one was then not taken in.
#[tokio::test]
async fn an_overlap_is_to_be_asked_again() {
    let busy = r#"{"result":["Simultaneous and overlapping POST operations are not permitted."],"errors":[]}"#;
    let names = || Change::CreateDoors { names: vec!["Attic".to_owned()] };
    let (refused, _) = carry(names(), None, vec![answer(400, busy)]).await;
    assert!(matches!(refused, Err(VendorError::NotReady { .. })), "{refused:?}");
}
