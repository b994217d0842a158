//! The matrix: every root field x every kind of caller. The rows are compared with the schema's root fields, so that a new field
//! without a row fails.

mod accounts;
mod changes;
mod fields;
mod keys;
mod opening;
mod people;
mod personal;
mod queries;
mod stays;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use domain::{access::Role, command::CommandKind};
use gatehouse_tests::{
    client::{Client, Subscription, text},
    house::TestHouse,
    on_both_back_ends,
};
use reqwest::Method;
use serde_json::{Value, json};

use self::{
    accounts::{account_rows, check_account_mutation},
    changes::{change_rows, check_changes},
    fields::{check_fields, check_own_keys},
    keys::{check_keys, key_rows},
    opening::check_openings,
    people::{check_people, people_rows},
    queries::{check_query, query_rows},
    stays::{check_stay_mutation, stay_rows},
    world::{Caller, Sight, Thing, World},
};

/// What a mutation is for, and the lowest role that may.
#[derive(Debug, Clone, Copy)]
enum MutationRow {
    Door(CommandKind, Role),
    Device(CommandKind, Role),
    /// Another's command.
    Cancel(Role),
}

fn mutation_rows() -> BTreeMap<&'static str, MutationRow> {
    use CommandKind as Kind;
    use MutationRow::{Cancel, Device, Door};
    use Role::{Manager, Operator};
    BTreeMap::from([
        ("openDoor", Door(Kind::OpenDoor, Operator)),
        ("closeDoor", Door(Kind::CloseDoor, Operator)),
        ("lockDoor", Door(Kind::LockDoor, Operator)),
        ("unlockDoor", Door(Kind::UnlockDoor, Operator)),
        ("forceLockDoor", Door(Kind::ForceLockDoor, Manager)),
        ("forceUnlockDoor", Door(Kind::ForceUnlockDoor, Manager)),
        ("bookDoor", Door(Kind::BookDoor, Operator)),
        ("cancelBooking", Door(Kind::CancelBooking, Operator)),
        ("forceCancelBooking", Door(Kind::ForceCancelBooking, Manager)),
        ("syncDevice", Device(Kind::SyncDevice, Manager)),
        ("takePhoto", Device(Kind::TakePhoto, Operator)),
        ("cancelCommand", Cancel(Manager)),
    ])
}

const SUBSCRIPTION_ROWS: [&str; 4] = ["alertRaised", "commandUpdated", "doorStateChanged", "eventRecorded"];

/// The names of a root type's fields.
async fn root_fields(house: &TestHouse, root: &str) -> BTreeSet<String> {
    let query = format!("{{ __schema {{ {root} {{ fields {{ name }} }} }} }}");
    let data = house.client.data(&query, json!({})).await;
    data["__schema"][root]["fields"].as_array().unwrap().iter().map(|field| text(&field["name"])).collect()
}

/// An answer to the byte.
async fn bytes(client: &Client, query: &str, variables: Value) -> String {
    let body = json!({ "query": query, "variables": variables });
    let response = client.request(Method::POST, "/graphql").json(&body).send().await.unwrap();
    format!("{} {}", response.status(), response.text().await.unwrap())
}

fn assert_unauthenticated(answer: &Value) {
    let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    assert!(errors.iter().all(|error| error["extensions"]["code"] == "UNAUTHENTICATED"), "{answer:#}");
    let is_empty = answer["data"].is_null() || answer["data"].as_object().unwrap().values().all(Value::is_null);
    assert!(is_empty, "{answer:#}");
}

/// The input of a mutation for a target.
fn input(name: &str, row: MutationRow, target: &str) -> Value {
    match row {
        MutationRow::Door(CommandKind::ForceUnlockDoor, _) => json!({ "doorId": target, "reason": "TESTING" }),
        MutationRow::Door(..) => json!({ "doorId": target }),
        MutationRow::Device(..) => json!({ "deviceId": target }),
        MutationRow::Cancel(_) => {
            assert_eq!(name, "cancelCommand");
            json!({ "commandId": target })
        }
    }
}

async fn count(house: &TestHouse, states: &str) -> u64 {
    let data = house.client.data(&format!("{{ commands{states} {{ totalCount }} }}"), json!({})).await;
    data["commands"]["totalCount"].as_u64().unwrap()
}

async fn check_mutation(world: &World, name: &str, row: MutationRow) {
    let house = &world.house;
    let (needed, kind) = match row {
        MutationRow::Door(kind, needed) | MutationRow::Device(kind, needed) => (needed, kind),
        MutationRow::Cancel(needed) => (needed, CommandKind::OpenDoor),
    };
    let word = kind.as_str();
    let can = |door: &&Value| {
        let at = if matches!(row, MutationRow::Device(..)) { &door["device"] } else { *door };
        at["capabilities"].as_array().is_some_and(|all| all.contains(&json!(word)))
    };
    let door = world.doors.iter().find(can).unwrap_or_else(|| panic!("no door can {word}"));
    let query = format!(
        "mutation($input: {}{}Input!) {{ {name}(input: $input) {{ command {{ id }} userErrors {{ code message path }} }} }}",
        name[..1].to_uppercase(),
        &name[1..]
    );
    for caller in world.callers(door).await {
        let target = match row {
            MutationRow::Door(..) => text(&door["id"]),
            MutationRow::Device(..) => text(&door["device"]["id"]),
            MutationRow::Cancel(_) => house.client.command("openDoor", json!({ "doorId": door["id"] })).await,
        };
        let before = (count(house, "").await, count(house, "(filter: {state: CANCELED})").await);
        let said = bytes(&caller.client, &query, json!({ "input": input(name, row, &target) })).await;
        let after = (count(house, "").await, count(house, "(filter: {state: CANCELED})").await);
        let answer: Value =
            serde_json::from_str(said.split_once('{').map(|(_, json)| format!("{{{json}")).unwrap().as_str()).unwrap();
        let payload = &answer["data"][name];
        let refused = |code: &str| {
            assert_eq!(payload["userErrors"][0]["code"], code, "{name} by {}: {answer:#}", caller.name);
            assert!(
                payload["command"].is_null() && answer.get("errors").is_none(),
                "{name} by {}: {answer:#}",
                caller.name
            );
        };
        let sees = !matches!(caller.name, "anonymous" | "stranger" | "of another site" | "of another door");
        let is_own = matches!(caller.sight, Sight::Own(_));
        let sees = sees && (!is_own || matches!(row, MutationRow::Door(..)));
        let may_by_role = caller.role >= needed && caller.only.is_none_or(|only| only == kind);
        let allowed = sees && (may_by_role || (is_own && kind == CommandKind::OpenDoor));
        if allowed {
            assert_eq!(payload["userErrors"], json!([]), "{name} by {}: {answer:#}", caller.name);
            assert!(after != before, "{name} by {}", caller.name);
            continue;
        }
        assert_eq!(after, before, "{name} by {}: refused, and yet something was written", caller.name);
        if caller.sight == Sight::Nobody {
            assert_unauthenticated(&answer);
        } else if sees {
            refused("FORBIDDEN");
        } else {
            refused("NOT_FOUND");
            let absent = match row {
                MutationRow::Door(..) => world.absent("Door"),
                MutationRow::Device(..) => world.absent("Device"),
                MutationRow::Cancel(_) => world.absent("Command"),
            };
            for id in [absent, "nonsense".to_owned()] {
                let same = bytes(&caller.client, &query, json!({ "input": input(name, row, &id) })).await;
                assert_eq!(same, said, "{name} by {}", caller.name);
            }
        }
    }
}

/// The first message of a subscription.
async fn first_message(client: &Client, query: &str, variables: Value) -> Value {
    let mut subscription = client.subscribe(query, variables).await;
    subscription.next_message().await.unwrap()
}

async fn check_subscriptions(world: &World, caller: &Caller) {
    let client = &caller.client;
    if caller.sight == Sight::Nobody {
        for payload in [json!({}), Value::Null, json!({ "authorization": "Bearer nonsense" })] {
            let mut socket = Subscription::connect(client.address(), payload).await;
            assert_eq!(socket.next_message().await, Some(json!({ "close": 4403 })));
        }
        return;
    }
    let command = "subscription($id: ID!) { commandUpdated(id: $id) { id } }";
    let of_site = "subscription($id: ID!) { doorStateChanged(siteId: $id) { id } }";
    let of_doors = "subscription($id: ID!) { doorStateChanged(doorIds: [$id]) { id } }";
    for (query, kind, field) in [
        (command, "Command", "commandUpdated"),
        (of_site, "Site", "doorStateChanged"),
        (of_doors, "Door", "doorStateChanged"),
    ] {
        let things: Vec<&Thing> = world.of(kind).collect();
        if let Some(thing) = things.iter().find(|thing| caller.sees(thing)) {
            let message = first_message(client, query, json!({ "id": thing.id })).await;
            world.assert_no_leak(caller, &message);
            assert_eq!(message["type"], "next", "{} {query} {message:#}", caller.name);
            let shown = text(&message["payload"]["data"][field]["id"]);
            assert!(kind == "Site" || shown == thing.id, "{message:#}");
        }
        if let Some(thing) = things.iter().find(|thing| !caller.sees(thing)) {
            let invisible = first_message(client, query, json!({ "id": thing.id })).await;
            assert!(invisible.to_string().contains("\"NOT_FOUND\""), "{} {query} {invisible:#}", caller.name);
            for id in [world.absent(kind), "nonsense".to_owned()] {
                assert_eq!(
                    first_message(client, query, json!({ "id": id })).await,
                    invisible,
                    "{} {query}",
                    caller.name
                );
            }
        }
    }
    check_alerts_heard(world, caller).await;
    check_events_heard(world, caller).await;
    // One door that is not seen among those that are: nothing is told of any.
    let (seen, unseen): (Vec<&Thing>, Vec<&Thing>) = world.of("Door").partition(|thing| caller.sees(thing));
    if let (Some(seen), Some(unseen)) = (seen.first(), unseen.first()) {
        let query = "subscription($ids: [ID!]) { doorStateChanged(doorIds: $ids) { id } }";
        let message = first_message(client, query, json!({ "ids": [seen.id, unseen.id] })).await;
        assert_eq!(message, first_message(client, query, json!({ "ids": [seen.id, world.absent("Door")] })).await);
        assert!(message.to_string().contains("\"NOT_FOUND\""), "{message:#}");
    }
}

/// Everybody with a key hears of what they see from now on; at a site that they do not see, of nothing.
async fn check_events_heard(world: &World, caller: &Caller) {
    let everywhere = "subscription { eventRecorded { cursor event { id } } }";
    let message = first_message(&caller.client, everywhere, json!({})).await;
    assert_eq!(message["payload"]["data"]["eventRecorded"]["event"], Value::Null, "{} {message:#}", caller.name);
    let of_site = "subscription($id: ID!) { eventRecorded(siteId: $id) { event { id } } }";
    if let Some(site) = world.of("Site").find(|site| !caller.sees(site)) {
        let invisible = first_message(&caller.client, of_site, json!({ "id": site.id })).await;
        assert!(invisible.to_string().contains("\"NOT_FOUND\""), "{} {invisible:#}", caller.name);
        for id in [world.absent("Site"), "nonsense".to_owned()] {
            assert_eq!(first_message(&caller.client, of_site, json!({ "id": id })).await, invisible, "{}", caller.name);
        }
    }
}

/// Who hears of alerts hears of those that they may read, the oldest first; at a site that they do not see, of nothing.
async fn check_alerts_heard(world: &World, caller: &Caller) {
    if let Some(first) = world.of("Alert").find(|alert| caller.sees(alert)) {
        let message = first_message(&caller.client, "subscription { alertRaised { id } }", json!({})).await;
        world.assert_no_leak(caller, &message);
        assert_eq!(message["payload"]["data"]["alertRaised"]["id"], first.id, "{} {message:#}", caller.name);
    }
    let of_site = "subscription($id: ID!) { alertRaised(siteId: $id) { id } }";
    if let Some(site) = world.of("Site").find(|site| !caller.sees(site)) {
        let invisible = first_message(&caller.client, of_site, json!({ "id": site.id })).await;
        assert!(invisible.to_string().contains("\"NOT_FOUND\""), "{} {invisible:#}", caller.name);
        for id in [world.absent("Site"), "nonsense".to_owned()] {
            assert_eq!(first_message(&caller.client, of_site, json!({ "id": id })).await, invisible, "{}", caller.name);
        }
    }
}

on_both_back_ends! {
    async fn every_query_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        let rows = query_rows();
        let known: BTreeSet<String> = rows.keys().map(|&name| name.to_owned()).collect();
        assert_eq!(root_fields(&world.house, "queryType").await, known, "each root field needs a row here");
        for caller in world.callers(&world.doors[0]).await {
            for (field, row) in &rows {
                check_query(&world, &caller, field, *row).await;
            }
        }
        world.house.stop().await;
    }

    async fn every_field_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        check_fields(&world).await;
        check_own_keys(&world).await;
        world.house.stop().await;
    }

    async fn who_can_open_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        for caller in world.callers(&world.doors[0]).await {
            check_openings(&world, &caller).await;
        }
        world.house.stop().await;
    }

    /// Neighbours of what one sees are not seen because of it.
    async fn nothing_leaks_through_neighbours(back_end: BackEnd) {
        let world = World::start(back_end).await;
        let door = "id name device { id doors { id device { id site { id } } } vendorAccount { id } site { id } } site { id organization { id } }";
        let command = format!("id door {{ {door} }} device {{ id doors {{ id }} vendorAccount {{ id }} }} site {{ id doors {{ nodes {{ id }} }} }} coalescedWith {{ id }}");
        let queries = [
            format!("{{ viewer {{ organization {{ id }} user {{ id }} }} doors(first: 100) {{ totalCount nodes {{ {door} }} }} }}"),
            "{ sites { nodes { id doors(first: 100) { totalCount nodes { id device { id doors { id } } } } devices(first: 100) { totalCount nodes { id doors { id } vendorAccount { id } } } } } }".to_owned(),
            "{ devices(first: 100) { nodes { id doors { id site { id doors(first: 100) { nodes { id } } } } } } }".to_owned(),
            format!("{{ commands(first: 100) {{ nodes {{ {command} }} }} }}"),
            format!("{{ events(first: 100) {{ nodes {{ id site {{ id devices {{ nodes {{ id }} }} }} device {{ id }} door {{ id }} command {{ {command} }} }} }} }}"),
        ];
        for caller in world.callers(&world.doors[0]).await {
            for query in &queries {
                let answer = caller.client.ask(query, json!({})).await;
                assert_eq!(answer.get("errors").is_some(), caller.sight == Sight::Nobody, "{} {query} {answer:#}", caller.name);
                world.assert_no_leak(&caller, &answer);
                for list in ["sites", "devices"] {
                    for node in answer["data"][list]["nodes"].as_array().into_iter().flatten() {
                        // Counts tell no more than lists do.
                        for inner in ["doors", "devices"].iter().map(|inner| &node[inner]).filter(|inner| inner["totalCount"].is_u64()) {
                            assert_eq!(inner["totalCount"], inner["nodes"].as_array().unwrap().len(), "{}", caller.name);
                        }
                    }
                }
            }
        }
        world.house.stop().await;
    }

    async fn every_mutation_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        let (rows, of_accounts) = (mutation_rows(), account_rows());
        let changes = change_rows();
        let (of_stays, of_people) = (stay_rows(), people_rows());
        let names = rows.keys().chain(of_accounts.keys()).chain(changes.keys()).chain(of_stays.keys());
        let of_keys = key_rows();
        let names = names.chain(of_people.keys()).chain(of_keys.keys());
        let known: BTreeSet<String> = names.map(|&name| name.to_owned()).collect();
        assert_eq!(root_fields(&world.house, "mutationType").await, known, "each root field needs a row here");
        for (name, row) in rows {
            check_mutation(&world, name, row).await;
        }
        for (name, row) in of_accounts {
            check_account_mutation(&world, name, row).await;
        }
        world.house.stop().await;
    }

    async fn every_mutation_of_people_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        check_people(&world).await;
        check_keys(&world).await;
        world.house.stop().await;
    }

    async fn every_mutation_of_stays_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        for (name, row) in stay_rows() {
            check_stay_mutation(&world, name, row).await;
        }
        world.house.stop().await;
    }

    async fn every_change_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        check_changes(&world).await;
        world.house.stop().await;
    }

    /// Who may send a command may see what becomes of it.
    async fn senders_see_their_commands(back_end: BackEnd) {
        let world = World::start(back_end).await;
        for (name, row) in mutation_rows() {
            let (MutationRow::Door(kind, _) | MutationRow::Device(kind, _)) = row else { continue };
            let is_of_device = matches!(row, MutationRow::Device(..));
            let can = |at: &Value| at["capabilities"].as_array().is_some_and(|all| all.contains(&json!(kind.as_str())));
            let door = world.doors.iter().find(|door| can(if is_of_device { &door["device"] } else { door })).unwrap();
            let target = text(if is_of_device { &door["device"]["id"] } else { &door["id"] });
            let (of_site, of_door) = (Sight::Site(text(&door["site"]["id"])), Sight::Door(text(&door["id"])));
            for sight in [Sight::Everything, of_site, of_door] {
                let caller = world.caller("sender", Role::Manager, sight, None).await;
                let payload = caller.client.mutate(name, input(name, row, &target)).await;
                if payload["command"].is_null() {
                    continue;
                }
                let sent = &payload["command"]["id"];
                let seen = caller.client.read_command(&text(sent)).await;
                assert_eq!(&seen["id"], sent, "{name} by a caller who sees {:?}", caller.sight);
            }
        }
        world.house.stop().await;
    }

    async fn every_subscription_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        let known: BTreeSet<String> = SUBSCRIPTION_ROWS.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(root_fields(&world.house, "subscriptionType").await, known, "each root field needs a row here");
        for caller in world.callers(&world.doors[0]).await {
            check_subscriptions(&world, &caller).await;
        }
        world.house.stop().await;
    }
}
