use chrono::DateTime;

use super::*;

const DOCUMENTED: &str = include_str!("../fixtures/import_order.json");
const ASSIGNMENT: &str = include_str!("../fixtures/assignment_order.json");

fn utc() -> Zone {
    Zone::named(None).unwrap()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

fn body(batch: &Batch) -> Value {
    serde_json::from_slice(&batch.body).unwrap()
}

const OPTIONS: ImportOptions =
    ImportOptions { update_existing: true, validate_fails_batch: false, replace_privileges: true, dry_run: false };

fn toby() -> UserPlan {
    UserPlan {
        id_number: "ABC123".to_owned(),
        external_id: Some("4432".to_owned()),
        first_name: "Toby".to_owned(),
        last_name: "Peters".to_owned(),
        email: Some("toby.peters@web.place".to_owned()),
        phone: Some("33344455555".to_owned()),
        card_number: Some("8769".to_owned()),
        enabled: true,
        access_levels: vec!["123".to_owned(), "789".to_owned()],
        has_credential_key: true,
        ..UserPlan::default()
    }
}

/// As in the document's sample.
fn empty_key() -> UserSecrets {
    secrets(Some(&Secret::new("{\"ABC123\":{\"credentialKey\":\"\"}}"))).unwrap()
}

#[test]
fn people_in_the_documents_own_words_and_types() {
    let mut documented: Value = serde_json::from_str(DOCUMENTED).unwrap();
    documented["users"].as_array_mut().unwrap().truncate(1);
    let batch = users(&[toby()], OPTIONS, &empty_key(), utc()).unwrap();
    assert_eq!(body(&batch), documented, "texts, numbers and words as in the sample");
    assert!(!batch.whole);
}

#[test]
fn every_option_is_always_said() {
    let options =
        ImportOptions { update_existing: false, validate_fails_batch: true, replace_privileges: false, dry_run: false };
    let batch = users(&[toby()], options, &empty_key(), utc()).unwrap();
    let said = json!({"update_existing": "false", "validate_fails_batch": "true", "replace_privileges": "false"});
    assert_eq!(body(&batch)["options"], said);
    assert!(batch.whole);
    assert_eq!(body(&doors(&["Door 1".to_owned()]).unwrap())["options"], json!({"validate_fails_batch": "true"}));
}

#[test]
fn somebody_new_with_a_period_and_a_pin() {
    let plan = UserPlan {
        id_number: "GH-1".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Quill".to_owned(),
        access_from: at("2031-03-02T13:00:00Z"),
        access_until: at("2031-03-05T09:00:00Z"),
        has_pin: true,
        ..UserPlan::default()
    };
    let tallinn = Zone::named(Some("Europe/Tallinn")).unwrap();
    let both = "{\"GH-1\":{\"pin\":\"0986\",\"credentialKey\":\"KEY-1\"},\"GH-2\":{\"pin\":\"1\"}}";
    let held = secrets(Some(&Secret::new(both))).unwrap();
    let batch = users(std::slice::from_ref(&plan), OPTIONS, &held, tallinn).unwrap();
    let expected = json!({
        "id": -1, "id_num": "GH-1", "first_name": "Ada", "last_name": "Quill", "enabled": "false", "accesslevels": [],
        "access_effective": "2031-03-02 15:00:00", "access_expires": "2031-03-05 11:00:00", "pin": "0986",
    });
    assert_eq!(body(&batch)["users"], json!([expected]), "what is not given is not said");
    assert_eq!(batch.hidden, [Secret::new("0986")]);
    let keyed = UserPlan { has_credential_key: true, ..plan.clone() };
    let batch = users(std::slice::from_ref(&keyed), OPTIONS, &held, tallinn).unwrap();
    assert_eq!(body(&batch)["users"][0]["credential_key"], "KEY-1");
    assert_eq!(batch.hidden, [Secret::new("KEY-1"), Secret::new("0986")]);
    let tagged = UserPlan { has_card_number: true, has_pin: false, ..plan.clone() };
    let tag = secrets(Some(&Secret::new("{\"GH-1\":{\"cardNumber\":\"0047119\"}}"))).unwrap();
    let batch = users(std::slice::from_ref(&tagged), OPTIONS, &tag, tallinn).unwrap();
    assert_eq!(
        (&body(&batch)["users"][0]["card_num"], &body(&batch)["users"][0]["pin"]),
        (&json!("0047119"), &Value::Null)
    );
    assert_eq!(batch.hidden, [Secret::new("0047119")]);
    assert!(users(std::slice::from_ref(&tagged), OPTIONS, &held, tallinn).is_err(), "its number is missing");
    for secret in [None, Some(Secret::new("{}")), Some(Secret::new("{\"GH-1\":\"0986\"}"))] {
        let refused = secrets(secret.as_ref())
            .and_then(|held| users(std::slice::from_ref(&plan), OPTIONS, &held, tallinn))
            .err()
            .unwrap();
        assert!(matches!(&refused, VendorError::Rejected { code: FailureCode::Malformed, .. }));
        assert!(!refused.to_string().contains("0986"));
    }
}

#[test]
fn fobs_in_the_documents_own_words() {
    let assignment = FobAssignment {
        fob: "613297".to_owned(),
        user: "613188".to_owned(),
        access_from: at("2022-06-10T05:00:00Z"),
        access_until: at("2022-06-10T08:00:00Z"),
    };
    let documented: Value = serde_json::from_str(ASSIGNMENT).unwrap();
    assert_eq!(body(&assigned_fobs(&[assignment], utc()).unwrap()), documented);
    let plan = FobPlan {
        id_number: "ABC123".to_owned(),
        name: "Fob 1".to_owned(),
        card_number: "5599".to_owned(),
        access_from: None,
        access_until: None,
    };
    let expected = json!({"fobs": [{
        "name": "Fob 1", "id_num": "ABC123", "card_num": "5599", "access_effective": "", "access_expires": "",
    }]});
    assert_eq!(body(&new_fobs(&[plan], utc()).unwrap()), expected);
    let reissue = reissued(&["335".to_owned()]).unwrap();
    assert_eq!(body(&reissue), json!({"credentials": [{"id": 335}]}));
}

#[test]
fn what_lockt_would_misread_is_not_sent() {
    let malformed = |result: Result<Batch, VendorError>| {
        matches!(result, Err(VendorError::Rejected { code: FailureCode::Malformed, .. }))
    };
    let names: Vec<String> = (0..=100).map(|number| number.to_string()).collect();
    assert!(malformed(doors(&names)) && malformed(doors(&[])) && doors(&names[..100]).is_ok());
    assert!(malformed(reissued(&["three".to_owned()])));
    let odd_level = UserPlan { access_levels: vec!["all".to_owned()], ..toby() };
    assert!(malformed(users(&[odd_level], OPTIONS, &empty_key(), utc())));
    let (from, until) = (at("2031-03-02T13:00:00.1Z"), at("2031-03-02T13:00:00.9Z"));
    let too_short = UserPlan { access_from: from, access_until: until, ..toby() };
    assert!(malformed(users(&[too_short], OPTIONS, &empty_key(), utc())), "no second is left of it");
}
