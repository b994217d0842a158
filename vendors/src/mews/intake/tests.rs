use std::sync::LazyLock;

use chrono::TimeDelta;
use domain::{account::Vendor, clock::Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{
    registry::Connection,
    testing::{self, factory, noon},
};

const WEBHOOK: &str = include_str!("../fixtures/webhook.json");
const INTEGRATION: &str = include_str!("../fixtures/integration.json");

static PLAIN: LazyLock<Connection> = LazyLock::new(|| connect(&[]));
static WITH_SECRET: LazyLock<Connection> = LazyLock::new(|| connect(&[("webhook_secret", "s3cret word")]));

fn connect(settings: &[(&str, &str)]) -> Connection {
    let settings = [&[("client_token", "one"), ("access_token", "two")], settings].concat();
    testing::connect(Vendor::Mews, "http://localhost", &settings, &factory())
}

fn notice(body: &[u8], received_at: Timestamp) -> Result<Notice, NoticeError> {
    PLAIN.intake().notice(Delivery { headers: &[], body, received_at })
}

fn hints(body: &str) -> Vec<Hint> {
    notice(body.as_bytes(), noon()).unwrap().hints
}

fn events(pairs: &[(&str, &str)]) -> String {
    let events: Vec<_> =
        pairs.iter().map(|(name, id)| serde_json::json!({ "Discriminator": name, "Value": { "Id": id } })).collect();
    serde_json::json!({ "EnterpriseId": "e", "Events": events }).to_string()
}

fn record(kind: RecordKind, id: &str) -> Hint {
    Hint::Record(RecordRef { kind, external_id: id.to_owned() })
}

#[test]
fn the_document_s_message_names_what_to_read() {
    let expected = [
        record(RecordKind::Resource, "ffff6666-0000-4000-8000-000000000204"),
        record(RecordKind::Reservation, "aaaa1111-0000-4000-8000-000000000001"),
    ];
    assert_eq!(hints(WEBHOOK), expected);
    assert!(notice(WEBHOOK.as_bytes(), noon()).unwrap().events.is_empty(), "it says what changed, not what happened");
}

#[test]
fn every_documented_event_is_understood_and_coalesced() {
    let created =
        [("CustomerAdded", "c"), ("CustomerUpdated", "c"), ("ServiceOrderUpdated", "r"), ("ServiceOrderUpdated", "r")];
    assert_eq!(hints(&events(&created)), [record(RecordKind::User, "c"), record(RecordKind::Reservation, "r")]);
    let blocked = [("ResourceBlockUpdated", "b"), ("ResourceUpdated", "room")];
    assert_eq!(hints(&events(&blocked)), [Hint::Part(SyncPart::Resources)], "the part holds the room");
    assert!(hints(&events(&[("MessageAdded", "m"), ("PaymentUpdated", "p")])).is_empty());
    let stays: Vec<_> = (0..11).map(|index| format!("r-{index}")).collect();
    let many: Vec<_> = stays.iter().map(|id| ("ServiceOrderUpdated", id.as_str())).collect();
    assert_eq!(hints(&events(&many)), [Hint::Part(SyncPart::Reservations)]);
    assert_eq!(hints(&events(&many[..10])).len(), 10);
    let rooms = [("ResourceUpdated", "1"), ("ResourceUpdated", "2")];
    assert_eq!(hints(&events(&rooms)), [Hint::Part(SyncPart::Resources)]);
    assert_eq!(hints(&events(&rooms[..1])), [record(RecordKind::Resource, "1")]);
}

#[test]
fn an_unknown_event_is_kept_and_makes_us_look() {
    let body = events(&[("ServiceOrderBeamedUp", "r-1")]);
    let told = notice(body.as_bytes(), noon()).unwrap();
    assert_eq!(told.hints, [Hint::Part(SyncPart::Reservations)]);
    assert_eq!(
        (told.events[0].event_type, told.events[0].vendor_code.as_str()),
        (EventType::VendorEvent, "ServiceOrderBeamedUp")
    );
    assert_eq!(told.events[0].facts["id"], "r-1");
    let no_id = "{\"Events\":[{\"Discriminator\":\"ServiceOrderUpdated\",\"Value\":null},{}]}";
    assert_eq!(hints(no_id), [Hint::Part(SyncPart::Reservations)]);
}

#[test]
fn a_new_access_token_stays_in_its_message() {
    let told = notice(INTEGRATION.as_bytes(), noon()).unwrap();
    assert_eq!(told.hints, [Hint::Part(SyncPart::Profile)]);
    assert_eq!(told.events[0].vendor_code, "IntegrationApiKeyCreated");
    assert_eq!(told.events[0].facts["integrationName"], "Gatehouse");
    assert!(!format!("{told:?}").contains("SYNTHETIC"));
}

#[test]
fn a_repetition_is_the_same_event_and_another_day_s_is_not() {
    let id = |after: TimeDelta| notice(INTEGRATION.as_bytes(), noon() + after).unwrap().events[0].external_id.clone();
    assert_eq!(id(TimeDelta::zero()), id(TimeDelta::minutes(10)));
    assert_ne!(id(TimeDelta::zero()), id(TimeDelta::days(1)));
    assert_ne!(
        id(TimeDelta::zero()),
        notice(b"{\"Action\":\"IntegrationDisabled\"}", noon()).unwrap().events[0].external_id
    );
}

#[test]
fn the_agreed_secret_must_be_there() {
    let told = |name: &str, value: &str| {
        let headers = [("host".to_owned(), "x".to_owned()), (name.to_owned(), value.to_owned())];
        let delivery = Delivery { headers: &headers, body: WEBHOOK.as_bytes(), received_at: noon() };
        WITH_SECRET.intake().notice(delivery).map(|_| ())
    };
    for (name, value) in [
        (":path", "/webhooks/abc?token=s3cret%20word"),
        (":path", "/webhooks/abc?a=b&key=s3cret+word"),
        ("x-webhook-secret", "s3cret word"),
    ] {
        assert_eq!(told(name, value), Ok(()), "{value}");
    }
    for (name, value) in [
        (":path", "/webhooks/abc?token=s3cret"),
        (":path", "/webhooks/abc"),
        ("x-secret", "S3cret word"),
        (":path", ""),
    ] {
        assert!(matches!(told(name, value), Err(NoticeError::NotAuthentic(_))), "{value}");
    }
    let plain = connect(&[("webhook_secret", "s3cret")]);
    let headers = [(":path".to_owned(), "/webhooks/abc/s3cret".to_owned())];
    let delivery = Delivery { headers: &headers, body: WEBHOOK.as_bytes(), received_at: noon() };
    assert!(plain.intake().notice(delivery).is_ok());
}

#[test]
fn what_is_no_message_is_unreadable() {
    for body in ["", "null", "[]", "{}", "{\"Events\":null}", "{\"Events\":7}", "{\"Data\":{}}", "<html>"] {
        assert!(matches!(notice(body.as_bytes(), noon()), Err(NoticeError::Unreadable(_))), "{body}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), path in ".*") {
        let _ = notice(&bytes, noon());
        let headers = [(":path".to_owned(), path)];
        let delivery = Delivery { headers: &headers, body: &bytes, received_at: noon() };
        prop_assert!(WITH_SECRET.intake().notice(delivery).is_err());
    }

    #[test]
    fn no_message_panics(name in ".{0,12}", id in ".{0,12}", action in ".{0,12}") {
        let body = serde_json::json!({ "Events": [{ "Discriminator": name, "Value": { "Id": id } }], "Action": action });
        prop_assert!(notice(body.to_string().as_bytes(), noon()).is_ok());
    }
}
