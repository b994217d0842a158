use domain::record::RecordKind;
use futures::TryStreamExt as _;

use super::*;
use crate::{
    port::{Hint, Portion, RecordRef, SyncPart},
    registry::Connection,
    testing::{self, Server, factory, json, noon, with_headers},
};

const CONFIGURATION_JSON: &str = include_str!("../fixtures/configuration.json");
const ERROR: &str = include_str!("../fixtures/error.json");
const NO_TOKENS: &str = "{\"ResourceAccessTokens\":[]}";

fn connect(server: &Server) -> Connection {
    let settings = [("client_token", "canary-client"), ("access_token", "canary-access")];
    testing::connect(Vendor::Mews, &format!("{}/mews/", server.url), &settings, &factory())
}

fn token_hint() -> Hint {
    Hint::Record(RecordRef { kind: RecordKind::AccessToken, external_id: "t-1".to_owned() })
}

async fn reread(reactions: Vec<testing::Reaction>) -> (Result<Portion, VendorError>, Server) {
    let server = Server::start(reactions).await;
    let result = connect(&server).inventory().reread(&token_hint(), noon()).await;
    (result, server)
}

fn body(request: &testing::Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

#[tokio::test]
async fn every_body_says_who_asks() {
    let (result, server) = reread(vec![json(200, NO_TOKENS)]).await;
    assert!(result.unwrap().records.is_empty());
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /mews/api/connector/v1/resourceAccessTokens/getAll HTTP/1.1");
    assert_eq!(request.header("content-type"), Some("application/json"));
    let expected = json!({
        "ClientToken": "canary-client", "AccessToken": "canary-access",
        "Client": format!("Gatehouse {}", env!("CARGO_PKG_VERSION")),
        "ResourceAccessTokenIds": ["t-1"], "ActivityStates": ["Active", "Deleted"], "Limitation": { "Count": 1000 },
    });
    assert_eq!(body(request), expected);
}

#[tokio::test]
async fn refusals_by_the_document() {
    let code = |result| match result {
        Err(VendorError::Rejected { code, message }) => (code, message),
        other => unreachable!("{other:?}"),
    };
    let (refused, message) = code(reread(vec![json(400, ERROR)]).await.0);
    assert_eq!(refused, FailureCode::VendorRejected);
    assert!(message.contains("Invalid ServiceOrderId (request b1a2c3d4"), "{message}");
    let (refused, message) = code(reread(vec![json(403, "{\"Message\":\"canary-access says no\"}")]).await.0);
    assert_eq!(refused, FailureCode::VendorRejected);
    assert!(!message.contains("canary"), "an echoed token stays out");
    for (status, words) in [(400, "{\"Message\":\"Invalid JSON\"}"), (404, ""), (413, "<html>")] {
        assert_eq!(code(reread(vec![json(status, words)]).await.0).0, FailureCode::Malformed, "{status}");
    }
    for status in [409, 500, 503] {
        assert!(matches!(reread(vec![json(status, ERROR)]).await.0, Err(VendorError::NotReady { .. })), "{status}");
    }
    let slow = with_headers(429, "Retry-After: 12\r\n", b"");
    let expected = Err(VendorError::Throttled { retry_after: Some(chrono::TimeDelta::seconds(12)) });
    assert_eq!(reread(vec![slow]).await.0.map(|portion| portion.records), expected);
}

#[tokio::test]
async fn a_missing_permission_does_not_end_the_account() {
    let (result, server) = reread(vec![json(401, ERROR), json(200, CONFIGURATION_JSON)]).await;
    let Err(VendorError::Rejected { message, .. }) = result else { unreachable!("{result:?}") };
    assert!(message.contains("no permission for resourceAccessTokens/getAll"), "{message}");
    assert_eq!(server.requests()[1].line, "POST /mews/api/connector/v1/configuration/get HTTP/1.1");
    let (result, _) = reread(vec![json(401, ERROR), json(401, ERROR)]).await;
    assert!(result.unwrap_err().is_auth_invalid());
    let (result, _) = reread(vec![json(401, ERROR), json(500, ERROR)]).await;
    assert!(matches!(result, Err(VendorError::NotReady { .. })), "neither is shown: {result:?}");
    let server = Server::start(vec![json(401, ERROR)]).await;
    assert!(connect(&server).inventory().check().await.unwrap_err().is_auth_invalid());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_list_that_is_not_as_documented_is_not_an_empty_list() {
    for answer in [
        "",
        "{}",
        "[]",
        "null",
        "{\"ResourceAccessTokens\":null}",
        "{\"ResourceAccessTokens\":[null]}",
        "{\"ResourceAccessTokens\":[[\"t-1\"]]}",
    ] {
        let (result, _) = reread(vec![json(200, answer)]).await;
        assert!(matches!(result, Err(VendorError::Protocol { .. })), "{answer}");
    }
    let (result, _) = reread(vec![json(200, "{\"ResourceAccessTokens\":[{\"Value\":\"1\"}]}")]).await;
    assert!(matches!(result, Err(VendorError::Protocol { .. })), "without an id it would look removed");
    assert!(reread(vec![with_headers(204, "", b"")]).await.0.unwrap().records.is_empty());
}

#[tokio::test]
async fn pages_are_turned_and_shrink_when_they_are_too_heavy() {
    let row = |index: usize| json!({ "Id": format!("t-{index}"), "ServiceOrderId": "r" });
    let page = |rows: std::ops::Range<usize>, cursor: &str| {
        let rows: Vec<_> = rows.map(row).collect();
        json!({ "ResourceAccessTokens": rows, "Cursor": cursor }).to_string()
    };
    let reactions = vec![
        json(200, &page(0..1000, "c-1")),
        json(408, ""),
        json(200, &page(1000..1250, "c-2")),
        json(200, &page(1250..1251, "c-3")),
    ];
    let (result, server) = reread(reactions).await;
    assert_eq!(result.unwrap().records.len(), 1251);
    let limits: Vec<_> = server.requests().iter().map(|request| body(request)["Limitation"].clone()).collect();
    let expected = [
        json!({ "Count": 1000 }),
        json!({ "Count": 1000, "Cursor": "c-1" }),
        json!({ "Count": 250, "Cursor": "c-1" }),
        json!({ "Count": 250, "Cursor": "c-2" }),
    ];
    assert_eq!(limits, expected);
    let heavy = std::iter::repeat_with(|| json(408, "")).take(9).collect();
    let (result, server) = reread(heavy).await;
    assert!(matches!(result, Err(VendorError::NotReady { .. })));
    assert_eq!(server.requests().len(), 4, "not for ever");
}

#[tokio::test]
async fn a_circle_of_pages_ends_in_an_error() {
    let rows: Vec<_> = (0..1000).map(|index| json!({ "Id": format!("t-{index}") })).collect();
    let page = json!({ "ResourceAccessTokens": rows, "Cursor": "c" }).to_string();
    let (result, server) = reread((0..5).map(|_| json(200, &page)).collect()).await;
    assert!(matches!(result, Err(VendorError::Protocol { .. })));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_hotels_of_a_portfolio_have_their_zones() {
    let portfolio =
        "{\"NowUtc\":\"2031-03-02T12:00:30Z\",\"Enterprise\":{\"Id\":\"p\",\"Name\":\"All\",\"IsPortfolio\":true}}";
    let enterprises = "{\"Enterprises\":[{\"Id\":\"e-1\",\"Name\":\"One\",\"TimeZoneIdentifier\":\"Europe/Riga\"},\
                       {\"Id\":\"e-2\",\"Name\":\"Two\"}],\"Cursor\":null}";
    let second = "{\"Enterprise\":{\"Id\":\"e-2\",\"Name\":\"Two\",\"TimeZoneIdentifier\":\"Europe/Oslo\"}}";
    let server = Server::start(vec![json(200, portfolio), json(200, enterprises), json(200, second)]).await;
    let connection = connect(&server);
    let portions: Vec<_> = connection.inventory().read(SyncPart::Profile, None, noon()).try_collect().await.unwrap();
    let hotels: Vec<_> = portions[0].records.iter().map(|hotel| (hotel.external_id.as_str(), &hotel.details)).collect();
    assert_eq!(hotels.len(), 2, "the stand-in for the portfolio is no hotel");
    assert!(format!("{:?}", hotels[1]).contains("Europe/Oslo"));
    assert_eq!(body(&server.requests()[2])["EnterpriseId"], "e-2");
}

#[tokio::test]
async fn a_check_costs_one_question() {
    let server = Server::start(vec![json(200, CONFIGURATION_JSON)]).await;
    let check = connect(&server).inventory().check().await.unwrap();
    let hotel = ("11112222-0000-4000-8000-00000000000e".to_owned(), "Hotel Canary".to_owned());
    assert_eq!(check.locations, [hotel]);
    for answer in ["{}", "{\"Enterprise\":null}", "{\"Enterprise\":{\"Name\":\"x\"}}"] {
        let server = Server::start(vec![json(200, answer)]).await;
        let result = connect(&server).inventory().check().await;
        assert!(matches!(result, Err(VendorError::Protocol { .. })), "{answer}");
    }
}
