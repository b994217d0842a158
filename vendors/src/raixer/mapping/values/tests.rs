use proptest::prelude::*;

use super::*;
use crate::raixer::testing::fixture;

fn value_of(name: &str, result: Value) -> Value {
    variable(name, &wire::Variable { result: Some(result), core_info: None }, str::to_owned)["value"].clone()
}

#[test]
fn the_documents_own_status_has_six_parts() {
    let told: wire::Variable = serde_json::from_str(fixture!("status")).unwrap();
    let read = variable("status", &told, str::to_owned);
    assert_eq!(
        read,
        json!({
            "variable": "status",
            "value": {"listening": false, "userId": null, "listeningSince": null,
                "poweredOnAt": "2018-09-19T16:57:57Z", "intercom": true, "autoOpenings": 0},
            "connected": true,
            "lastHeardAt": "2018-09-19T16:33:50.372Z",
            "lastHandshakeAt": "2018-09-19T16:18:56.144Z",
        })
    );
    let listening = Status::parse("1,user-1,1537376000,1537376277,0,4").unwrap();
    assert_eq!((listening.listening, listening.openings), (true, Some(4)));
    assert_eq!(listening.user.as_deref(), Some("user-1"));
    assert_eq!(listening.listening_since.unwrap().timestamp(), 1_537_376_000);
    for odd in ["", "1", "1,,0,0,1", "1,,0,0,1,0,0", "yes,,0,0,1,0"] {
        assert_eq!(Status::parse(odd), None, "{odd}");
        assert_eq!(value_of("status2", json!(odd)), json!(odd), "it is shown as it came");
    }
}

#[test]
fn values_by_their_documented_types() {
    assert_eq!(value_of("openValue", json!("7500")), json!(7500));
    assert_eq!(value_of("doorIsOpen", json!(1)), json!(1), "some sensors are inverted");
    assert_eq!(value_of("timeValid", json!("True")), json!(true));
    assert_eq!(value_of("lastMovement", json!("1537376277")), json!("2018-09-19T16:57:57Z"));
    assert_eq!(value_of("lastMovement", json!(1_537_376_277_000_i64)), json!("2018-09-19T16:57:57Z"));
    assert_eq!(value_of("lastMovement", json!(0)), Value::Null);
    let told: wire::Variable = serde_json::from_str(fixture!("variable")).unwrap();
    assert_eq!(variable("variable_name", &told, str::to_owned)["value"], json!("variable_result"));
    assert_eq!(value_of("x", json!([true])), json!([true]));
    let on = |result: Value| switch(&wire::Variable { result: Some(result), core_info: None });
    assert_eq!((on(json!(1)), on(json!("0")), on(json!(2)), on(json!("x"))), (Some(true), Some(false), None, None));
}

#[test]
fn what_the_cloud_knows() {
    let told: wire::Information = serde_json::from_str(fixture!("information")).unwrap();
    let read = information(&told, str::to_owned);
    assert_eq!((&read["connected"], &read["lastHeardAt"]), (&json!(true), &json!("2018-09-19T16:23:52.658Z")));
    assert_eq!(read["systemFirmwareVersion"], json!("0.8.0-rc.10"));
    assert_eq!(read["functions"], json!(["function_name"]));
    assert_eq!(read["variables"], json!({"variable_name": "variable_type"}));
    let echo: wire::Information = serde_json::from_value(json!({"notes": "canary", "groups": ["canary"]})).unwrap();
    let read = information(&echo, |words| words.replace("canary", "***"));
    assert!(!read.to_string().contains("canary"));
}

proptest! {
    #[test]
    fn no_values_panic(number in any::<f64>(), text in "[0-9,a-z]{0,40}", name in "[a-zA-Z0-9]{0,12}") {
        whole(number);
        instant_of_milliseconds(number);
        value_of(&name, json!(text));
        value_of("lastMovement", json!(text));
        value_of("status", json!(text));
        value_of(&name, json!(number));
    }
}
