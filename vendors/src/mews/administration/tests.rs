use chrono::DateTime;
use domain::{
    account::Vendor,
    change::TokenPermissions,
    clock::Timestamp,
    record::{RecordDetails, TokenType},
};
use serde_json::Value;

use super::*;
use crate::{
    registry::Connection,
    testing::{self, HandClock, Reaction, Request, Server, departure, impatient_factory, json as answer, noon},
};

const TOKENS: &str = include_str!("../fixtures/tokens.json");
const NO_TOKENS: &str = "{\"ResourceAccessTokens\":[]}";
const ERROR: &str = include_str!("../fixtures/error.json");
const TOKEN: &str = "12121212-0000-4000-8000-000000000001";

fn connect(server: &Server) -> Connection {
    let settings = [("client_token", "SYNTHETIC"), ("access_token", "SYNTHETIC"), ("client", "Gatehouse 1.0.0")];
    testing::connect(Vendor::Mews, &server.url, &settings, &impatient_factory())
}

fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn addition() -> Change {
    Change::AddPmsAccessToken(AccessTokenPlan {
        reservation: "aaaa1111-0000-4000-8000-000000000001".to_owned(),
        companionship: Some("77778888-0000-4000-8000-000000000001".to_owned()),
        resource: Some("ffff6666-0000-4000-8000-000000000204".to_owned()),
        token_type: TokenType::PinCode,
        serial_number: "gh-cred-00417".to_owned(),
        valid_from: at("2031-03-02T14:00:00Z"),
        valid_until: at("2031-03-05T10:00:00Z"),
        permissions: TokenPermissions { room: true, ..TokenPermissions::default() },
    })
}

fn extension() -> Change {
    let update = AccessTokenUpdate { valid_until: Some(at("2031-03-06T10:00:00Z")), ..AccessTokenUpdate::default() };
    Change::UpdatePmsAccessToken { token: TOKEN.to_owned(), update }
}

fn deletion() -> Change {
    Change::DeletePmsAccessToken { token: TOKEN.to_owned() }
}

fn extended() -> String {
    TOKENS.replace("2031-03-05T10:00:00Z", "2031-03-06T10:00:00Z")
}

fn deleted() -> String {
    TOKENS.replace("\"IsActive\": true", "\"IsActive\": false")
}

async fn carry_out(change: &Change, reactions: Vec<Reaction>) -> (Result<ChangeReceipt, VendorError>, Vec<Request>) {
    let server = Server::start(reactions).await;
    let secret = Secret::new("730512");
    let order = Order { change, target: None, secret: Some(&secret), first_sent_at: None };
    let result = connect(&server).administration().carry_out(order, &departure(HandClock::new())).await;
    (result, server.requests())
}

async fn look_for(change: &Change, reaction: Reaction) -> Trace {
    let server = Server::start(vec![reaction]).await;
    let secret = Secret::new("730512");
    let sent = Some(at("2031-03-01T09:00:00Z"));
    let order = Order { change, target: None, secret: Some(&secret), first_sent_at: sent };
    let trace = connect(&server).administration().look_for(order).await.unwrap();
    assert_eq!(server.requests().len(), 1);
    trace
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn the_bytes_of_an_addition() {
    let (result, requests) = carry_out(&addition(), vec![answer(200, TOKENS)]).await;
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].line, "POST /api/connector/v1/resourceAccessTokens/add HTTP/1.1");
    assert_eq!(body(&requests[0]), fixture(include_str!("../fixtures/add_token.json")));
    let receipt = result.unwrap();
    assert_eq!(receipt.answer, SUCCEEDED);
    assert_eq!(receipt.result, Some(json!({ "externalId": TOKEN, "differing": [] })));
    assert_eq!(receipt.found.records[0].secret, Some(Secret::new("730512")));
    assert!(receipt.notes.is_empty());
    assert!(!format!("{receipt:?}").contains("730512"));
}

#[tokio::test]
async fn an_addition_that_was_kept_otherwise_says_so() {
    let (result, _) = carry_out(&addition(), vec![answer(200, &extended())]).await;
    let receipt = result.unwrap();
    assert_eq!(receipt.answer, SUCCEEDED, "it is there, and may not be added again");
    assert_eq!(receipt.result, Some(json!({ "externalId": TOKEN, "differing": ["end"] })));
    assert_eq!(receipt.notes.len(), 1);
}

#[tokio::test]
async fn an_addition_whose_outcome_is_not_known_is_not_called_refused() {
    for (status, words) in [(500, ERROR), (502, "<html>"), (408, "")] {
        let (result, requests) = carry_out(&addition(), vec![answer(status, words)]).await;
        assert!(matches!(result, Err(VendorError::Indeterminate { .. })), "{status}");
        assert_eq!(requests.len(), 1, "sent once");
    }
    for words in ["", "{}", NO_TOKENS, "{\"ResourceAccessTokens\":[{\"SerialNumber\":\"gh-cred-00417\"}]}"] {
        let (result, _) = carry_out(&addition(), vec![answer(200, words)]).await;
        assert!(matches!(result, Err(VendorError::Protocol { .. })), "{words}");
    }
    let (result, _) = carry_out(&addition(), vec![Reaction::Silence]).await;
    assert!(matches!(result, Err(VendorError::Indeterminate { .. })));
}

#[tokio::test]
async fn a_refusal_never_repeats_the_value() {
    let words = "{\"Message\":\"Invalid Value 730512\"}";
    let (result, _) = carry_out(&addition(), vec![answer(400, words)]).await;
    let Err(VendorError::Rejected { message, .. }) = result else { unreachable!("{result:?}") };
    assert!(message.contains("Invalid Value ***"), "{message}");
    let (result, _) = carry_out(&addition(), vec![answer(409, ERROR)]).await;
    assert!(matches!(result, Err(VendorError::NotReady { .. })), "nothing was written: it may be sent again");
}

#[tokio::test]
async fn what_can_not_be_meant_is_not_sent() {
    let server = Server::start(Vec::new()).await;
    let connection = connect(&server);
    let nothing = Change::UpdatePmsAccessToken { token: TOKEN.to_owned(), update: AccessTokenUpdate::default() };
    let update = AccessTokenUpdate { new_value: true, ..AccessTokenUpdate::default() };
    let no_value = Change::UpdatePmsAccessToken { token: TOKEN.to_owned(), update };
    for change in [addition(), nothing, no_value, Change::ReadNextCardNumber] {
        let order = Order { change: &change, target: None, secret: None, first_sent_at: None };
        let result = connection.administration().carry_out(order, &departure(HandClock::new())).await;
        assert!(matches!(result, Err(VendorError::Rejected { .. } | VendorError::Unsupported { .. })), "{change:?}");
    }
    let late = departure(testing::RunningOut::after(0));
    let secret = Secret::new("730512");
    let order = Order { change: &addition(), target: None, secret: Some(&secret), first_sent_at: None };
    assert!(matches!(connection.administration().carry_out(order, &late).await, Err(VendorError::TooLate)));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_bytes_of_an_update_name_the_hotel() {
    let (result, requests) = carry_out(&extension(), vec![answer(200, TOKENS), answer(200, &extended())]).await;
    assert_eq!(requests[1].line, "POST /api/connector/v1/resourceAccessTokens/update HTTP/1.1");
    let mut expected = fixture(include_str!("../fixtures/update_token.json"));
    expected["EnterpriseId"] = "11112222-0000-4000-8000-00000000000e".into();
    assert_eq!(body(&requests[1]), expected);
    assert_eq!(result.unwrap().answer, SUCCEEDED);
}

#[tokio::test]
async fn an_update_that_was_not_kept_is_no_success() {
    let (result, _) = carry_out(&extension(), vec![answer(200, TOKENS), answer(200, TOKENS)]).await;
    let receipt = result.unwrap();
    assert!(matches!(receipt.answer, Answer::Failed { .. }));
    assert_eq!(receipt.found.records.len(), 1, "what it kept is told all the same");
    let (result, _) = carry_out(&extension(), vec![answer(200, "{}")]).await;
    assert!(matches!(result, Err(VendorError::NotReady { .. })), "the question before it failed: nothing was sent");
    let (result, requests) = carry_out(&extension(), vec![answer(200, NO_TOKENS)]).await;
    let receipt = result.unwrap();
    assert!(matches!(receipt.answer, Answer::Failed { .. }));
    assert_eq!((receipt.gone.len(), requests.len()), (1, 1));
}

#[tokio::test]
async fn the_bytes_of_a_deletion() {
    let (result, requests) = carry_out(&deletion(), vec![answer(200, "{}")]).await;
    assert_eq!(requests[0].line, "POST /api/connector/v1/resourceAccessTokens/delete HTTP/1.1");
    assert_eq!(body(&requests[0])["Ids"], json!([TOKEN]));
    let receipt = result.unwrap();
    assert_eq!((receipt.answer, receipt.hints), (SUCCEEDED, vec![Hint::Record(reference(TOKEN))]));
}

#[tokio::test]
async fn deleting_what_is_gone_succeeds_and_only_that() {
    let (result, _) = carry_out(&deletion(), vec![answer(400, ERROR), answer(200, &deleted())]).await;
    let receipt = result.unwrap();
    let RecordDetails::AccessToken(details) = &receipt.found.records[0].details else { unreachable!() };
    assert_eq!((receipt.answer, details.active), (SUCCEEDED, false));
    let (result, _) = carry_out(&deletion(), vec![answer(400, ERROR), answer(200, NO_TOKENS)]).await;
    assert_eq!(result.unwrap().gone, [reference(TOKEN)]);
    let (result, _) = carry_out(&deletion(), vec![answer(400, ERROR), answer(200, TOKENS)]).await;
    assert!(matches!(result, Err(VendorError::Rejected { .. })));
}

#[tokio::test]
async fn a_lost_change_is_found_again() {
    assert!(
        matches!(look_for(&addition(), answer(200, TOKENS)).await, Trace::Made(receipt) if receipt.result.is_some())
    );
    assert!(matches!(look_for(&addition(), answer(200, NO_TOKENS)).await, Trace::Absent));
    let changed = TOKENS.replace("730512", "000000");
    assert!(matches!(look_for(&addition(), answer(200, &changed)).await, Trace::Unclear));
    assert!(matches!(look_for(&extension(), answer(200, TOKENS)).await, Trace::Absent));
    assert!(matches!(look_for(&extension(), answer(200, &extended())).await, Trace::Made(_)));
    assert!(matches!(look_for(&deletion(), answer(200, TOKENS)).await, Trace::Absent));
    assert!(matches!(look_for(&deletion(), answer(200, &deleted())).await, Trace::Made(_)));
    assert!(matches!(look_for(&deletion(), answer(200, NO_TOKENS)).await, Trace::Made(_)));
}

#[tokio::test]
async fn a_lost_addition_is_looked_for_by_its_reservation_among_all_tokens() {
    let server = Server::start(vec![answer(200, NO_TOKENS)]).await;
    let order = Order { change: &addition(), target: None, secret: None, first_sent_at: Some(noon()) };
    connect(&server).administration().look_for(order).await.unwrap();
    let asked = body(&server.requests()[0]);
    assert_eq!(asked["ServiceOrderIds"], json!(["aaaa1111-0000-4000-8000-000000000001"]));
    assert_eq!(asked["ActivityStates"], json!(["Active", "Deleted"]));
}
