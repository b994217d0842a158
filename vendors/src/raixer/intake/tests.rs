use domain::door::Position;
use proptest::prelude::*;

use super::*;
use crate::{
    raixer::testing::{account, fixture},
    testing::{Server, noon},
};

async fn raixer() -> Raixer {
    account(&Server::start(Vec::new()).await)
}

fn delivery(body: &[u8]) -> Delivery<'_> {
    Delivery { headers: &[], body, received_at: noon() }
}

#[tokio::test]
async fn an_opened_door_of_which_the_port_is_not_told() {
    let notice = raixer().await.notice(delivery(fixture!("notice").as_bytes())).unwrap();
    let event = &notice.events[0];
    assert_eq!((event.event_type, event.vendor_code.as_str()), (EventType::DoorOpened, "door-open"));
    assert_eq!((event.device.as_deref(), &event.door), (Some("dev77aa"), &None));
    let reading = event.reading.unwrap();
    assert_eq!((reading.position, reading.measured), (Some(Position::Open), true));
    assert_eq!(reading.observed_at, event.occurred_at);
    assert_eq!(event.occurred_at.unwrap().to_rfc3339(), "2031-03-02T17:25:12.104+00:00");
    assert_eq!(notice.hints, [Hint::Part(SyncPart::Events)], "the history tells at which door");
}

#[tokio::test]
async fn health_is_read_again_and_names_are_found_where_they_are() {
    let raixer = raixer().await;
    for (name, event_type) in [("online", EventType::DeviceOnline), ("offline", EventType::DeviceOffline)] {
        let body = serde_json::json!([{"action": name, "deviceId": "d"}]).to_string();
        let notice = raixer.notice(delivery(body.as_bytes())).unwrap();
        assert_eq!((notice.events[0].event_type, notice.events[0].occurred_at), (event_type, None));
        assert_eq!(notice.hints, [Hint::Device("d".to_owned())]);
    }
    let notice = raixer.notice(delivery(b"{\"event\":\"something-new\"}")).unwrap();
    assert_eq!(notice.events[0].event_type, EventType::VendorEvent);
    assert_eq!(notice.hints, [Hint::Part(SyncPart::Devices), Hint::Part(SyncPart::Events)]);
    let notice = raixer.notice(delivery(b"{\"event\":\"movement-1\",\"coreid\":\"d\"}")).unwrap();
    assert!(notice.hints.is_empty());
}

#[tokio::test]
async fn a_repetition_is_the_same_event() {
    let raixer = raixer().await;
    let id = |delivery: Delivery<'_>| raixer.notice(delivery).unwrap().events[0].external_id.clone();
    let (timed, timeless) = (fixture!("notice").as_bytes(), b"{\"event\":\"movement-1\"}");
    let later = noon() + chrono::TimeDelta::minutes(1);
    assert_eq!(id(delivery(timed)), id(Delivery { received_at: later, ..delivery(timed) }));
    assert_eq!(id(delivery(timeless)), id(delivery(timeless)));
    assert_ne!(id(delivery(timeless)), id(Delivery { received_at: later, ..delivery(timeless) }));
}

#[tokio::test]
async fn what_is_no_notification_is_refused() {
    let raixer = raixer().await;
    for body in ["", "{", "{}", "[{}]", "[1]", "1", "{\"event\":null}", "{\"event\":\"\"}"] {
        let refused = raixer.notice(delivery(body.as_bytes()));
        assert!(matches!(refused, Err(NoticeError::Unreadable(_))), "{body}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>(), name in "\\PC{0,20}", time in ".*") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let raixer = runtime.block_on(raixer());
        let _ = raixer.notice(delivery(&bytes));
        let body = serde_json::json!({"event": name, "coreid": time, "published_at": time, "data": [name]}).to_string();
        let _ = raixer.notice(delivery(body.as_bytes()));
    }
}
