//! P6: nothing is lost and nothing happens twice when real processes are killed with SIGKILL under load, and when
//! Redis is killed and comes back empty.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use gatehouse::{
    demo,
    foundation::{Foundation, Migrations},
};
use gatehouse_tests::{
    binary::{Killed, command, free_address},
    client::{Client, text},
    services::{self, PrivateRedis},
    wait::until,
};
use platform::{clock::SystemClock, settings::Settings, vault::Vault};
use serde_json::{Value, json};
use simulator::{Latency, SimulatorOptions};

struct Fleet {
    environment: Vec<(String, String)>,
    address: SocketAddr,
    api: Option<Killed>,
    workers: Vec<Option<Killed>>,
}

impl Fleet {
    fn spawn(&self, role: &str) -> Killed {
        let environment: Vec<(&str, &str)> =
            self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Killed(command(&[role], &environment).spawn().unwrap())
    }

    fn restart_api(&mut self) {
        self.api = None;
        self.api = Some(self.spawn("api"));
    }

    fn restart_worker(&mut self, number: usize) {
        self.workers[number] = None;
        self.workers[number] = Some(self.spawn("worker"));
    }
}

/// Asks until it is accepted, with the same key: a caller whose connection broke does just that.
async fn insist(client: &Client, input: &Value) -> String {
    let query = "mutation($input: OpenDoorInput!) { openDoor(input: $input) { command { id } userErrors { code } } }";
    until("the command is accepted", async || {
        let answer = client.try_ask(query, json!({ "input": input })).await.ok()?;
        answer["data"]["openDoor"]["command"]["id"].as_str().map(str::to_owned)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_lose_nothing_and_repeat_nothing() {
    let simulator = simulator::start(SimulatorOptions {
        latency: Latency { device: Duration::from_millis(30), ..Latency::none() },
        ..SimulatorOptions::default()
    })
    .await
    .unwrap();
    let mut redis = PrivateRedis::start().await.unwrap();
    let address = free_address();
    let settings = [
        ("database_url", services::postgres().await),
        ("redis_url", redis.url().to_owned()),
        ("secret_key", Vault::generate_key().expose().to_owned()),
        ("http_address", address.to_string()),
        ("database_connections", "8".to_owned()),
        ("log", "warn".to_owned()),
        // Where the simulated vendors are.
        ("allow_private_vendor_addresses", "loopback".to_owned()),
    ];
    let pairs: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let foundation =
        Foundation::lay(&Settings::defaults_with(&pairs).unwrap(), Arc::new(SystemClock), Migrations::Apply)
            .await
            .unwrap();
    let key = platform::api_key::generate();
    let url = format!("http://{}", simulator.address());
    demo::furnish(&foundation, &url, &simulator.credentials()[0], &key).await.unwrap();
    let environment =
        settings.iter().map(|(name, value)| (format!("GATEHOUSE_{}", name.to_uppercase()), value.clone())).collect();
    let mut fleet = Fleet { environment, address, api: None, workers: vec![None, None] };
    fleet.restart_api();
    fleet.restart_worker(0);
    fleet.restart_worker(1);
    let client = Client::new(fleet.address, key.expose());
    let doors = until("the workers have synced the inventory", async || openable(&client).await).await;

    let mut commands: BTreeMap<String, Value> = BTreeMap::new();
    for round in 0..12_usize {
        for (number, door) in doors.iter().enumerate() {
            let input = json!({ "doorId": door, "idempotencyKey": format!("{round}-{number}") });
            let id = insist(&client, &input).await;
            commands.insert(id, door.clone());
            // In the thick of it, each time somewhere else.
            if number == round % doors.len() {
                match round % 4 {
                    0 => fleet.restart_worker(0),
                    1 => fleet.restart_api(),
                    2 => fleet.restart_worker(1),
                    _ => {
                        redis.kill().await.unwrap();
                        redis.start_again().await.unwrap();
                        let link = redis::Client::open(redis.url()).unwrap();
                        let mut link = link.get_multiplexed_async_connection().await.unwrap();
                        let _: () = redis::cmd("FLUSHALL").query_async(&mut link).await.unwrap();
                    }
                }
            }
        }
    }
    let mut pulses: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (id, door) in &commands {
        let command = client.finished(id).await;
        let entry = pulses.entry(text(door)).or_default();
        let own = command["coalescedWith"].is_null();
        match command["state"].as_str().unwrap() {
            "SUCCEEDED" if own => {
                entry.0 += 1;
                entry.1 += 1;
            }
            "OUTCOME_UNKNOWN" if own => entry.1 += 1,
            "SUCCEEDED" | "OUTCOME_UNKNOWN" | "EXPIRED" => {}
            _ => panic!("{command:#}"),
        }
    }
    let names = external_ids(&client).await;
    for (door, (certain, possible)) in pulses {
        let (device, position) = &names[&door];
        let effects = simulator.handle().effects_at(device);
        let here = effects.iter().filter(|effect| {
            effect.caused_by.is_some()
                && position.is_none_or(|position| effect.position.is_none_or(|at| at == position))
        });
        let count = here.count();
        assert!(certain <= count && count <= possible, "{door}: {count} effects, {certain} to {possible} claimed");
    }
    drop(fleet);
    simulator.shutdown().await;
}

/// Doors whose pulses can be told apart in the journal: Raixer's.
async fn openable(client: &Client) -> Option<Vec<Value>> {
    let answer = client.try_ask(DOORS, json!({})).await.ok()?;
    let doors: Vec<Value> = raixer(&answer).map(|door| door["id"].clone()).collect();
    (doors.len() >= 5).then_some(doors)
}

const DOORS: &str = "{ doors(first: 100) { nodes { id position capabilities \
    device { externalId health vendorAccount { vendor } } } } }";

fn raixer(answer: &Value) -> impl Iterator<Item = &Value> {
    let nodes = answer["data"]["doors"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    nodes.iter().filter(|door| {
        door["device"]["vendorAccount"]["vendor"] == "RAIXER"
            && door["device"]["health"] == "HEALTHY"
            && door["capabilities"].as_array().is_some_and(|kinds| kinds.contains(&json!("OPEN_DOOR")))
    })
}

async fn external_ids(client: &Client) -> BTreeMap<String, (String, Option<u32>)> {
    let answer = client.ask(DOORS, json!({})).await;
    let position = |door: &Value| door["position"].as_u64().and_then(|at| u32::try_from(at).ok());
    raixer(&answer).map(|door| (text(&door["id"]), (text(&door["device"]["externalId"]), position(door)))).collect()
}
