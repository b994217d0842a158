//! The tour of Raixer: an intercom listens, takes calls, is configured and given away; who may use it, when it listens by
//! itself, and what it tells by history and webhook. Only the four deprecated endpoints are left out.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::command::CommandKind;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};
use simulator::{EffectKind, RaixerChange, Vendor, WorldChange};

use super::{Ground, Tour, rows};
use crate::orders::account_id;

pub(super) fn ground() -> Ground {
    Ground {
        vendor: Vendor::Raixer,
        rows: rows("R", (1..=41).chain(46..=56)),
        given_up: rows("R", 42..=45),
        kinds: &[
            CommandKind::OpenDoor,
            CommandKind::StartAutoAccess,
            CommandKind::StopAutoAccess,
            CommandKind::SetAutoAccessAlwaysActive,
            CommandKind::SetOfflineAutoAccess,
            CommandKind::SetMovementAlarm,
            CommandKind::SetPhoneAccess,
            CommandKind::SetAnyCallerAccess,
            CommandKind::ReadDeviceVariable,
            CommandKind::ReadDeviceInformation,
            CommandKind::ExecuteDeviceFunction,
            CommandKind::RemoveDevice,
            CommandKind::CreateDoor,
            CommandKind::UpdateDoor,
            CommandKind::DeleteDoor,
            CommandKind::CreateSensor,
            CommandKind::UpdateSensor,
            CommandKind::DeleteSensor,
            CommandKind::AuthorizePhone,
            CommandKind::SuspendPhone,
            CommandKind::ResumePhone,
            CommandKind::RemovePhone,
            CommandKind::GrantDeviceAccess,
            CommandKind::ChangeDeviceAccess,
            CommandKind::SuspendDeviceAccess,
            CommandKind::ResumeDeviceAccess,
            CommandKind::RevokeDeviceAccess,
            CommandKind::CreateAutoAccessSchedule,
            CommandKind::UpdateAutoAccessSchedule,
            CommandKind::DeleteAutoAccessSchedule,
            CommandKind::UpdateAccountProfile,
        ],
    }
}

/// An intercom with a street door and the door of a flat.
const INTERCOM: &str = "Market street 3";
/// Somebody's telephone.
const NUMBER: u64 = 34_600_111_222;

/// Whether something that happens there opens a door of a device without our asking.
fn opens(tour: &Tour, device: &Value, happening: RaixerChange) -> bool {
    let name = text(&device["externalId"]);
    let openings = || {
        let effects = tour.house.vendors.effects_at(&name);
        effects.iter().filter(|effect| effect.kind == EffectKind::Open && effect.caused_by.is_none()).count()
    };
    let before = openings();
    tour.house.vendors.change(WorldChange::Raixer(happening)).unwrap();
    openings() > before
}

fn bell(device: &Value) -> RaixerChange {
    RaixerChange::Bell { device: text(&device["externalId"]), position: 1 }
}

fn call(device: &Value, number: u64) -> RaixerChange {
    RaixerChange::PhoneCall { device: text(&device["externalId"]), position: 1, number }
}

fn mode_is(mode: &str) -> impl Fn(&Value) -> bool + '_ {
    move |device| device["doors"][0]["state"]["mode"]["value"] == mode
}

/// R33 to R41: what is asked of the hardware.
async fn listening(tour: &mut Tour, account: &str) {
    let device = tour.device_named(account, INTERCOM).await;
    let (door, id) = (json!({ "doorId": device["doors"][0]["id"] }), json!({ "deviceId": device["id"] }));
    let with = |field: &str, value: Value| json!({ "deviceId": device["id"], field: value });
    tour.done("openDoor", door.clone(), &[EffectKind::Open]).await;

    assert!(!opens(tour, &device, bell(&device)));
    let start = json!({ "doorId": device["doors"][0]["id"], "minutes": 5 });
    tour.done("startAutoAccess", start, &[EffectKind::AutoAccessStarted]).await;
    tour.device_becomes("it listens", &device["id"], mode_is("AUTO_ACCESS")).await;
    assert!(opens(tour, &device, bell(&device)));
    tour.done("stopAutoAccess", door, &[EffectKind::AutoAccessEnded]).await;
    tour.device_becomes("it does not listen any more", &device["id"], mode_is("NORMAL")).await;
    assert!(!opens(tour, &device, bell(&device)));

    let always = EffectKind::AutoAccessAlwaysActiveSet;
    tour.done("setAutoAccessAlwaysActive", with("active", json!(true)), &[always]).await;
    // Document 001 does not show where the flag could be read; that the door listens is told by its `status`.
    tour.device_becomes("it always listens", &device["id"], mode_is("AUTO_ACCESS")).await;
    assert!(opens(tour, &device, bell(&device)));
    tour.done("setAutoAccessAlwaysActive", with("active", json!(false)), &[always]).await;
    tour.device_becomes("it listens no more", &device["id"], mode_is("NORMAL")).await;
    for active in [true, false] {
        let set = with("active", json!(active));
        tour.done("setOfflineAutoAccess", set, &[EffectKind::OfflineAutoAccessSet]).await;
    }
    for (alarm, is_on) in [("ONCE", 1), ("ALWAYS", 1), ("OFF", 0)] {
        tour.done("setMovementAlarm", with("alarm", json!(alarm)), &[EffectKind::MovementAlarmSet]).await;
        let read = tour.done("readDeviceVariable", with("variable", json!("moveAlarm")), &[]).await;
        assert_eq!(read["value"], is_on, "{alarm}: {read:#}");
    }
    let status = tour.done("readDeviceVariable", with("variable", json!("status")), &[]).await;
    assert_eq!((&status["value"]["listening"], &status["value"]["intercom"]), (&json!(false), &json!(true)));
    let information = tour.done("readDeviceInformation", id, &[]).await;
    assert_eq!((&information["id"], &information["connected"]), (&device["externalId"], &json!(true)));
    let call = json!({ "deviceId": device["id"], "function": "waitBells", "argument": "1" });
    let called = tour.done("executeDeviceFunction", call, &[EffectKind::DirectFunction]).await;
    assert_eq!((&called["function"], &called["value"]), (&json!("waitBells"), &json!(1)));
    for discouraged in ["openDoor", "relay", "resetMemory"] {
        let call = json!({ "deviceId": device["id"], "function": discouraged });
        let command = tour.house.client.command("executeDeviceFunction", call).await;
        let command = tour.house.client.finished(&command).await;
        assert_eq!((&command["state"], &command["failure"]["code"]), (&json!("FAILED"), &json!("UNSUPPORTED")));
    }
}

/// R1 to R5 and R29 to R32: who opens by telephone.
async fn telephones(tour: &mut Tour, account: &str) {
    let device = tour.device_named(account, INTERCOM).await;
    let door = device["doors"][0]["id"].clone();
    let access =
        |field: &'static str, value: bool| move |device: &Value| device["doors"][0]["phoneAccess"][field] == value;
    let switch = |enabled: bool| json!({ "doorId": door, "enabled": enabled });
    tour.done("setPhoneAccess", switch(true), &[EffectKind::PhoneAccessChanged]).await;
    let shown = tour.device_becomes("it takes calls", &device["id"], access("enabled", true)).await;
    assert!(shown["doors"][0]["phoneAccess"]["number"].is_string(), "{shown:#}");
    assert!(!opens(tour, &device, call(&device, NUMBER)), "a stranger's");

    let phone = json!({ "deviceId": device["id"], "number": NUMBER.to_string() });
    let made = tour.done("authorizePhone", phone, &[EffectKind::PhoneNumberAuthorised]).await;
    let ours = json!({ "deviceId": device["id"], "kinds": ["CREDENTIAL"], "externalId": made["externalId"] });
    let is = |status: &'static str| move |phone: &Value| phone["details"]["status"] == status;
    let phone = tour.record("the telephone number", ours.clone(), is("ACTIVE")).await;
    assert_eq!(
        (&phone["details"]["credentialType"], &phone["details"]["number"]),
        (&json!("PHONE_NUMBER"), &json!(NUMBER.to_string()))
    );
    assert!(opens(tour, &device, call(&device, NUMBER)));
    let id = json!({ "phoneId": phone["id"] });
    tour.done("suspendPhone", id.clone(), &[EffectKind::PhoneNumberChanged]).await;
    tour.record("the suspended number", ours.clone(), is("SUSPENDED")).await;
    assert!(!opens(tour, &device, call(&device, NUMBER)));
    tour.done("resumePhone", id.clone(), &[EffectKind::PhoneNumberChanged]).await;
    tour.record("the resumed number", ours.clone(), is("ACTIVE")).await;
    assert!(opens(tour, &device, call(&device, NUMBER)));
    tour.done("removePhone", id, &[EffectKind::PhoneNumberRemoved]).await;
    tour.no_record("the number is gone", ours).await;
    assert!(!opens(tour, &device, call(&device, NUMBER)));

    tour.done("setAnyCallerAccess", switch(true), &[EffectKind::PhoneAccessChanged]).await;
    tour.device_becomes("anybody's call opens it", &device["id"], access("anyCaller", true)).await;
    assert!(opens(tour, &device, call(&device, NUMBER)), "anybody's");
    tour.done("setAnyCallerAccess", switch(false), &[EffectKind::PhoneAccessChanged]).await;
    tour.device_becomes("not anybody's", &device["id"], access("anyCaller", false)).await;
    tour.done("setPhoneAccess", switch(false), &[EffectKind::PhoneAccessChanged]).await;
    tour.device_becomes("it takes no calls", &device["id"], access("enabled", false)).await;
}

/// R18 and R21 to R28: hardware that is added, changed and taken off.
async fn hardware(tour: &mut Tour, account: &str) {
    let device = tour.device_named(account, "Market street 1").await;
    assert_eq!(device["doors"].as_array().unwrap().len(), 1, "{device:#}");
    let settings = json!({ "name": "Side", "usage": "OTHER", "port": "LEFT" });
    let made = json!({ "deviceId": device["id"], "settings": settings });
    tour.done("createDoor", made, &[EffectKind::DoorCreated]).await;
    let two = |device: &Value| device["doors"].as_array().unwrap().len() == 2;
    let side = tour.device_becomes("the side door is shown", &device["id"], two).await["doors"][1].take();
    assert_eq!((&side["name"], &side["position"]), (&json!("Side"), &json!(2)));
    tour.done("openDoor", json!({ "doorId": side["id"] }), &[EffectKind::Open]).await;
    let changed = json!({ "doorId": side["id"], "settings": { "name": "Side gate", "waitTimeFirst": 3 } });
    tour.done("updateDoor", changed, &[EffectKind::DoorChanged]).await;
    let renamed = |device: &Value| device["doors"][1]["settings"]["name"] == "Side gate";
    let shown = tour.device_becomes("the door's new name", &device["id"], renamed).await;
    assert_eq!(
        (&shown["doors"][1]["name"], &shown["doors"][1]["settings"]["waitTimeFirst"]),
        (&json!("Side gate"), &json!(3))
    );
    tour.done("deleteDoor", json!({ "doorId": side["id"] }), &[EffectKind::DoorDeleted]).await;
    let gone = |device: &Value| device["doors"][1]["missingSince"].is_string();
    tour.device_becomes("the side door is gone", &device["id"], gone).await;

    let sensors = json!({ "deviceId": device["id"], "kinds": ["SENSOR"] });
    let made = json!({ "deviceId": device["id"], "settings": { "name": "Hall" } });
    let made = tour.done("createSensor", made, &[EffectKind::SensorCreated]).await;
    let id = made["externalId"].clone();
    let sensor = tour.record("the sensor", sensors.clone(), |sensor| sensor["externalId"] == id).await;
    assert_eq!((&sensor["name"], &sensor["details"]["usage"]), (&json!("Hall"), &json!("movement")));
    let changed = json!({ "sensorId": sensor["id"], "settings": { "name": "Stairs" } });
    tour.done("updateSensor", changed, &[EffectKind::SensorChanged]).await;
    tour.record("the sensor's new name", sensors.clone(), |sensor| sensor["name"] == "Stairs").await;
    tour.done("deleteSensor", json!({ "sensorId": sensor["id"] }), &[EffectKind::SensorDeleted]).await;
    tour.no_record("the sensor is gone", json!({ "deviceId": device["id"], "kinds": ["SENSOR"], "externalId": id }))
        .await;

    let removed = tour.device_named(account, "Mill lane 2").await;
    tour.done("removeDevice", json!({ "deviceId": removed["id"] }), &[EffectKind::DeviceRemoved]).await;
    let accesses = json!({ "deviceId": removed["id"], "kinds": ["DEVICE_ACCESS"] });
    tour.no_record("nobody has access to it", accesses).await;
    assert!(tour.device(&removed["id"]).await["missingSince"].is_string());
}

/// R6 to R8: an access by its record. The device keeps its owner.
async fn accesses(tour: &mut Tour, account: &str) {
    let device = tour.device_named(account, INTERCOM).await;
    let granted = json!({ "deviceId": device["id"], "profile": "USER", "name": "Night porter" });
    let granted = tour.done("grantDeviceAccess", granted, &[EffectKind::DeviceAccessGranted]).await;
    let ours = json!({ "deviceId": device["id"], "kinds": ["DEVICE_ACCESS"], "externalId": granted["externalId"] });
    let access = tour.record("the access", ours.clone(), |access| access["details"]["profile"] == "USER").await;
    assert_eq!(
        (&access["name"], &access["details"]["disabled"]),
        (&json!("Night porter"), &json!(false)),
        "{access:#}"
    );
    let with = |field: &str, value: Value| {
        let mut input = json!({ "deviceId": device["id"], "holder": { "deviceAccessId": access["id"] } });
        if !field.is_empty() {
            input[field] = value;
        }
        input
    };
    let changed = [EffectKind::DeviceAccessChanged];
    tour.done("changeDeviceAccess", with("profile", json!("INSTALLER")), &changed).await;
    tour.record("an installer's", ours.clone(), |access| access["details"]["profile"] == "INSTALLER").await;
    tour.done("suspendDeviceAccess", with("", Value::Null), &changed).await;
    tour.record("the suspended access", ours.clone(), |access| access["details"]["disabled"] == true).await;
    tour.done("resumeDeviceAccess", with("", Value::Null), &changed).await;
    tour.record("the resumed access", ours.clone(), |access| access["details"]["disabled"] == false).await;
    tour.done("revokeDeviceAccess", with("", Value::Null), &[EffectKind::DeviceAccessRevoked]).await;
    tour.no_record("the access is gone", ours).await;
}

/// R9 to R12: the same by e-mail address, at the neighbour's device that is shared with the operator.
async fn accesses_by_email(tour: &mut Tour, neighbour: &str) {
    let device = tour.device_named(neighbour, "Shared garage 7").await;
    let all = json!({ "deviceId": device["id"], "kinds": ["DEVICE_ACCESS"] });
    let shared = tour.record("the operator's access", all, |access| access["details"]["profile"] == "USER").await;
    let ours = json!({ "deviceId": device["id"], "kinds": ["DEVICE_ACCESS"], "externalId": shared["externalId"] });
    let holder = json!({ "email": shared["details"]["holderEmail"] });
    let input = json!({ "deviceId": device["id"], "holder": holder });
    let changed = [EffectKind::DeviceAccessChanged];
    let promoted = json!({ "deviceId": device["id"], "holder": holder, "profile": "ADMIN" });
    tour.done("changeDeviceAccess", promoted, &changed).await;
    tour.record("an administrator's", ours.clone(), |access| access["details"]["profile"] == "ADMIN").await;
    tour.done("suspendDeviceAccess", input.clone(), &changed).await;
    tour.record("the suspended access", ours.clone(), |access| access["details"]["disabled"] == true).await;
    tour.done("resumeDeviceAccess", input.clone(), &changed).await;
    tour.record("the resumed access", ours.clone(), |access| access["details"]["disabled"] == false).await;
    tour.done("revokeDeviceAccess", input, &[EffectKind::DeviceAccessRevoked]).await;
    tour.no_record("the access is gone", ours).await;
}

/// R50 to R56: when a door will listen, and the account's own profile.
async fn schedules_and_profile(tour: &mut Tour, account: &str) {
    let device = tour.device_named(account, INTERCOM).await;
    let door = &device["doors"][1];
    let begin = Utc::now().trunc_subsecs(0) + TimeDelta::hours(3);
    let planned = json!({ "doorId": door["id"], "startsAt": begin, "minutes": 20 });
    let made = tour.done("createAutoAccessSchedule", planned, &[EffectKind::ScheduleCreated]).await;
    let with_id =
        |id: &Value| json!({ "vendorAccountId": account, "kinds": ["AUTO_ACCESS_SCHEDULE"], "externalId": id });
    let starts = |at: DateTime<Utc>| move |plan: &Value| text(&plan["details"]["startsAt"]).parse() == Ok(at);
    let plan = tour.record("the schedule", with_id(&made["externalId"]), starts(begin)).await;
    assert_eq!(
        (&plan["details"]["minutes"], &plan["details"]["position"]),
        (&json!(20), &door["position"]),
        "{plan:#}"
    );
    assert_eq!(plan["device"]["id"], device["id"]);
    let later = begin + TimeDelta::hours(1);
    let moved = json!({ "doorId": door["id"], "scheduleId": plan["id"], "startsAt": later, "minutes": 20 });
    let effects = [EffectKind::ScheduleDeleted, EffectKind::ScheduleCreated];
    let replaced = tour.done("updateAutoAccessSchedule", moved, &effects).await;
    assert_eq!(replaced["replaced"], made["externalId"]);
    tour.no_record("the old schedule is gone", with_id(&made["externalId"])).await;
    let plan = tour.record("the new schedule", with_id(&replaced["externalId"]), starts(later)).await;
    let id = json!({ "scheduleId": plan["id"] });
    tour.done("deleteAutoAccessSchedule", id, &[EffectKind::ScheduleDeleted]).await;
    tour.no_record("the schedule is gone", with_id(&replaced["externalId"])).await;

    let profile = json!({ "vendorAccountId": account, "displayName": "Olive O.", "address": { "city": "Porto" } });
    tour.done("updateAccountProfile", profile, &[EffectKind::ProfileChanged]).await;
    let ours = json!({ "vendorAccountId": account, "kinds": ["PROFILE"] });
    let shown = tour.record("the new name", ours, |profile| profile["details"]["displayName"] == "Olive O.").await;
    assert_eq!(shown["details"]["invoiceAddress"]["city"], "Porto", "{shown:#}");
}

/// R46 to R49 and what Raixer pushes: a device that goes offline is read again, with its campaign.
async fn campaigns(tour: &Tour, account: &str, neighbour: &str, webhook_url: &Value) {
    let device = tour.device_named(account, INTERCOM).await;
    assert_eq!(device["campaign"]["details"]["campaignKind"], "INTERCOM", "{device:#}");
    let laundry = tour.device_named(neighbour, "Laundry 9").await;
    let campaign = &laundry["campaign"]["details"];
    assert_eq!((&campaign["campaignKind"], &campaign["mode"]), (&json!("POWER"), &json!("time")), "{laundry:#}");
    tour.hear(&tour.house.vendors.credentials()[1].raixer.user, webhook_url);
    let name = text(&laundry["externalId"]);
    tour.house.vendors.change(WorldChange::RaixerOnline { device: name, online: false }).unwrap();
    assert_eq!(tour.heard(neighbour).await, 1);
    let event = tour.event(&laundry, "DEVICE_OFFLINE").await;
    assert_eq!(event["vendorCode"], "offline");
    let offline = |device: &Value| device["health"] == "OFFLINE";
    let laundry = tour.device_becomes("it is offline", &laundry["id"], offline).await;
    assert_eq!(laundry["campaign"]["details"]["campaignKind"], "POWER", "{laundry:#}");
}

on_both_back_ends! {
    async fn every_row_of_raixer_is_used_but_the_deprecated_ones(back_end: BackEnd) {
        let mut tour = Tour::start(Plan::on(back_end), Vendor::Raixer).await;
        let account = account_id(&tour.house, Vendor::Raixer).await.to_string();
        listening(&mut tour, &account).await;
        telephones(&mut tour, &account).await;
        hardware(&mut tour, &account).await;
        accesses(&mut tour, &account).await;
        schedules_and_profile(&mut tour, &account).await;

        // What happened is in the history, too.
        tour.sync(&account).await;
        let device = tour.device_named(&account, INTERCOM).await;
        let event = tour.event(&device, "AUTO_ACCESS_STARTED").await;
        assert_eq!((&event["vendorCode"], &event["door"]["id"]), (&json!("connections.detail.history.action.startJob"), &device["doors"][0]["id"]));

        let other = tour.house.vendors.credentials()[1].raixer.clone();
        let linked = tour.link("Neighbour", json!({ "user": other.user, "password": other.password })).await;
        let neighbour = text(&linked["vendorAccount"]["id"]);
        tour.synced(&neighbour, &Value::Null).await;
        campaigns(&tour, &account, &neighbour, &linked["webhookUrl"]).await;
        accesses_by_email(&mut tour, &neighbour).await;
        let moved = tour.house.vendors.effects(0).entries;
        assert!(moved.iter().all(|effect| effect.kind != EffectKind::OwnerChanged));
        tour.end(&ground()).await;
    }
}
