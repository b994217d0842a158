use domain::{change::TokenPermissions, record::TokenType};

use super::*;
use crate::testing::noon;

fn plan() -> AccessTokenPlan {
    AccessTokenPlan {
        reservation: "r-1".to_owned(),
        companionship: None,
        resource: Some("room-1".to_owned()),
        token_type: TokenType::PinCode,
        serial_number: "ours".to_owned(),
        valid_from: noon(),
        valid_until: noon() + TimeDelta::days(2),
        permissions: TokenPermissions { room: true, ..TokenPermissions::default() },
    }
}

/// A token as planned, made when it was first sent.
fn planned() -> wire::Token {
    wire::Token {
        id: Some("t-1".to_owned()),
        service_order_id: Some("r-1".to_owned()),
        resource_id: Some("room-1".to_owned()),
        kind: Some("PinCode".to_owned()),
        value: Some(Secret::new("4711")),
        serial_number: Some("ours".to_owned()),
        validity_start_utc: Some(noon()),
        validity_end_utc: Some(noon() + TimeDelta::days(2)),
        permissions: Some(wire::Permissions { room: Some(true), ..wire::Permissions::default() }),
        is_active: Some(true),
        created_utc: Some(noon()),
        ..wire::Token::default()
    }
}

fn before() -> Option<Timestamp> {
    Some(noon() - TimeDelta::minutes(6))
}

fn look(tokens: Vec<wire::Token>) -> String {
    match addition(tokens, &plan(), Some(&Secret::new("4711")), Some(noon())) {
        Seen::Made(token) => format!("made {}", token.id.unwrap()),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_token_as_planned_was_made_whoever_made_it() {
    assert_eq!(look(vec![planned()]), "made t-1");
    assert_eq!(look(vec![wire::Token { created_utc: before(), ..planned() }]), "made t-1");
    let soon = Some(noon() + TimeDelta::seconds(30));
    assert_eq!(look(vec![wire::Token { validity_start_utc: soon, ..planned() }]), "made t-1", "to the minute");
}

#[test]
fn what_is_somebody_else_s_proves_nothing() {
    let others = [
        wire::Token { serial_number: Some("theirs".to_owned()), ..planned() },
        wire::Token { serial_number: None, ..planned() },
        wire::Token { resource_id: Some("room-2".to_owned()), ..planned() },
        wire::Token { kind: Some("RfidTag".to_owned()), ..planned() },
        wire::Token { service_order_id: Some("r-2".to_owned()), ..planned() },
    ];
    for other in others {
        assert_eq!(look(vec![other]), "Absent");
    }
    assert_eq!(look(Vec::new()), "Absent");
}

#[test]
fn a_deleted_token_was_made_only_if_it_is_young_enough() {
    let deleted = wire::Token { is_active: Some(false), ..planned() };
    assert_eq!(look(vec![deleted.clone()]), "made t-1");
    assert_eq!(look(vec![wire::Token { created_utc: before(), ..deleted }]), "Absent");
}

#[test]
fn one_with_our_mark_that_was_changed_is_unclear_unless_it_is_older() {
    let changed = wire::Token { value: Some(Secret::new("0815")), ..planned() };
    assert_eq!(look(vec![changed.clone()]), "Unclear");
    assert_eq!(look(vec![wire::Token { created_utc: None, ..changed.clone() }]), "Unclear");
    assert_eq!(look(vec![wire::Token { created_utc: before(), ..changed.clone() }]), "Absent", "the one before it");
    let second = wire::Token { id: Some("t-2".to_owned()), ..planned() };
    assert_eq!(look(vec![changed, second]), "made t-2");
}

#[test]
fn of_two_the_one_that_counts_and_is_older() {
    let deleted = wire::Token { id: Some("t-0".to_owned()), is_active: Some(false), ..planned() };
    let later =
        wire::Token { id: Some("t-2".to_owned()), created_utc: Some(noon() + TimeDelta::hours(1)), ..planned() };
    assert_eq!(look(vec![later, deleted, planned()]), "made t-1");
}

#[test]
fn what_differs_is_named() {
    let other = wire::Token { permissions: None, validity_end_utc: None, value: None, ..planned() };
    let value = Secret::new("4711");
    assert_eq!(differing_from_plan(&other, &plan(), Some(&value)), ["end", "set of permissions", "value"]);
    assert!(differing_from_update(&other, &AccessTokenUpdate::default(), Some(&value)).is_empty());
}
