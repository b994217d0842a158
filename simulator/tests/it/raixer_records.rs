//! Raixer's records: phones, connections, doors, sensors, campaigns, schedules, users.

use gatehouse_simulator::{EffectKind, Mode, Vendor};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sim, answer, noon, still, text};

impl Sim {
    /// A call of the operator; a body makes it JSON.
    pub(crate) async fn raixer_call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let login = self.operator().raixer;
        let request = self.request(method, Vendor::Raixer, path).basic_auth(login.user, Some(login.password));
        answer(if body.is_null() { request } else { request.json(&body) }).await
    }

    /// The same of the neighbour.
    pub(crate) async fn raixer_neighbour(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let login = self.neighbour().raixer;
        let request = self.request(method, Vendor::Raixer, path).basic_auth(login.user, Some(login.password));
        answer(if body.is_null() { request } else { request.json(&body) }).await
    }

    /// Id of a device of the neighbour.
    pub(crate) async fn neighbours(&self, name: &str) -> String {
        let (_, devices) = self.raixer_neighbour(Method::GET, "/devices", Value::Null).await;
        let device = devices.as_array().unwrap().iter().find(|device| device["name"] == name).unwrap();
        text(&device["_id"]).to_owned()
    }

    pub(crate) fn kinds_at(&self, id: &str) -> Vec<EffectKind> {
        self.handle().effects_at(id).iter().map(|effect| effect.kind).collect()
    }
}

pub(crate) fn updated() -> Value {
    json!({ "n": 1, "nModified": 1, "ok": 1 })
}

fn deleted() -> Value {
    json!({ "n": 1, "ok": 1 })
}

#[tokio::test]
async fn phones_are_created_changed_and_removed() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    let body = json!({ "deviceId": device, "phoneNumber": 34_600_000_001_u64 });
    let (status, created) = sim.raixer_call(Method::POST, "/authorized-phones", body.clone()).await;
    assert_eq!((status, &created["result"]), (200, &deleted()));
    let path = format!("/authorized-phones/{}", text(&created["insertedId"]));
    let (_, phone) = sim.raixer(&path).await;
    let mut keys: Vec<&String> = phone.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["_id", "created", "deviceId", "owner", "phoneNumber", "updated"], "as in the sample");
    let suspend = json!({ "deviceId": device, "phoneNumber": 34_600_000_001_u64, "authorized": false });
    assert_eq!(sim.raixer_call(Method::PUT, &path, suspend).await, (200, updated()));
    assert_eq!(sim.raixer(&path).await.1["authorized"], json!(false));
    assert_eq!(sim.raixer_call(Method::PUT, &path, body.clone()).await.0, 200);
    assert_eq!(sim.raixer(&path).await.1["authorized"], json!(true), "left out is true again");
    sim.raixer_call(Method::POST, "/authorized-phones", body).await;
    let list = format!("/authorized-phones/device/{device}");
    assert_eq!(sim.raixer(&list).await.1, json!([34_600_000_001_u64, 34_600_000_001_u64]), "twice is twice");
    assert_eq!(sim.raixer_call(Method::DELETE, &path, Value::Null).await, (200, deleted()));
    assert_eq!(sim.raixer(&list).await.1, json!([34_600_000_001_u64]));
    assert_eq!(sim.raixer(&path).await.0, 404);
    use EffectKind::{
        PhoneNumberAuthorised as Authorised, PhoneNumberChanged as Changed, PhoneNumberRemoved as Removed,
    };
    assert_eq!(sim.kinds_at(&device), [Authorised, Changed, Changed, Authorised, Removed]);
}

#[tokio::test]
async fn phones_are_refused_as_documented() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    let private = sim.neighbours("Private house 9").await;
    for (status, body) in [
        (400, json!({ "deviceId": device })),
        (400, json!({ "phoneNumber": 1 })),
        (400, json!({ "deviceId": device, "phoneNumber": "34600" })),
        (400, json!({ "deviceId": device, "phoneNumber": 1.5 })),
        (400, json!({ "deviceId": device, "phoneNumber": 1, "authorized": "no" })),
        (403, json!({ "deviceId": "nowhere", "phoneNumber": 1 })),
        (401, json!({ "deviceId": private, "phoneNumber": 1 })),
    ] {
        assert_eq!(sim.raixer_call(Method::POST, "/authorized-phones", body.clone()).await.0, status, "{body}");
    }
    assert_eq!(sim.raixer("/authorized-phones/device/nowhere").await.0, 403);
    assert_eq!(sim.raixer(&format!("/authorized-phones/device/{private}")).await.0, 401);
    let theirs = json!({ "deviceId": private, "phoneNumber": 5 });
    let (_, created) = sim.raixer_neighbour(Method::POST, "/authorized-phones", theirs).await;
    let path = format!("/authorized-phones/{}", text(&created["insertedId"]));
    assert_eq!(sim.raixer_call(Method::DELETE, &path, Value::Null).await.0, 401);
    let raw = sim.raixer_post("/authorized-phones").header("content-type", "text/plain").body("{}");
    assert_eq!(answer(raw).await.0, 400);
}

#[tokio::test]
async fn a_connection_without_the_owner_moves_the_device() {
    let sim = still(Mode::Auto).await;
    let private = sim.neighbours("Private house 9").await;
    let owner = sim.raixer_neighbour(Method::GET, &format!("/devices/{private}"), Value::Null).await.1["owner"].clone();
    let polite = json!({ "deviceId": private, "deviceOwner": owner, "name": "Lodge" });
    let (status, ordered) = sim.raixer_call(Method::POST, "/connections", polite).await;
    assert_eq!((status, ordered.as_array().unwrap().len()), (200, 2));
    let guest = &ordered[0][0];
    assert_eq!((text(&guest["profile"]), text(&guest["name"])), ("user", "Lodge"), "the newest first");
    assert_eq!(guest["device"]["owner"], owner, "the owner stays");
    let as_spelled = json!({ "deviceId": private, "deviceOwer": owner, "profile": "installer", "disabled": true });
    let (_, ordered) = sim.raixer_call(Method::POST, "/connections", as_spelled).await;
    assert_eq!((&ordered[0][0]["profile"], &ordered[0][0]["disabled"]), (&json!("installer"), &json!(true)));
    let (_, ordered) = sim.raixer_call(Method::POST, "/connections", json!({ "deviceId": private })).await;
    assert_eq!(text(&ordered[0][0]["profile"]), "admin");
    assert_ne!(ordered[0][0]["device"]["owner"], owner, "taken over");
    let (_, owned) = sim.raixer("/devices").await;
    assert!(owned.as_array().unwrap().iter().any(|device| device["_id"] == private.as_str()));
    use EffectKind::{DeviceAccessGranted as Granted, OwnerChanged};
    assert_eq!(sim.kinds_at(&private), [Granted, Granted, Granted, OwnerChanged]);
    for (status, body) in [
        (403, json!({ "deviceId": "nowhere" })),
        (400, json!({})),
        (400, json!({ "deviceId": private, "profile": "king" })),
        (400, json!({ "deviceId": private, "deviceOwner": 7 })),
    ] {
        assert_eq!(sim.raixer_call(Method::POST, "/connections", body.clone()).await.0, status, "{body}");
    }
}

#[tokio::test]
async fn connections_are_read_changed_and_deleted() {
    let sim = still(Mode::Auto).await;
    let shared = sim.neighbours("Shared garage 7").await;
    let (_, own) = sim.raixer("/connections").await;
    let own = own.as_array().unwrap().iter().find(|connection| connection["deviceId"] == shared.as_str()).unwrap();
    let path = format!("/connections/{}", text(&own["_id"]));
    let (_, one) = sim.raixer(&path).await;
    assert_eq!((&one["schedules"], one["device"]["doors"].as_array().unwrap().len()), (&json!([]), 2));
    assert_eq!(one["device"]["campaign"]["name"], "Shared garage 7");
    let change = json!({ "name": "Garage", "profile": "installer", "disabled": true });
    assert_eq!(sim.raixer_neighbour(Method::PUT, &path, change).await, (200, updated()));
    let (status, changed) = sim.raixer(&path).await;
    assert_eq!((status, text(&changed["name"]), &changed["disabled"]), (200, "Garage", &json!(true)));
    let enable = json!({ "disabled": false });
    assert_eq!(sim.raixer_call(Method::PUT, &path, enable).await.0, 401, "not by oneself");
    assert_eq!(sim.raixer_neighbour(Method::PUT, &path, json!({ "profile": "boss" })).await.0, 400);
    assert_eq!(sim.raixer_call(Method::DELETE, &path, Value::Null).await, (200, deleted()));
    assert_eq!(sim.raixer(&path).await.0, 404);
    assert_eq!(sim.raixer("/connections").await.1.as_array().unwrap().len(), 5);
    use EffectKind::{DeviceAccessChanged as Changed, DeviceAccessRevoked as Revoked};
    assert_eq!(sim.kinds_at(&shared), [Changed, Revoked]);
}

#[tokio::test]
async fn connections_are_ordered_by_type_and_age() {
    let sim = still(Mode::Auto).await;
    let laundry = sim.neighbours("Laundry 9").await;
    sim.raixer_call(Method::POST, "/connections", json!({ "deviceId": laundry, "deviceOwner": "other" })).await;
    sim.advance(std::time::Duration::from_secs(60));
    let private = sim.neighbours("Private house 9").await;
    sim.raixer_call(Method::POST, "/connections", json!({ "deviceId": private, "deviceOwner": "other" })).await;
    let (_, ordered) = sim.raixer("/connections/ordered").await;
    let names = |group: usize| -> Vec<String> {
        let group = ordered[group].as_array().unwrap().iter();
        group.map(|connection| text(&connection["device"]["name"]).to_owned()).collect()
    };
    assert_eq!((names(0)[0].as_str(), names(0).len(), names(1)), ("Private house 9", 7, vec!["Laundry 9".to_owned()]));
}

#[tokio::test]
async fn connections_by_email_concern_everyone_with_it() {
    let sim = still(Mode::Auto).await;
    let shared = sim.neighbours("Shared garage 7").await;
    let path = |what: &str| format!("/connections/by/device/{shared}/{what}/by/email");
    let email = json!({ "email": "raixer-demo@example.test" });
    let of = |list: &Value| -> Value {
        let list = list.as_array().unwrap().iter();
        list.filter(|connection| connection["ownerEmail"] == "raixer-demo@example.test").cloned().collect()
    };
    let (status, list) = sim.raixer_neighbour(Method::POST, &path("disable"), email.clone()).await;
    assert_eq!((status, list.as_array().unwrap().len()), (200, 2), "all connections of the device");
    assert_eq!(of(&list)[0]["disabled"], json!(true));
    assert_eq!(sim.raixer(&format!("/devices/{shared}")).await.0, 401);
    let (_, list) = sim.raixer_neighbour(Method::POST, &path("enable"), email.clone()).await;
    assert_eq!(of(&list)[0]["disabled"], json!(false));
    assert_eq!(sim.raixer_neighbour(Method::POST, &path("update"), email.clone()).await.0, 400, "profile is required");
    let promote = json!({ "email": "raixer-demo@example.test", "profile": "admin" });
    let (_, list) = sim.raixer_neighbour(Method::POST, &path("update"), promote).await;
    assert_eq!(of(&list)[0]["profile"], json!("admin"));
    let (_, list) =
        sim.raixer_neighbour(Method::POST, &path("delete"), json!({ "email": "nobody@example.test" })).await;
    assert_eq!(list.as_array().unwrap().len(), 2);
    let (_, list) = sim.raixer_neighbour(Method::POST, &path("delete"), email).await;
    assert_eq!((list.as_array().unwrap().len(), of(&list)), (1, json!([])));
    assert_eq!(sim.raixer_neighbour(Method::POST, &path("enable"), json!({})).await.0, 400);
    assert_eq!(sim.raixer_call(Method::POST, &path("enable"), json!({ "email": "x" })).await.0, 401);
    let nowhere = "/connections/by/device/nowhere/enable/by/email";
    assert_eq!(sim.raixer_call(Method::POST, nowhere, json!({ "email": "x" })).await.0, 403);
}

#[tokio::test]
async fn a_deleted_device_loses_everything_but_itself() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    let path = format!("/devices/{device}");
    sim.raixer_call(Method::POST, "/authorized-phones", json!({ "deviceId": device, "phoneNumber": 1 })).await;
    let (status, answer) = sim.raixer_call(Method::DELETE, &path, Value::Null).await;
    assert_eq!((status, answer), (200, json!({ "deviceId": device, "removed": true, "msg": "device_removed" })));
    assert_eq!(sim.raixer(&path).await.0, 401, "it exists and is nobody's");
    assert_eq!(sim.raixer_call(Method::DELETE, &path, Value::Null).await.0, 401);
    assert_eq!(sim.raixer_call(Method::DELETE, "/devices/nowhere", Value::Null).await.0, 403);
    let (_, ordered) = sim.raixer_neighbour(Method::POST, "/connections", json!({ "deviceId": device })).await;
    let adopted = &ordered[0][0]["device"];
    assert_eq!(
        (&adopted["doors"], &adopted["campaignId"], &adopted["campaign"]),
        (&json!([]), &Value::Null, &Value::Null)
    );
    let (_, phones) =
        sim.raixer_neighbour(Method::GET, &format!("/authorized-phones/device/{device}"), Value::Null).await;
    assert_eq!(phones, json!([]));
}

#[tokio::test]
async fn doors_are_created_changed_and_deleted_but_the_last() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    let path = format!("/devices/{device}/doors");
    let body = json!({
        "deviceId": device, "openingValue": 6500, "tolerance": 1000, "maxOpenings": 4, "waitTimeFirst": 1500,
        "twoOpenings": true, "mustCallBellFirst": true, "remainingOpenings": 100, "remainingTestOpenings": 25,
        "remainingPhoneCalls": 100, "remainingRaixerPhoneCalls": 25, "sensorMode": "openingSensor", "name": "Lorem",
        "port": "left", "use": "garage",
    });
    let (status, created) = sim.raixer_call(Method::POST, &path, body.clone()).await;
    let id = text(&created["insertedId"]).to_owned();
    assert_eq!((status, created.as_object().unwrap().len()), (200, 1));
    let door = sim.raixer(&path).await.1[1].clone();
    assert_eq!(door.as_object().unwrap().len(), 23);
    for (key, value) in body.as_object().unwrap() {
        assert_eq!(&door[key], value, "{key}");
    }
    let one = format!("{path}/{id}");
    let change = json!({ "name": "Ipsum", "use": null, "port": null, "phoneNumber": 7 });
    assert_eq!(sim.raixer_call(Method::PUT, &one, change).await, (200, updated()));
    let door = sim.raixer(&path).await.1[1].clone();
    assert_eq!((&door["name"], &door["use"], &door["openingValue"]), (&json!("Ipsum"), &Value::Null, &json!(6500)));
    assert_eq!(door["phoneNumber"], Value::Null, "not among the parameters");
    for wrong in [
        json!({ "openingValue": "6500" }),
        json!({ "tolerance": -1 }),
        json!({ "twoOpenings": 1 }),
        json!({ "sensorMode": "ear" }),
        json!({ "sensorMode": null }),
        json!({ "port": "middle" }),
        json!({ "use": "cellar" }),
        json!({ "name": 5 }),
        json!({ "deviceId": 5 }),
    ] {
        assert_eq!(sim.raixer_call(Method::POST, &path, wrong.clone()).await.0, 400, "{wrong}");
        assert_eq!(sim.raixer_call(Method::PUT, &one, wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(sim.raixer_call(Method::PUT, &format!("{path}/nowhere"), json!({})).await.0, 404);
    assert_eq!(sim.raixer_call(Method::DELETE, &one, Value::Null).await, (200, deleted()));
    let first = text(&sim.raixer(&path).await.1[0]["_id"]).to_owned();
    assert_eq!(sim.raixer_call(Method::DELETE, &format!("{path}/{first}"), Value::Null).await.0, 400, "the last one");
    use EffectKind::{DoorChanged, DoorCreated, DoorDeleted};
    assert_eq!(sim.kinds_at(&id), [DoorCreated, DoorChanged, DoorDeleted]);
}

#[tokio::test]
async fn phone_access_of_a_door_is_switched() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    let doors = format!("/devices/{device}/doors");
    let id = text(&sim.raixer(&doors).await.1[0]["_id"]).to_owned();
    for (switch, field, value) in [
        ("phone/enable", "callingEnabled", true),
        ("phone/any-caller/enable", "anyCallerEnabled", true),
        ("phone/any-caller/disable", "anyCallerEnabled", false),
        ("phone/disable", "callingEnabled", false),
    ] {
        assert_eq!(answer(sim.raixer_post(&format!("{doors}/{id}/{switch}"))).await, (200, updated()));
        assert_eq!(sim.raixer(&doors).await.1[0][field], json!(value), "{switch}");
    }
    assert!(sim.raixer(&doors).await.1[0]["phoneNumber"].is_u64());
    assert_eq!(sim.kinds_at(&device), [EffectKind::PhoneAccessChanged; 4]);
    assert_eq!(answer(sim.raixer_post(&format!("{doors}/nowhere/phone/enable"))).await.0, 404);
    assert_eq!(answer(sim.raixer_post(&format!("/devices/nowhere/doors/{id}/phone/enable"))).await.0, 403);
}

#[tokio::test]
async fn sensors_are_created_changed_and_deleted() {
    let sim = still(Mode::Auto).await;
    let path = format!("/devices/{}/sensors", sim.intercom("Market street 3").await);
    assert_eq!(sim.raixer(&path).await, (200, json!([])));
    let body = json!({ "name": "Hall", "use": "movement", "port": "right" });
    let (_, created) = sim.raixer_call(Method::POST, &path, body).await;
    let one = format!("{path}/{}", text(&created["insertedId"]));
    assert_eq!(sim.raixer_call(Method::PUT, &one, json!({ "port": null })).await, (200, updated()));
    let sensor = sim.raixer(&path).await.1[0].clone();
    assert_eq!((text(&sensor["name"]), &sensor["port"], sensor.as_object().unwrap().len()), ("Hall", &Value::Null, 7));
    for wrong in [json!({ "use": "smoke" }), json!({ "port": "up" }), json!({ "name": 1 })] {
        assert_eq!(sim.raixer_call(Method::POST, &path, wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(sim.raixer_call(Method::DELETE, &one, Value::Null).await, (200, deleted()));
    assert_eq!(sim.raixer_call(Method::DELETE, &one, Value::Null).await.0, 404);
    assert_eq!(sim.raixer(&path).await.1, json!([]));
}

#[tokio::test]
async fn campaigns_are_the_callers_and_of_their_kind() {
    let sim = still(Mode::Auto).await;
    let (_, own) = sim.raixer("/intercom-campaigns").await;
    assert_eq!((own.as_array().unwrap().len(), own[0].as_object().unwrap().len()), (5, 10));
    let path = format!("/intercom-campaigns/{}", text(&own[0]["_id"]));
    assert_eq!(sim.raixer(&path).await, (200, own[0].clone()));
    assert_eq!(sim.raixer("/power-campaigns").await, (200, json!([])));
    let (_, power) = sim.raixer_neighbour(Method::GET, "/power-campaigns", Value::Null).await;
    let id = text(&power[0]["_id"]);
    assert_eq!(
        (&power[0]["mode"], &power[0]["price"], &power[0]["accumulated"]),
        (&json!("time"), &json!(0.01), &json!(5.1))
    );
    let power = format!("/power-campaigns/{id}");
    assert_eq!(sim.raixer_neighbour(Method::GET, &power, Value::Null).await.0, 200);
    assert_eq!(sim.raixer(&power).await.0, 401);
    assert_eq!(sim.raixer(&format!("/intercom-campaigns/{id}")).await.0, 404);
}

#[tokio::test]
async fn schedules_get_a_new_id_when_changed() {
    let sim = still(Mode::Auto).await;
    let campaign = sim.raixer("/intercom-campaigns").await.1[0]["_id"].clone();
    let start = noon().timestamp_millis() + 3_600_000;
    let body = json!({ "campaignId": campaign, "time": 3, "schedule": start });
    let (status, created) = sim.raixer_call(Method::POST, "/schedules", body.clone()).await;
    assert_eq!((status, &created["result"]), (200, &deleted()));
    let old = format!("/schedules/{}", text(&created["insertedId"]));
    let (_, schedule) = sim.raixer(&old).await;
    assert_eq!(
        (text(&schedule["doorPort"]), &schedule["schedule"], schedule.as_object().unwrap().len()),
        ("1", &json!(start), 8)
    );
    let change = json!({ "campaignId": campaign, "time": 5, "schedule": start, "doorPort": "2" });
    let (_, again) = sim.raixer_call(Method::PUT, &old, change).await;
    assert_ne!(again["insertedId"], created["insertedId"]);
    assert_eq!(sim.raixer(&old).await.0, 404);
    let (_, listed) = sim.raixer(&format!("/schedules?campaignId={}", text(&campaign))).await;
    assert_eq!(
        (&listed[0]["_id"], &listed[0]["time"], listed.as_array().unwrap().len()),
        (&again["insertedId"], &json!(5), 1)
    );
    assert_eq!(sim.raixer("/schedules").await.1, listed);
    let new = format!("/schedules/{}", text(&again["insertedId"]));
    let gone = json!({ "result": true, "msg": "The schedule was deleted correctly" });
    assert_eq!(sim.raixer_neighbour(Method::DELETE, &new, Value::Null).await.0, 401);
    assert_eq!(sim.raixer_call(Method::DELETE, &new, Value::Null).await, (200, gone));
    assert_eq!(sim.raixer_call(Method::DELETE, &new, Value::Null).await.0, 404);
    for (key, value) in [
        ("time", json!("3")),
        ("schedule", Value::Null),
        ("doorPort", json!(2)),
        ("doorPort", json!("4")),
        ("campaignId", json!("nowhere")),
    ] {
        let mut wrong = body.clone();
        wrong[key] = value;
        assert_eq!(sim.raixer_call(Method::POST, "/schedules", wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(sim.raixer_neighbour(Method::POST, "/schedules", body).await.0, 401);
    assert_eq!(sim.raixer("/schedules?campaignId=nowhere").await.0, 404);
}

#[tokio::test]
async fn users_see_and_change_themselves_only() {
    let sim = still(Mode::Auto).await;
    let (_, own) = sim.raixer("/connections").await;
    let path = format!("/users/{}", text(&own[0]["owner"]));
    let (_, user) = sim.raixer(&path).await;
    assert_eq!((text(&user["displayName"]), user.as_object().unwrap().len()), ("Olive Operator", 5));
    let address = json!({ "email": "bills@a.b", "name": "Olive", "zip": "12345" });
    let body = json!({ "displayName": "Olive O.", "email": "olive@a.b", "address": address });
    assert_eq!(sim.raixer_call(Method::PUT, &path, body).await, (200, updated()));
    let (_, user) = sim.raixer(&path).await;
    assert_eq!(
        (text(&user["displayName"]), text(&user["email"]), &user["address"]),
        ("Olive O.", "olive@a.b", &address)
    );
    for wrong in [
        json!({ "displayName": 1 }),
        json!({ "email": 1 }),
        json!({ "address": "x" }),
        json!({ "address": { "zip": 1 } }),
    ] {
        assert_eq!(sim.raixer_call(Method::PUT, &path, wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(sim.raixer_neighbour(Method::GET, &path, Value::Null).await.0, 401);
    assert_eq!(sim.raixer("/users/nobody").await.0, 404);
}
