use std::collections::BTreeSet;

use domain::clock::Timestamp;
use proptest::prelude::*;
use serde::de::DeserializeOwned;

use super::*;
use crate::{lenient, mews::inventory};

fn list<T: DeserializeOwned>(fixture: &str, name: &str) -> Vec<T> {
    let body: Value = serde_json::from_str(fixture).unwrap();
    serde_json::from_value(body[name].clone()).unwrap()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

fn stays(fixture: &str) -> Vec<ReservationDetails> {
    let found = list(fixture, "Reservations").into_iter().map(|stay| reservation(stay, Vec::new(), String::new()));
    let details = found.map(|record| match record.unwrap().details {
        RecordDetails::Reservation(details) => details,
        other => unreachable!("{other:?}"),
    });
    details.collect()
}

fn tokens(fixture: &str) -> Vec<(AccessTokenDetails, Option<Secret>)> {
    let found = inventory::shown(list(fixture, "ResourceAccessTokens")).unwrap().records.into_iter();
    let details = found.map(|record| match record.details {
        RecordDetails::AccessToken(details) => (details, record.secret),
        other => unreachable!("{other:?}"),
    });
    details.collect()
}

#[test]
fn the_document_s_reservation() {
    let expected = ReservationDetails {
        number: Some("4417".to_owned()),
        state: ReservationState::Confirmed,
        vendor_state: "Confirmed".to_owned(),
        service: Some("bbbb2222-0000-4000-8000-000000000001".to_owned()),
        group: Some("dddd4444-0000-4000-8000-000000000001".to_owned()),
        guest: Some("cccc3333-0000-4000-8000-000000000001".to_owned()),
        companions: Vec::new(),
        resource: Some("ffff6666-0000-4000-8000-000000000204".to_owned()),
        resource_locked: false,
        starts_at: at("2031-03-02T14:00:00Z"),
        ends_at: at("2031-03-05T10:00:00Z"),
        actual_start: None,
        actual_end: None,
        updated_at: at("2031-02-20T09:30:00Z"),
    };
    assert_eq!(stays(include_str!("../fixtures/reservations.json")), [expected]);
}

#[test]
fn odd_reservations_claim_nothing() {
    let stays = stays(include_str!("../fixtures/odd_reservations.json"));
    assert_eq!((stays[0].state, stays[0].vendor_state.as_str()), (ReservationState::Unknown, ""));
    assert_eq!((stays[1].state, stays[1].vendor_state.as_str()), (ReservationState::Unknown, "Teleported"));
    assert_eq!((&stays[1].guest, stays[1].starts_at), (&None, None), "a company is no guest");
    assert!(stays[1].resource_locked);
    assert_eq!((stays[2].state, &stays[2].resource), (ReservationState::Canceled, &None));
    assert_eq!(stays[2].guest.as_deref(), Some("c-3"));
}

#[test]
fn every_documented_state_has_a_word() {
    let words = ["Inquired", "Requested", "Optional", "Confirmed", "Started", "Processed", "Canceled"];
    assert!(words.iter().all(|word| state(word) != ReservationState::Unknown));
    assert_eq!(state("Processed"), ReservationState::Ended);
    assert_eq!(state("confirmed"), ReservationState::Unknown);
}

#[test]
fn nobody_stays_twice() {
    let stay: wire::Reservation = list(include_str!("../fixtures/reservations.json"), "Reservations").remove(0);
    let owner = stay.account_id.clone().unwrap();
    let pair = |companionship: &str, person: &str| (companionship.to_owned(), person.to_owned());
    let companions = vec![pair("k-3", "p-1"), pair("k-1", &owner), pair("k-2", "p-1")];
    let found = reservation(stay, companions, "here".to_owned()).unwrap();
    assert_eq!((found.name.as_str(), found.location.as_str()), ("4417", "here"));
    let RecordDetails::Reservation(details) = found.details else { unreachable!() };
    assert_eq!(details.companions, [pair("k-2", "p-1")]);
}

#[test]
fn the_document_s_token() {
    let (details, secret) = tokens(include_str!("../fixtures/tokens.json")).remove(0);
    assert_eq!(secret, Some(Secret::new("730512")));
    let expected = AccessTokenDetails {
        token_type: Some(TokenType::PinCode),
        reservation: "aaaa1111-0000-4000-8000-000000000001".to_owned(),
        companionship: Some("77778888-0000-4000-8000-000000000001".to_owned()),
        resource: Some("ffff6666-0000-4000-8000-000000000204".to_owned()),
        serial_number: Some("gh-cred-00417".to_owned()),
        valid_from: at("2031-03-02T14:00:00Z"),
        valid_until: at("2031-03-05T10:00:00Z"),
        permissions: TokenPermissions { room: true, ..TokenPermissions::default() },
        active: true,
        updated_at: at("2031-03-01T09:00:00Z"),
    };
    assert_eq!(details, expected);
    let wire: Vec<wire::Token> = list(include_str!("../fixtures/tokens.json"), "ResourceAccessTokens");
    assert!(!format!("{wire:?}").contains("730512"));
}

#[test]
fn odd_tokens_claim_nothing() {
    let tokens = tokens(include_str!("../fixtures/odd_tokens.json"));
    assert!(tokens[0].0.active, "what is not said to be over is not called over");
    assert_eq!(tokens[0].0.permissions, TokenPermissions::default());
    assert_eq!((tokens[1].0.token_type, tokens[1].0.active), (None, false));
    assert_eq!(tokens[1].0.permissions, TokenPermissions { room: true, ..TokenPermissions::default() });
    assert_eq!(tokens[1].1, Some(Secret::new("12345")));
    assert_eq!((tokens[2].0.token_type, tokens[2].0.valid_from), (Some(TokenType::RfidTag), None));
}

#[test]
fn a_room_with_what_other_lists_say() {
    let mut rooms: Vec<wire::Resource> = list(include_str!("../fixtures/resources.json"), "Resources");
    let categories = [("k-1".to_owned(), None), ("k-2".to_owned(), Some("Room".to_owned()))].into_iter().collect();
    let facts = ResourceFacts { categories, blocks: Vec::new() };
    let found = resource(rooms.remove(0), facts).unwrap();
    assert_eq!(found.location, "11112222-0000-4000-8000-00000000000e");
    let RecordDetails::Resource(details) = found.details else { unreachable!() };
    assert_eq!(details.categories, BTreeSet::from(["k-1".to_owned(), "k-2".to_owned()]));
    assert_eq!((details.resource_type.as_deref(), details.floor.as_deref()), (Some("Room"), Some("2")));
    assert_eq!((details.state.as_deref(), details.active), (Some("Clean"), true));
    let found = resource(rooms.remove(0), ResourceFacts::default()).unwrap();
    let RecordDetails::Resource(details) = found.details else { unreachable!() };
    assert_eq!((details.resource_type.as_deref(), details.active), (Some("Object"), false));
}

#[test]
fn people_have_names() {
    let mut people: Vec<wire::Customer> = list(include_str!("../fixtures/guests.json"), "Customers");
    let second = user(people.remove(1), String::new()).unwrap();
    assert_eq!(second.name, "García Lorca");
    let first = user(people.remove(0), String::new()).unwrap();
    let RecordDetails::User(details) = first.details else { unreachable!() };
    assert_eq!((first.name.as_str(), details.language.as_deref()), ("Mari Tamm", Some("et-EE")));
    assert_eq!((details.email.as_deref(), details.phone.as_deref()), (Some("mari@example.com"), Some("+3725551234")));
    assert_eq!((details.enabled, details.access_levels), (None, None));
}

#[test]
fn a_hotel_has_its_zone() {
    let told: wire::Configuration = serde_json::from_str(include_str!("../fixtures/configuration.json")).unwrap();
    let found = location(told.enterprise.unwrap()).unwrap();
    let RecordDetails::Location(details) = found.details else { unreachable!() };
    assert_eq!(details.time_zone.as_deref(), Some("Europe/Tallinn"));
    assert_eq!(details.address.as_deref(), Some("Pikk 1, 10123, Tallinn, EE"));
}

#[test]
fn an_update_holds_what_changes_and_nothing_else() {
    let given = update("t-1", &AccessTokenUpdate::default(), Some(&Secret::new("4711")), Some("e-1"));
    let expected = json!({
        "EnterpriseId": "e-1",
        "ResourceAccessTokenUpdates": [{ "ResourceAccessTokenId": "t-1", "Value": { "Value": "4711" } }],
    });
    assert_eq!(given, expected);
    let permissions = TokenPermissions { bed: true, ..TokenPermissions::default() };
    let change = AccessTokenUpdate {
        valid_from: at("2031-03-02T14:00:00.25Z"),
        permissions: Some(permissions),
        ..AccessTokenUpdate::default()
    };
    let no = json!({ "Value": false });
    let expected = json!({ "ResourceAccessTokenUpdates": [{
        "ResourceAccessTokenId": "t-1",
        "ValidityStartUtc": { "Value": "2031-03-02T14:00:00.250Z" },
        "Permissions": { "Bed": { "Value": true }, "Room": no, "Floor": no, "Building": no },
    }] });
    assert_eq!(update("t-1", &change, None, None), expected);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any_key(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    const KEYS: &[&str] = &[
        "Id",
        "State",
        "Data",
        "Value",
        "Permissions",
        "Room",
        "IsActive",
        "Type",
        "AccountId",
        "AccountType",
        "Address",
        "ScheduledStartUtc",
        "FloorNumber",
        "Enterprise",
        "NowUtc",
    ];
    prop::sample::select(KEYS).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn no_row_panics_and_no_id_is_made_up(
        row in prop::collection::btree_map(any_key(), any_json(), 0..8)
    ) {
        let row: Value = row.into_iter().collect();
        let id = lenient::text(row["Id"].clone()).unwrap();
        let rows = [
            reservation(serde_json::from_value(row.clone()).unwrap(), Vec::new(), String::new()),
            resource(serde_json::from_value(row.clone()).unwrap(), ResourceFacts::default()),
            token(serde_json::from_value(row.clone()).unwrap()),
            user(serde_json::from_value(row.clone()).unwrap(), String::new()),
            location(serde_json::from_value(row).unwrap()),
        ];
        for found in rows {
            prop_assert_eq!(found.as_ref().map(|found| &found.external_id), id.as_ref());
            if let Some(RecordDetails::Reservation(details)) = found.map(|found| found.details) {
                prop_assert_eq!(details.state, state(&details.vendor_state));
            }
        }
    }
}
