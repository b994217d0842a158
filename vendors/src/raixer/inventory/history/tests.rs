use chrono::SecondsFormat;
use domain::event::EventType;
use futures::TryStreamExt;

use super::*;
use crate::{
    port::{Inventory, SyncPart},
    raixer::testing::{account, fixture, lines},
    testing::{Reaction, Server, json, noon},
};

const ACCESSES: &str = "[{\"_id\":\"c1\",\"deviceId\":\"d1\"},{\"_id\":\"c9\",\"deviceId\":\"d1\"},
    {\"_id\":\"c2\",\"deviceId\":\"d2\",\"disabled\":true}]";

/// A page of lines, each `minutes` before noon.
fn page(minutes: impl IntoIterator<Item = i64>) -> Reaction {
    let lines: Vec<_> = minutes
        .into_iter()
        .map(|minutes| {
            let at = noon() - TimeDelta::minutes(minutes);
            serde_json::json!({"_id": minutes.to_string(), "deviceId": "d1", "error": false,
                "action": "connections.detail.history.action.doorOpened",
                "created": at.to_rfc3339_opts(SecondsFormat::Millis, true)})
        })
        .collect();
    json(200, &serde_json::to_string(&lines).unwrap())
}

async fn read(cursor: Option<&str>, reactions: Vec<Reaction>) -> (Vec<Portion>, Server) {
    let mut all = vec![json(200, ACCESSES)];
    all.extend(reactions);
    let server = Server::start(all).await;
    let portions = account(&server).read(SyncPart::Events, cursor, noon()).try_collect().await.unwrap();
    (portions, server)
}

fn told(portion: &Portion) -> Vec<String> {
    portion.events.iter().map(|event| event.external_id.clone()).collect()
}

#[tokio::test]
async fn a_first_read_goes_a_day_back_and_the_next_goes_on() {
    let (portions, server) = read(None, vec![page(0..10), page([10, 11, 1439, 1441])]).await;
    assert_eq!(
        lines(&server),
        ["GET /connections", "GET /connections/c1/history?page=0", "GET /connections/c1/history?page=1"]
    );
    let first: Vec<String> = portions.iter().flat_map(told).collect();
    assert_eq!(first.len(), 13, "what is older than a day is not imported");
    assert_eq!((first[0].as_str(), first[12].as_str()), ("history:d1:1439", "history:d1:0"), "oldest first");
    let cursor = portions[0].cursor.clone().unwrap();

    let (portions, server) = read(Some(&cursor), vec![page([-2, -1, 0, 1])]).await;
    assert_eq!(told(&portions[0]), ["history:d1:-1", "history:d1:-2"]);
    assert_eq!(lines(&server).len(), 2);
    let next = portions[0].cursor.clone().unwrap();
    let (portions, _) = read(Some(&next), vec![page([-2, -1])]).await;
    assert!(portions.is_empty(), "nothing new, nothing to store");
}

#[tokio::test]
async fn lines_that_move_to_the_next_page_are_told_once() {
    let mark = "{\"c1\":{\"at\":\"2031-03-02T11:45:00Z\",\"id\":\"15\"}}";
    let (portions, _) = read(Some(mark), vec![page(0..10), page([8, 9, 10, 15])]).await;
    let told = told(&portions[0]);
    assert_eq!(told.len(), 11);
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), 11);
}

#[tokio::test]
async fn a_history_that_no_longer_reaches_back_is_a_gap() {
    let mark = "{\"c1\":{\"at\":\"2031-03-02T11:00:00Z\",\"id\":\"60\"},
        \"gone\":{\"at\":\"2031-03-02T11:00:00Z\",\"id\":\"1\"}}";
    let (portions, _) = read(Some(mark), vec![page([1, 5])]).await;
    let events = &portions[0].events;
    assert_eq!((events[0].event_type, events.len()), (EventType::EventGap, 3));
    assert_eq!(events[0].external_id, "gap:d1:2031-03-02T11:00:00+00:00-2031-03-02T11:55:00+00:00");
    let cursor = portions[0].cursor.as_deref().unwrap();
    assert_eq!(cursor, "{\"c1\":{\"at\":\"2031-03-02T11:59:00Z\",\"id\":\"1\"}}", "who is gone is forgotten");
    // Emptied: told once.
    let (portions, _) = read(Some(mark), vec![page([])]).await;
    assert_eq!(portions[0].events[0].event_type, EventType::EventGap);
    let cursor = portions[0].cursor.clone().unwrap();
    assert!(read(Some(&cursor), vec![page([])]).await.0.is_empty());
}

#[tokio::test]
async fn too_many_lines_are_a_gap_too() {
    let mark = "{\"c1\":{\"at\":\"2031-02-01T00:00:00Z\",\"id\":\"x\"}}";
    let pages = (0..100).map(|number| page(number * 10..number * 10 + 10)).collect();
    let (portions, server) = read(Some(mark), pages).await;
    assert_eq!(lines(&server).len(), 101);
    assert_eq!((portions[0].events.len(), portions[0].events[0].event_type), (1001, EventType::EventGap));
}

#[tokio::test]
async fn a_history_that_may_not_be_read_is_left_out_and_a_failing_one_breaks_off() {
    let refused = vec![json(401, ""), json(200, "[]"), json(401, "")];
    assert!(read(None, refused).await.0.is_empty());
    assert!(read(None, vec![json(403, "")]).await.0.is_empty());
    let server = Server::start(vec![json(200, ACCESSES), json(500, "")]).await;
    let result: Result<Vec<_>, _> = account(&server).read(SyncPart::Events, None, noon()).try_collect().await;
    assert!(matches!(result, Err(VendorError::NotReady { .. })));
}

#[tokio::test]
async fn a_strange_cursor_is_no_cursor_and_the_documents_page_is_read() {
    let mark = "{\"c1\":{\"at\":\"2018-08-29T15:21:00Z\",\"id\":null}}";
    let (portions, _) = read(Some(mark), vec![json(200, fixture!("history"))]).await;
    assert_eq!(told(&portions[0]), ["history:abcde12345:2", "history:abcde12345:1"]);
    let (portions, _) = read(Some("strange"), vec![page([1])]).await;
    assert_eq!(told(&portions[0]), ["history:d1:1"]);
}
