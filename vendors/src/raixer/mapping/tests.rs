use domain::record::AccessProfile;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::raixer::testing::fixture;

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn positions_of(ports: &[Value]) -> Vec<(i32, bool)> {
    let doors: Vec<wire::Door> = ports.iter().map(|port| parsed(json!({"_id": "d", "port": port}))).collect();
    positions(&doors)
}

fn with(told: Value, beside: &Beside<'_>) -> FoundDevice {
    let doors = vec![parsed(json!({"_id": "d", "port": "right"}))];
    device(parsed(told), doors, beside).unwrap()
}

fn mode_of(told: Value, listening: Option<bool>) -> Option<Mode> {
    let listening = listening.map(|listening| (1, listening)).into_iter().collect();
    with(told, &Beside { listening, ..Beside::default() }).doors[0].reading.mode
}

#[test]
fn the_documents_own_device_and_door() {
    let described = serde_json::from_str(fixture!("device")).unwrap();
    let doors = serde_json::from_str(fixture!("doors")).unwrap();
    let found = device(described, doors, &Beside { owned: true, ..Beside::default() }).unwrap();
    assert_eq!((found.external_id.as_str(), found.name.as_str()), ("edcba54321", "lorem_ipsum"));
    assert_eq!((found.model.as_str(), found.firmware.as_deref()), ("intercom", Some("v2")));
    assert_eq!((found.health, found.location.as_str()), (Health::Healthy, ""));
    assert_eq!(found.details.owner.as_deref(), Some("fghjkl67890"));
    assert_eq!(found.details.campaign.as_deref(), Some("abcde12345"));
    assert_eq!(found.details.more.get("created").map(String::as_str), Some("2018-08-17T08:19:35.457+00:00"));
    assert!(found.capabilities.contains(&CommandKind::RemoveDevice));
    let door = &found.doors[0];
    assert_eq!((door.external_id.as_str(), door.name.as_str()), ("abcde54321", "Street"));
    assert_eq!((door.kind, door.position), (DoorKind::Door, 2), "the first port is the right one");
    assert!(door.capabilities.contains(&CommandKind::OpenDoor));
    assert!(door.capabilities.contains(&CommandKind::CreateAutoAccessSchedule));
    assert!(!door.capabilities.contains(&CommandKind::DeleteDoor), "it is the last one");
    assert_eq!(door.reading, DoorReading::default());
    let expected = PhoneAccess { enabled: true, any_caller: false, number: Some("1234567890".to_owned()) };
    assert_eq!(door.phone_access, Some(expected));
    let expected = DoorSettings {
        name: Some("Street".to_owned()),
        usage: Some(DoorUse::Street),
        port: Some(PortSide::Left),
        sensor_mode: Some(SensorMode::Bell),
        opening_value: Some(7500.0),
        tolerance: Some(6000.0),
        max_openings: Some(7),
        wait_time_first: Some(2000),
        two_openings: Some(true),
        must_call_bell_first: Some(true),
        intercom_call_first: Some(true),
        intercom_enable_auto_access: Some(true),
    };
    assert_eq!(door.settings, Some(expected));
}

#[test]
fn a_position_names_one_door_or_none() {
    assert_eq!(positions_of(&[json!("right"), json!("left")]), [(1, true), (2, true)]);
    assert_eq!(positions_of(&[json!("left"), json!("right"), json!(null)]), [(2, true), (1, true), (3, true)]);
    assert_eq!(positions_of(&[json!(null)]), [(1, true)]);
    assert_eq!(positions_of(&[json!("null"), json!(null)]), [(1, true), (2, true)]);
    assert_eq!(positions_of(&[json!("left"), json!("left")]), [(4, false), (5, false)]);
    assert_eq!(positions_of(&[json!("up"), json!("right")]), [(4, false), (1, true)]);
    assert!(positions_of(&[]).is_empty());
}

#[test]
fn a_door_that_no_position_names_can_not_be_opened() {
    let doors = json!([{"_id": "a", "port": "left"}, {"_id": "b", "port": "left"}]);
    let found = device(parsed(json!({"_id": "x"})), parsed(doors), &Beside::default()).unwrap();
    for door in found.doors {
        assert!(!door.capabilities.contains(&CommandKind::OpenDoor));
        assert!(!door.capabilities.contains(&CommandKind::StartAutoAccess));
        assert!(door.capabilities.contains(&CommandKind::DeleteDoor));
    }
}

#[test]
fn a_door_follows_what_is_told_and_nothing_else() {
    assert_eq!(mode_of(json!({"_id": "x"}), None), None);
    assert_eq!(mode_of(json!({"_id": "x"}), Some(false)), Some(Mode::Normal));
    assert_eq!(mode_of(json!({"_id": "x"}), Some(true)), Some(Mode::AutoAccess));
    let always = json!({"_id": "x", "campaign": {"autoAccessAlwaysActive": "true"}});
    assert_eq!(mode_of(always.clone(), None), Some(Mode::AlwaysActive));
    assert_eq!(mode_of(always, Some(true)), Some(Mode::AlwaysActive));
    let contingency = |online: Value| json!({"_id": "x", "online": online, "offlineAutoAccess": true});
    assert_eq!(mode_of(contingency(json!(false)), None), Some(Mode::OfflineContingency));
    assert_eq!(mode_of(contingency(json!(true)), None), None);
    assert_eq!(mode_of(contingency(json!(null)), None), None);
    let access = parsed(json!({"device": {"campaign": {"_id": "c", "offlineAutoAccess": false}}}));
    let found = with(json!({"_id": "x"}), &Beside { access: Some(&access), ..Beside::default() });
    assert_eq!(found.details.offline_auto_access, Some(false));
    assert_eq!(found.details.campaign.as_deref(), Some("c"));
}

#[test]
fn odd_devices() {
    let access = |name: &str| parsed::<wire::Access>(json!({"name": name}));
    let odd = |value: Value, access: Option<&wire::Access>| {
        device(parsed(value), Vec::new(), &Beside { access, ..Beside::default() })
    };
    let named = access("Street 1");
    let found = odd(json!({"_id": 5, "online": "false"}), Some(&named)).unwrap();
    assert_eq!((found.name.as_str(), found.health), ("Street 1", Health::Offline));
    assert!(!found.capabilities.contains(&CommandKind::RemoveDevice), "only the owner's may be taken off");
    assert_eq!(odd(json!({"_id": "5", "online": null, "type": []}), None).unwrap().health, Health::Unknown);
    assert_eq!(odd(json!({"name": "no id"}), None), None);
    let nameless = parsed(json!([{"_id": null}]));
    assert_eq!(device(parsed(json!({"_id": "x"})), nameless, &Beside::default()), None, "it would look removed");
    let doors = parsed(json!([{"_id": "a", "maxOpenings": "x", "waitTimeFirst": -1, "callingEnabled": "maybe"}]));
    let door = device(parsed(json!({"_id": "x"})), doors, &Beside::default()).unwrap().doors.remove(0);
    assert_eq!((door.settings, door.phone_access), (Some(DoorSettings::default()), None));
    assert_eq!(AccessProfile::parse("OWNER"), None);
}

proptest! {
    #[test]
    fn positions_are_unique(ports in proptest::collection::vec(0..4_usize, 0..9)) {
        let ports: Vec<Value> =
            ports.iter().map(|port| [json!(null), json!("left"), json!("right"), json!("x")][*port].clone()).collect();
        let found = positions_of(&ports);
        let distinct: BTreeSet<i32> = found.iter().map(|(position, _)| *position).collect();
        prop_assert_eq!(distinct.len(), ports.len());
        prop_assert!(distinct.iter().all(|position| *position >= 1));
    }

    #[test]
    fn no_values_panic(
        numbers in proptest::collection::vec(any::<f64>(), 4),
        texts in proptest::collection::vec(".*", 4),
    ) {
        let odd = json!({"_id": texts[0], "online": texts[1], "campaign": {"price": texts[2], "_id": numbers[0]},
            "created": texts[3], "doors": texts});
        let door = json!({"_id": texts[0], "port": texts[1], "maxOpenings": numbers[1], "waitTimeFirst": numbers[2],
            "phoneNumber": numbers[3], "openingValue": texts[2], "created": texts[3]});
        device(parsed(odd), vec![parsed(door)], &Beside::default());
    }
}
