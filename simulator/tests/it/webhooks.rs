//! Webhooks as their receivers see them: delivery, retries, mishaps, and what ParqEx says in its own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use gatehouse_simulator::{
    Latency, Mode, SimulatorOptions, Vendor, WebhookConduct, WebhookOutcome, WebhookTarget, WorldChange,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sim, still, text, with};

/// Somebody who receives webhooks and replies what the test wants.
pub(crate) struct Receiver {
    url: String,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Inbox {
    got: Mutex<Vec<(HeaderMap, Value)>>,
    /// Replies to the next ones; 200 when empty.
    replies: Mutex<Vec<u16>>,
}

impl Receiver {
    pub(crate) async fn start() -> Receiver {
        let inbox = Arc::<Inbox>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?secret=s3cret", listener.local_addr().unwrap());
        let app = Router::new().route("/hook", post(receive)).with_state(Arc::clone(&inbox));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Receiver { url, inbox }
    }

    pub(crate) fn target(&self) -> WebhookTarget {
        WebhookTarget::new(&self.url)
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.inbox.got.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }

    fn replying(&self, statuses: &[u16]) {
        *self.inbox.replies.lock().unwrap() = statuses.to_vec();
    }
}

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    inbox.got.lock().unwrap().push((headers, serde_json::from_slice(&body).unwrap()));
    let mut replies = inbox.replies.lock().unwrap();
    let status = if replies.is_empty() { 200 } else { replies.remove(0) };
    StatusCode::from_u16(status).unwrap()
}

async fn id(sim: &Sim, gate: &str) -> String {
    text(&sim.gate(gate).await["id"]).to_owned()
}

fn states(receiver: &Receiver) -> Vec<String> {
    receiver.bodies().iter().map(|body| text(&body["eventType"]).to_owned()).collect()
}

#[tokio::test]
async fn a_movement_is_told_once_with_every_documented_field() {
    let latency = Latency { travel: Duration::from_secs(10), ..Latency::none() };
    let clock = gatehouse_simulator::SimClock::manual(crate::support::noon());
    let sim = with(SimulatorOptions { latency, clock, ..SimulatorOptions::default() }).await;
    let receiver = Receiver::start().await;
    let target = receiver.target().header("x-api-key", "k3y");
    assert!(!format!("{target:?}").contains("k3y") && !format!("{target:?}").contains("s3cret"));
    sim.handle().send_webhooks_to(Vendor::Parqex, target);
    let gate = id(&sim, "North gate").await;
    sim.toggle(&gate, "OPEN").await;
    sim.handle().webhooks_delivered().await;
    assert_eq!(receiver.bodies(), Vec::<Value>::new(), "not there yet");
    sim.advance(Duration::from_secs(10));
    sim.handle().webhooks_delivered().await;
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 1);
    let body = &bodies[0];
    assert_eq!(body.as_object().unwrap().len(), 11);
    assert_eq!(text(&body["id"]).len(), 32);
    assert_eq!(text(&body["toggleID"]).len(), 32);
    assert_eq!((text(&body["eventType"]), text(&body["doorState"])), ("door1_open", "OPEN"));
    assert_eq!((text(&body["doorID"]), text(&body["channel"])), (gate.as_str(), "API"));
    assert_eq!(body["eventOccurred"], json!(crate::support::noon().timestamp() + 10), "seconds");
    assert_eq!(text(&body["eventOccurredUTC"]), "2031-03-02T12:00:10Z");
    assert_eq!(text(&body["userThatToggled"]["emailAddress"]), sim.operator().parqex.email);
    let headers = receiver.inbox.got.lock().unwrap()[0].0.clone();
    assert_eq!([&headers["x-api-key"], &headers["content-type"]], ["k3y", "application/json"]);

    let change = WorldChange::ParqexDoor { door: gate.clone(), open: false };
    sim.handle().change(change).unwrap();
    sim.handle().webhooks_delivered().await;
    let closed = &receiver.bodies()[1];
    assert_eq!((text(&closed["doorState"]), text(&closed["channel"])), ("CLOSED", "Door Sensor"));
    assert_ne!(closed["toggleID"], body["toggleID"]);
}

#[tokio::test]
async fn a_door_without_a_sensor_is_told_with_its_pulse() {
    let sim = still(Mode::Explicit).await;
    let receiver = Receiver::start().await;
    sim.handle().send_webhooks_to(Vendor::Parqex, receiver.target());
    let door = id(&sim, "North walkway").await;
    sim.toggle(&door, "OPEN").await;
    sim.handle().webhooks_delivered().await;
    assert_eq!(states(&receiver), ["door4_open"]);
}

#[tokio::test]
async fn every_linked_user_with_access_is_told() {
    let sim = still(Mode::Auto).await;
    let (everything, neighbours) = (Receiver::start().await, Receiver::start().await);
    let (olive, nora) = (sim.operator().parqex.email, sim.neighbour().parqex.email);
    sim.handle().send_webhooks_to(Vendor::Parqex, everything.target());
    sim.handle().send_webhooks_to(Vendor::Parqex, neighbours.target().only_for(&nora));
    let gate = id(&sim, "Deck entry").await;
    let effects = {
        sim.toggle(&gate, "OPEN").await;
        sim.handle().effects_at(&gate)
    };
    let device = effects[0].device.clone();
    sim.handle().change(WorldChange::ParqexShared { device, user: nora.clone(), shared: true }).unwrap();
    sim.toggle(&gate, "CLOSED").await;
    sim.handle().webhooks_delivered().await;
    assert_eq!(states(&everything), ["door1_open", "door1_closed", "door1_closed"]);
    assert_eq!(states(&neighbours), ["door1_closed"]);
    let bodies = everything.bodies();
    assert_eq!(bodies[1]["toggleID"], bodies[2]["toggleID"]);
    assert_ne!(bodies[1]["id"], bodies[2]["id"]);
    let accounts: Vec<String> = sim.handle().webhooks(0).entries.into_iter().map(|entry| entry.account).collect();
    assert_eq!(accounts, [olive.clone(), olive, nora.clone()]);

    sim.handle().change(WorldChange::ParqexRevoked { user: nora }).unwrap();
    sim.toggle(&gate, "OPEN").await;
    sim.handle().webhooks_delivered().await;
    assert_eq!(states(&neighbours), ["door1_closed"], "no longer linked");
}

#[tokio::test]
async fn a_refused_webhook_is_tried_again_and_then_given_up() {
    let sim = still(Mode::Auto).await;
    let receiver = Receiver::start().await;
    let target = sim.handle().send_webhooks_to(Vendor::Parqex, receiver.target());
    let gate = id(&sim, "North gate").await;
    receiver.replying(&[500, 200, 503, 503, 503]);
    sim.toggle(&gate, "OPEN").await;
    sim.toggle(&gate, "CLOSED").await;
    sim.handle().webhooks_delivered().await;
    let deliveries: Vec<_> = sim.handle().webhooks(0).entries.into_iter().flat_map(|entry| entry.deliveries).collect();
    let ends: Vec<_> = deliveries.iter().map(|one| (one.target, one.attempts, one.status, one.outcome)).collect();
    assert_eq!(
        ends,
        [(target, 2, Some(200), WebhookOutcome::Delivered), (target, 3, Some(503), WebhookOutcome::Failed)]
    );
    assert_eq!(states(&receiver).len(), 5);
    assert!(sim.handle().stop_webhooks_to(target) && !sim.handle().stop_webhooks_to(target));
    sim.toggle(&gate, "OPEN").await;
    sim.handle().webhooks_delivered().await;
    assert_eq!(states(&receiver).len(), 5);
}

#[tokio::test]
async fn webhooks_are_lost_doubled_held_back_and_turned_around() {
    let sim = still(Mode::Auto).await;
    let receiver = Receiver::start().await;
    sim.handle().send_webhooks_to(Vendor::Parqex, receiver.target());
    let gate = id(&sim, "North gate").await;
    let conduct = |copies, held| sim.handle().set_webhook_conduct(Vendor::Parqex, WebhookConduct { copies, held });
    conduct(0, false);
    sim.toggle(&gate, "OPEN").await;
    conduct(2, false);
    sim.toggle(&gate, "CLOSED").await;
    sim.handle().webhooks_delivered().await;
    assert_eq!(states(&receiver), ["door1_closed", "door1_closed"]);
    assert_eq!(receiver.bodies()[0], receiver.bodies()[1], "the very same");
    conduct(1, true);
    sim.toggle(&gate, "OPEN").await;
    sim.toggle(&gate, "CLOSED").await;
    sim.handle().webhooks_delivered().await;
    assert_eq!(states(&receiver).len(), 2);
    assert!(sim.handle().webhooks(2).entries.iter().all(|entry| entry.held));
    assert_eq!(sim.handle().release_webhooks(Vendor::Parqex, true), 2);
    sim.handle().webhooks_delivered().await;
    assert_eq!(states(&receiver)[2..], ["door1_closed", "door1_open"]);
    assert!(sim.handle().webhooks(2).entries.iter().all(|entry| !entry.held));
}

#[tokio::test]
async fn webhooks_leave_while_nobody_asks() {
    let latency = Latency { travel: Duration::from_millis(30), ..Latency::none() };
    let sim = with(SimulatorOptions { latency, ..SimulatorOptions::default() }).await;
    let receiver = Receiver::start().await;
    sim.handle().send_webhooks_to(Vendor::Parqex, receiver.target());
    let gate = id(&sim, "North gate").await;
    sim.toggle(&gate, "OPEN").await;
    let arrived = async {
        while receiver.bodies().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), arrived).await.unwrap();
}

#[tokio::test]
async fn webhooks_over_http() {
    let sim = still(Mode::Auto).await;
    let receiver = Receiver::start().await;
    let control =
        |method, path: &str| sim.http.request(method, format!("http://{}/_sim{path}", sim.simulator.address()));
    let target = json!({ "vendor": "parqex", "url": receiver.url, "headers": { "x-api-key": "k3y" } });
    let added = control(Method::POST, "/webhooks/targets").json(&target).send().await.unwrap();
    assert_eq!(added.status(), 201);
    let added: Value = added.json().await.unwrap();
    let conduct = json!({ "vendor": "parqex", "held": true });
    assert_eq!(control(Method::POST, "/webhooks/conduct").json(&conduct).send().await.unwrap().status(), 204);
    let gate = id(&sim, "North gate").await;
    sim.toggle(&gate, "OPEN").await;
    let release = control(Method::POST, "/webhooks/release").json(&json!({ "vendor": "parqex" })).send().await.unwrap();
    assert_eq!(release.json::<Value>().await.unwrap(), json!({ "released": 1 }));
    sim.handle().webhooks_delivered().await;
    let page: Value = control(Method::GET, "/webhooks").send().await.unwrap().json().await.unwrap();
    assert_eq!(text(&page["entries"][0]["deliveries"][0]["outcome"]), "delivered");
    assert!(!page.to_string().contains("s3cret") && !page.to_string().contains("k3y"));
    let path = format!("/webhooks/targets/{}", added["id"]);
    assert_eq!(control(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert_eq!(control(Method::DELETE, &path).send().await.unwrap().status(), 404);
}
