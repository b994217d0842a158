//! Raixer's documented rules.

use gatehouse_simulator::{EffectKind, Fault, FaultKind, Mode, Vendor, WorldChange};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{answer, still, text};

fn statuses(results: &Value) -> Vec<&str> {
    results.as_array().unwrap().iter().map(|result| text(&result["status"])).collect()
}

#[tokio::test]
async fn devices_are_the_owned_ones_and_connections_the_shared_too() {
    let sim = still(Mode::Auto).await;
    let (_, devices) = sim.raixer("/devices").await;
    assert_eq!(devices.as_array().unwrap().len(), 5);
    let mut keys: Vec<&String> = devices[0].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["_id", "campaignId", "created", "name", "online", "owner", "type", "updated", "version"]);
    let (_, connections) = sim.raixer("/connections").await;
    assert_eq!(connections.as_array().unwrap().len(), 6);
    let shared = connections.as_array().unwrap().iter().find(|connection| connection["profile"] == "user").unwrap();
    assert_eq!(
        (text(&shared["device"]["name"]), shared["device"]["doors"].as_array().unwrap().len()),
        ("Shared garage 7", 2)
    );
    let (status, _) = sim.raixer(&format!("/devices/{}", text(&shared["deviceId"]))).await;
    assert_eq!(status, 200);
    let (_, users) = sim.raixer(&format!("/connections/by/device/{}", text(&shared["deviceId"]))).await;
    assert_eq!(users.as_array().unwrap().len(), 2);
    assert!(users.as_array().unwrap().iter().all(|user| text(&user["ownerEmail"]).contains('@')));
}

#[tokio::test]
async fn every_row_is_served() {
    let sim = still(Mode::Auto).await;
    let rows = sim.handle().coverage();
    let ours: Vec<_> = rows.iter().filter(|row| row.vendor == Vendor::Raixer).collect();
    assert_eq!(ours.len(), 56);
    assert!(ours.iter().all(|row| row.served), "{ours:?}");
}

#[tokio::test]
async fn doors_have_every_documented_field() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 5").await;
    let (_, doors) = sim.raixer(&format!("/devices/{device}/doors")).await;
    assert_eq!(doors.as_array().unwrap().len(), 3);
    assert_eq!(doors[0].as_object().unwrap().len(), 23);
    assert_eq!((text(&doors[0]["port"]), text(&doors[1]["port"]), &doors[2]["port"]), ("right", "left", &Value::Null));
}

#[tokio::test]
async fn credentials_permission_and_existence_have_their_own_statuses() {
    let sim = still(Mode::Auto).await;
    let as_user = |user: &str, password: &str| {
        sim.request(Method::GET, Vendor::Raixer, "/devices").basic_auth(user.to_owned(), Some(password.to_owned()))
    };
    assert_eq!(answer(as_user("raixer-demo", "wrong")).await.0, 401);
    assert_eq!(answer(as_user("nobody", "raixer-demo-password")).await.0, 401);
    assert_eq!(answer(sim.request(Method::GET, Vendor::Raixer, "/devices")).await.0, 401);
    let neighbour = sim.neighbour().raixer;
    let (_, theirs) = answer(as_user(&neighbour.user, &neighbour.password)).await;
    let private = text(&theirs[1]["_id"]);
    assert_eq!(sim.raixer(&format!("/devices/{private}")).await.0, 401, "exists, but not for us");
    assert_eq!(answer(sim.raixer_post(&format!("/devices/{private}/open-door/1"))).await.0, 401);
    assert_eq!(sim.raixer("/devices/nowhere").await.0, 403, "does not exist");
    assert_eq!(sim.raixer("/gadgets").await.0, 404);
    assert_eq!(sim.raixer("/devices/x/open-door/1").await.0, 404, "wrong method");
    assert_eq!(sim.handle().effects(0).entries, []);
}

#[tokio::test]
async fn a_disabled_connection_gives_no_access() {
    let sim = still(Mode::Auto).await;
    let (_, connections) = sim.raixer("/connections").await;
    let shared = connections.as_array().unwrap().iter().find(|connection| connection["profile"] == "user").unwrap();
    let device = text(&shared["deviceId"]).to_owned();
    let user = sim.operator().raixer.user;
    let disable = WorldChange::RaixerConnection { device: device.clone(), user, disabled: true };
    sim.handle().change(disable).unwrap();
    assert_eq!(sim.raixer(&format!("/devices/{device}")).await.0, 401);
}

#[tokio::test]
async fn opening_answers_one_element_per_selected_door() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 5").await;
    let open = |position: &str| answer(sim.raixer_post(&format!("/devices/{device}/open-door/{position}")));
    let (status, results) = open("2").await;
    assert_eq!((status, statuses(&results)), (200, vec!["success"]));
    assert_eq!(text(&results[0]["msg"]), "The action openDoor2 was executed successfully");
    assert_eq!(statuses(&open("street").await.1).len(), 2, "every door with that use");
    assert_eq!(text(&open("garage").await.1[0]["msg"]), "The action openDoor3 was executed successfully");
    assert_eq!(open("home").await.1, json!([]));
    assert_eq!(open("9").await.1, json!([]));
    for wrong in ["0", "cellar", "1.5", "99999999999999999999"] {
        assert_eq!(open(wrong).await.0, 400, "{wrong}");
    }
    let opened: Vec<Option<u32>> = sim.handle().effects_at(&device).iter().map(|effect| effect.position).collect();
    assert_eq!(opened, [Some(2), Some(1), Some(2), Some(3)]);
}

#[tokio::test]
async fn the_deprecated_calls_answer_one_object() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 3").await;
    let (_, first) = answer(sim.raixer_post(&format!("/devices/{device}/open-door"))).await;
    let (_, second) = answer(sim.raixer_post(&format!("/devices/{device}/open-door-2"))).await;
    assert_eq!(text(&first["msg"]), "The action openDoor was executed successfully");
    assert_eq!(text(&second["msg"]), "The action openDoor2 was executed successfully");
    let single = sim.intercom("Market street 1").await;
    assert_eq!(answer(sim.raixer_post(&format!("/devices/{single}/open-door-2"))).await.0, 400);
}

#[tokio::test]
async fn a_post_must_be_json() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    let path = format!("/devices/{device}/open-door/1");
    let login = sim.operator().raixer;
    let bare = sim.request(Method::POST, Vendor::Raixer, &path).basic_auth(login.user, Some(login.password));
    assert_eq!(answer(bare).await.0, 400);
    assert_eq!(answer(sim.raixer_post(&path).body("{")).await.0, 400);
    assert_eq!(sim.handle().effects(0).entries, []);
    assert_eq!(answer(sim.raixer_post(&path).body("{}")).await.0, 200);
}

#[tokio::test]
async fn a_failed_door_is_an_element_of_its_own() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 5").await;
    let path = format!("/devices/{device}/open-door/street");
    let partial = |positions| Fault::new(Vendor::Raixer, FaultKind::PartialFailure { positions }).times(1);
    sim.handle().add_fault(partial(vec![1])).unwrap();
    assert_eq!(statuses(&answer(sim.raixer_post(&path)).await.1), ["error", "success"]);
    sim.handle().add_fault(partial(Vec::new())).unwrap();
    assert_eq!(statuses(&answer(sim.raixer_post(&path)).await.1), ["success", "error"]);
    let word = FaultKind::UnknownStatusWord { word: "maybe".to_owned() };
    sim.handle().add_fault(Fault::new(Vendor::Raixer, word).at("open_door_at").times(1)).unwrap();
    assert_eq!(statuses(&answer(sim.raixer_post(&path)).await.1), ["maybe", "maybe"]);
    let opened: Vec<Option<u32>> = sim.handle().effects_at(&device).iter().map(|effect| effect.position).collect();
    assert_eq!(opened, [Some(2), Some(1), Some(1), Some(2)]);
    assert!(sim.handle().effects(0).entries.iter().all(|effect| effect.kind == EffectKind::Open));
}

#[tokio::test]
async fn an_offline_device_opens_nothing() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Mill lane 4").await;
    let path = format!("/devices/{device}/open-door/1");
    assert_eq!(statuses(&answer(sim.raixer_post(&path)).await.1), ["error"]);
    sim.handle().change(WorldChange::RaixerOnline { device: device.clone(), online: true }).unwrap();
    assert_eq!(statuses(&answer(sim.raixer_post(&path)).await.1), ["success"]);
    sim.handle().add_fault(Fault::new(Vendor::Raixer, FaultKind::Offline).for_device(&device)).unwrap();
    assert_eq!(statuses(&answer(sim.raixer_post(&path)).await.1), ["error"]);
    let other = sim.intercom("Market street 1").await;
    assert_eq!(statuses(&answer(sim.raixer_post(&format!("/devices/{other}/open-door/1"))).await.1), ["success"]);
}
