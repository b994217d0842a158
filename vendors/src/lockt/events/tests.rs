use chrono::DateTime;
use domain::{account::Vendor, clock::Timestamp};
use futures::TryStreamExt as _;
use serde_json::json;

use super::*;
use crate::{
    port::SyncPart,
    testing::{self, Reaction, Server, factory, noon},
};

const EVENTS: &str = include_str!("../fixtures/events.json");
const NEW_EVENTS: &str = include_str!("../fixtures/new_events.json");

async fn read(answers: Vec<Reaction>, cursor: Option<&str>) -> (Result<Vec<Portion>, VendorError>, Vec<String>) {
    let server = Server::start(answers).await;
    let settings = [("api_user", "canary-user"), ("api_key", "canary-key")];
    let connection = testing::connect(Vendor::Lockt, &server.url, &settings, &factory());
    let portions = connection.inventory().read(SyncPart::Events, cursor, noon()).try_collect().await;
    let lines = server.requests().into_iter().map(|request| request.line.replace(" HTTP/1.1", "")).collect();
    (portions, lines)
}

fn rows(ids: impl IntoIterator<Item = i64>) -> Reaction {
    let rows: Vec<_> = ids.into_iter().map(|id| json!({"id": id, "code": 48, "category": 1})).collect();
    testing::json(200, &json!({"data": rows}).to_string())
}

fn ids(portions: &[Portion]) -> Vec<String> {
    portions.iter().flat_map(|portion| &portion.events).map(|event| event.external_id.clone()).collect()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

#[tokio::test]
async fn the_documents_own_events() {
    let (portions, lines) = read(vec![testing::json(200, EVENTS)], None).await;
    let portions = portions.unwrap();
    assert_eq!(lines, ["GET /api/v1/events"]);
    assert_eq!(ids(&portions), ["837", "864", "865"], "oldest first");
    assert_eq!(portions[0].cursor.as_deref(), Some("865"));
    let granted = &portions[0].events[0];
    assert_eq!((granted.event_type, granted.vendor_code.as_str()), (EventType::AccessGranted, "48"));
    assert_eq!(granted.occurred_at, at("2021-11-17T13:58:01Z"), "by the hardware's clock");
    assert_eq!(granted.facts.get("db_time").map(String::as_str), Some("2021-11-17T13:58:07.035Z"), "and the vendor's");
    assert_eq!((granted.device.as_deref(), &granted.door), (None, &Some(FoundDoorRef::Name("Core 2".to_owned()))));
    let denied = &portions[0].events[2];
    assert_eq!((denied.event_type, denied.vendor_code.as_str()), (EventType::AccessDenied, "49:104"));
    assert_eq!(denied.facts.get("subcode_text").map(String::as_str), Some("Battery Missing"));
    assert_eq!(denied.facts.get("user").map(String::as_str), Some("Jones, Adam"));
    assert!(!denied.facts.contains_key("schedule"), "empty is none");
}

#[tokio::test]
async fn from_the_last_one_on_whether_it_is_included_or_not() {
    let (portions, lines) = read(vec![testing::json(200, NEW_EVENTS)], Some("864")).await;
    let portions = portions.unwrap();
    assert_eq!((ids(&portions), lines), (vec!["865".to_owned()], vec!["GET /api/v1/events?id=864".to_owned()]));
    assert_eq!(portions[0].cursor.as_deref(), Some("865"));
    let (portions, lines) = read(vec![rows([12, 11])], Some("10")).await;
    assert_eq!((ids(&portions.unwrap()).len(), lines.len()), (2, 1), "the next number: nothing is missing");
    for answer in [rows([10]), rows([])] {
        let (portions, lines) = read(vec![answer], Some("10")).await;
        assert_eq!((portions.unwrap().len(), lines.len()), (0, 1), "nothing new");
    }
}

#[tokio::test]
async fn a_hole_in_the_numbers_is_no_loss_while_the_cache_reaches_back() {
    let (portions, lines) = read(vec![rows([865, 864]), rows([865, 864, 837, 12])], Some("837")).await;
    assert_eq!(ids(&portions.unwrap()), ["864", "865"]);
    assert_eq!(lines, ["GET /api/v1/events?id=837", "GET /api/v1/events"]);
}

#[tokio::test]
async fn what_fell_out_of_the_cache_is_told() {
    let (portions, _) = read(vec![rows([22, 21, 20]), rows([23, 22, 21, 20])], Some("10")).await;
    let portions = portions.unwrap();
    assert_eq!(ids(&portions), ["gap:11-19", "20", "21", "22", "23"], "and what came meanwhile is taken along");
    let gap = &portions[0].events[0];
    assert_eq!((gap.event_type, gap.occurred_at), (EventType::EventGap, None));
    assert_eq!(gap.facts.get("to").map(String::as_str), Some("19"));
    assert_eq!(portions[0].cursor.as_deref(), Some("23"));
    let (portions, lines) = read(vec![testing::json(404, "{}"), rows([20]), rows([20])], Some("10")).await;
    assert_eq!((ids(&portions.unwrap()), lines.len()), (vec!["gap:11-19".to_owned(), "20".to_owned()], 3));
}

#[tokio::test]
async fn numbers_that_begin_again_are_read_again() {
    let (portions, _) = read(vec![rows([3, 2])], Some("900")).await;
    let portions = portions.unwrap();
    assert_eq!(ids(&portions), ["gap:901-1", "2", "3"]);
    assert_eq!(portions[0].cursor.as_deref(), Some("3"));
}

#[tokio::test]
async fn many_come_in_portions_with_a_cursor_each() {
    let (portions, _) = read(vec![rows((1..=1200).rev())], None).await;
    let portions = portions.unwrap();
    let cursors: Vec<_> = portions.iter().map(|portion| portion.cursor.as_deref().unwrap()).collect();
    assert_eq!(cursors, ["500", "1000", "1200"]);
}

#[tokio::test]
async fn a_cursor_that_is_none_of_ours_is_no_cursor() {
    let (portions, lines) = read(vec![rows([5])], Some("yesterday")).await;
    assert_eq!((ids(&portions.unwrap()), lines), (vec!["5".to_owned()], vec!["GET /api/v1/events".to_owned()]));
}

#[tokio::test]
async fn what_is_no_list_of_events_is_no_answer() {
    for body in ["{}", "{\"data\":{}}", "{\"data\":[7]}", "[]", "<html>"] {
        assert!(
            matches!(read(vec![testing::json(200, body)], None).await.0, Err(VendorError::Protocol { .. })),
            "{body}"
        );
    }
    assert!(matches!(read(vec![testing::json(503, "")], Some("1")).await.0, Err(VendorError::NotReady { .. })));
}

#[test]
fn an_unknown_word_claims_nothing() {
    let of = |row: Value| {
        let zone = Zone::named(None).unwrap();
        super::event(&serde_json::from_value(row.clone()).unwrap(), &row, zone)
    };
    let kind = |row| of(row).event_type;
    assert_eq!(kind(json!({"id": 1, "code": 48})), EventType::AccessGranted);
    assert_eq!(kind(json!({"id": 1, "code": 52, "category": "2"})), EventType::AccessDenied);
    assert_eq!(kind(json!({"id": 1, "code": 48, "category": 2})), EventType::VendorEvent);
    assert_eq!(kind(json!({"id": 1, "code": 7, "category": 9})), EventType::VendorEvent);
    assert_eq!(kind(json!({"id": 1})), EventType::VendorEvent);
    let late = of(json!({"id": 1, "hw_time": "?", "db_time": "2031-03-02T11:59:00Z"}));
    assert_eq!(late.occurred_at, at("2031-03-02T11:59:00Z"));
    let nameless = json!({"code": 48, "user": "a"});
    let (one, other) = (of(nameless.clone()), of(json!({"code": 48, "user": "b"})));
    assert_eq!(one.external_id, of(nameless).external_id);
    assert_ne!(one.external_id, other.external_id);
}
