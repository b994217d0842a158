//! Bikeep beyond the device service: tokens, locations, cards, and webhooks about what is wrong.

use std::time::Duration;

use gatehouse_simulator::{
    BikeepHash, BikeepHealth, BikeepNotice, BikeepWebhooks, Latency, Mode, SimClock, SimulatorOptions, Vendor,
    WorldChange,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::{Sim, answer, noon, still, text, with},
    webhooks::Receiver,
};

const MINUTE: Duration = Duration::from_secs(60);

fn token_request(sim: &Sim, body: String) -> reqwest::RequestBuilder {
    sim.request(Method::POST, Vendor::Bikeep, "/oauth2/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

#[tokio::test]
async fn client_credentials_give_a_token_for_an_hour() {
    let sim = still(Mode::Auto).await;
    let login = sim.operator().bikeep;
    let path = format!("/device/v1/locations/{}/devices", login.locations[0]);
    let read = async |token: &str| answer(sim.request(Method::GET, Vendor::Bikeep, &path).bearer_auth(token)).await.0;
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={}", login.client_id, login.client_secret);
    let (status, body) = answer(token_request(&sim, form)).await;
    assert_eq!((status, body.as_object().unwrap().len()), (200, 3));
    assert_eq!((text(&body["token_type"]), &body["expires_in"]), ("Bearer", &json!(3600)));
    assert_eq!(text(&body["access_token"]).split('.').count(), 3, "a JWT");
    assert_eq!(read(text(&body["access_token"])).await, 200);

    let basic = token_request(&sim, "grant_type=client_credentials".to_owned());
    let (status, other) = answer(basic.basic_auth(&login.client_id, Some(&login.client_secret))).await;
    assert_eq!(status, 200);
    assert_ne!(other["access_token"], body["access_token"]);
    sim.advance(60 * MINUTE);
    assert_eq!(read(text(&body["access_token"])).await, 401);
    assert_eq!(read(&login.token).await, 200, "a planted token does not expire");
    let shown = format!("{:?}", sim.handle().journal(0).entries);
    assert!(!shown.contains(&login.client_secret), "secrets in the journal");
}

#[tokio::test]
async fn wrong_token_requests_have_their_errors() {
    let sim = still(Mode::Auto).await;
    for (form, status, error) in [
        ("grant_type=client_credentials&client_id=x&client_secret=y", 401, "invalid_client"),
        ("grant_type=client_credentials", 401, "invalid_client"),
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("", 400, "invalid_request"),
    ] {
        let (given, body) = answer(token_request(&sim, form.to_owned())).await;
        assert_eq!((given, text(&body["error"])), (status, error), "{form}");
    }
}

#[tokio::test]
async fn locations_have_every_documented_field() {
    let sim = still(Mode::Auto).await;
    let (status, list) = sim.bikeep("/location/v1/locations?include=resources").await;
    let data = list["data"].as_array().unwrap();
    assert_eq!((status, data.len()), (200, 2));
    let ids: Vec<&str> = data.iter().map(|location| text(&location["id"])).collect();
    assert_eq!(ids, sim.operator().bikeep.locations);
    assert_eq!((text(&data[0]["type"]), text(&data[1]["type"])), ("BIKE_HOUSE", "BIKE_LOCKERS"));
    assert_eq!((text(&data[0]["label"]), text(&data[0]["connection"])), ("Quay", "online"));
    assert_eq!(data[0].as_object().unwrap().len(), 27, "with the restricted ones");
    let (total, online) = (&data[0]["devices"]["total"], &data[0]["devices"]["online"]);
    assert_eq!((total, online), (&json!(10), &json!(10)));

    let path = format!("/location/v1/locations/{}", ids[0]);
    let (_, one) = sim.bikeep(&path).await;
    assert_eq!(one, data[0]);
    assert_eq!(answer(sim.http.get(text(&one["uri"])).bearer_auth(sim.operator().bikeep.token)).await.0, 200);
    let neighbour = sim.neighbour().bikeep;
    let request = |path: &str| sim.request(Method::GET, Vendor::Bikeep, path).bearer_auth(&neighbour.token);
    assert_eq!(answer(request(&path)).await.0, 403);
    let (_, own) = answer(request("/location/v1/locations")).await;
    assert_eq!(own["data"][0].as_object().unwrap().len(), 20, "without the restricted ones");
    assert_eq!(sim.bikeep("/location/v1/locations/none").await.0, 404);
}

#[tokio::test]
async fn locations_are_found_by_place_and_tag() {
    let sim = still(Mode::Auto).await;
    let (_, list) = sim.bikeep("/location/v1/locations").await;
    let first = &list["data"][0];
    let near = format!("lat_lng={},{}&radius=500", first["latitude"], first["longitude"]);
    for (query, found) in [
        (near.as_str(), 1),
        ("lat_lng=0,0&radius=500", 0),
        ("lat_lng=0,0", 2),
        ("tag=PRIVATE", 2),
        ("tag=PRIVATE&tag=PUBLIC", 0),
    ] {
        let (_, list) = sim.bikeep(&format!("/location/v1/locations?{query}")).await;
        assert_eq!(list["data"].as_array().unwrap().len(), found, "{query}");
    }
    for wrong in ["radius=5", "lat_lng=here", "lat_lng=1,2&radius=far"] {
        assert_eq!(sim.bikeep(&format!("/location/v1/locations?{wrong}")).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn availability_knows_doors_docks_and_connections() {
    let sim = still(Mode::Auto).await;
    let path = format!("/location/v1/locations/{}", sim.operator().bikeep.locations[0]);
    let available = async || sim.bikeep(&path).await.1["devices"]["available"].as_u64().unwrap();
    let before = available().await;
    let dock = sim.free("BIKE_DOCK").await[0].clone();
    sim.command(&dock, json!({ "command": "lock" })).await;
    assert_eq!(available().await, before - 1, "a dock is available unlocked");
    let door = sim.free("BIKE_HOUSE_DOOR").await[0].clone();
    sim.command(&door, json!({ "command": "unlock" })).await;
    assert_eq!(available().await, before - 2, "a door is available locked");
    let guard = sim.free("GUARD").await[0].clone();
    let dead = WorldChange::BikeepHealth { device: guard, health: Some(BikeepHealth::Dead) };
    sim.handle().change(dead).unwrap();
    assert_eq!(available().await, before - 3);
    assert_eq!(text(&sim.bikeep(&path).await.1["connection"]), "partially_online");
}

#[tokio::test]
async fn cards_of_a_list_are_shown_with_their_time() {
    let sim = still(Mode::Auto).await;
    let login = sim.operator().bikeep;
    let path = format!("/whitelist/v1/whitelists/{}/entities", login.whitelists[0]);
    let (status, list) = sim.bikeep(&path).await;
    assert_eq!(status, 200);
    let statuses: Vec<&str> = list["data"].as_array().unwrap().iter().map(|card| text(&card["status"])).collect();
    assert_eq!(statuses, ["ACTIVE", "EXPIRED"]);
    assert_eq!(list["data"][0].as_object().unwrap().len(), 7);
    assert_eq!(text(&list["data"][0]["expires_at"]), "");
    let neighbour = sim.neighbour().bikeep.token;
    assert_eq!(answer(sim.request(Method::GET, Vendor::Bikeep, &path).bearer_auth(neighbour)).await.0, 403);
    assert_eq!(sim.bikeep("/whitelist/v1/whitelists/none/entities").await.0, 404);
}

#[tokio::test]
async fn settings_and_user_need_a_permission() {
    let sim = still(Mode::Auto).await;
    let neighbour = sim.neighbour().bikeep;
    let path = format!("/device/v1/locations/{}/devices", neighbour.locations[0]);
    let (_, list) = answer(sim.request(Method::GET, Vendor::Bikeep, &path).bearer_auth(&neighbour.token)).await;
    let dock = &list["data"][1];
    let lock = sim.http.post(text(&dock["commands"]["lock"])).bearer_auth(&neighbour.token);
    assert_eq!(answer(lock.json(&json!({ "command": "lock" }))).await.0, 200);
    let again = sim.http.get(text(&dock["uri"])).bearer_auth(&neighbour.token);
    let (_, dock) = answer(again).await;
    assert_eq!(
        (text(&dock["state"]["value"]), &dock["user"], &dock["settings"]),
        ("LOCKED", &Value::Null, &Value::Null)
    );
    assert!(sim.device(&sim.free("BIKE_DOCK").await[0]).await["settings"].is_object());
}

async fn listening(options: SimulatorOptions) -> (Sim, Receiver) {
    let clock = SimClock::manual(noon());
    let sim = with(SimulatorOptions { clock, latency: Latency::none(), ..options }).await;
    let receiver = Receiver::start().await;
    sim.handle().send_webhooks_to(Vendor::Bikeep, receiver.target());
    (sim, receiver)
}

/// What has arrived once `by` has passed.
async fn after(sim: &Sim, receiver: &Receiver, by: Duration) -> Vec<Value> {
    sim.advance(by);
    sim.handle().webhooks_delivered().await;
    receiver.bodies()
}

#[tokio::test]
async fn a_silent_device_is_told_after_five_minutes_and_once() {
    let (sim, receiver) = listening(SimulatorOptions::default()).await;
    let docks = sim.free("BIKE_DOCK").await;
    let health = |device: &str, health| {
        let device = device.to_owned();
        sim.handle().change(WorldChange::BikeepHealth { device, health: Some(health) }).unwrap();
    };
    health(&docks[0], BikeepHealth::Dead);
    health(&docks[1], BikeepHealth::Unhealthy);
    assert_eq!(after(&sim, &receiver, 4 * MINUTE).await, Vec::<Value>::new());
    health(&docks[0], BikeepHealth::LongDead);
    health(&docks[2], BikeepHealth::Dead);
    health(&docks[2], BikeepHealth::Healthy);
    let told = after(&sim, &receiver, MINUTE).await;
    assert_eq!(told.len(), 2, "one for each device: {told:?}");
    assert_eq!((text(&told[0]["type"]), &told[0]["version"]), ("connection", &json!(2)));
    assert_eq!(told[0].as_object().unwrap().len(), 4);
    assert_eq!(told[0]["data"]["device_id"], json!(docks[0]));
    assert_eq!(text(&told[0]["data"]["connection"]), "offline");
    assert_eq!(text(&told[1]["data"]["connection"]), "online", "only the last of one device");
    assert_eq!(sim.handle().webhooks(0).entries[0].account, sim.operator().bikeep.user);
}

#[tokio::test]
async fn an_outage_of_two_hours_is_confirmed() {
    let (sim, receiver) = listening(SimulatorOptions::default()).await;
    let neighbour = sim.neighbour().bikeep;
    let path = format!("/device/v1/locations/{}/devices", neighbour.locations[0]);
    let (_, list) = answer(sim.request(Method::GET, Vendor::Bikeep, &path).bearer_auth(&neighbour.token)).await;
    let devices: Vec<&str> = list["data"].as_array().unwrap().iter().map(|device| text(&device["id"])).collect();
    let all = |health: BikeepHealth| {
        for device in &devices {
            let device = (*device).to_owned();
            sim.handle().change(WorldChange::BikeepHealth { device, health: Some(health) }).unwrap();
        }
    };
    let confirmed = |told: Vec<Value>| told.iter().filter(|body| body["type"] == "connection_confirmed").count();
    all(BikeepHealth::Dead);
    assert_eq!(confirmed(after(&sim, &receiver, 100 * MINUTE).await), 0);
    all(BikeepHealth::Healthy);
    all(BikeepHealth::Dead);
    assert_eq!(confirmed(after(&sim, &receiver, 100 * MINUTE).await), 0, "it was online in between");
    assert_eq!(confirmed(after(&sim, &receiver, 35 * MINUTE).await), 1);
    let body = receiver.bodies().into_iter().find(|body| body["type"] == "connection_confirmed").unwrap();
    assert_eq!(body["data"]["location_id"], json!(neighbour.locations[0]));
    let path = format!("/location/v1/locations/{}", neighbour.locations[0]);
    let (_, shown) = answer(sim.request(Method::GET, Vendor::Bikeep, &path).bearer_auth(&neighbour.token)).await;
    assert_eq!(text(&shown["connection"]), "offline");
    assert_eq!(text(&shown["offline_since"]), "2031-03-02T13:40:00.000Z");
}

#[tokio::test]
async fn alarms_statuses_and_reports_have_their_windows() {
    let (sim, receiver) = listening(SimulatorOptions::default()).await;
    let device = sim.free("LOCKER").await[0].clone();
    let alarm = |reason: &str| WorldChange::BikeepAlarm {
        device: device.clone(),
        category: "security".to_owned(),
        reason: reason.to_owned(),
    };
    sim.handle().change(alarm("wire_cut")).unwrap();
    sim.handle().change(alarm("shock")).unwrap();
    sim.handle().change(WorldChange::BikeepStatus { device: device.clone(), status: "door_open".to_owned() }).unwrap();
    let report =
        json!({ "report_type": "usage", "report_url": "https://x.test", "url_valid_until": "2031-03-03T00:00:00Z" });
    let user = sim.operator().bikeep.user;
    let report = WorldChange::BikeepNotice { user, notice: BikeepNotice::Report, data: report };
    sim.handle().change(report).unwrap();
    let types = |told: &[Value]| told.iter().map(|body| text(&body["type"]).to_owned()).collect::<Vec<_>>();
    assert_eq!(types(&after(&sim, &receiver, Duration::ZERO).await), ["report"]);
    let told = after(&sim, &receiver, MINUTE).await;
    assert_eq!(types(&told), ["report", "alarm", "alarm"]);
    assert_eq!(told[1]["data"]["device_id"], json!(device));
    assert_eq!((text(&told[1]["data"]["alarm_reason"]), text(&told[2]["data"]["alarm_reason"])), ("wire_cut", "shock"));
    assert_eq!(types(&after(&sim, &receiver, 4 * MINUTE).await)[3..], ["status"]);
}

#[tokio::test]
async fn a_command_that_times_out_on_the_way_is_a_status() {
    let (sim, receiver) = listening(SimulatorOptions::default()).await;
    let dock = sim.free("BIKE_DOCK").await[0].clone();
    let silent = WorldChange::BikeepHealth { device: dock.clone(), health: Some(BikeepHealth::Dead) };
    sim.handle().change(silent).unwrap();
    sim.command(&dock, json!({ "command": "lock" })).await;
    let told = after(&sim, &receiver, 10 * MINUTE).await;
    let status = told.iter().find(|body| body["type"] == "status").unwrap();
    assert_eq!(text(&status["data"]["status"]), "interim_state_timed_out");
}

#[tokio::test]
async fn the_hash_and_the_list_are_choices() {
    let mut hashes = Vec::new();
    for hash in [BikeepHash::Sha256, BikeepHash::HmacSha256] {
        let bikeep_webhooks = BikeepWebhooks { hash, as_list: true };
        let (sim, receiver) = listening(SimulatorOptions { bikeep_webhooks, ..SimulatorOptions::default() }).await;
        for device in sim.free("LOCKER").await.into_iter().take(2) {
            let (category, reason) = ("security".to_owned(), "shock".to_owned());
            sim.handle().change(WorldChange::BikeepAlarm { device, category, reason }).unwrap();
        }
        let told = after(&sim, &receiver, MINUTE).await;
        assert_eq!((told.len(), told[0]["data"].as_array().unwrap().len()), (1, 2));
        hashes.push(text(&told[0]["hash"]).to_owned());
    }
    assert!(hashes.iter().all(|hash| hash.len() == 64) && hashes[0] != hashes[1]);
}
