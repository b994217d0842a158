use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const SYNC: &str = include_str!("../fixtures/sync.json");
const ODD_SYNC: &str = include_str!("../fixtures/odd_sync.json");
const TOGGLE: &str = include_str!("../fixtures/toggle.json");
const AS_PRINTED: &str = include_str!("../fixtures/toggle_as_printed.txt");

fn judged(value: Value, status_is_success: bool) -> Option<Result<Receipt, VendorError>> {
    outcome(&serde_json::from_value(value).unwrap(), status_is_success, str::to_owned)
}

#[test]
fn every_documented_text_is_judged_by_itself_whatever_the_status() {
    let texts: BTreeMap<String, Value> = serde_json::from_str(TOGGLE).unwrap();
    let rejected = |name: &str, status| match judged(texts[name].clone(), status) {
        Some(Err(VendorError::Rejected { code, .. })) => code,
        other => unreachable!("{name}: {other:?}"),
    };
    for status in [true, false] {
        assert_eq!(rejected("malformed", status), FailureCode::Malformed);
        assert_eq!(rejected("not_found", status), FailureCode::DeviceNotFound);
        assert_eq!(rejected("sensor_required", status), FailureCode::SensorRequired);
        assert_eq!(rejected("not_implemented", status), FailureCode::Unsupported);
        let authentication = judged(texts["authentication"].clone(), status).unwrap();
        assert!(authentication.unwrap_err().is_auth_invalid());
    }
    let success = judged(texts["success"].clone(), true).unwrap().unwrap();
    assert_eq!(success.answer, Answer::Succeeded { evidence: Evidence::VendorAck });
    assert_eq!(judged(texts["success"].clone(), false), None, "a success under a failing status is no success");
}

#[test]
fn success_is_the_text_200_and_nothing_else() {
    assert!(judged(json!({"message": 200}), true).unwrap().is_ok());
    for message in [json!("OK"), json!("200 OK"), json!("(200)"), json!(""), json!(null), json!(201), json!("(500)")] {
        assert_eq!(judged(json!({"success": true, "message": message}), true), None);
    }
    assert_eq!(judged(json!({"success": true}), true), None);
    assert!(serde_json::from_str::<wire::Toggled>(AS_PRINTED).is_err(), "the document's print is no JSON");
}

#[test]
fn variants_of_the_texts() {
    let curly = "Sorry, your Gate Box can\u{2019}t be found. Please unplug it.";
    assert!(judged(json!({"message": curly}), true).unwrap().is_err());
    assert!(judged(json!({"message": "Your Gate (North) requires pairing. (428)."}), true).unwrap().is_err());
    assert!(judged(json!({"success": false, "code": 401}), true).unwrap().unwrap_err().is_auth_invalid());
}

#[test]
fn the_inventory_in_both_shapes() {
    let found: Vec<_> =
        devices(serde_json::from_str(SYNC).unwrap()).unwrap().into_iter().map(|it| device(it).unwrap()).collect();
    let wrapped = json!({"success": true, "data": serde_json::from_str::<Value>(SYNC).unwrap()});
    let again: Vec<_> =
        devices(serde_json::from_value(wrapped).unwrap()).unwrap().into_iter().map(|it| device(it).unwrap()).collect();
    assert_eq!(found, again);
    assert_eq!(found[0].name, "ParqEx 20000aa1bb2cc3dd");
    assert!(!format!("{found:?}").contains("Quill"), "owners' names stay outside");
    assert_eq!(found[0].details.serial_number.as_deref(), Some("20000aa1bb2cc3dd"));
    assert_eq!(found[0].details.last_contact_at.unwrap().to_rfc3339(), "2031-03-02T17:20:11+00:00");
    let more: Vec<_> = found[0].details.more.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected = [
        "active=true",
        "bluetooth_mac_address=000000000000",
        "bluetooth_onboard=false",
        "door1.active=true",
        "door1.bluetooth_sensor=false",
        "door1.bluetooth_sensor_battery_level=0",
        "door1.door_auto_close_delay=0",
        "door1.door_auto_close_enabled=false",
        "door1.sensor=true",
        "door1.user_relationship=Has Access",
        "last_contact=2031-03-02 17:20:11",
        "number_of_entities_controlled=3",
        "registered=true",
        "time_before_door_open_alert=900",
    ];
    assert_eq!(more, expected);
    let door = &found[0].doors[0];
    assert_eq!((door.name.as_str(), door.kind, door.position), ("North gate", DoorKind::Gate, 1));
    assert_eq!(door.capabilities, BTreeSet::from([CommandKind::OpenDoor, CommandKind::CloseDoor]));
    assert_eq!((door.reading.position, door.reading.measured), (Some(Position::Closed), true));
    assert_eq!(door.reading.observed_at.unwrap().to_rfc3339(), "2031-03-02T16:58:40+00:00");
}

#[test]
fn an_odd_inventory_is_read_as_far_as_it_goes() {
    let sync: wire::Sync = serde_json::from_str(ODD_SYNC).unwrap();
    let found = device(devices(sync).unwrap().remove(0)).unwrap();
    let positions: Vec<_> = found.doors.iter().map(|door| door.position).collect();
    assert_eq!(positions, [1, 2, 3]);
    assert_eq!((found.doors[0].name.as_str(), found.doors[0].reading), ("Door 1", DoorReading::default()));
    assert!(found.doors[1].capabilities.is_empty(), "not active");
    assert_eq!((found.doors[1].reading.position, found.doors[1].reading.measured), (Some(Position::Open), true));
    assert_eq!((found.doors[1].kind, found.doors[2].kind), (DoorKind::Other, DoorKind::Garage));
}

#[test]
fn no_list_is_not_an_empty_list() {
    for value in [
        json!({}),
        json!({"devices": null}),
        json!({"devices": {}}),
        json!({"devices": [7]}),
        json!({"devices": [{"id": "d", "doors": [7]}]}),
        json!({"data": {}}),
        json!({"success": false}),
    ] {
        assert!(devices(serde_json::from_value(value.clone()).unwrap()).is_none(), "{value}");
    }
    assert!(devices(serde_json::from_value(json!({"devices": []})).unwrap()).unwrap().is_empty());
    let nameless = json!({"id": "d", "doors": [{"name": "x"}]});
    assert_eq!(device(serde_json::from_value(nameless).unwrap()), None);
}

#[test]
fn a_profile_without_its_pin() {
    let user = json!({"id": "u1", "first_name": "Ada", "last_name": "Quill", "email": null, "email_address": "a@b"});
    let settings = json!({"time_zone": "America/Chicago", "pin_code": "canary"});
    let settings = serde_json::from_value(settings).unwrap();
    let record = profile(serde_json::from_value(user).unwrap(), settings).unwrap();
    assert_eq!((record.external_id.as_str(), record.name.as_str()), ("u1", "Ada Quill"));
    let RecordDetails::Profile(details) = &record.details else { unreachable!() };
    assert_eq!((details.email.as_deref(), details.time_zone.as_deref()), (Some("a@b"), Some("America/Chicago")));
    assert!(!format!("{record:?}").contains("canary"));
    assert_eq!(profile(wire::UserInfo::default(), wire::UserSettings::default()), None);
}

#[test]
fn ids_are_the_same_with_and_without_dashes() {
    assert!(same_id("f9e8d7c6-b5a4-9382-7160-f5e4d3c2b1a0", "F9E8D7C6B5A493827160F5E4D3C2B1A0"));
    assert!(!same_id("a", "b"));
}

proptest! {
    #[test]
    fn an_undocumented_text_is_never_an_outcome(message in "[ -~]{0,60}") {
        let documented = message.trim() == "200"
            || message.to_lowercase().contains("can't be found")
            || ["400", "401", "428", "501"].iter().any(|code| message.contains(code));
        prop_assume!(!documented);
        prop_assert_eq!(judged(json!({"success": true, "message": message}), true), None);
    }

    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>(), text in "\\{\"(message|devices|data)\":[\\[\\]{}\"a-z0-9:,]{0,30}\\}") {
        for bytes in [bytes, text.into_bytes()] {
            if let Ok(toggled) = serde_json::from_slice(&bytes) {
                outcome(&toggled, true, str::to_owned);
            }
            if let Ok(sync) = serde_json::from_slice(&bytes) {
                devices(sync).into_iter().flatten().for_each(|it| { device(it); });
            }
        }
    }
}
