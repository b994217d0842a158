//! The matrix: every root field x every kind of caller. The rows are compared with the schema's root fields, so that a new field
//! without a row fails. What a caller may see and do is spelled out here once more, not asked of the product.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::Role,
    command::CommandKind,
    ids::{
        CommandId, DeviceId, DoorId, EventId, MembershipId, OrganizationId, SiteId, UserId, VendorAccountId,
    },
};
use entities::{store, work};
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, Subscription, text},
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
};
use reqwest::Method;
use serde_json::{Value, json};

/// What the caller sees of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sight {
    Nobody,
    Stranger,
    Site(String),
    Door(String),
    Everything,
}

struct Caller {
    name: &'static str,
    client: Client,
    sight: Sight,
    role: Role,
    only: Option<CommandKind>,
}

/// Something with an id.
#[derive(Debug)]
struct Thing {
    kind: &'static str,
    id: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// The organization itself.
    Organization,
    /// Seen by whoever sees the whole organization.
    Nowhere,
    /// At a site, and at, of, or around these doors.
    At { site: String, doors: Vec<String> },
}

impl Sight {
    fn sees(&self, thing: &Thing) -> bool {
        match (self, &thing.place) {
            (Self::Nobody | Self::Stranger, _) | (Self::Site(_) | Self::Door(_), Place::Nowhere) => false,
            (Self::Everything, _) | (_, Place::Organization) => true,
            (Self::Site(own), Place::At { site, .. }) => own == site,
            (Self::Door(own), Place::At { doors, .. }) => doors.contains(own),
        }
    }
}

/// How a query's root field is asked for.
#[derive(Debug, Clone, Copy)]
enum QueryRow {
    Viewer,
    One(&'static str),
    Many(&'static str),
    Node,
    Nodes,
    Entities,
    /// Public: it tells nothing but the schema.
    Service,
}

fn query_rows() -> BTreeMap<&'static str, QueryRow> {
    use QueryRow::{Entities, Many, Node, Nodes, One, Service, Viewer};
    BTreeMap::from([
        ("viewer", Viewer),
        ("node", Node),
        ("nodes", Nodes),
        ("site", One("Site")),
        ("sites", Many("Site")),
        ("device", One("Device")),
        ("devices", Many("Device")),
        ("door", One("Door")),
        ("doors", Many("Door")),
        ("command", One("Command")),
        ("commands", Many("Command")),
        ("events", Many("Event")),
        ("_entities", Entities),
        ("_service", Service),
    ])
}

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

const SUBSCRIPTION_ROWS: [&str; 2] = ["commandUpdated", "doorStateChanged"];

/// The organization as its ADMIN knows it, and everybody who may call.
struct World {
    house: TestHouse,
    doors: Vec<Value>,
    things: Vec<Thing>,
}

impl World {
    async fn start(back_end: BackEnd) -> Self {
        let plan = Plan::on(back_end).without_worker().with_setting("introspection", "yes");
        let house = plan.with_setting("max_complexity", "1000000").start().await;
        let doors = house.doors().await;
        for door in &doors {
            let can = |at: &Value, word: &str| at["capabilities"].as_array().is_some_and(|all| all.contains(&json!(word)));
            if can(door, "OPEN_DOOR") {
                house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
            }
            if can(&door["device"], "SYNC_DEVICE") {
                house.client.command("syncDevice", json!({ "deviceId": door["device"]["id"] })).await;
            }
        }
        let things = things(&house).await;
        Self { house, doors, things }
    }

    fn of(&self, kind: &str) -> impl Iterator<Item = &Thing> {
        self.things.iter().filter(move |thing| thing.kind == kind)
    }

    async fn caller(&self, name: &'static str, role: Role, sight: Sight, only: Option<CommandKind>) -> Caller {
        let mut plan = KeyPlan::unlimited(name, role);
        plan.verbs.extend(only);
        match &sight {
            Sight::Site(site) => plan.sites.extend(site.parse::<SiteId>().ok()),
            Sight::Door(door) => plan.doors.extend(door.parse::<DoorId>().ok()),
            _ => {}
        }
        let client = match sight {
            Sight::Nobody => self.house.client.with_key(""),
            Sight::Stranger => self.house.stranger().await,
            _ => self.house.caller(&plan).await,
        };
        Caller { name, client, sight, role, only }
    }

    /// One caller of each kind; the limited ones see the place of `door`, or the place of another.
    async fn callers(&self, door: &Value) -> Vec<Caller> {
        let elsewhere = self.doors.iter().find(|other| other["site"] != door["site"]).unwrap();
        let (site, other_site) = (text(&door["site"]["id"]), text(&elsewhere["site"]["id"]));
        let (own, other) = (text(&door["id"]), text(&elsewhere["id"]));
        let of_site = |site| Sight::Site(site);
        vec![
            self.caller("anonymous", Role::Viewer, Sight::Nobody, None).await,
            self.caller("stranger", Role::Admin, Sight::Stranger, None).await,
            self.caller("of the site", Role::Manager, of_site(site), None).await,
            self.caller("of another site", Role::Manager, of_site(other_site), None).await,
            self.caller("of the door", Role::Manager, Sight::Door(own), None).await,
            self.caller("of another door", Role::Manager, Sight::Door(other), None).await,
            self.caller("viewer", Role::Viewer, Sight::Everything, None).await,
            self.caller("operator", Role::Operator, Sight::Everything, None).await,
            self.caller("manager", Role::Manager, Sight::Everything, None).await,
            self.caller("admin", Role::Admin, Sight::Everything, None).await,
            self.caller("photographer", Role::Admin, Sight::Everything, Some(CommandKind::TakePhoto)).await,
            self.caller("opener", Role::Admin, Sight::Everything, Some(CommandKind::OpenDoor)).await,
        ]
    }

    /// An id of this kind that nothing has.
    fn absent(&self, kind: &str) -> String {
        let uuid = self.house.foundation().ids.next_uuid();
        match kind {
            "Organization" => OrganizationId(uuid).to_string(),
            "Site" => SiteId(uuid).to_string(),
            "Device" => DeviceId(uuid).to_string(),
            "Door" => DoorId(uuid).to_string(),
            "Command" => CommandId(uuid).to_string(),
            "Event" => EventId(uuid).to_string(),
            "VendorAccount" => VendorAccountId(uuid).to_string(),
            "User" => UserId(uuid).to_string(),
            _ => unreachable!("a kind without ids: {kind}"),
        }
    }

    /// Every id in an answer belongs to something that the caller sees.
    fn assert_no_leak(&self, caller: &Caller, answer: &Value) {
        let answer = answer.to_string();
        for thing in &self.things {
            let is_there = answer.contains(&thing.id);
            assert!(!is_there || caller.sight.sees(thing), "{} was shown {} {}", caller.name, thing.kind, thing.id);
        }
    }
}

async fn things(house: &TestHouse) -> Vec<Thing> {
    let data = house
        .client
        .data(
            "{ sites(first: 100) { nodes { id doors(first: 100) { nodes { id } } } } \
               devices(first: 100) { nodes { id site { id } doors { id } } } \
               doors(first: 100) { nodes { id site { id } } } \
               commands(first: 100) { nodes { id site { id } door { id } } pageInfo { hasNextPage } } \
               events(first: 100) { nodes { id site { id } door { id } } pageInfo { hasNextPage } } }",
            json!({}),
        )
        .await;
    for list in ["commands", "events"] {
        assert_eq!(data[list]["pageInfo"]["hasNextPage"], false, "the oracle must see everything");
    }
    let ids = |list: &Value| list.as_array().into_iter().flatten().map(|item| text(&item["id"])).collect::<Vec<_>>();
    let mut things = vec![Thing { kind: "Organization", id: house.organization.to_string(), place: Place::Organization }];
    for (kind, list) in
        [("Site", "sites"), ("Device", "devices"), ("Door", "doors"), ("Command", "commands"), ("Event", "events")]
    {
        for node in data[list]["nodes"].as_array().unwrap() {
            let id = text(&node["id"]);
            let site = node["site"]["id"].as_str().unwrap_or(&id).to_owned();
            let doors = match kind {
                "Site" => ids(&node["doors"]["nodes"]),
                "Device" => ids(&node["doors"]),
                "Door" => vec![id.clone()],
                _ => node["door"]["id"].as_str().map(str::to_owned).into_iter().collect(),
            };
            things.push(Thing { kind, id, place: Place::At { site, doors } });
        }
    }
    for account in work::accounts_of(house.database(), house.organization).await.unwrap() {
        things.push(Thing { kind: "VendorAccount", id: VendorAccountId(account.id).to_string(), place: Place::Nowhere });
    }
    let foundation = house.foundation();
    let user = UserId(foundation.ids.next_uuid());
    let member = (user, MembershipId(foundation.ids.next_uuid()));
    let (person, role, now) = (("Zoë", None), (Role::Viewer, None), foundation.clock.now());
    store::organizations::create_member(house.database(), house.organization, member, person, role, now).await.unwrap();
    things.push(Thing { kind: "User", id: user.to_string(), place: Place::Nowhere });
    things
}

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

async fn check_query(world: &World, caller: &Caller, field: &str, row: QueryRow) {
    let client = &caller.client;
    let ask = async |query: &str, variables: Value| {
        let answer = client.ask(query, variables).await;
        world.assert_no_leak(caller, &answer);
        answer
    };
    let shown = |thing: &Thing| if caller.sight.sees(thing) { json!({ "id": thing.id }) } else { Value::Null };
    match row {
        QueryRow::Service => {
            assert!(ask("{ _service { sdl } }", json!({})).await.get("errors").is_none(), "{}", caller.name);
        }
        QueryRow::Viewer => {
            let answer = ask("{ viewer { id role organization { id } sees { everything siteIds doorIds } } }", json!({})).await;
            if caller.sight == Sight::Nobody {
                return assert_unauthenticated(&answer);
            }
            let viewer = &answer["data"]["viewer"];
            assert_eq!(viewer["role"], caller.role.as_str(), "{}", caller.name);
            let (site, door) = match &caller.sight {
                Sight::Site(site) => (json!([site]), json!([])),
                Sight::Door(door) => (json!([]), json!([door])),
                _ => (json!([]), json!([])),
            };
            let everything = site == door;
            let sees = json!({ "everything": everything, "siteIds": site, "doorIds": door });
            assert_eq!(viewer["sees"], sees, "{}", caller.name);
            let is_ours = viewer["organization"]["id"] == world.house.organization.to_string();
            assert_eq!(is_ours, caller.sight != Sight::Stranger);
        }
        QueryRow::One(_) | QueryRow::Node => {
            let of_kind = |thing: &&Thing| matches!(row, QueryRow::Node) || matches!(row, QueryRow::One(kind) if kind == thing.kind);
            let things: Vec<&Thing> = world.things.iter().filter(of_kind).collect();
            assert!(!things.is_empty(), "{field}");
            for things in things.chunks(100) {
                let fields: Vec<String> = (0..).zip(things).map(|(number, thing): (usize, _)| {
                    format!("a{number}: {field}(id: \"{}\") {{ id }}", thing.id)
                }).collect();
                let answer = ask(&format!("{{ {} }}", fields.join(" ")), json!({})).await;
                if caller.sight == Sight::Nobody {
                    assert_unauthenticated(&answer);
                    continue;
                }
                assert!(answer.get("errors").is_none(), "{} {answer:#}", caller.name);
                for (number, thing) in (0..).zip(things) {
                    let number: usize = number;
                    assert_eq!(answer["data"][format!("a{number}")], shown(thing), "{} {field} {thing:?}", caller.name);
                }
            }
            check_absent(world, caller, field, &things).await;
        }
        QueryRow::Many(kind) => {
            let answer = ask(&format!("{{ {field}(first: 100) {{ nodes {{ id }} totalCount }} }}"), json!({})).await;
            if caller.sight == Sight::Nobody {
                return assert_unauthenticated(&answer);
            }
            let expected: Vec<Value> = world.of(kind).map(shown).filter(|shown| !shown.is_null()).collect();
            let connection = json!({ "nodes": expected, "totalCount": expected.len() });
            assert_eq!(answer["data"][field], connection, "{} {field}", caller.name);
        }
        QueryRow::Nodes | QueryRow::Entities => {
            let is_node = matches!(row, QueryRow::Nodes);
            let asked: Vec<&Thing> = world.things.iter().filter(|thing| is_node || thing.kind != "Event").collect();
            for things in asked.chunks(100) {
                let answer = if is_node {
                    let ids: Vec<&String> = things.iter().map(|thing| &thing.id).collect();
                    ask("query($of: [ID!]!) { nodes(ids: $of) { id } }", json!({ "of": ids })).await
                } else {
                    let of: Vec<Value> = things.iter().map(|thing| json!({ "__typename": thing.kind, "id": thing.id })).collect();
                    let spread: Vec<String> = ["Organization", "Site", "Device", "Door", "Command", "VendorAccount", "User"]
                        .iter().map(|name| format!("... on {name} {{ id }}")).collect();
                    let query = format!("query($of: [_Any!]!) {{ _entities(representations: $of) {{ {} }} }}", spread.join(" "));
                    ask(&query, json!({ "of": of })).await
                };
                let expected: Vec<Value> = things.iter().map(|thing| shown(thing)).collect();
                if caller.sight == Sight::Nobody {
                    let code = |error: &Value| error["extensions"]["code"] == "UNAUTHENTICATED";
                    assert!(answer["errors"].as_array().is_some_and(|errors| errors.iter().all(code)), "{answer:#}");
                } else {
                    assert_eq!(answer["data"][field], json!(expected), "{}", caller.name);
                }
            }
        }
    }
}

/// What one does not see, what is not there, and what is no id: the same to the byte.
async fn check_absent(world: &World, caller: &Caller, field: &str, things: &[&Thing]) {
    let query = format!("query($id: ID!) {{ {field}(id: $id) {{ id }} }}");
    let mut kinds = BTreeSet::new();
    for thing in things.iter().filter(|thing| !caller.sight.sees(thing)) {
        if kinds.insert(thing.kind) {
            let invisible = bytes(&caller.client, &query, json!({ "id": thing.id })).await;
            for id in [world.absent(thing.kind), "nonsense".to_owned(), String::new(), thing.id.to_uppercase()] {
                assert_eq!(bytes(&caller.client, &query, json!({ "id": id })).await, invisible, "{} {field} {id}", caller.name);
            }
        }
    }
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
        MutationRow::Door(kind, needed) | MutationRow::Device(kind, needed) => (needed, Some(kind)),
        MutationRow::Cancel(needed) => (needed, None),
    };
    let word = kind.unwrap_or(CommandKind::OpenDoor).as_str();
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
        let answer: Value = serde_json::from_str(said.split_once('{').map(|(_, json)| format!("{{{json}")).unwrap().as_str()).unwrap();
        let payload = &answer["data"][name];
        let refused = |code: &str| {
            assert_eq!(payload["userErrors"][0]["code"], code, "{name} by {}: {answer:#}", caller.name);
            assert!(payload["command"].is_null() && answer.get("errors").is_none(), "{name} by {}: {answer:#}", caller.name);
        };
        let sees = !matches!(caller.name, "anonymous" | "stranger" | "of another site" | "of another door");
        let allowed = sees && caller.role >= needed && (kind.is_none() || caller.only.is_none() || caller.only == kind);
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
    for (query, kind, field) in
        [(command, "Command", "commandUpdated"), (of_site, "Site", "doorStateChanged"), (of_doors, "Door", "doorStateChanged")]
    {
        let things: Vec<&Thing> = world.of(kind).collect();
        if let Some(thing) = things.iter().find(|thing| caller.sight.sees(thing)) {
            let message = first_message(client, query, json!({ "id": thing.id })).await;
            world.assert_no_leak(caller, &message);
            assert_eq!(message["type"], "next", "{} {query} {message:#}", caller.name);
            let shown = text(&message["payload"]["data"][field]["id"]);
            assert!(kind == "Site" || shown == thing.id, "{message:#}");
        }
        if let Some(thing) = things.iter().find(|thing| !caller.sight.sees(thing)) {
            let invisible = first_message(client, query, json!({ "id": thing.id })).await;
            assert!(invisible.to_string().contains("\"NOT_FOUND\""), "{} {query} {invisible:#}", caller.name);
            for id in [world.absent(kind), "nonsense".to_owned()] {
                assert_eq!(first_message(client, query, json!({ "id": id })).await, invisible, "{} {query}", caller.name);
            }
        }
    }
    // One door that is not seen among those that are: nothing is told of any.
    let (seen, unseen): (Vec<&Thing>, Vec<&Thing>) = world.of("Door").partition(|thing| caller.sight.sees(thing));
    if let (Some(seen), Some(unseen)) = (seen.first(), unseen.first()) {
        let query = "subscription($ids: [ID!]) { doorStateChanged(doorIds: $ids) { id } }";
        let message = first_message(client, query, json!({ "ids": [seen.id, unseen.id] })).await;
        assert_eq!(message, first_message(client, query, json!({ "ids": [seen.id, world.absent("Door")] })).await);
        assert!(message.to_string().contains("\"NOT_FOUND\""), "{message:#}");
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
        let rows = mutation_rows();
        let known: BTreeSet<String> = rows.keys().map(|&name| name.to_owned()).collect();
        assert_eq!(root_fields(&world.house, "mutationType").await, known, "each root field needs a row here");
        for (name, row) in rows {
            check_mutation(&world, name, row).await;
        }
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
