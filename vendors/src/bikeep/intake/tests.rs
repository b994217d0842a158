use domain::account::Vendor;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{self, factory, noon};

const ALARM: &str = include_str!("../fixtures/alarm.json");

fn read_at(body: &[u8], seed: &str, received_at: Timestamp) -> Result<Notice, NoticeError> {
    let settings = [("token", "t"), ("webhook_seed", seed)];
    let connection = testing::connect(Vendor::Bikeep, "http://127.0.0.1:1", &settings, &factory());
    connection.intake().notice(Delivery { headers: &[], body, received_at })
}

fn read(body: Value) -> Notice {
    read_at(body.to_string().as_bytes(), "", noon()).unwrap()
}

fn ids(notice: &Notice) -> Vec<&str> {
    notice.events.iter().map(|event| event.external_id.as_str()).collect()
}

#[test]
fn the_documents_own_alarm() {
    let notice = read_at(ALARM.as_bytes(), "seed", noon()).unwrap();
    let event = &notice.events[0];
    assert_eq!((event.event_type, event.vendor_code.as_str()), (EventType::DeviceAlarm, "alarm"));
    assert_eq!(event.occurred_at.unwrap().to_rfc3339(), "2031-03-02T17:25:00+00:00");
    assert_eq!(event.device.as_deref(), Some("d00d0000-0000-4000-8000-000000000002"));
    assert_eq!(event.facts["alarm_reason"], "wire_cut");
    assert_eq!(event.reading, None);
    assert_eq!(notice.hints, [Hint::Device("d00d0000-0000-4000-8000-000000000002".to_owned())]);
}

#[test]
fn a_repeated_delivery_is_the_same_event_in_whatever_company_and_order() {
    let one = json!({"device_id": "d", "connection": "offline", "occurred_at": "2031-03-02T11:00:00Z"});
    let two = json!({"device_id": "d", "connection": "online", "occurred_at": "2031-03-02T10:00:00Z"});
    let alone = read(json!({"type": "connection", "data": one, "version": 2, "hash": "x"}));
    let together = read(json!({"type": "connection", "data": [one, two], "version": "2"}));
    assert_eq!(ids(&together)[1], ids(&alone)[0]);
    assert_ne!(ids(&together)[0], ids(&alone)[0]);
    let types: Vec<_> = together.events.iter().map(|event| event.event_type).collect();
    assert_eq!(types, [EventType::DeviceOnline, EventType::DeviceOffline], "oldest first");
    assert_eq!(together.hints, [Hint::Device("d".to_owned())], "read again once");
}

#[test]
fn without_a_time_the_same_words_count_again_later() {
    let body = json!({"type": "connection", "data": {"device_id": "d", "connection": "offline"}}).to_string();
    let at = |minutes| read_at(body.as_bytes(), "", noon() + chrono::TimeDelta::minutes(minutes)).unwrap();
    assert_eq!(ids(&at(0)), ids(&at(30)));
    assert_ne!(ids(&at(0)), ids(&at(90)));
    assert_eq!(at(0).events[0].occurred_at, None);
}

#[test]
fn what_is_told_of_a_place_or_in_unknown_words_is_no_claim_about_a_device() {
    let outage = read(json!({"type": "connection_confirmed", "data": {"location_id": "l", "connection": "offline"}}));
    assert_eq!(outage.events[0].event_type, EventType::VendorEvent);
    assert_eq!(outage.hints, [Hint::Part(SyncPart::Devices)]);
    for data in [json!({"device_id": "d", "connection": "partially_online"}), json!({"device_id": "d"})] {
        assert_eq!(read(json!({"type": "connection", "data": data})).events[0].event_type, EventType::VendorEvent);
    }
    let unknown = read(json!({"type": "moonrise", "data": null}));
    assert_eq!(unknown.events[0].event_type, EventType::VendorEvent);
    assert_eq!((unknown.events[0].vendor_code.as_str(), unknown.hints.len()), ("moonrise", 1));
}

#[test]
fn reports_bring_no_key_and_no_reading() {
    let report = json!({"report_type": "usage", "report_url": "https://x/canary", "url_valid_until": "2031-03-03"});
    let notice = read(json!({"type": "report", "data": report}));
    assert!(notice.hints.is_empty());
    assert_eq!(notice.events[0].facts["report_type"], "usage");
    let parking = json!({"parking_details": [{"user": {"access_key": "canary", "id": "u"}}]});
    let notice = read(json!({"type": "parking_reminder", "data": parking}));
    assert_eq!(notice.events[0].facts["parking_details.0.user.id"], "u");
    assert!(!format!("{notice:?}").contains("canary"));
}

#[test]
fn with_a_seed_there_must_be_a_hash() {
    for hash in [json!(null), json!(""), json!("9b1c"), json!("zb1c4e0f6a7d8c3b2a1f0e9d8c7b6a59")] {
        let body = json!({"type": "alarm", "data": {}, "version": 2, "hash": hash}).to_string();
        assert!(matches!(read_at(body.as_bytes(), "seed", noon()), Err(NoticeError::NotAuthentic(_))), "{body}");
        assert!(read_at(body.as_bytes(), "", noon()).is_ok());
    }
}

#[test]
fn other_things_are_unreadable() {
    for body in ["", "[]", "null", "{}", "{\"type\":null}", "{\"type\":\"alarm\",\"version\":3}", "<html>"] {
        assert!(matches!(read_at(body.as_bytes(), "", noon()), Err(NoticeError::Unreadable(_))), "{body}");
    }
    let deep = format!("{{\"type\":\"alarm\",\"data\":{}1{}}}", "[".repeat(60), "]".repeat(60));
    assert!(read_at(deep.as_bytes(), "", noon()).unwrap().events[0].facts.is_empty());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>(), text in "\\{\"(type|data|version)\":[\\[\\]{}\"a-z0-9:,]{0,40}\\}") {
        for bytes in [bytes, text.into_bytes()] {
            if let Ok(envelope) = serde_json::from_slice(&bytes) {
                let _ = notice(envelope, noon());
            }
        }
    }
}
