//! The control API, and what it shows.

use std::time::Duration;

use gatehouse_simulator::{
    BikeepAccountPlan, BikeepDevicePlan, BikeepLocationPlan, BikeepType, CoverageRow, DemoCredentials, Effect,
    EffectKind, Latency, Mode, Outcome, Page, RequestEntry, SimulatorOptions, Vendor, World, WorldChoice, WorldSize,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sim, answer, still, text, with};

impl Sim {
    fn control(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}/_sim{path}", self.simulator.address()))
    }

    async fn post(&self, path: &str, body: Value) -> (u16, String) {
        let response = self.control(Method::POST, path).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

#[tokio::test]
async fn the_journal_shows_requests_without_secrets() {
    let sim = still(Mode::Auto).await;
    let dock = sim.free("BIKE_DOCK").await[0].clone();
    sim.command(&dock, json!({ "command": "lock" })).await;
    sim.bikeep("/nowhere?x=1").await;
    let text = sim.control(Method::GET, "/journal").send().await.unwrap().text().await.unwrap();
    assert!(!text.contains("demo-token"), "{text}");
    let page: Page<RequestEntry> = serde_json::from_str(&text).unwrap();
    let entries = &page.entries;
    let post = &entries[2];
    assert_eq!(
        (post.row.as_deref(), post.operation.as_deref(), post.status),
        (Some("B3"), Some("send_command"), Some(200))
    );
    assert_eq!((post.method.as_str(), post.outcome), ("POST", Outcome::Answered));
    assert_eq!(post.body, r#"{"command":"lock"}"#);
    assert!(post.headers["authorization"].starts_with("Bearer #"));
    assert_eq!(
        (entries[3].row.as_ref(), entries[3].status, entries[3].query.as_deref()),
        (None, Some(404), Some("x=1"))
    );
    let after = format!("/journal?after={}&limit=1", post.sequence);
    let page: Page<RequestEntry> = sim.control(Method::GET, &after).send().await.unwrap().json().await.unwrap();
    assert_eq!((page.entries.len(), page.entries[0].sequence, page.dropped), (1, post.sequence + 1, 0));

    let effects: Page<Effect> = sim.control(Method::GET, "/effects").send().await.unwrap().json().await.unwrap();
    assert_eq!((effects.entries[0].kind, effects.entries[0].device.as_str()), (EffectKind::Lock, dock.as_str()));
    assert_eq!(sim.control(Method::DELETE, "/journal").send().await.unwrap().status(), 204);
    assert_eq!((sim.handle().journal(0).entries.len(), sim.handle().effects(0).entries.len()), (0, 0));
}

#[tokio::test]
async fn coverage_lists_every_documented_row() {
    let sim = still(Mode::Auto).await;
    sim.raixer("/devices").await;
    sim.raixer("/schedules?campaignId=1").await;
    let rows: Vec<CoverageRow> = sim.control(Method::GET, "/coverage").send().await.unwrap().json().await.unwrap();
    let count = |vendor| rows.iter().filter(|row| row.vendor == vendor).count();
    assert_eq!((count(Vendor::Bikeep), count(Vendor::Raixer), count(Vendor::Parqex)), (8, 56, 11));
    let row = |id: &str| rows.iter().find(|row| row.row == id).unwrap();
    assert_eq!((row("R20").calls, row("R20").served), (1, true));
    assert_eq!((row("R54").calls, row("R54").served), (1, true));
    assert_eq!(row("R36").calls, 0);
    let served: Vec<&str> = rows.iter().filter(|row| row.served).map(|row| row.row.as_str()).collect();
    for expected in
        ["B1", "B2", "B3", "B4", "R13", "R15", "R19", "R20", "R21", "R36", "R42", "R43", "P1", "P2", "P3", "P4", "BX1"]
    {
        assert!(served.contains(&expected), "{expected}");
    }
}

#[tokio::test]
async fn faults_over_http() {
    let sim = still(Mode::Auto).await;
    let fault = json!({ "vendor": "raixer", "operation": "list_devices", "kind": "status", "code": 429, "retry_after": 3, "times": 1 });
    let (status, body) = sim.post("/faults", fault).await;
    assert_eq!((status, body.as_str()), (201, r#"{"id":1}"#));
    let (_, list) = answer(sim.control(Method::GET, "/faults")).await;
    assert_eq!((&list[0]["kind"], &list[0]["times"], &list[0]["hits"]), (&json!("status"), &json!(1), &json!(0)));
    assert_eq!(sim.raixer("/devices").await.0, 429);
    assert_eq!(sim.raixer("/devices").await.0, 200);
    let refused = sim.post("/faults", json!({ "vendor": "raixer", "kind": "meteor" })).await;
    assert_eq!(refused.0, 400);
    assert!(refused.1.contains("error"), "{}", refused.1);
    sim.post("/faults", json!({ "vendor": "bikeep", "kind": "hang" })).await;
    assert_eq!(sim.control(Method::DELETE, "/faults/2").send().await.unwrap().status(), 204);
    assert_eq!(sim.control(Method::DELETE, "/faults/2").send().await.unwrap().status(), 404);
    sim.post("/faults", json!({ "vendor": "bikeep", "kind": "hang" })).await;
    assert_eq!(sim.control(Method::DELETE, "/faults").send().await.unwrap().status(), 204);
    assert_eq!(sim.handle().faults(), []);
}

#[tokio::test]
async fn pokes_clock_and_world_over_http() {
    let sim = still(Mode::Explicit).await;
    let dock = sim.free("BIKE_DOCK").await[0].clone();
    let (_, command) = sim.command(&dock, json!({ "command": "book" })).await;
    let poke = json!({ "vendor": "bikeep", "command": command["id"], "drain": true });
    assert_eq!(sim.post("/poke", poke).await, (200, r#"{"moved":3}"#.to_owned()));
    assert_eq!(text(&sim.device(&dock).await["state"]["value"]), "BOOKED");
    let (_, now) = sim.post("/clock/advance", json!({ "millis": 3_600_000 })).await;
    assert_eq!(now, r#"{"now":"2031-03-02T13:00:00Z"}"#);
    assert_eq!(text(&sim.device(&dock).await["state"]["value"]), "UNLOCKED");

    for (change, body) in [
        ("bikeep_by_hand", json!({ "device": dock, "locked": true })),
        ("bikeep_health", json!({ "device": dock, "health": "DEAD" })),
        ("bikeep_sleep", json!({ "device": dock, "sleep": "LIGHT_SLEEP" })),
        ("bikeep_hardware", json!({ "device": dock, "hardware": "NOT_RESPONDING" })),
        ("renamed", json!({ "vendor": "bikeep", "device": dock, "name": "Dock of Theseus" })),
        ("parqex_status", json!({ "status": "as_message" })),
    ] {
        let (status, answer) = sim.post(&format!("/world/{change}"), body).await;
        assert_eq!(status, 204, "{change}: {answer}");
    }
    let device = sim.device(&dock).await;
    assert_eq!(
        (
            text(&device["state"]["value"]),
            text(&device["sleep_state"]),
            text(&device["hardware_state"]),
            text(&device["alias"])
        ),
        ("LOCKED", "LIGHT_SLEEP", "NOT_RESPONDING", "Dock of Theseus")
    );
    assert_eq!(sim.post("/world/bikeep_health", json!({ "device": "nowhere", "health": "DEAD" })).await.0, 404);
    assert_eq!(sim.post("/world/flood", json!({})).await.0, 400);
    assert_eq!(sim.post("/world/bikeep_health", json!([])).await.0, 400);
}

#[tokio::test]
async fn devices_disappear_and_credentials_are_revoked() {
    let sim = still(Mode::Auto).await;
    let dock = sim.free("BIKE_DOCK").await[0].clone();
    assert_eq!(sim.post("/world/removed", json!({ "vendor": "bikeep", "device": dock })).await.0, 204);
    assert_eq!(sim.bikeep(&format!("/device/v1/devices/{dock}")).await.0, 404);
    let intercom = sim.intercom("Market street 1").await;
    assert_eq!(sim.post("/world/removed", json!({ "vendor": "raixer", "device": intercom })).await.0, 204);
    assert_eq!(sim.raixer(&format!("/devices/{intercom}")).await.0, 403);
    assert_eq!(sim.raixer("/devices").await.1.as_array().unwrap().len(), 4);
    assert_eq!(sim.raixer("/connections").await.1.as_array().unwrap().len(), 5);
    let (_, body) = answer(sim.parqex(Method::GET, "/oauth/v1/endpoints/sync")).await;
    let device = &body["devices"][2]["id"];
    assert_eq!(sim.post("/world/removed", json!({ "vendor": "parqex", "device": device })).await.0, 204);
    assert_eq!(sim.post("/world/removed", json!({ "vendor": "parqex", "device": device })).await.0, 404);
    let (_, body) = answer(sim.parqex(Method::GET, "/oauth/v1/endpoints/sync")).await;
    assert_eq!(body["devices"].as_array().unwrap().len(), 2);

    let (_, all) = answer(sim.control(Method::GET, "/credentials")).await;
    let all: Vec<DemoCredentials> = serde_json::from_value(all).unwrap();
    assert_eq!(all, sim.simulator.credentials());
    let revoke = json!({ "vendor": "raixer", "credential": all[0].raixer.user, "valid": false });
    assert_eq!(sim.post("/world/credential", revoke).await.0, 204);
    assert_eq!(sim.raixer("/devices").await.0, 401);
}

#[tokio::test]
async fn worlds_of_any_size_and_of_any_make() {
    let size = WorldSize { bikeep_docks: 500, raixer_devices: 100, ..WorldSize::default() };
    let options =
        SimulatorOptions { latency: Latency::none(), world: WorldChoice::Sized(size), ..SimulatorOptions::default() };
    let sim = with(options).await;
    assert_eq!(sim.free("BIKE_DOCK").await.len(), 500);
    assert_eq!(sim.raixer("/devices").await.1.as_array().unwrap().len(), 100);

    let mut world = World::empty(9);
    let devices = vec![BikeepDevicePlan::new(BikeepType::ScooterDock, "Scooter 1")];
    let bikeep = world.add_bikeep_account(BikeepAccountPlan {
        token: "mine".to_owned(),
        admin: false,
        act_on_behalf_of: false,
        locations: vec![BikeepLocationPlan { devices }],
    });
    let sim =
        with(SimulatorOptions { world: WorldChoice::Explicit(Box::new(world)), ..SimulatorOptions::default() }).await;
    let path = format!("/device/v1/locations/{}/devices", bikeep.locations[0]);
    let (_, list) = answer(sim.request(Method::GET, Vendor::Bikeep, &path).bearer_auth("mine")).await;
    let commands: Vec<&String> = list["data"][0]["commands"].as_object().unwrap().keys().collect();
    assert_eq!(commands, ["book", "lock", "unlock"], "a scooter dock has no cancel-booking");
}

#[tokio::test]
async fn the_same_address_can_be_used_again_after_shutdown() {
    let sim = still(Mode::Auto).await;
    let address = sim.simulator.address();
    sim.raixer("/devices").await;
    sim.simulator.shutdown().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let again = with(SimulatorOptions { address, ..SimulatorOptions::default() }).await;
    assert_eq!(again.raixer("/devices").await.0, 200);
}
