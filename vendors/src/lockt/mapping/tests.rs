use chrono::DateTime;
use domain::{door::Mode, record::RecordKind};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;

fn utc() -> Zone {
    Zone::named(None).unwrap()
}

fn items<T: DeserializeOwned>(text: &str) -> Vec<T> {
    match wire::data(serde_json::from_str(text).unwrap()) {
        wire::Data::Items(items) => items.into_iter().map(|item| serde_json::from_value(item).unwrap()).collect(),
        _ => panic!("no list"),
    }
}

fn at(text: &str) -> Option<Timestamp> {
    Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

fn users(text: &str) -> Vec<(FoundRecord, UserDetails)> {
    let found = items::<wire::User>(text).iter().map(|one| user(one, utc()).unwrap()).collect::<Vec<_>>();
    let details = |record: &FoundRecord| match &record.details {
        RecordDetails::User(details) => details.clone(),
        other => panic!("{other:?}"),
    };
    found.into_iter().map(|record| (record.clone(), details(&record))).collect()
}

fn card(record: &FoundRecord) -> &CredentialDetails {
    let RecordDetails::Credential(details) = &record.details else { panic!("no credential") };
    details
}

#[test]
fn the_documents_own_people() {
    let listed = users(include_str!("../fixtures/users.json"));
    let (record, details) = &listed[1];
    assert_eq!((record.external_id.as_str(), record.name.as_str(), record.location.as_str()), ("6789", "Fob 2", ""));
    assert_eq!((details.enabled, details.card_number.as_deref()), (Some(false), Some("10001")));
    assert_eq!(details.access_until, at("2022-05-05T12:00:00Z"));
    assert_eq!(details.access_levels, Some(BTreeSet::new()), "listed, and none");
    assert_eq!((listed[0].1.access_from, listed[0].1.id_number.as_deref()), (None, None), "empty is none");
    assert!(record.secret.is_none());

    let (record, details) = &users(include_str!("../fixtures/user_by_id.json"))[0];
    assert_eq!(record.name, "Susan3 Brown3");
    assert_eq!(
        (details.email.as_deref(), details.phone.as_deref()),
        (Some("susan.brown@web.place"), Some("33344455555"))
    );
    assert_eq!((details.enabled, &details.access_levels), (Some(true), &None), "this answer does not list them");

    let (_, details) = &users(include_str!("../fixtures/user_by_number.json"))[0];
    assert_eq!(details.id_number.as_deref(), Some("ABC123-98765"));
    assert_eq!((details.access_from, details.access_until), (at("2022-01-05T23:59:59Z"), None));
}

#[test]
fn odd_people_are_listed_and_nothing_is_claimed_of_them() {
    let listed = users(include_str!("../fixtures/odd_users.json"));
    assert_eq!(listed[0].0.external_id, "7");
    assert_eq!(listed[0].0.name, "7");
    assert_eq!(listed[0].1.card_number.as_deref(), Some("1001"));
    assert_eq!(listed[0].1.access_until, None);
    assert_eq!(listed[0].1.enabled, None, "an end that can not be read is not the same as no end");
    assert_eq!(listed[1].1.enabled, None);
    assert_eq!(listed[1].1.access_until, at("2031-03-05T11:00:00Z"));
    assert_eq!(listed[1].1.access_levels, Some(["208".to_owned(), "574".to_owned()].into()));
    assert_eq!(listed[2].1.access_levels, None, "half a list would take access away");
}

#[test]
fn the_documents_own_credentials() {
    let credentials: Vec<wire::Credential> = items(include_str!("../fixtures/credentials.json"));
    let found: Vec<_> = credentials.iter().map(|one| credential(one).unwrap()).collect();
    assert_eq!((found[0].external_id.as_str(), found[0].name.as_str()), ("335", "User, Test"));
    assert_eq!(card(&found[0]).credential_type, CredentialType::MobileKey);
    assert_eq!(
        (card(&found[0]).status, card(&found[1]).status),
        (CredentialStatus::Claimed, CredentialStatus::Unclaimed)
    );
    assert_eq!((card(&found[0]).number.as_deref(), card(&found[0]).user.as_deref()), (Some("1003"), Some("300")));
    assert_eq!(found[0].secret, Some(Secret::new("AAAA-BBBB-1111-2222")));
    assert!(!format!("{found:?}").contains("AAAA"), "the key is never shown");
    let odd: wire::Credential =
        serde_json::from_value(json!({"id": 1, "claim_status": "Lost", "user": {"id": "4"}})).unwrap();
    let odd = credential(&odd).unwrap();
    assert_eq!((card(&odd).status, card(&odd).credential_type), (CredentialStatus::Unknown, CredentialType::Card));
    assert_eq!(card(&odd).user.as_deref(), Some("4"));
}

#[test]
fn a_fob_with_its_holder_and_when_it_was_seen() {
    let fobs: Vec<wire::Fob> = items(include_str!("../fixtures/fobs.json"));
    let checks: Vec<wire::FobCheck> = items(include_str!("../fixtures/fob_check.json"));
    let held = json!({"id": 613_297, "card_num": "5599", "user": [{"id": 613_188, "name": "Quill, Ada"}]});
    let held: wire::Credential = serde_json::from_value(held).unwrap();
    let found = fob(&fobs[0], &checks, &[held], utc()).unwrap();
    assert_eq!((found.kind(), found.name.as_str()), (RecordKind::Credential, "Fob 1"));
    let details = card(&found);
    assert_eq!((details.credential_type, details.status), (CredentialType::Fob, CredentialStatus::Active));
    assert_eq!((details.user.as_deref(), details.id_number.as_deref()), (Some("613188"), Some("ABC123")));
    assert_eq!((details.last_used_at, details.access_until), (at("2022-06-10T07:12:00Z"), at("2022-06-10T08:00:00Z")));
    assert_eq!(details.access_levels, Some(["574".to_owned()].into()));
    assert_eq!(found.secret, Some(Secret::new("FOB1-KEY1")));
    let other = fob(&fobs[1], &checks, &[], utc()).unwrap();
    assert_eq!((card(&other).status, card(&other).last_used_at), (CredentialStatus::Suspended, None));
}

#[test]
fn the_documents_own_doors_and_batteries() {
    let doors: Vec<wire::Door> = items(include_str!("../fixtures/doors.json"));
    let states: Vec<wire::DoorState> = items(include_str!("../fixtures/door_states.json"));
    assert_eq!(batteries(&states), BTreeMap::from([("187", 64), ("446", 74), ("611127", 99)]));
    let found = device(&doors[0], &BTreeMap::from([("166", 7)])).unwrap();
    assert_eq!((found.external_id.as_str(), found.name.as_str()), ("166", "Office Supplies"));
    assert_eq!((found.location.as_str(), found.model.as_str()), ("Main Hall", "Access Controlled Door"));
    assert_eq!((found.battery_percent, found.health), (Some(7), Health::Unknown));
    assert_eq!(found.details.more, BTreeMap::from([("controller".to_owned(), "BEST Switch™ API".to_owned())]));
    assert_eq!(found.doors.len(), 1);
    assert_eq!((found.doors[0].external_id.as_str(), found.doors[0].kind), ("166", DoorKind::Door));
    assert!(found.capabilities.is_empty() && found.doors[0].capabilities.is_empty(), "nothing opens it from here");
    assert_eq!(found.doors[0].reading.mode, Some(Mode::Normal));
    assert_eq!(device(&doors[1], &BTreeMap::new()).unwrap().location, "");
    let off: wire::Door = serde_json::from_value(json!({"id": 1, "enabled": "false"})).unwrap();
    assert_eq!(device(&off, &BTreeMap::new()).unwrap().doors[0].reading.mode, Some(Mode::Blocked));
    for odd in [json!("-0.1"), json!(64), json!("NaN"), json!(null), json!([])] {
        let state: wire::DoorState = serde_json::from_value(json!({"id": 1, "battery_level": odd})).unwrap();
        assert!(batteries(&[state]).is_empty());
    }
}

#[test]
fn the_documents_own_schedules_and_levels() {
    let listed: Vec<wire::Schedule> = items(include_str!("../fixtures/schedules.json"));
    let details = |one: &wire::Schedule| match schedule(one).unwrap().details {
        RecordDetails::Schedule(details) => details,
        other => panic!("{other:?}"),
    };
    assert_eq!(schedule(&listed[0]).unwrap().name, "0800-1700 M-F, 1200-1500 Sat");
    assert_eq!(details(&listed[0]).days, [0, 1, 2, 3, 4].into());
    let (starts, ends) = (NaiveTime::from_hms_opt(8, 0, 0).unwrap(), NaiveTime::from_hms_opt(16, 59, 59).unwrap());
    assert_eq!((details(&listed[0]).starts, details(&listed[0]).ends), (starts, ends));
    assert_eq!(details(&listed[1]).days, [5, 6].into());
    let odd = json!({"id": 1, "d0": true, "d1": "1", "d2": null, "start": "soon", "stop": "24:00:00"});
    assert!(details(&serde_json::from_value(odd).unwrap()).days.is_empty(), "a schedule without times opens nothing");

    let levels: Vec<wire::AccessLevel> = items(include_str!("../fixtures/access_levels.json"));
    let doors = |one: &wire::AccessLevel| match access_level(one).unwrap().details {
        RecordDetails::AccessLevel(details) => details.doors,
        other => panic!("{other:?}"),
    };
    assert_eq!(access_level(&levels[0]).unwrap().name, "Security");
    assert_eq!(doors(&levels[0]), ["983".to_owned(), "1087".to_owned()].into());
    assert!(doors(&levels[1]).is_empty());
}

#[test]
fn a_summary_in_any_form_and_the_next_number() {
    for body in [
        json!({"data": {"claimed": 3, "unclaimed": "4"}}),
        json!({"data": [{"claimed": 3}, {"unclaimed": 4}]}),
        json!({"data": [{"claim_status": "Claimed", "count": 3}, {"claim_status": "Unclaimed", "count": 4}]}),
        json!({"data": {"total": 7, "credentials_claimed": 3, "credentials_unclaimed": 4}}),
    ] {
        let found = summary(&body);
        let told = CredentialSummary { claimed: Some(3), unclaimed: Some(4) };
        assert_eq!(found.details, RecordDetails::CredentialSummary(told), "{body}");
        assert_eq!(found.external_id, SUMMARY_ID);
    }
    assert_eq!(summary(&json!([])).details, RecordDetails::CredentialSummary(CredentialSummary::default()));

    for body in [
        json!({"data": 10_002}),
        json!({"data": "10002"}),
        json!({"data": [{"card_num": "10002"}]}),
        json!({"data": {"next": "10002"}}),
        json!({"data": {"status": 1, "nextcardnum": 10_002}}),
    ] {
        assert_eq!(card_number(&body).as_deref(), Some("10002"), "{body}");
    }
    for body in [json!({"data": []}), json!({"data": null}), json!({"data": "soon"}), json!({"data": {"a": 1, "b": 2}})]
    {
        assert_eq!(card_number(&body), None, "{body}");
    }
}

/// Mostly objects, as rows are.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9:TZ \\-]{0,20}|Claimed|Unclaimed|true".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "data",
        "id",
        "user",
        "doors",
        "accesslevels",
        "errors",
        "error",
        "input_data",
        "start",
        "stop",
        "d0",
        "enabled",
        "access_expires",
        "last_seen",
        "battery_level",
        "claimed",
        "card_num",
        "hw_time",
        "category",
        "code",
    ]);
    leaf.prop_recursive(4, 24, 5, move |inner| {
        let member = (names.clone().prop_map(str::to_owned), inner.clone());
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
            8 => prop::collection::vec(member, 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_arrives_panics_or_is_taken_without_an_id(value in any_json()) {
        let _ = (wire::said(&value).records.len(), summary(&value), card_number(&value));
        if let wire::Data::Items(items) = wire::data(value.clone()) {
            prop_assert!(items.len() <= 6);
        }
        prop_assume!(value.is_object());
        let id = value.get("id").and_then(wire::text);
        macro_rules! each {
            ($($map:expr),+) => { $(
                if let Ok(item) = serde_json::from_value(value.clone()) {
                    prop_assert_eq!($map(&item).map(|record| record.external_id), id.clone());
                }
            )+ };
        }
        each!(
            credential, access_level, schedule,
            |door: &wire::Door| device(door, &BTreeMap::new()),
            |one: &wire::User| user(one, utc()),
            |one: &wire::Fob| fob(one, &[], &[], utc())
        );
    }
}
