use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::noon;

const HISTORY: &str = include_str!("../fixtures/history.json");
const DOOR: &str = "f9e8d7c6b5a493827160f5e4d3c2b1a0";

fn read(lines: Value) -> Vec<FoundEvent> {
    let history = serde_json::from_value(json!({"data": {"toggle_events": lines}})).unwrap();
    events(history, |id| mapping::same_id(id, DOOR).then(|| ("box".to_owned(), DOOR.to_owned())))
}

fn documented() -> Value {
    serde_json::from_str::<Value>(HISTORY).unwrap()["data"]["toggle_events"][0].clone()
}

fn changed(field: &str, value: Value) -> Value {
    let mut line = documented();
    line[field] = value;
    line
}

fn texts(cursor: Option<&str>) -> Vec<String> {
    windows(cursor, noon()).iter().map(|it| format!("{}..{} -> {}", it.from, it.to, it.done)).collect()
}

#[test]
fn the_documents_own_line() {
    let event = read(json!([documented()])).remove(0);
    assert_eq!((event.event_type, event.vendor_code.as_str()), (EventType::DoorOpened, "OPEN"));
    assert_eq!((event.device.as_deref(), event.door), (Some("box"), Some(FoundDoorRef::Id(DOOR.to_owned()))));
    assert_eq!((event.occurred_at, event.reading), (None, None), "a date is no instant, an audit no state");
    assert_eq!(
        (event.facts["toggle_date_time"].as_str(), event.facts["channel"].as_str()),
        ("2031-03-02", "Door Sensor")
    );
    assert!(!event.facts.contains_key("user.id"), "it is empty");
}

#[test]
fn equal_lines_are_told_apart_and_keep_their_ids() {
    let ids = |lines: Value| read(lines).into_iter().map(|event| event.external_id).collect::<Vec<_>>();
    let other = changed("door_state", json!("CLOSED"));
    let first = ids(json!([documented(), documented()]));
    assert_ne!(first[0], first[1]);
    let later = ids(json!([other, documented(), documented(), documented()]));
    assert!(first.iter().all(|id| later.contains(id)), "what was there keeps its id when more comes");
    assert_eq!(later.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    assert_eq!(ids(json!([changed("door_name", json!("Mine"))])), first[..1], "every user may rename it");
    assert_eq!(ids(json!([changed("door_id", json!(DOOR.to_uppercase()))])), first[..1]);
    assert_ne!(ids(json!([changed("channel", json!("ParqEx Web"))])), first[..1]);
}

#[test]
fn unknown_words_and_failures_claim_nothing() {
    let kind = |field: &str, value: Value| read(json!([changed(field, value)])).remove(0).event_type;
    assert_eq!(kind("door_state", json!("closed")), EventType::DoorClosed);
    assert_eq!(kind("door_state", json!("AJAR")), EventType::VendorEvent);
    assert_eq!(kind("door_state", json!(null)), EventType::VendorEvent);
    assert_eq!(kind("was_success", json!("false")), EventType::VendorEvent);
    assert_eq!(kind("was_success", json!(null)), EventType::DoorOpened);
    let elsewhere = read(json!([changed("door_id", json!("AB-CD"))])).remove(0);
    assert_eq!((elsewhere.device, elsewhere.door), (None, Some(FoundDoorRef::Id("abcd".to_owned()))));
    assert!(read(json!([null, 7])).is_empty());
}

#[test]
fn a_time_of_day_is_an_instant_and_orders() {
    let times = ["2031-03-02 17:00:00", "2031-03-02T16:00:00Z", "2031-03-01"];
    let found = read(times.iter().map(|at| changed("toggle_date_time", json!(at))).collect());
    let hours: Vec<_> = found.iter().map(|event| event.occurred_at.map(|at| at.format("%H").to_string())).collect();
    assert_eq!(hours, [None, Some("17".to_owned()), Some("16".to_owned())]);
}

#[test]
fn days_are_asked_for_from_where_the_last_read_ended() {
    assert_eq!(texts(None), ["2031-03-01..2031-03-03 -> 2031-03-02"]);
    assert_eq!(texts(Some("2031-03-02")), ["2031-03-01..2031-03-03 -> 2031-03-02"]);
    assert_eq!(texts(Some("2040-01-01")), texts(None), "our clock was set back");
    assert_eq!(texts(Some("what?")), texts(None));
    let long = [
        "2031-02-14..2031-02-21 -> 2031-02-21",
        "2031-02-21..2031-02-28 -> 2031-02-28",
        "2031-02-28..2031-03-03 -> 2031-03-02",
    ];
    assert_eq!(texts(Some("2031-02-15")), long);
}

proptest! {
    #[test]
    fn nothing_panics(cursor in "[-+0-9]{0,14}", text in "\\{\"data\":\\{\"toggle_events\":[\\[\\]{}\"a-z0-9:,]{0,40}\\}\\}") {
        if cursor.len() < 8 || cursor.starts_with("20") {
            windows(Some(&cursor), noon());
        }
        if let Ok(history) = serde_json::from_str(&text) {
            events(history, |_| None);
        }
    }

    /// However long nobody asked, no day is left out.
    #[test]
    fn windows_cover_every_day(days in 0u64..400) {
        let since = noon().date_naive() - Days::new(days);
        let windows = windows(Some(&since.to_string()), noon());
        prop_assert!(windows[0].from < since);
        prop_assert!(windows.windows(2).all(|pair| pair[0].to == pair[1].from));
        prop_assert_eq!(windows.last().map(|last| last.done), Some(noon().date_naive()));
    }
}
