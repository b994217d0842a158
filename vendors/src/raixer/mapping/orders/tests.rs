use serde_json::{Value, json};

use super::*;
use crate::testing::noon;

fn sent(body: &impl serde::Serialize) -> Value {
    serde_json::to_value(body).unwrap()
}

#[test]
fn only_what_the_document_recommends_for_direct_use() {
    assert_eq!(function("lastMove", None), Ok(Function { argument: None, returns: None }));
    assert!(function("lastMove", Some("1")).is_err());
    assert_eq!(function("alarm", Some("infinite")), Ok(Function { argument: Some("infinite"), returns: Some(1) }));
    for name in ["alarm", "offlineAA", "alwaysActive", "invertSensor", "waitBells", "waitBells2"] {
        assert_eq!(function(name, Some("0")), Ok(Function { argument: Some("0"), returns: Some(0) }), "{name}");
        assert!(
            function(name, None).is_err() && function(name, Some("")).is_err() && function(name, Some("2")).is_err()
        );
    }
    assert!(function("offlineAA", Some("infinite")).is_err());
    for name in [
        "relay",
        "relay2",
        "solenoid",
        "cut",
        "cut2",
        "state",
        "add",
        "intercom",
        "openDoor",
        "openDoor2",
        "openDoor3",
        "calibrate",
        "calibrate2",
        "getRestMean",
        "getRestMean2",
        "getMean",
        "getMean2",
        "getTol",
        "getTol2",
        "setValues",
        "setValues2",
        "activate",
        "changeMode",
        "resetMemory",
        "abcd",
        "",
    ] {
        assert!(matches!(function(name, None), Err(VendorError::Unsupported { .. })), "{name}");
        assert!(matches!(function(name, Some("1")), Err(VendorError::Unsupported { .. })), "{name}");
    }
}

#[test]
fn a_door_in_the_documents_own_words() {
    let settings = DoorSettings {
        name: Some("Lorem".to_owned()),
        usage: Some(DoorUse::Street),
        port: Some(PortSide::Right),
        sensor_mode: Some(SensorMode::Bell),
        opening_value: Some(6500.0),
        tolerance: Some(0.5),
        max_openings: Some(4),
        wait_time_first: Some(1500),
        two_openings: Some(true),
        must_call_bell_first: Some(true),
        intercom_call_first: Some(false),
        intercom_enable_auto_access: Some(true),
    };
    assert_eq!(
        sent(&door("dev", &settings)),
        json!({"deviceId": "dev", "openingValue": 6500, "tolerance": 0.5, "maxOpenings": 4, "waitTimeFirst": 1500,
            "twoOpenings": true, "mustCallBellFirst": true, "intercomCallFirst": false,
            "intercomEnableAutoAccess": true, "sensorMode": "bell", "name": "Lorem", "port": "right", "use": "street"})
    );
    let partly = DoorSettings { sensor_mode: Some(SensorMode::OpeningSensor), ..DoorSettings::default() };
    assert_eq!(sent(&door("dev", &partly)), json!({"deviceId": "dev", "sensorMode": "openingSensor"}));
    assert!(is_met(&partly, &DoorSettings { sensor_mode: Some(SensorMode::OpeningSensor), ..settings.clone() }));
    assert!(!is_met(&partly, &settings));
    assert!(is_met(&settings, &settings) && is_met(&DoorSettings::default(), &settings));
}

#[test]
fn a_schedule_in_the_documents_own_words() {
    let body = sent(&schedule("abcde12345", noon(), 3, "2"));
    assert_eq!(
        body,
        json!({"campaignId": "abcde12345", "time": 3, "schedule": 1_930_219_200_000_i64, "doorPort": "2"})
    );
}

#[test]
fn an_address_is_sent_as_a_whole() {
    let wished = Address { city: Some("Madrid".to_owned()), tax_id: Some("X1".to_owned()), ..Address::default() };
    let held = wire::Address { city: Some("City".into()), zip: Some("12345".into()), ..wire::Address::default() };
    let profile = AccountProfile { address: Some(wished.clone()), ..AccountProfile::default() };
    let body = sent(&user(&profile, Some(&held)));
    assert_eq!(body, json!({"address": {"address": "X1", "city": "Madrid", "zip": "12345"}}));
    assert!(is_met_by(&wished, &wished) && !is_met_by(&wished, &Address::default()));
}

#[test]
fn alarms() {
    assert_eq!(movement_alarm(MovementAlarm::Once), ("1", 1));
    assert_eq!(movement_alarm(MovementAlarm::Always), ("infinite", 1));
    assert_eq!(movement_alarm(MovementAlarm::Off), ("0", 0));
}
