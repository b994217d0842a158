use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::noon;

const DEVICE: &str = include_str!("../fixtures/device.json");
const LOCATION_DEVICES: &str = include_str!("../fixtures/location_devices.json");
const COMMAND: &str = include_str!("../fixtures/command.json");
const ODD_DEVICE: &str = include_str!("../fixtures/odd_device.json");
const ODD_COMMAND: &str = include_str!("../fixtures/odd_command.json");

fn parsed(value: Value) -> wire::Device {
    serde_json::from_value(value).unwrap()
}

fn judged(value: Value) -> Receipt {
    receipt(serde_json::from_value(value).unwrap(), str::to_owned).unwrap()
}

fn in_state(value: &str) -> Receipt {
    judged(json!({"id": "c", "state": {"value": value, "reason": "door jammed"}}))
}

#[test]
fn the_documents_own_device() {
    let list: wire::List<wire::Device> = serde_json::from_str(LOCATION_DEVICES).unwrap();
    let one: wire::Device = serde_json::from_str(DEVICE).unwrap();
    let found = device(&one, "asked").unwrap();
    assert_eq!(device(&list.data[0], "asked"), Some(found.clone()));
    assert_eq!(found.location, "00000000-0000-0000-0000-000000000000");
    assert_eq!((found.name.as_str(), found.model.as_str()), ("string", "GUARD"));
    assert_eq!((found.health, found.health_since), (Health::Healthy, None), "alive, so not dead since anything");
    assert_eq!(found.doors.len(), 1);
    assert_eq!(found.doors[0].external_id, found.external_id);
    assert_eq!(found.doors[0].kind, DoorKind::Other);
    assert!(found.doors[0].capabilities.is_empty(), "`command_name` is no command");
    assert_eq!(found.doors[0].reading.lock, Some(LockState::Locked));
    assert_eq!(found.doors[0].reading.mode, Some(Mode::Normal));
}

#[test]
fn every_documented_field_that_is_not_deprecated_has_a_place() {
    let told: Value = serde_json::from_str(DEVICE).unwrap();
    let deprecated = ["wifi_rssi", "nr", "heartbeat", "heartbeat_latency", "heartbeat_health"];
    // These have words of ours: columns of the device.
    let columns = ["id", "type", "location"];
    let details = device(&parsed(told.clone()), "asked").unwrap().details;
    for (field, _) in told.as_object().unwrap() {
        let kept = details.more.keys().any(|name| name == field || name.starts_with(&format!("{field}.")));
        let expected = !deprecated.contains(&field.as_str());
        let in_a_column = columns.contains(&field.as_str());
        // An empty `sleep_state` means awake.
        assert!(kept == expected || in_a_column || field == "sleep_state", "{field}");
    }
    assert_eq!(details.serial_number.as_deref(), Some("string"));
    assert_eq!(details.more["user.id"], "00000000-0000-0000-0000-000000000000");
    assert!(!details.more.keys().any(|name| name.contains("access_key")), "a key is a secret");
    assert_eq!(details.more["settings.deep_link"], "string");
    assert_eq!(details.more["state.timeout_at"], "2025-01-15T12:00:00Z");
    assert_eq!(details.more["commands"], "command_name");
    let asleep = device(&parsed(json!({"id": "1", "sleep_state": "DEEP_SLEEP"})), "l").unwrap().details;
    assert_eq!(asleep.more["sleep_state"], "DEEP_SLEEP");
}

#[test]
fn an_odd_device_is_read_as_far_as_it_goes() {
    let found = device(&serde_json::from_str(ODD_DEVICE).unwrap(), "asked").unwrap();
    assert_eq!((found.external_id.as_str(), found.name.as_str(), found.location.as_str()), ("77", "77", "asked"));
    assert_eq!(found.health, Health::Unknown);
    let door = &found.doors[0];
    let expected = [CommandKind::OpenDoor, CommandKind::UnlockDoor, CommandKind::ForceUnlockDoor];
    assert_eq!(door.capabilities, BTreeSet::from(expected));
    assert_eq!(door.reading.lock, Some(LockState::Unlocking));
    assert_eq!((door.reading.observed_at, door.reading.mode), (None, None));
}

#[test]
fn the_devices_own_commands_decide() {
    let all = json!({"lock": "", "unlock": "", "book": "", "cancel-booking": "", "force-lock": "", "force-unlock": "",
        "force-cancel-booking": "", "sync-device": "", "take-photo": ""});
    let locker = device(&parsed(json!({"id": "1", "type": "LOCKER", "commands": all})), "l").unwrap();
    assert_eq!(locker.capabilities, BTreeSet::from([CommandKind::SyncDevice, CommandKind::TakePhoto]));
    assert_eq!(locker.doors[0].capabilities.len(), 7);
    assert!(!locker.doors[0].capabilities.contains(&CommandKind::OpenDoor), "a locker is unlocked, not opened");

    let none = device(&parsed(json!({"id": "1", "type": "LOCKER", "commands": {}})), "l").unwrap();
    assert!(none.doors[0].capabilities.is_empty());

    let silent = device(&parsed(json!({"id": "1", "type": "BIKE_HOUSE_DOOR"})), "l").unwrap();
    assert_eq!(silent.doors[0].capabilities, BTreeSet::from([CommandKind::OpenDoor, CommandKind::UnlockDoor]));
}

#[test]
fn free_is_unlocked_for_a_dock_and_locked_for_a_bike_houses_door() {
    let occupancy = |kind: &str, value: &str| {
        reading(&parsed(json!({"id": "1", "type": kind, "state": {"value": value}}))).occupancy
    };
    for kind in ["BIKE_DOCK", "SCOOTER_DOCK", "LOCKER", "DOCK", "DOCK_SESSIONLESS", "BIKE_RENT", "SCOOTER_RENT"] {
        assert_eq!(occupancy(kind, "UNLOCKED"), Some(Occupancy::Free));
        assert_eq!(occupancy(kind, "LOCKED"), Some(Occupancy::InUse));
        assert_eq!(occupancy(kind, "BOOKED"), Some(Occupancy::Booked));
        assert_eq!(occupancy(kind, "ALLOCATED"), Some(Occupancy::Unknown));
    }
    assert_eq!(occupancy("BIKE_HOUSE_DOOR", "LOCKED"), Some(Occupancy::Free));
    assert_eq!(occupancy("BIKE_HOUSE_DOOR", "UNLOCKED"), Some(Occupancy::InUse));
    assert_eq!(occupancy("GUARD", "UNLOCKED"), None);
}

#[test]
fn the_physical_lock_beats_the_services_word_and_its_date() {
    let at = "2031-03-02T11:00:00Z";
    let read = |value: &str, lock: Option<&str>| {
        let state = json!({"value": value, "changed_at": at});
        reading(&parsed(json!({"id": "1", "type": "LOCKER", "state": state, "lock_state": lock})))
    };
    let agreed = read("LOCKED", Some("LOCKED"));
    assert_eq!((agreed.lock, agreed.observed_at.is_some()), (Some(LockState::Locked), true));
    let contradicted = read("LOCKED", Some("UNLOCKED"));
    assert_eq!((contradicted.lock, contradicted.observed_at), (Some(LockState::Unlocked), None));
    assert_eq!(read("UNLOCKING", Some("LOCKED")).lock, Some(LockState::Locked));
    assert_eq!(read("UNLOCKING", None).lock, Some(LockState::Unlocking));
    assert_eq!(read("BOOKED", None).lock, None);
}

#[test]
fn mode_and_health_are_sides_of_their_own() {
    let look = |fields: Value| {
        let mut base = json!({"id": "1", "type": "LOCKER", "heartbeat_v2": {"health": "HEALTHY"}});
        base.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let found = device(&parsed(base), "l").unwrap();
        (found.health, found.doors[0].reading.mode)
    };
    assert_eq!(look(json!({"hardware_state": "NORMAL"})), (Health::Healthy, Some(Mode::Normal)));
    for disabled in ["DISABLED", "DISABLED_LOCKING", "DISABLED_UNLOCKING"] {
        assert_eq!(look(json!({"hardware_state": disabled})), (Health::Healthy, Some(Mode::Blocked)));
    }
    assert_eq!(look(json!({"hardware_state": "ERROR"})), (Health::Unhealthy, None));
    assert_eq!(look(json!({"hardware_state": "NOT_RESPONDING"})), (Health::Offline, None));
    assert_eq!(look(json!({"heartbeat_v2": {"health": "LONG_DEAD"}, "hardware_state": "NORMAL"})).0, Health::Dead);
    assert_eq!(look(json!({"heartbeat_v2": null, "heartbeat_health": "HEALTHY"})).0, Health::Unknown, "deprecated");
    assert_eq!(look(json!({"sleep_state": "DEEP_SLEEP", "power_save_strategy": "LOCAL_WAKEUP"})).0, Health::Offline);
    assert_eq!(look(json!({"sleep_state": "DEEP_SLEEP", "power_save_strategy": "REMOTE_WAKEUP"})).0, Health::Healthy);
    assert_eq!(look(json!({"sleep_state": "", "power_save_strategy": "LOCAL_WAKEUP"})).0, Health::Healthy);
    let dead = json!({"id": "1", "heartbeat_v2": {"health": "DEAD", "dead_since": "2031-03-02T12:00:00Z"}});
    assert_eq!(device(&parsed(dead), "l").unwrap().health_since, Some(noon()));
}

#[test]
fn the_states_of_a_command() {
    let pending = |evidence| Answer::Pending { reference: Some("c".to_owned()), evidence, vendor_timeout_at: None };
    assert_eq!(in_state("NOT_SENT").answer, pending(Evidence::VendorAck));
    assert_eq!(in_state("SENT").answer, pending(Evidence::VendorAck));
    assert_eq!(in_state("RECEIVED").answer, pending(Evidence::DeviceAck));
    assert_eq!(in_state("SUCCESS").answer, Answer::Succeeded { evidence: Evidence::DeviceAck });
    assert_eq!(in_state("SUCCEEDED").answer, pending(Evidence::VendorAck), "an unknown word is no outcome");
    let Answer::Failed { failure, .. } = in_state("ERROR").answer else { unreachable!() };
    assert_eq!(
        (failure.code, failure.message.as_str()),
        (FailureCode::DeviceError, "Bikeep reports an error: door jammed")
    );

    let documented = judged(serde_json::from_str(COMMAND).unwrap());
    assert!(matches!(documented.answer, Answer::Pending { vendor_timeout_at: Some(_), .. }));
    let odd = judged(serde_json::from_str(ODD_COMMAND).unwrap());
    assert!(matches!(odd.answer, Answer::Pending { vendor_timeout_at: None, .. }));
    let texts: Vec<_> = odd.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts, ["REQUEST_UNLOCK", "RESPONSE_UNLOCK"]);
}

#[test]
fn of_many_events_the_latest_are_kept() {
    let events: Vec<_> = (0..50).map(|number| json!({"name": format!("E{number}")})).collect();
    let notes = judged(json!({"id": "c", "events": events})).notes;
    assert_eq!((notes.len(), notes[0].text.as_str(), notes[19].text.as_str()), (20, "E30", "E49"));
}

#[test]
fn only_what_belongs_to_a_command_is_sent() {
    let sent = |action: Action| serde_json::to_value(order(&action, "LOCKER").unwrap()).unwrap();
    let until = noon() + TimeDelta::milliseconds(1);
    let force = |reason| Action::ForceUnlockDoor { reason, comment: Some(" because ".to_owned()) };
    assert_eq!(sent(Action::LockDoor { on_behalf_of: None }), json!({"command": "lock"}));
    let on_behalf_of = Some("u-7".to_owned());
    assert_eq!(sent(Action::LockDoor { on_behalf_of }), json!({"command": "lock", "user_id": "u-7"}));
    assert_eq!(sent(Action::UnlockDoor), json!({"command": "unlock"}));
    assert_eq!(sent(Action::ForceLockDoor), json!({"command": "force-lock"}));
    assert_eq!(sent(Action::CancelBooking), json!({"command": "cancel-booking"}));
    assert_eq!(sent(Action::ForceCancelBooking), json!({"command": "force-cancel-booking"}));
    assert_eq!(sent(Action::TakePhoto), json!({"command": "take-photo"}));
    assert_eq!(
        sent(Action::SyncDevice { power_cycle: false }),
        json!({"command": "sync-device", "power_cycle": false})
    );
    assert_eq!(sent(Action::BookDoor { until: None }), json!({"command": "book"}));
    assert_eq!(
        sent(Action::BookDoor { until: Some(until) }),
        json!({"command": "book", "timeout_at": "2031-03-02T12:00:01Z"})
    );
    assert_eq!(sent(force(ForceReason::Maintenance)), json!({"command": "force-unlock", "reason": "MAINTENANCE"}));
    assert_eq!(
        sent(force(ForceReason::Other)),
        json!({"command": "force-unlock", "reason": "OTHER", "comment": "because"})
    );
}

#[test]
fn opening_is_for_doors() {
    for model in ["BIKE_HOUSE_DOOR", "DOOR"] {
        assert_eq!(order(&Action::OpenDoor, model).unwrap(), wire::Order::Unlock);
    }
    for model in ["LOCKER", "BIKE_DOCK", "GUARD", ""] {
        assert!(matches!(order(&Action::OpenDoor, model), Err(VendorError::Unsupported { .. })));
    }
    assert!(matches!(order(&Action::CloseDoor, "DOOR"), Err(VendorError::Unsupported { .. })));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[A-Za-z0-9:TZ._ -]{0,24}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let names = prop_oneof![
            Just("id".to_owned()),
            Just("state".to_owned()),
            Just("value".to_owned()),
            Just("events".to_owned()),
            Just("data".to_owned()),
            Just("commands".to_owned()),
            Just("timeout_at".to_owned()),
            "[a-z_]{0,8}",
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((names, inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_arrives_panics_or_ends_a_command_by_accident(value in any_json(), bytes in any::<Vec<u8>>()) {
        let outcome = |command: wire::Command| {
            let word = command.state.as_ref().and_then(|state| state.value.clone());
            let ended = receipt(command, str::to_owned)
                .is_some_and(|receipt| !matches!(receipt.answer, Answer::Pending { .. }));
            (ended, word)
        };
        if let Ok(command) = serde_json::from_value::<wire::Command>(value.clone()) {
            let (ended, word) = outcome(command);
            prop_assert!(!ended || matches!(word.as_deref(), Some("SUCCESS" | "ERROR")));
        }
        if let Ok(list) = serde_json::from_value::<wire::List<wire::Device>>(value.clone()) {
            list.data.iter().for_each(|found| { device(found, "l"); });
        }
        if let Ok(list) = serde_json::from_value::<wire::List<wire::Location>>(value.clone()) {
            list.data.into_iter().for_each(|found| { location(found); });
        }
        if let Ok(found) = serde_json::from_value::<wire::Device>(value) {
            device(&found, "l");
        }
        if let Ok(command) = serde_json::from_slice::<wire::Command>(&bytes) {
            prop_assert!(!outcome(command).0);
        }
    }

    #[test]
    fn an_unknown_word_is_never_terminal(word in "[A-Za-z_ ]{0,16}") {
        prop_assume!(!matches!(word.trim().to_ascii_uppercase().as_str(), "SUCCESS" | "ERROR"));
        let is_pending = matches!(in_state(&word).answer, Answer::Pending { .. });
        prop_assert!(is_pending);
    }
}
