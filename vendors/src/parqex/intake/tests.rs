use domain::account::Vendor;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{self, factory, noon};

const WEBHOOK: &str = include_str!("../fixtures/webhook.json");
const DOOR: &str = "f9e8d7c6b5a493827160f5e4d3c2b1a0";

fn delivered(body: &[u8], settings: &[(&str, &str)], headers: &[(&str, &str)]) -> Result<Notice, NoticeError> {
    let mut all = vec![("access_token", "t")];
    all.extend(settings);
    let connection = testing::connect(Vendor::Parqex, "http://127.0.0.1:1", &all, &factory());
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    connection.intake().notice(Delivery { headers: &headers, body, received_at: noon() })
}

fn told(changes: Value) -> FoundEvent {
    let mut body: Value = serde_json::from_str(WEBHOOK).unwrap();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    delivered(body.to_string().as_bytes(), &[], &[]).unwrap().events.remove(0)
}

#[test]
fn the_documents_own_webhook() {
    let notice = delivered(WEBHOOK.as_bytes(), &[], &[]).unwrap();
    let event = &notice.events[0];
    assert_eq!(event.external_id, "7c1d00aa11bb22cc33dd44ee55ff6677");
    assert_eq!((event.event_type, event.vendor_code.as_str()), (EventType::DoorOpened, "door1_open"));
    assert_eq!(event.door, Some(FoundDoorRef::Id(DOOR.to_owned())));
    assert_eq!(event.device.as_deref(), Some("0a1b2c3d4e5f60718293a4b5c6d7e8f9"));
    assert_eq!(event.occurred_at.unwrap().to_rfc3339(), "2031-03-02T17:25:11+00:00");
    let reading = event.reading.unwrap();
    assert_eq!((reading.position, reading.observed_at), (Some(Position::Open), event.occurred_at));
    assert!(!reading.measured, "an app's word is no sensor's");
    assert_eq!(event.facts["toggleID"], "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF");
    assert_eq!(event.facts["userThatToggled.emailAddress"], "ada@example.test");
    assert_eq!(notice.hints, [Hint::Device("0a1b2c3d4e5f60718293a4b5c6d7e8f9".to_owned())]);
    assert_eq!(delivered(WEBHOOK.as_bytes(), &[], &[]).unwrap().events, notice.events, "a duplicate is the same");
}

#[test]
fn ids_lose_their_dashes_and_capitals() {
    let event = told(json!({"doorID": "F9E8D7C6-B5A4-9382-7160-F5E4D3C2B1A0", "deviceID": "0A-1B"}));
    assert_eq!(event.door, Some(FoundDoorRef::Id(DOOR.to_owned())));
    assert_eq!(event.device.as_deref(), Some("0a1b"));
}

#[test]
fn the_iso_time_is_preferred_and_may_be_missing() {
    let at = |changes: Value| told(changes).occurred_at.map(|at| at.to_rfc3339());
    assert_eq!(at(json!({"eventOccurred": 1})).as_deref(), Some("2031-03-02T17:25:11+00:00"));
    // The document's own two times disagree.
    assert_eq!(at(json!({"eventOccurredUTC": null})).as_deref(), Some("2031-03-02T17:18:31+00:00"));
    let milliseconds = json!({"eventOccurredUTC": "", "eventOccurred": "1930238311000"});
    assert_eq!(at(milliseconds).as_deref(), Some("2031-03-02T17:18:31+00:00"));
    assert_eq!(at(json!({"eventOccurredUTC": "today", "eventOccurred": null})), None);
}

#[test]
fn the_state_is_preferred_to_the_type_and_unknown_words_claim_nothing() {
    let kind = |changes: Value| {
        let event = told(changes);
        (event.event_type, event.reading.and_then(|reading| reading.position))
    };
    let closed = (EventType::DoorClosed, Some(Position::Closed));
    assert_eq!(kind(json!({"doorState": "closed"})), closed);
    assert_eq!(kind(json!({"doorState": null, "eventType": "door2_closed"})), closed);
    assert_eq!(kind(json!({"eventType": "door_state_change"})), (EventType::DoorOpened, Some(Position::Open)));
    assert_eq!(kind(json!({"doorState": "AJAR"})), (EventType::VendorEvent, None));
    assert_eq!(kind(json!({"doorState": null, "eventType": "vehicle_access_open"})), (EventType::VendorEvent, None));
    assert!(told(json!({"channel": "Door Sensor"})).reading.unwrap().measured);
    let nowhere = told(json!({"doorID": null}));
    assert_eq!((nowhere.door, nowhere.reading), (None, None));
}

#[test]
fn other_families_are_kept_and_the_rest_is_unreadable() {
    let body = b"{\"eventType\":\"user_added\",\"email\":\"a@b\"}";
    let notice = delivered(body, &[], &[]).unwrap();
    assert_eq!(
        (notice.events[0].event_type, notice.events[0].vendor_code.as_str()),
        (EventType::VendorEvent, "user_added")
    );
    assert_eq!(notice.hints, [Hint::Part(SyncPart::Devices)]);
    let again = delivered(body, &[], &[]).unwrap();
    assert_eq!(again.events[0].external_id, notice.events[0].external_id);
    for body in ["", "{}", "[]", "null", "<html>", "{\"doorState\":\"OPEN\"}"] {
        assert!(matches!(delivered(body.as_bytes(), &[], &[]), Err(NoticeError::Unreadable(_))), "{body}");
    }
}

#[test]
fn a_key_that_is_configured_must_come_along() {
    let body = WEBHOOK.as_bytes();
    let named = [("webhook_key", "canary-key"), ("webhook_key_header", "X-Parqex-Key")];
    assert!(delivered(body, &named, &[("x-parqex-key", "canary-key")]).is_ok());
    for headers in [&[("x-parqex-key", "canary")][..], &[("x-other", "canary-key")], &[]] {
        let Err(NoticeError::NotAuthentic(message)) = delivered(body, &named, headers) else { unreachable!() };
        assert!(!message.contains("canary"));
    }
    let unnamed = [("webhook_key", "canary-key")];
    assert!(delivered(body, &unnamed, &[("host", "x"), ("x-other", "canary-key")]).is_ok());
    assert!(matches!(delivered(body, &unnamed, &[("host", "x")]), Err(NoticeError::NotAuthentic(_))));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>(), text in "\\{\"(id|doorID|eventOccurred)\":[\\[\\]{}\"a-z0-9:,-]{0,30}\\}") {
        for bytes in [bytes, text.into_bytes()] {
            if let Ok(pushed) = serde_json::from_slice(&bytes) {
                let _ = notice(pushed, &bytes);
            }
        }
    }
}
