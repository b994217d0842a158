use domain::{
    change::{AccountProfile, AutoAccessOptions, DeviceAccessPlan, DoorSettings, PortSide, SensorSettings},
    command::Answer,
    record::RecordRef,
};
use serde_json::Value;

use super::*;
use crate::{
    raixer::testing::{fixture, lines, look_for},
    testing::{Reaction, json as answer, noon},
};

/// Before and after the sending at noon, further than clocks are apart.
const BEFORE: &str = "2031-03-02T11:50:00.000Z";
const AFTER: &str = "2031-03-02T12:00:01.000Z";

/// What a look brought: made, absent or unclear.
async fn trace(change: Change, reactions: Vec<Reaction>) -> &'static str {
    match look_for(change, reactions).await.0.unwrap() {
        Trace::Made(receipt) => {
            assert!(matches!(receipt.answer, Answer::Succeeded { .. }));
            "made"
        }
        Trace::Absent => "absent",
        Trace::Unclear => "unclear",
    }
}

async fn receipt(change: Change, reactions: Vec<Reaction>) -> ChangeReceipt {
    let Trace::Made(receipt) = look_for(change, reactions).await.0.unwrap() else { panic!("not made") };
    *receipt
}

fn told(value: &Value) -> Vec<Reaction> {
    vec![answer(200, &value.to_string())]
}

#[tokio::test]
async fn listening_that_began_after_the_sending_was_ours() {
    let start = || {
        let options = AutoAccessOptions {
            minutes: 3,
            opening_value: None,
            tolerance: None,
            max_openings: None,
            wait_time_first: None,
        };
        Change::StartAutoAccess(options)
    };
    let status = |listening: u8, since: i64| told(&json!({"result": format!("{listening},u,{since},1,1,0")}));
    let sent = noon().timestamp();
    assert_eq!(trace(start(), status(1, sent)).await, "made", "whole seconds are rounded down");
    assert_eq!(trace(start(), status(1, sent - 1)).await, "unclear");
    assert_eq!(trace(start(), status(0, 0)).await, "unclear", "it may have ended already");
    assert_eq!(trace(start(), told(&json!({"result": "odd"}))).await, "unclear");
    assert_eq!(trace(start(), vec![answer(403, "")]).await, "unclear");
    assert_eq!(trace(Change::StopAutoAccess, status(0, 0)).await, "made");
    assert_eq!(trace(Change::StopAutoAccess, status(1, sent)).await, "absent");
    let (_, server) = look_for(start(), status(1, sent)).await;
    assert_eq!(lines(&server), ["GET /devices/edcba54321/variable/status2"]);
}

#[tokio::test]
async fn modes_are_levels_to_end_and_edges_to_begin() {
    let device = |flag: Value, updated: &str| {
        let owned = json!([{"_id": "edcba54321", "updated": updated, "autoAccessAlwaysActive": flag}]);
        vec![answer(200, &owned.to_string()), answer(200, "[]")]
    };
    let active = |active: bool| Change::SetAutoAccessAlwaysActive { active };
    assert_eq!(trace(active(false), device(json!(false), BEFORE)).await, "made");
    assert_eq!(trace(active(false), device(json!(true), BEFORE)).await, "absent");
    assert_eq!(trace(active(false), device(json!(null), BEFORE)).await, "unclear");
    assert_eq!(trace(active(true), device(json!(true), AFTER)).await, "made");
    assert_eq!(trace(active(true), device(json!(true), BEFORE)).await, "unclear");
    assert_eq!(trace(active(true), device(json!(false), AFTER)).await, "unclear", "it may have been ended since");
    assert_eq!(trace(Change::SetOfflineAutoAccess { active: false }, device(json!(false), AFTER)).await, "unclear");
    let alarm = |alarm: MovementAlarm| Change::SetMovementAlarm { alarm };
    assert_eq!(trace(alarm(MovementAlarm::Off), told(&json!({"result": 0}))).await, "made");
    assert_eq!(trace(alarm(MovementAlarm::Off), told(&json!({"result": 1}))).await, "absent");
    assert_eq!(trace(alarm(MovementAlarm::Once), told(&json!({"result": "0"}))).await, "absent");
    assert_eq!(trace(alarm(MovementAlarm::Once), told(&json!({"result": 1}))).await, "unclear");
}

#[tokio::test]
async fn what_leaves_nothing_behind() {
    let variable = Change::ReadDeviceVariable { variable: "status".to_owned() };
    assert_eq!(trace(variable, Vec::new()).await, "absent");
    let function = Change::ExecuteDeviceFunction { function: "lastMove".to_owned(), argument: None };
    assert_eq!(trace(function, Vec::new()).await, "unclear");
    let known = |id: &str| vec![answer(200, &json!([{"_id": id}]).to_string()), answer(200, "[]")];
    assert_eq!(trace(Change::RemoveDevice, known("other")).await, "made");
    assert_eq!(trace(Change::RemoveDevice, known("edcba54321")).await, "absent");
}

#[tokio::test]
async fn doors_by_what_they_are() {
    let named = |name: &str| DoorSettings { name: Some(name.to_owned()), ..DoorSettings::default() };
    let listed = |created: Value| told(&json!([{"_id": "d9", "name": "Yard", "created": created}]));
    let create = || Change::CreateDoor(named("Yard"));
    let made = receipt(create(), listed(json!(AFTER))).await;
    assert_eq!(made.result, Some(json!({"externalId": "d9"})));
    assert_eq!(trace(create(), listed(json!(BEFORE))).await, "absent", "somebody else's of that name");
    assert_eq!(trace(create(), listed(json!(null))).await, "unclear");
    assert_eq!(trace(Change::CreateDoor(named("Other")), listed(json!(AFTER))).await, "absent");
    let doors = || vec![answer(200, fixture!("doors"))];
    assert_eq!(trace(Change::UpdateDoor(named("Street")), doors()).await, "made");
    assert_eq!(trace(Change::UpdateDoor(named("Yard")), doors()).await, "absent");
    assert_eq!(trace(Change::DeleteDoor, doors()).await, "absent");
    assert_eq!(trace(Change::DeleteDoor, listed(json!(AFTER))).await, "made");
    assert_eq!(trace(Change::SetAnyCallerAccess { enabled: false }, doors()).await, "made");
    assert_eq!(trace(Change::SetPhoneAccess { enabled: false }, doors()).await, "absent");
    assert_eq!(trace(Change::SetPhoneAccess { enabled: true }, doors()).await, "unclear", "so since before");
    let since = || told(&json!([{"_id": "abcde54321", "callingEnabled": true, "updated": AFTER}]));
    assert_eq!(trace(Change::SetPhoneAccess { enabled: true }, since()).await, "made");
    assert_eq!(trace(Change::SetAnyCallerAccess { enabled: true }, since()).await, "unclear");
    assert_eq!(trace(Change::DeleteDoor, vec![answer(403, "")]).await, "unclear");
}

#[tokio::test]
async fn sensors_by_what_they_are() {
    let wished = |name: &str| SensorSettings { name: Some(name.to_owned()), port: Some(PortSide::Left) };
    let listed = |at: &str| told(&json!([{"_id": "s1", "name": "Hall", "port": "left", "created": at}]));
    let made = receipt(Change::CreateSensor(wished("Hall")), listed(AFTER)).await;
    assert_eq!((made.result, made.found.records.len()), (Some(json!({"externalId": "s1"})), 1));
    assert_eq!(trace(Change::CreateSensor(wished("Hall")), listed(BEFORE)).await, "absent");
    assert_eq!(trace(Change::CreateSensor(wished("Attic")), listed(AFTER)).await, "absent");
    let update = |name: &str| Change::UpdateSensor { sensor: "s1".to_owned(), settings: wished(name) };
    assert_eq!(trace(update("Hall"), listed(BEFORE)).await, "made");
    assert_eq!(trace(update("Attic"), listed(BEFORE)).await, "absent");
    let delete = |id: &str| Change::DeleteSensor { sensor: id.to_owned() };
    assert_eq!(trace(delete("s1"), listed(BEFORE)).await, "absent");
    assert_eq!(receipt(delete("s2"), listed(BEFORE)).await.gone[0].external_id, "s2");
}

#[tokio::test]
async fn telephone_numbers() {
    let authorize = |authorized: bool| Change::AuthorizePhone { number: "34600".to_owned(), authorized };
    let listed = |created: Value| told(&json!([{"_id": "p1", "phoneNumber": "+34600", "created": created}, 1]));
    let made = receipt(authorize(false), listed(json!(AFTER))).await;
    assert_eq!((made.result, made.found.records.len()), (Some(json!({"externalId": "p1"})), 1));
    assert_eq!(trace(authorize(true), listed(json!(BEFORE))).await, "absent");
    assert_eq!(trace(authorize(true), listed(json!(null))).await, "unclear");
    assert_eq!(trace(authorize(true), told(&json!([34600]))).await, "made", "on the list, by number");
    assert_eq!(trace(authorize(false), told(&json!([34600]))).await, "unclear", "whether it opens is not told");
    assert_eq!(trace(authorize(true), told(&json!([346001]))).await, "absent");
    let phone = || "p1".to_owned();
    let is = |authorized: Value| told(&json!({"_id": "p1", "authorized": authorized}));
    assert_eq!(trace(Change::SuspendPhone { phone: phone() }, is(json!(false))).await, "made");
    assert_eq!(trace(Change::SuspendPhone { phone: phone() }, is(json!(true))).await, "absent");
    assert_eq!(trace(Change::SuspendPhone { phone: phone() }, is(json!("?"))).await, "unclear");
    assert_eq!(trace(Change::ResumePhone { phone: phone() }, is(json!(true))).await, "made");
    assert_eq!(trace(Change::RemovePhone { phone: phone() }, is(json!(true))).await, "absent");
    assert_eq!(trace(Change::RemovePhone { phone: phone() }, vec![answer(404, "")]).await, "made");
    assert_eq!(trace(Change::ResumePhone { phone: phone() }, vec![answer(404, "")]).await, "unclear");
}

#[tokio::test]
async fn accesses() {
    let grant = || Change::GrantDeviceAccess(DeviceAccessPlan::default());
    let own = |device: &str, at: &str| told(&json!([{"_id": "c1", "deviceId": device, "created": at}]));
    assert_eq!(receipt(grant(), own("edcba54321", AFTER)).await.result, Some(json!({"externalId": "c1"})));
    assert_eq!(trace(grant(), own("edcba54321", BEFORE)).await, "absent");
    assert_eq!(trace(grant(), own("other", AFTER)).await, "absent");

    let record = || AccessHolder::Record("c1".to_owned());
    let email = || AccessHolder::Email("jane.doe@a.b".to_owned());
    let one = |disabled: bool| told(&json!({"_id": "c1", "disabled": disabled, "profile": "user", "name": "x"}));
    let all = || vec![answer(200, fixture!("accesses_of_device"))];
    assert_eq!(trace(Change::SuspendDeviceAccess { holder: record() }, one(true)).await, "made");
    assert_eq!(trace(Change::SuspendDeviceAccess { holder: record() }, one(false)).await, "absent");
    assert_eq!(trace(Change::SuspendDeviceAccess { holder: email() }, all()).await, "made");
    assert_eq!(trace(Change::ResumeDeviceAccess { holder: email() }, all()).await, "absent");
    assert_eq!(trace(Change::RevokeDeviceAccess { holder: email() }, all()).await, "absent");
    let nobody = AccessHolder::Email("nobody@a.b".to_owned());
    assert_eq!(trace(Change::RevokeDeviceAccess { holder: nobody.clone() }, all()).await, "made");
    assert_eq!(trace(Change::ResumeDeviceAccess { holder: nobody.clone() }, all()).await, "unclear");
    let unnamed = told(&json!([{"_id": "c1"}]));
    assert_eq!(
        trace(Change::RevokeDeviceAccess { holder: nobody }, unnamed).await,
        "unclear",
        "whose it is, is not told"
    );
    let gone = receipt(Change::RevokeDeviceAccess { holder: record() }, vec![answer(404, "")]).await.gone;
    assert_eq!(gone, [RecordRef { kind: RecordKind::DeviceAccess, external_id: "c1".to_owned() }]);
    let change = |name: &str| {
        let plan = DeviceAccessPlan {
            profile: Some(domain::record::AccessProfile::User),
            disabled: Some(false),
            name: Some(name.to_owned()),
            device_owner: None,
        };
        Change::ChangeDeviceAccess { holder: record(), plan }
    };
    assert_eq!(trace(change("x"), one(false)).await, "made");
    assert_eq!(trace(change("y"), one(false)).await, "absent");
}

#[tokio::test]
async fn schedules_by_campaign_time_and_port() {
    let starts_at = noon() + TimeDelta::hours(1);
    let create = || Change::CreateAutoAccessSchedule { starts_at, minutes: 3 };
    let listed = |id: &str, created: &str, port: &str| {
        let milliseconds = starts_at.timestamp_millis();
        let schedule = json!({"_id": id, "campaignId": "abcde12345", "time": 3, "schedule": milliseconds,
            "doorPort": port, "created": created});
        vec![answer(200, fixture!("device")), answer(200, &json!([schedule]).to_string())]
    };
    let (found, server) = look_for(create(), listed("s1", AFTER, "2")).await;
    assert!(matches!(found, Ok(Trace::Made(receipt)) if receipt.found.records[0].external_id == "s1"));
    assert_eq!(lines(&server), ["GET /devices/edcba54321", "GET /schedules?campaignId=abcde12345"]);
    assert_eq!(trace(create(), listed("s1", BEFORE, "2")).await, "absent");
    assert_eq!(trace(create(), listed("s1", AFTER, "1")).await, "absent", "at the other door");
    let begun = Change::CreateAutoAccessSchedule { starts_at: noon(), minutes: 3 };
    assert_eq!(trace(begun, listed("s1", AFTER, "2")).await, "unclear", "it may have run and be gone");
    let update = || Change::UpdateAutoAccessSchedule { schedule: "old".to_owned(), starts_at, minutes: 3 };
    assert_eq!(receipt(update(), listed("s1", AFTER, "2")).await.gone[0].external_id, "old");
    assert_eq!(trace(update(), listed("old", BEFORE, "1")).await, "absent");
    assert_eq!(
        trace(update(), listed("x", BEFORE, "1")).await,
        "unclear",
        "the old one is gone, the new one not there"
    );
    let delete = || Change::DeleteAutoAccessSchedule { schedule: "s1".to_owned() };
    assert_eq!(trace(delete(), vec![answer(404, "")]).await, "made");
    assert_eq!(trace(delete(), told(&json!({"_id": "s1"}))).await, "absent");
}

#[tokio::test]
async fn the_profile() {
    let profile = |name: &str| {
        let display_name = Some(name.to_owned());
        Change::UpdateAccountProfile(AccountProfile { user: "u".to_owned(), display_name, ..AccountProfile::default() })
    };
    let user = || vec![answer(200, fixture!("user"))];
    assert_eq!(trace(profile("Jon Doe"), user()).await, "made");
    assert_eq!(trace(profile("Jane Doe"), user()).await, "absent");
    assert_eq!(trace(profile("Jon Doe"), vec![answer(404, "")]).await, "unclear");
}
