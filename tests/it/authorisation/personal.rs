//! The rows of what is told in part: details of vendors' events, results of commands, and events of orders to whole accounts.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::Role,
    door::Source,
    event::{EventType, FoundDoorRef, FoundEvent},
};
use entities::{
    rows::vendor_account,
    store::{
        commands::{Recording, record},
        observed,
    },
    work,
};
use gatehouse_tests::{client::text, on_both_back_ends};
use serde_json::{Value, json};

use super::world::{Caller, Sight, World};

/// Facts, and who is told them: whoever sees the event, OPERATORs there, or MANAGERs who see all.
const FACTS: [(&str, &str, Role); 9] = [
    ("code_text", "Access granted", Role::Viewer),
    ("channel", "GATE_SENSOR", Role::Viewer),
    ("user", "Jones, Adam", Role::Operator),
    ("userThatToggled.firstName", "Adam", Role::Operator),
    // A name in place of which somebody has given a telephone number, or an address.
    ("user.last_name", "34 600 000 000", Role::Manager),
    ("details", "adam@example.test", Role::Manager),
    ("card_num", "4711", Role::Manager),
    ("user.email_address", "adam@example.test", Role::Manager),
    ("never_heard_of", "x", Role::Manager),
];

/// What a caller is told of an event that they see.
fn expected(caller: &Caller) -> Value {
    let everything = caller.sight == Sight::Everything;
    let shown = |needed: Role| match needed {
        Role::Viewer => true,
        Role::Operator => caller.role >= Role::Operator,
        _ => everything && caller.role >= Role::Manager,
    };
    FACTS
        .iter()
        .filter(|(.., needed)| shown(*needed))
        .map(|(name, fact, _)| (*name, *fact))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .map(|(name, fact)| (name.to_owned(), json!(fact)))
        .collect()
}

async fn account_of(world: &World, vendor: &str) -> vendor_account::Model {
    let accounts = work::accounts_of(world.house.database(), world.house.organization).await.unwrap();
    accounts.into_iter().find(|account| account.vendor == vendor).unwrap()
}

/// Writes what the vendor of a lock tells: of the lock, and of nothing that we know.
async fn tell(world: &World, account: &vendor_account::Model, number: usize) {
    let lock = world.lock();
    let event = |external_id: String, door: Option<String>| FoundEvent {
        external_id,
        occurred_at: None,
        event_type: EventType::AccessGranted,
        vendor_code: "48".to_owned(),
        device: None,
        door: door.map(FoundDoorRef::Id),
        reading: None,
        facts: FACTS.iter().map(|(name, fact, _)| ((*name).to_owned(), (*fact).to_owned())).collect(),
    };
    let found = [
        event(format!("somewhere {number}"), None),
        event(format!("at a lock {number}"), Some(text(&lock["externalId"]))),
    ];
    let foundation = world.house.foundation();
    let (ids, now) = (foundation.ids.as_ref(), foundation.clock.now());
    let observed = observed::events(world.house.database(), ids, account, &found, Source::Webhook, now).await.unwrap();
    assert_eq!(observed.fresh.len(), 2);
}

fn sees_lock(caller: &Caller) -> bool {
    !matches!(caller.sight, Sight::Nobody | Sight::Stranger | Sight::Own(_)) && !caller.name.contains("another")
}

/// Who came, and with what, is told as people and their cards are told elsewhere.
async fn check_event_data(world: &World) {
    let lock = world.lock();
    let account = account_of(world, "LOCKT").await;
    tell(world, &account, 0).await;
    let list =
        "{ events(filter: {types: [ACCESS_GRANTED]}, first: 100) { nodes { id door { id } site { id } data } } }";
    let all = world.house.client.data(list, json!({})).await["events"]["nodes"].take();
    let all: Vec<Value> = serde_json::from_value(all).unwrap();
    let (at_lock, nowhere): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|event| event["door"]["id"] == lock["id"]);
    assert_eq!((at_lock.len(), nowhere.len()), (1, 1), "{all:#?}");
    assert!(at_lock[0]["site"] == lock["site"] && nowhere[0]["site"].is_null(), "{all:#?}");
    let node = "query($id: ID!) { node(id: $id) { ... on Event { data } } }";
    let live = "subscription { eventRecorded { event { type data door { id } } } }";
    for (number, caller) in (1..).zip(world.callers(lock).await) {
        if caller.sight == Sight::Nobody {
            continue;
        }
        let seen =
            |event: &Value| sees_lock(&caller) && (caller.sight == Sight::Everything || event["door"].is_object());
        let told = caller.client.data(list, json!({})).await["events"]["nodes"].take();
        for event in told.as_array().unwrap() {
            assert_eq!(event["data"], expected(&caller), "{} {event:#}", caller.name);
        }
        let told: BTreeSet<String> = told.as_array().unwrap().iter().map(|event| text(&event["id"])).collect();
        let known = world.house.client.data(list, json!({})).await["events"]["nodes"].take();
        let known = known.as_array().unwrap().iter().filter(|event| seen(event)).map(|event| text(&event["id"]));
        assert_eq!(told, known.collect(), "{}", caller.name);
        for event in &all {
            let told = caller.client.data(node, json!({ "id": event["id"] })).await;
            let shown = if seen(event) { expected(&caller) } else { Value::Null };
            assert_eq!(told["node"]["data"], shown, "{} {event:#}", caller.name);
        }
        if sees_lock(&caller) {
            let mut heard = caller.client.subscribe(live, json!({})).await;
            assert_eq!(heard.next().await.unwrap()["eventRecorded"]["event"], Value::Null);
            tell(world, &account, number).await;
            let event = loop {
                let told = heard.next().await.unwrap();
                let event = told["eventRecorded"]["event"].clone();
                if event["type"] == "ACCESS_GRANTED" && event["door"].is_object() {
                    break event;
                }
            };
            assert_eq!(event["data"], expected(&caller), "{} hears {event:#}", caller.name);
        }
    }
}

/// What is asked of a whole account is no site's business, nor are its events.
async fn check_account_events(world: &World) {
    let account = work::accounts_of(world.house.database(), world.house.organization).await.unwrap();
    let account = account.into_iter().find(|account| account.vendor == "LOCKT").unwrap();
    let id = domain::ids::VendorAccountId(account.id).to_string();
    let site = domain::ids::SiteId(account.site_id).to_string();
    let input = json!({ "vendorAccountId": id });
    let command = world.house.client.command("readNextCardNumber", input.clone()).await;
    let other = world.house.client.command("readNextCardNumber", input.clone()).await;
    world.house.client.command("cancelCommand", json!({ "commandId": other })).await;
    let viewer = world.caller("viewer", Role::Viewer, Sight::Everything, None).await;
    for (mutation, input) in [("readNextCardNumber", input), ("cancelCommand", json!({ "commandId": command }))] {
        let refused = viewer.client.mutate(mutation, input).await;
        assert_eq!(refused["userErrors"][0]["code"], "FORBIDDEN", "{refused:#}");
    }
    let list = "query($types: [EventType!]) { events(filter: {types: $types}, last: 100) { nodes { type site { id } device { id } \
        vendorAccount { id } command { id kind } data } } }";
    let types = json!({ "types": ["COMMAND_REQUESTED", "COMMAND_FINISHED", "COMMAND_DENIED"] });
    let of_account = |answer: &Value| -> Vec<Value> {
        let all = answer["events"]["nodes"].as_array().unwrap().iter();
        all.filter(|event| event.to_string().contains("READ_NEXT_CARD_NUMBER") || event["type"] == "COMMAND_DENIED")
            .cloned()
            .collect()
    };
    let told = of_account(&world.house.client.data(list, types.clone()).await);
    let names: Vec<String> = told.iter().map(|event| text(&event["type"])).collect();
    let both = ["COMMAND_REQUESTED", "COMMAND_REQUESTED", "COMMAND_FINISHED", "COMMAND_DENIED", "COMMAND_DENIED"];
    assert_eq!(names, both, "{told:#?}");
    assert!(told.iter().all(|event| event["site"].is_null()), "{told:#?}");
    assert!(told[3..].iter().all(|event| event["vendorAccount"]["id"] == id), "{told:#?}");
    let of_site = world.caller("of the site", Role::Admin, Sight::Site(site), None).await;
    assert_eq!(of_account(&of_site.client.data(list, types).await), Vec::<Value>::new());
}

/// What a command brought back is for those who could have asked for it.
async fn check_results(world: &World) {
    let account = domain::ids::VendorAccountId(account_of(world, "LOCKT").await.id).to_string();
    let raixer = world.house.door("RAIXER", "READ_DEVICE_VARIABLE").await;
    let door = world.doors.iter().find(|door| door["id"] == raixer["id"]).unwrap();
    let reading = json!({ "deviceId": door["device"]["id"], "variable": "status" });
    for (mutation, input, needed, of_account) in [
        ("readDeviceVariable", reading, Role::Operator, false),
        ("readNextCardNumber", json!({ "vendorAccountId": account }), Role::Manager, true),
    ] {
        let owner = world.caller("own", Role::Manager, Sight::Everything, None).await;
        let id = owner.client.command(mutation, input).await;
        let row = world.house.row(&id).await;
        let (foundation, progress) = (world.house.foundation(), row.progress().unwrap());
        let step = Recording {
            row: &row,
            progress: &progress,
            lines: Vec::new(),
            rides_on: None,
            reading: None,
            result: Some(json!({ "number": "4711" })),
        };
        record(world.house.database(), foundation.ids.as_ref(), step, foundation.clock.now()).await.unwrap();
        let mut callers = world.callers(door).await;
        callers.push(owner);
        for caller in callers.iter().filter(|caller| caller.sight != Sight::Nobody) {
            let query = "query($id: ID!) { command(id: $id) { id result } }";
            let told = caller.client.data(query, json!({ "id": id })).await["command"].take();
            let at_site = matches!(caller.sight, Sight::Site(_)) && caller.name == "of the site";
            let sees = caller.sight == Sight::Everything || (!of_account && at_site);
            assert_eq!(told.is_object(), sees, "{} {mutation} {told:#}", caller.name);
            let shown = sees && caller.role >= needed;
            assert_eq!(told["result"]["number"], if shown { json!("4711") } else { Value::Null }, "{}", caller.name);
        }
    }
}

on_both_back_ends! {
    async fn every_fact_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        check_event_data(&world).await;
        world.house.stop().await;
    }

    async fn orders_to_accounts_are_at_no_site(back_end: BackEnd) {
        let world = World::start(back_end).await;
        check_account_events(&world).await;
        world.house.stop().await;
    }

    async fn every_result_for_every_caller(back_end: BackEnd) {
        let world = World::start(back_end).await;
        check_results(&world).await;
        world.house.stop().await;
    }
}
