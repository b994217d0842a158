//! ParqEx's documented rules.

use std::time::Duration;

use gatehouse_simulator::{
    EffectKind, Fault, FaultKind, Latency, Mode, ParqexStatus, Poke, SimClock, SimulatorOptions, Vendor, WorldChange,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sim, answer, noon, still, text, with};

fn message(answer: &(u16, Value)) -> &str {
    assert_eq!(answer.1["success"], json!(true), "documented for every variant");
    assert!(answer.1["timestamp"].is_i64());
    text(&answer.1["message"])
}

async fn id(sim: &Sim, name: &str) -> String {
    text(&sim.gate(name).await["id"]).to_owned()
}

#[tokio::test]
async fn sync_shows_controllers_and_doors_with_every_field() {
    let sim = still(Mode::Auto).await;
    for method in [Method::GET, Method::POST] {
        let (status, body) = answer(sim.parqex(method, "/oauth/v1/endpoints/sync")).await;
        assert_eq!(status, 200);
        let devices = body["devices"].as_array().unwrap();
        assert_eq!(devices.len(), 3);
        assert_eq!(devices[0].as_object().unwrap().len(), 13);
        assert_eq!(text(&devices[0]["id"]).len(), 32);
        assert_eq!(text(&devices[0]["last_contact"]), "2031-03-02 12:00:00", "naive");
        let door = &devices[0]["doors"][0];
        assert_eq!(door.as_object().unwrap().len(), 15);
        assert_eq!((text(&door["state"]), &door["entity_number"]), ("CLOSED", &json!(1)));
    }
}

#[tokio::test]
async fn a_gate_opens_and_its_sensor_follows() {
    let latency = Latency { travel: Duration::from_secs(10), ..Latency::none() };
    let options = SimulatorOptions { latency, clock: SimClock::manual(noon()), ..SimulatorOptions::default() };
    let sim = with(options).await;
    let gate = id(&sim, "North gate").await;
    assert_eq!(message(&sim.toggle(&gate, "OPEN").await), "200");
    assert_eq!(text(&sim.gate("North gate").await["state"]), "CLOSED", "still moving");
    assert_eq!(message(&sim.toggle(&gate, "OPEN").await), "200");
    assert_eq!(sim.handle().effects_at(&gate).len(), 2, "a second OPEN on the way is a second pulse");
    sim.advance(Duration::from_secs(10));
    let door = sim.gate("North gate").await;
    assert_eq!((text(&door["state"]), text(&door["last_toggled"])), ("OPEN", "2031-03-02 12:00:10"));
    assert_eq!(message(&sim.toggle(&gate, "OPEN").await), "200");
    assert_eq!(sim.handle().effects_at(&gate).len(), 2, "known to be open already: no pulse");
    sim.toggle(&gate, "CLOSED").await;
    sim.advance(Duration::from_secs(10));
    assert_eq!(text(&sim.gate("North gate").await["state"]), "CLOSED");
    assert_eq!(sim.handle().effects_at(&gate).last().unwrap().kind, EffectKind::Close);
}

#[tokio::test]
async fn both_documented_toggle_paths_work() {
    let sim = still(Mode::Auto).await;
    let gate = id(&sim, "South gate").await;
    let body = json!({ "door_id": gate, "door_state": "OPEN" }).to_string();
    let plural = sim.parqex(Method::POST, "/api/oauth/v1/endpoints/toggle").body(body);
    assert_eq!(message(&answer(plural).await), "200");
    assert_eq!(sim.handle().effects_at(&gate).len(), 1);
    assert_eq!(answer(sim.parqex(Method::POST, "/oauth/v1/endpoints/toggle")).await.0, 404);
}

#[tokio::test]
async fn every_header_of_the_table_is_required() {
    let sim = still(Mode::Auto).await;
    let gate = id(&sim, "North gate").await;
    let body = json!({ "door_id": gate, "door_state": "OPEN" }).to_string();
    let token = sim.operator().parqex.access_token;
    let all = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("accept-charset", "utf-8"),
        ("accept-encoding", "gzip"),
    ];
    for (wrong, _) in all {
        for replacement in [None, Some("something/else")] {
            let mut request =
                sim.request(Method::POST, Vendor::Parqex, "/oauth/v1/endpoint/toggle").bearer_auth(&token);
            for (name, value) in all {
                // The client adds some of them by itself; an empty value stands for a missing one.
                let value = if name == wrong { replacement.unwrap_or_default() } else { value };
                request = request.header(name, value);
            }
            let answer = answer(request.body(body.clone())).await;
            assert!(message(&answer).ends_with("Malformed Request. (400)"), "{wrong}: {answer:?}");
        }
    }
    assert_eq!(sim.handle().effects(0).entries, []);
}

#[tokio::test]
async fn every_documented_message_can_be_met() {
    let sim = still(Mode::Auto).await;
    let gate = id(&sim, "North gate").await;
    let post = |body: String| sim.parqex(Method::POST, "/oauth/v1/endpoint/toggle").body(body);
    for wrong in [
        "{",
        "{}",
        r#"{"door_id":"x"}"#,
        r#"{"door_id":"x","door_state":"AJAR"}"#,
        r#"{"door_id":1,"door_state":"OPEN"}"#,
    ] {
        let answer = answer(post(wrong.to_owned())).await;
        assert_eq!(
            (answer.0, message(&answer)),
            (200, "Error communicating with access point. Malformed Request. (400)")
        );
    }
    let missing = sim.toggle("ffffffffffffffffffffffffffffffff", "OPEN").await;
    assert_eq!(
        message(&missing),
        "Sorry, your access point can't be found. Please unplug the access point and then plug it back in."
    );
    let blind = id(&sim, "North walkway").await;
    assert_eq!(message(&sim.toggle(&blind, "OPEN").await), "200");
    assert_eq!(
        message(&sim.toggle(&blind, "CLOSED").await),
        "Your pedestrian door requires pairing a door sensor before the request can be processed. (428)"
    );
    let elevator = id(&sim, "Deck elevator").await;
    assert_eq!(
        message(&sim.toggle(&elevator, "CLOSED").await),
        "Error communicating with elevator. Not Implemented error. (501)"
    );
    let token = sim.operator().parqex.access_token;
    let credential = |valid| WorldChange::Credential { vendor: Vendor::Parqex, credential: token.clone(), valid };
    sim.handle().change(credential(false)).unwrap();
    assert_eq!(
        message(&sim.toggle(&gate, "OPEN").await),
        "Error communicating with access point. Authentication error. (401)"
    );
    let (status, body) = answer(sim.parqex(Method::GET, "/oauth/v1/endpoints/sync")).await;
    assert_eq!((status, text(&body["errors"][0]["message"])), (401, "Authentication error"));
    sim.handle().change(credential(true)).unwrap();
    assert_eq!(sim.handle().effects_at(&gate), []);
}

#[tokio::test]
async fn the_status_of_error_messages_is_a_choice() {
    let options = SimulatorOptions {
        latency: Latency::none(),
        parqex_status: ParqexStatus::AsMessage,
        ..SimulatorOptions::default()
    };
    let sim = with(options).await;
    let blind = id(&sim, "Yard door").await;
    assert_eq!(sim.toggle(&blind, "CLOSED").await.0, 428);
    assert_eq!(sim.toggle("nowhere", "OPEN").await.0, 404);
    let gate = id(&sim, "Yard gate").await;
    let name = "authentication".to_owned();
    let fault = FaultKind::ParqexMessage { name, http_status: Some(403) };
    sim.handle().add_fault(Fault::new(Vendor::Parqex, fault).for_device(&gate).times(1)).unwrap();
    assert_eq!(sim.toggle(&blind, "OPEN").await.0, 200, "another door");
    let answer = sim.toggle(&gate, "OPEN").await;
    assert_eq!((answer.0, message(&answer).ends_with("(401)")), (403, true));
    assert_eq!(sim.handle().effects_at(&gate), []);
}

#[tokio::test]
async fn a_door_of_somebody_else_cannot_be_found() {
    let sim = still(Mode::Auto).await;
    let gate = id(&sim, "North gate").await;
    let token = sim.neighbour().parqex.access_token;
    let body = json!({ "door_id": gate, "door_state": "OPEN" }).to_string();
    let request = sim
        .request(Method::POST, Vendor::Parqex, "/oauth/v1/endpoint/toggle")
        .bearer_auth(token)
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .header("accept-charset", "utf-8")
        .header("accept-encoding", "gzip")
        .body(body);
    assert!(message(&answer(request).await).starts_with("Sorry"));
    assert_eq!(sim.handle().effects(0).entries, []);
}

#[tokio::test]
async fn an_unplugged_controller_cannot_be_found() {
    let sim = still(Mode::Auto).await;
    let gate = id(&sim, "Deck entry").await;
    let (_, body) = answer(sim.parqex(Method::GET, "/oauth/v1/endpoints/sync")).await;
    let device = text(&body["devices"][1]["id"]).to_owned();
    sim.handle().change(WorldChange::ParqexReachable { device, reachable: false }).unwrap();
    assert!(message(&sim.toggle(&gate, "OPEN").await).starts_with("Sorry, your gate can't be found."));
    sim.advance(Duration::from_secs(60));
    let (_, body) = answer(sim.parqex(Method::GET, "/oauth/v1/endpoints/sync")).await;
    assert_eq!(text(&body["devices"][1]["last_contact"]), "2031-03-02 12:00:00");
    assert_eq!(text(&body["devices"][0]["last_contact"]), "2031-03-02 12:01:00");
}

#[tokio::test]
async fn a_garage_closes_by_itself_and_history_knows() {
    let sim = still(Mode::Auto).await;
    let garage = id(&sim, "Garage ramp").await;
    sim.toggle(&garage, "OPEN").await;
    assert_eq!(text(&sim.gate("Garage ramp").await["state"]), "OPEN");
    sim.advance(Duration::from_secs(20));
    let kinds: Vec<EffectKind> = sim.handle().effects_at(&garage).iter().map(|effect| effect.kind).collect();
    assert_eq!(kinds, [EffectKind::Open, EffectKind::Close]);
    let path = format!(
        "/oauth/v1/endpoints/toggle-history?history_type=door&door_id={garage}&start_date=2031-03-02&end_date=2031-03-02"
    );
    let (status, body) = answer(sim.parqex(Method::GET, &path)).await;
    let events = body["data"]["toggle_events"].as_array().unwrap();
    assert_eq!((status, events.len()), (200, 3));
    assert_eq!((text(&events[0]["door_state"]), text(&events[0]["channel"])), ("CLOSED", "Door Sensor"));
    assert_eq!(text(&events[0]["door_id"]).replace('-', ""), garage);
    assert_eq!(text(&events[0]["toggle_date_time"]), "2031-03-02");
    let later = path.replace("start_date=2031-03-02&end_date=2031-03-02", "start_date=2031-03-03");
    let (_, body) = answer(sim.parqex(Method::GET, &later)).await;
    assert_eq!(body["data"]["toggle_events"], json!([]));
    for wrong in ["", "?history_type=door", "?history_type=user&start_date=yesterday"] {
        let path = format!("/oauth/v1/endpoints/toggle-history{wrong}");
        assert_eq!(answer(sim.parqex(Method::GET, &path)).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn user_info_and_settings_are_two_verbs_of_one_path() {
    let sim = still(Mode::Auto).await;
    let (_, info) = answer(sim.parqex(Method::GET, "/oauth/v1/endpoints/user-info")).await;
    assert_eq!(text(&info["data"]["first_name"]), "Olive");
    let (_, settings) = answer(sim.parqex(Method::POST, "/oauth/v1/endpoints/user-info")).await;
    assert_eq!(text(&settings["data"]["time_zone"]), "America/Chicago");
}

#[tokio::test]
async fn an_explicit_gate_arrives_when_poked() {
    let sim = still(Mode::Explicit).await;
    let gate = id(&sim, "North gate").await;
    sim.toggle(&gate, "OPEN").await;
    sim.advance(Duration::from_secs(60));
    assert_eq!(text(&sim.gate("North gate").await["state"]), "CLOSED");
    assert_eq!(sim.handle().poke(&Poke::step(Vendor::Parqex)), 1);
    assert_eq!(text(&sim.gate("North gate").await["state"]), "OPEN");
    let seen = WorldChange::ParqexDoor { door: gate.clone(), open: false };
    sim.handle().change(seen).unwrap();
    assert_eq!(text(&sim.gate("North gate").await["state"]), "CLOSED");
}
