use chrono::DateTime;
use serde_json::{Value, json};

use super::*;

fn utc() -> Zone {
    Zone::named(None).unwrap()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

const OPTIONS: ImportOptions =
    ImportOptions { update_existing: true, validate_fails_batch: true, replace_privileges: true, dry_run: false };

fn ada() -> UserPlan {
    UserPlan {
        id_number: "GH-1".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Quill".to_owned(),
        email: Some("ada@example.test".to_owned()),
        phone: Some("+372 555".to_owned()),
        enabled: true,
        access_from: at("2031-03-02T13:00:00Z"),
        access_until: at("2031-03-05T09:00:00Z"),
        access_levels: vec!["574".to_owned()],
        ..UserPlan::default()
    }
}

fn kept_as(change: &[(&str, Value)]) -> wire::User {
    let mut told = json!({
        "id": 9, "id_num": "GH-1", "first_name": "Ada", "last_name": "Quill", "email": "ADA@example.test",
        "phone": "372555", "enabled": true, "access_effective": "2031-03-02T13:00:00.000Z",
        "access_expires": "2031-03-05T09:00:00.000Z", "accesslevels": [{"id": 574}],
    });
    for (name, value) in change {
        told[*name] = value.clone();
    }
    serde_json::from_value(told).unwrap()
}

fn compared(change: &[(&str, Value)], options: ImportOptions) -> (Vec<&'static str>, Vec<&'static str>) {
    let kept = user(&ada(), None, Some(&kept_as(change)), options, utc());
    assert_eq!(kept.external_id.as_deref(), Some("9"));
    (kept.differs, kept.untold)
}

#[test]
fn what_is_kept_as_wished_and_what_is_not() {
    assert_eq!(compared(&[], OPTIONS), (vec![], vec![]));
    for (name, value, field) in [
        ("accesslevels", json!([]), "accessLevels"),
        ("accesslevels", json!([{"id": 574}, {"id": 1}]), "accessLevels"),
        ("access_expires", json!("2031-03-05T11:00:00.000Z"), "accessUntil"),
        ("access_expires", json!(""), "accessUntil"),
        ("access_effective", json!("soon"), "accessFrom"),
        ("enabled", json!("false"), "enabled"),
        ("last_name", json!("Quil"), "lastName"),
        ("id_num", json!("GH-2"), "idNumber"),
    ] {
        assert_eq!(compared(&[(name, value)], OPTIONS), (vec![field], vec![]));
    }
    assert_eq!(compared(&[("accesslevels", json!(null))], OPTIONS), (vec![], vec!["accessLevels"]));
    let added = ImportOptions { replace_privileges: false, ..OPTIONS };
    assert_eq!(compared(&[("accesslevels", json!([{"id": 574}, {"id": 1}]))], added), (vec![], vec![]));
    assert_eq!(compared(&[("accesslevels", json!([{"id": 1}]))], added).0, ["accessLevels"]);
}

#[test]
fn a_registration_key_and_a_sealed_card_number_are_compared_where_they_were_sent() {
    let secret = UserSecret { credential_key: Some("1".to_owned()), card_number: Some("1".to_owned()), pin: None };
    let keyed = UserPlan { has_credential_key: true, ..ada() };
    let tagged = UserPlan { has_card_number: true, card_number: None, ..ada() };
    for (plan, member, field) in [(keyed, "credential_key", "credentialKey"), (tagged, "card_num", "cardNumber")] {
        let compared =
            |told: &str| user(&plan, Some(&secret), Some(&kept_as(&[(member, json!(told))])), OPTIONS, utc());
        assert!(compared("1").is_as_wished());
        assert_eq!(compared("2").differs, [field]);
        let unsealed = user(&plan, None, Some(&kept_as(&[(member, json!("2"))])), OPTIONS, utc());
        assert!(unsealed.is_as_wished(), "what cannot be opened is not compared");
    }
    assert!(
        user(&ada(), Some(&secret), Some(&kept_as(&[("credential_key", json!("2"))])), OPTIONS, utc()).is_as_wished()
    );
}

#[test]
fn a_vendor_in_another_zone_is_noticed() {
    let tallinn = Zone::named(Some("Europe/Tallinn")).unwrap();
    assert!(user(&ada(), None, Some(&kept_as(&[])), OPTIONS, tallinn).is_as_wished());
    // It took 15:00 for UTC.
    let shifted = kept_as(&[("access_effective", json!("2031-03-02T15:00:00.000Z"))]);
    assert_eq!(user(&ada(), None, Some(&shifted), OPTIONS, tallinn).differs, ["accessFrom"]);
}

#[test]
fn people_are_found_by_number_then_id_then_email() {
    let all = [
        kept_as(&[("id", json!(1)), ("id_num", json!("other"))]),
        kept_as(&[("id", json!(2)), ("id_num", json!("")), ("email", json!(""))]),
        kept_as(&[("id", json!(3))]),
    ];
    let id = |plan: &UserPlan, users: &[wire::User]| person(plan, users).and_then(|user| user.id.clone());
    assert_eq!(id(&ada(), &all).as_deref(), Some("3"));
    let known = UserPlan { external_id: Some("2".to_owned()), ..ada() };
    assert_eq!(id(&known, &all[..2]).as_deref(), Some("2"));
    assert_eq!(id(&ada(), &all[..2]).as_deref(), Some("1"), "Lockt matches by e-mail too");
    assert_eq!(id(&UserPlan { email: None, ..ada() }, &all[..2]), None);
}

#[test]
fn what_a_look_concludes() {
    let made = Kept { external_id: Some("1".to_owned()), ..Kept::default() };
    let other = Kept { differs: vec!["enabled"], ..made.clone() };
    let dark = Kept { untold: vec!["accessLevels"], ..made.clone() };
    let missing = Kept::missing();
    let two = |one: &Kept, other: &Kept| [one.clone(), other.clone()];
    assert_eq!(finding(&two(&made, &made)), Finding::Made);
    assert_eq!(finding(&two(&missing, &other)), Finding::Absent);
    assert_eq!(finding(&two(&made, &missing)), Finding::Unclear);
    assert_eq!(finding(&two(&made, &dark)), Finding::Unclear);
    assert_eq!(finding(&two(&missing, &dark)), Finding::Unclear);

    let plans = [ada(), ada()];
    let found = |kept: [Kept; 2], options| finding_of_import(&kept, &plans, options);
    assert_eq!(found(two(&made, &made), OPTIONS), Finding::Made);
    let leaving = ImportOptions { update_existing: false, ..OPTIONS };
    assert_eq!(found(two(&other, &made), leaving), Finding::Made, "whoever was there is left alone");
    assert_eq!(found(two(&made, &missing), leaving), Finding::Absent, "all or none");
    let partly = ImportOptions { validate_fails_batch: false, ..leaving };
    assert_eq!(found(two(&made, &missing), partly), Finding::Unclear);
    assert_eq!(found(two(&missing, &missing), partly), Finding::Absent);

    let pin =
        |external_id: Option<&str>| UserPlan { has_pin: true, external_id: external_id.map(str::to_owned), ..ada() };
    let of = |plan: UserPlan| finding_of_import(std::slice::from_ref(&made), &[plan], OPTIONS);
    assert_eq!(of(pin(Some("1"))), Finding::Unclear, "nobody can see whether the new PIN was set");
    assert_eq!(of(pin(None)), Finding::Made);
}

#[test]
fn fobs_are_compared_with_holder_and_period() {
    let fob = |change: &[(&str, Value)]| {
        let mut told = json!({"id": 5, "id_num": "F-1", "name": "Fob 1", "card_num": "5599"});
        for (name, value) in change {
            told[*name] = value.clone();
        }
        serde_json::from_value::<wire::Fob>(told).unwrap()
    };
    let plan = FobPlan {
        id_number: "F-1".to_owned(),
        name: "Fob 1".to_owned(),
        card_number: "5599".to_owned(),
        access_from: None,
        access_until: None,
    };
    assert!(new_fob(&plan, planned_fob(&plan, &[fob(&[])]), utc()).is_as_wished());
    let theirs = [fob(&[("id_num", json!("F-2"))])];
    assert_eq!(new_fob(&plan, planned_fob(&plan, &theirs), utc()).differs, ["idNumber"], "found by its card");
    let numberless = [fob(&[("id_num", json!(""))])];
    assert_eq!(new_fob(&plan, planned_fob(&plan, &numberless), utc()).untold, ["idNumber"]);
    assert_eq!(new_fob(&plan, None, utc()), Kept::missing());

    let assignment = FobAssignment {
        fob: "5".to_owned(),
        user: "7".to_owned(),
        access_from: None,
        access_until: at("2031-03-05T09:00:00Z"),
    };
    let ends = [fob(&[("access_expires", json!("2031-03-05T09:00:00Z"))])];
    let held_by = |user: i64| {
        [serde_json::from_value::<wire::Credential>(json!({"id": 88, "card_num": "5599", "user": [{"id": user}]}))
            .unwrap()]
    };
    assert!(assigned_fob(&assignment, &ends, &held_by(7), utc()).is_as_wished());
    assert_eq!(assigned_fob(&assignment, &ends, &held_by(8), utc()).differs, ["user"]);
    assert_eq!(assigned_fob(&assignment, &ends, &[], utc()).untold, ["user"]);
    assert_eq!(assigned_fob(&assignment, &[fob(&[])], &held_by(7), utc()).differs, ["accessUntil"]);
    assert_eq!(assigned_fob(&assignment, &[], &[], utc()), Kept::missing());
}
