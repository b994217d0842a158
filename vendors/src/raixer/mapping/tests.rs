use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const DEVICE: &str = include_str!("../fixtures/device.json");
const DOORS: &str = include_str!("../fixtures/doors.json");
const OPEN_ONE: &str = include_str!("../fixtures/open_one.json");
const OPEN_TWO: &str = include_str!("../fixtures/open_two.json");

fn judged(json: &str) -> Result<Receipt, VendorError> {
    receipt(serde_json::from_str(json).unwrap(), str::to_owned)
}

fn with_status(status: &str, message: &str) -> Result<Receipt, VendorError> {
    judged(&json!([{"status": status, "msg": message}]).to_string())
}

fn positions_of(ports: &[Value]) -> Vec<(i32, bool)> {
    let doors: Vec<wire::Door> =
        ports.iter().map(|port| serde_json::from_value(json!({"_id": "d", "port": port})).unwrap()).collect();
    positions(&doors)
}

#[test]
fn the_documents_own_device_and_door() {
    let found = device(serde_json::from_str(DEVICE).unwrap(), None, serde_json::from_str(DOORS).unwrap()).unwrap();
    assert_eq!((found.external_id.as_str(), found.name.as_str()), ("edcba54321", "lorem_ipsum"));
    assert_eq!((found.model.as_str(), found.firmware.as_deref()), ("intercom", Some("v2")));
    assert_eq!((found.health, found.location.as_str()), (Health::Healthy, ""));
    let door = &found.doors[0];
    assert_eq!((door.external_id.as_str(), door.name.as_str()), ("abcde54321", "Street"));
    assert_eq!((door.kind, door.position), (DoorKind::Door, 2), "the first port is the right one");
    assert_eq!(door.capabilities, BTreeSet::from([CommandKind::OpenDoor]));
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
    let found = device(serde_json::from_str(DEVICE).unwrap(), None, serde_json::from_value(doors).unwrap()).unwrap();
    assert!(found.doors.iter().all(|door| door.capabilities.is_empty()));
}

#[test]
fn odd_devices() {
    let odd = |value: Value, name| device(serde_json::from_value(value).unwrap(), name, Vec::new());
    assert_eq!(odd(json!({"_id": 5, "online": "false"}), Some("Street 1")).unwrap().name, "Street 1");
    assert_eq!(odd(json!({"_id": 5, "online": "false"}), None).unwrap().health, Health::Offline);
    assert_eq!(odd(json!({"_id": "5", "online": null, "type": []}), None).unwrap().health, Health::Unknown);
    assert_eq!(odd(json!({"name": "no id"}), None), None);
    let nameless = serde_json::from_value(json!([{"_id": null}])).unwrap();
    assert_eq!(device(serde_json::from_str(DEVICE).unwrap(), None, nameless), None, "left out it would look removed");
}

#[test]
fn one_success_for_one_door() {
    let receipt = judged(OPEN_ONE).unwrap();
    assert_eq!(receipt.answer, Answer::Succeeded { evidence: Evidence::VendorAck });
    assert_eq!(receipt.notes[0].text, "The action openDoor was executed successfully");
}

#[test]
fn none_or_more_than_was_asked_is_not_known() {
    assert!(matches!(judged(OPEN_TWO), Err(VendorError::Protocol { .. })));
    assert!(matches!(judged("[]"), Err(VendorError::Protocol { .. })));
}

#[test]
fn a_failure_is_one_unless_somebody_only_stopped_waiting() {
    for word in ["error", "fail", "failed", "FAILURE"] {
        let rejected = with_status(word, "The device said no");
        assert!(matches!(rejected, Err(VendorError::Rejected { code: FailureCode::DeviceError, .. })));
    }
    assert!(matches!(with_status("error", "Timed out."), Err(VendorError::Indeterminate { .. })));
    assert!(matches!(judged("[{}]"), Err(VendorError::Protocol { .. })));
}

proptest! {
    #[test]
    fn an_unknown_word_is_never_terminal(word in "[A-Za-z_ ]{0,12}") {
        let known = ["SUCCESS", "ERROR", "FAIL", "FAILED", "FAILURE"];
        prop_assume!(!known.contains(&word.trim().to_ascii_uppercase().as_str()));
        let is_unknown = matches!(with_status(&word, "x"), Err(VendorError::Protocol { .. }));
        prop_assert!(is_unknown);
    }

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
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        if let Ok(openings) = serde_json::from_slice(&bytes) {
            let succeeded = receipt(openings, str::to_owned).is_ok();
            prop_assert!(!succeeded);
        }
        if let Ok(found) = serde_json::from_slice(&bytes) {
            device(found, None, Vec::new());
        }
    }
}
