//! Hearing of changes: the current state first, then every change, nothing twice, nothing old, nothing missed, and an end.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use chrono::TimeDelta;
use domain::{access::Role, ids::ApiKeyId};
use entities::{store, work};
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, Subscription, text},
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
    wait::{PATIENCE, until},
};
use messaging::Job;
use serde_json::{Value, json};
use simulator::{Latency, Mode, Poke, SimulatorOptions, Vendor, WorldChange};

const COMMAND: &str = "subscription($id: ID!) { commandUpdated(id: $id) { id state evidence terminal version timeline { step } door { id } } }";
const OF_SITE: &str =
    "subscription($id: ID!) { doorStateChanged(siteId: $id) { id name state { lock { value source } } } }";
const OF_DOORS: &str =
    "subscription($ids: [ID!]) { doorStateChanged(doorIds: $ids) { id name state { lock { value source } } } }";

/// Everything a subscription to a command delivers until it completes.
async fn to_the_end(subscription: &mut Subscription) -> Vec<Value> {
    let mut heard = Vec::new();
    while let Some(mut data) = subscription.next().await {
        heard.push(data["commandUpdated"].take());
    }
    let versions: Vec<i64> = heard.iter().map(|command| command["version"].as_i64().unwrap()).collect();
    assert!(
        versions.is_sorted_by(|earlier, later| earlier < later),
        "never the same twice, never an older one: {heard:#?}"
    );
    assert_eq!(heard.last().map(|command| &command["terminal"]), Some(&json!(true)), "{heard:#?}");
    heard
}

async fn hear(client: &Client, id: &str) -> Vec<Value> {
    to_the_end(&mut client.subscribe(COMMAND, json!({ "id": id })).await).await
}

/// The next door that a subscription tells of.
async fn next_door(subscription: &mut Subscription) -> Value {
    subscription.next().await.unwrap()["doorStateChanged"].take()
}

/// Takes deliveries until one is of this door with its bolt like this.
async fn until_lock(subscription: &mut Subscription, door: &Value, lock: &str) -> Value {
    loop {
        let told = next_door(subscription).await;
        if told["id"] == door["id"] && told["state"]["lock"]["value"] == lock {
            return told;
        }
    }
}

/// The code with which the server refuses or ends an operation, and how it says so.
async fn refusal(subscription: &mut Subscription) -> (String, Value) {
    let message = subscription.next_message().await.unwrap();
    let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
    let code = errors[0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no refusal: {message:#}"));
    (code.to_owned(), message)
}

/// Has the worker look at the vendor again, once more to the end.
async fn sync(house: &TestHouse, vendor: &str) {
    let account = async || {
        let accounts = work::accounts_of(house.database(), house.organization).await.unwrap();
        accounts.into_iter().find(|account| account.vendor == vendor).unwrap()
    };
    let before = account().await;
    let job = Job::SyncAccount { account: before.id };
    let asked = AtomicUsize::new(0);
    until("the inventory is read again", async || {
        // A sync that is still at it does not begin again for a second ring.
        if asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(100) {
            house.foundation().backend.queue().ring(&job).await.unwrap();
        }
        (account().await.synced_at > before.synced_at).then_some(())
    })
    .await;
}

fn stepwise(back_end: BackEnd) -> Plan {
    let simulator = SimulatorOptions { latency: Latency::none(), mode: Mode::Explicit, ..SimulatorOptions::default() };
    Plan { simulator, ..Plan::on(back_end) }
}

fn is_free(door: &Value) -> bool {
    door["state"]["occupancy"]["value"] == "FREE"
}

fn key(name: &str) -> KeyPlan {
    KeyPlan::unlimited(name, Role::Viewer)
}

/// Reads a socket to its end: closed because the key no longer counts, without a word of what happened since.
async fn closed_in_silence(socket: &mut Subscription) {
    loop {
        let message = socket.next_message().await.unwrap();
        if message["close"] == 4403 {
            return;
        }
        let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
        assert_eq!(errors[0]["extensions"]["code"], "UNAUTHENTICATED", "{message:#}");
        assert!(!message.to_string().contains("CANCELED"), "{message:#}");
    }
}

on_both_back_ends! {
    /// The whole way of a command, step by step: nothing is left out and nothing comes after the end.
    async fn a_command_is_told_from_the_queue_to_its_end(back_end: BackEnd) {
        let mut house = stepwise(back_end).without_worker().start().await;
        let dock = house.door_where("BIKEEP", "LOCK_DOOR", is_free).await;
        let id = house.client.command("lockDoor", json!({ "doorId": dock["id"] })).await;
        let mut subscription = house.client.subscribe(COMMAND, json!({ "id": id })).await;
        let first = subscription.next().await.unwrap()["commandUpdated"].take();
        assert_eq!((&first["state"], &first["door"]["id"], &first["terminal"]), (&json!("QUEUED"), &dock["id"], &json!(false)));
        house.start_worker().await;
        let mut version = first["version"].as_i64().unwrap();
        let mut states = vec!["QUEUED".to_owned()];
        loop {
            let told = subscription.next().await.unwrap()["commandUpdated"].take();
            assert!(told["version"].as_i64().unwrap() > version, "{told:#}");
            version = told["version"].as_i64().unwrap();
            states.push(text(&told["state"]));
            if told["state"] == "ACCEPTED" {
                break;
            }
        }
        let _ = house.vendors.poke(&Poke::drain(Vendor::Bikeep));
        let rest = to_the_end(&mut subscription).await;
        assert!(rest[0]["version"].as_i64().unwrap() > version);
        states.extend(rest.iter().map(|command| text(&command["state"])));
        states.dedup();
        let order = ["QUEUED", "DISPATCHING", "ACCEPTED", "SUCCEEDED"];
        let places: Vec<usize> = states.iter().map(|state| order.iter().position(|known| known == state).unwrap()).collect();
        assert!(places.is_sorted() && places.last() == Some(&3), "{states:?}");
        let now = house.client.read_command(&id).await;
        let last = rest.last().unwrap();
        assert_eq!((&now["version"], &now["state"], &now["evidence"]), (&last["version"], &last["state"], &last["evidence"]));
        house.stop().await;
    }

    /// Whoever comes late hears the outcome, once, and that this was all.
    async fn a_finished_command_is_told_once(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        house.client.finished(&id).await;
        for _ in 0..3 {
            let heard = hear(&house.client, &id).await;
            assert_eq!(heard.len(), 1, "{heard:#?}");
            assert_eq!(heard[0]["state"], "SUCCEEDED");
        }
        // One that is called off ends too.
        let idle = Plan::on(back_end).without_worker().start().await;
        let door = idle.door("RAIXER", "OPEN_DOOR").await;
        let id = idle.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let mut subscription = idle.client.subscribe(COMMAND, json!({ "id": id })).await;
        assert_eq!(subscription.next().await.unwrap()["commandUpdated"]["state"], "QUEUED");
        idle.client.mutate("cancelCommand", json!({ "commandId": id })).await;
        assert_eq!(to_the_end(&mut subscription).await.pop().unwrap()["state"], "CANCELED");
        idle.stop().await;
        house.stop().await;
    }

    /// A command that ends while somebody subscribes to it: a hundred times, and never is the end missed.
    async fn nothing_is_missed_between_subscribing_and_looking(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let doors = house.doors().await;
        let openable: Vec<&Value> = doors.iter()
            .filter(|door| door["capabilities"].as_array().unwrap().contains(&json!("OPEN_DOOR")) && door["device"]["health"] == "HEALTHY")
            .collect();
        let listeners: Vec<Subscription> = futures::future::join_all((0..10).map(|_| house.client.subscribe("{ __typename }", json!({})))).await;
        let rounds = listeners.into_iter().enumerate().map(|(listener, mut socket)| {
            let (client, openable) = (&house.client, &openable);
            async move {
                let greeting = socket.next_message().await.unwrap();
                assert_ne!(greeting["type"], "ping");
                for round in 0..10 {
                    let door = openable[(listener * 10 + round) % openable.len()];
                    let id = client.command("openDoor", json!({ "doorId": door["id"] })).await;
                    let operation = format!("round {round}");
                    socket.start(&operation, COMMAND, json!({ "id": id })).await;
                    let mut heard = Vec::new();
                    loop {
                        let message = socket.next_message().await.unwrap();
                        if message["id"] != operation {
                            continue;
                        }
                        match message["type"].as_str() {
                            Some("next") => heard.push(message["payload"]["data"]["commandUpdated"].clone()),
                            Some("complete") => break,
                            _ => panic!("{message:#}"),
                        }
                    }
                    let last = heard.last().unwrap_or_else(|| panic!("{id}: complete without a word"));
                    assert_eq!((&last["id"], &last["terminal"]), (&json!(id), &json!(true)), "{heard:#?}");
                }
            }
        });
        futures::future::join_all(rounds).await;
        house.stop().await;
    }

    /// Every door of the site as it is, then what changes: by hand at the hardware, and by a command.
    async fn a_site_tells_of_its_doors(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let dock = house.door_where("BIKEEP", "LOCK_DOOR", is_free).await;
        let here: Vec<Value> = house.doors().await.into_iter().filter(|door| door["site"] == dock["site"]).collect();
        let mut subscription = house.client.subscribe(OF_SITE, json!({ "id": dock["site"]["id"] })).await;
        let mut first = BTreeMap::new();
        for _ in 0..here.len() {
            let door = next_door(&mut subscription).await;
            assert!(first.insert(text(&door["id"]), door["state"]["lock"]["value"].clone()).is_none(), "each door once");
        }
        for door in &here {
            assert_eq!(first[&text(&door["id"])], door["state"]["lock"]["value"], "{door:#}");
        }
        let by_hand = |locked| WorldChange::BikeepByHand { device: text(&dock["externalId"]), locked, user: None };
        house.vendors.change(by_hand(true)).unwrap();
        sync(&house, "BIKEEP").await;
        let told = until_lock(&mut subscription, &dock, "LOCKED").await;
        assert_eq!(told["state"]["lock"]["source"], "SYNC", "{told:#}");
        house.vendors.change(by_hand(false)).unwrap();
        sync(&house, "BIKEEP").await;
        until_lock(&mut subscription, &dock, "UNLOCKED").await;
        let id = house.client.command("lockDoor", json!({ "doorId": dock["id"] })).await;
        let told = until_lock(&mut subscription, &dock, "LOCKED").await;
        assert_ne!(told["state"]["lock"]["source"], "SYNC", "{told:#}");
        assert_eq!(house.client.finished(&id).await["state"], "SUCCEEDED");
        house.stop().await;
    }

    /// The asked doors and no others; asked twice is told once.
    async fn doors_tell_of_themselves(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let dock = house.door_where("BIKEEP", "LOCK_DOOR", is_free).await;
        let neighbour = house.door_where("BIKEEP", "LOCK_DOOR", |door| is_free(door) && door["id"] != dock["id"]).await;
        let gate = house.door("PARQEX", "OPEN_DOOR").await;
        let asked = json!({ "ids": [gate["id"], dock["id"], dock["id"]] });
        let mut subscription = house.client.subscribe(OF_DOORS, asked).await;
        let mut first = [text(&next_door(&mut subscription).await["id"]), text(&next_door(&mut subscription).await["id"])];
        first.sort();
        let mut expected = [text(&dock["id"]), text(&gate["id"])];
        expected.sort();
        assert_eq!(first, expected);
        for door in [&neighbour, &dock] {
            let id = house.client.command("lockDoor", json!({ "doorId": door["id"] })).await;
            assert_eq!(house.client.finished(&id).await["state"], "SUCCEEDED");
        }
        // The neighbour changed first, and nobody asked for it.
        let told = next_door(&mut subscription).await;
        assert_eq!((&told["id"], &told["state"]["lock"]["value"]), (&dock["id"], &json!("LOCKED")));
        house.stop().await;
    }

    /// What is not asked for properly is refused by code, and the socket goes on.
    async fn what_cannot_be_subscribed_to_is_refused(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let door = house.doors().await.remove(0);
        let (site, id) = (text(&door["site"]["id"]), text(&door["id"]));
        let many = vec![format!("\"{id}\""); 101].join(", ");
        let mut socket = house.client.subscribe("subscription { doorStateChanged { id } }", json!({})).await;
        let (code, told) = refusal(&mut socket).await;
        assert_eq!(code, "BAD_USER_INPUT", "{told:#}");
        for (number, (query, expected)) in [
            (format!("subscription {{ doorStateChanged(siteId: \"{site}\", doorIds: [\"{id}\"]) {{ id }} }}"), "BAD_USER_INPUT"),
            ("subscription { doorStateChanged(doorIds: []) { id } }".to_owned(), "BAD_USER_INPUT"),
            (format!("subscription {{ doorStateChanged(doorIds: [{many}]) {{ id }} }}"), "BAD_USER_INPUT"),
            ("subscription { doorStateChanged(siteId: \"nonsense\") { id } }".to_owned(), "NOT_FOUND"),
            (format!("subscription {{ doorStateChanged(siteId: \"{id}\") {{ id }} }}"), "NOT_FOUND"),
            ("subscription { commandUpdated(id: \"nonsense\") { id } }".to_owned(), "NOT_FOUND"),
            ("subscription { commandUpdated { id } }".to_owned(), "VALIDATION_FAILED"),
            ("subscription { gateMoved { id } }".to_owned(), "VALIDATION_FAILED"),
            ("subscription {".to_owned(), "PARSE_FAILED"),
        ].into_iter().enumerate() {
            let operation = format!("refused {number}");
            socket.start(&operation, &query, json!({})).await;
            loop {
                let message = socket.next_message().await.unwrap();
                if message["id"] != operation {
                    continue;
                }
                if message["type"] == "complete" {
                    break;
                }
                let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
                assert_eq!(errors[0]["extensions"]["code"], expected, "{query} {message:#}");
                if message["type"] == "error" {
                    break;
                }
            }
        }
        socket.start("good", OF_DOORS, json!({ "ids": [id] })).await;
        loop {
            let message = socket.next_message().await.unwrap();
            if message["id"] == "good" {
                assert_eq!(message["payload"]["data"]["doorStateChanged"]["id"], id, "{message:#}");
                break;
            }
        }
        house.stop().await;
    }

    /// No key, a wrong one, one that is over: closed with 4403 before anything is told.
    async fn a_wrong_key_is_closed_with_4403(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_manual_clock().start().await;
        let address = house.client.address();
        let short = KeyPlan { lifetime: Some(TimeDelta::seconds(30)), ..key("short") };
        let secret = platform::api_key::generate();
        gatehouse::keys::store_key(house.foundation(), house.organization, &short, &secret).await.unwrap();
        let good = [
            json!({ "authorization": format!("Bearer {}", secret.expose()) }),
            json!({ "Authorization": format!("bearer {}", secret.expose()) }),
            json!({ "token": secret.expose() }),
        ];
        for payload in &good {
            let mut socket = Subscription::connect(address, payload.clone()).await;
            assert_eq!(socket.next_message().await.unwrap()["type"], "connection_ack", "{payload}");
        }
        house.advance(TimeDelta::seconds(31));
        let unknown = platform::api_key::generate();
        let bad = [
            json!(null),
            json!({}),
            json!("Bearer gh_x"),
            json!({ "authorization": "" }),
            json!({ "authorization": 7 }),
            json!({ "authorization": "Bearer gh_x" }),
            json!({ "authorization": secret.expose() }),
            json!({ "token": "" }),
            json!({ "token": unknown.expose() }),
        ];
        for payload in bad.iter().chain(&good) {
            let mut socket = Subscription::connect(address, payload.clone()).await;
            assert_eq!(socket.next_message().await, Some(json!({ "close": 4403 })), "{payload}");
        }
        house.stop().await;
    }

    /// A key that is revoked or expires in mid-stream: the socket is closed, and what happens next is not told.
    async fn a_stream_ends_with_its_key(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_manual_clock().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let short = KeyPlan { lifetime: Some(TimeDelta::minutes(1)), ..key("short") };
        for (plan, revoke) in [(key("revoked"), true), (short, false)] {
            let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
            let caller = house.caller(&plan).await;
            let viewer = caller.data("{ viewer { id } }", json!({})).await;
            let mut quiet = caller.subscribe(OF_DOORS, json!({ "ids": [door["id"]] })).await;
            let mut eventful = caller.subscribe(COMMAND, json!({ "id": id })).await;
            assert!(quiet.next().await.is_some() && eventful.next().await.is_some());
            if revoke {
                let id: ApiKeyId = text(&viewer["viewer"]["id"]).parse().unwrap();
                let now = house.foundation().clock.now();
                assert!(store::keys::revoke(house.database(), house.organization, id, now).await.unwrap());
                // What was verified is believed for two seconds.
                house.advance(TimeDelta::seconds(3));
            } else {
                house.advance(TimeDelta::seconds(61));
            }
            house.client.mutate("cancelCommand", json!({ "commandId": id })).await;
            closed_in_silence(&mut eventful).await;
            // Without anything to tell, it ends at the next safety look.
            house.advance(TimeDelta::seconds(16));
            closed_in_silence(&mut quiet).await;
        }
        house.stop().await;
    }

    /// Two hundred ears on one command and one site: each hears the whole story.
    async fn two_hundred_subscribers_hear_the_same(back_end: BackEnd) {
        let house = stepwise(back_end).start().await;
        let dock = house.door_where("BIKEEP", "LOCK_DOOR", is_free).await;
        let id = house.client.command("lockDoor", json!({ "doorId": dock["id"] })).await;
        house.client.in_state(&id, "ACCEPTED").await;
        let sockets = (0..100).map(|_| async {
            let mut of_command = house.client.subscribe(COMMAND, json!({ "id": id })).await;
            let mut of_door = house.client.subscribe(OF_DOORS, json!({ "ids": [dock["id"]] })).await;
            assert_eq!(of_command.next().await.unwrap()["commandUpdated"]["terminal"], false);
            assert_eq!(next_door(&mut of_door).await["state"]["lock"]["value"], "UNLOCKED");
            (of_command, of_door)
        });
        let sockets = futures::future::join_all(sockets).await;
        let _ = house.vendors.poke(&Poke::drain(Vendor::Bikeep));
        let stories = sockets.into_iter().map(|(mut of_command, mut of_door)| {
            let dock = &dock;
            async move {
                let end = to_the_end(&mut of_command).await.pop().unwrap();
                until_lock(&mut of_door, dock, "LOCKED").await;
                end
            }
        });
        let all = tokio::time::timeout(PATIENCE, futures::future::join_all(stories)).await.unwrap();
        for end in &all {
            assert_eq!((&end["state"], &end["version"]), (&json!("SUCCEEDED"), &all[0]["version"]));
        }
        house.stop().await;
    }
}
