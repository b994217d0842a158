//! The rows of the query root: how each field is asked for, and what each caller must be told.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::Role;
use serde_json::{Value, json};

use super::{
    assert_unauthenticated, bytes,
    world::{Caller, Sight, Thing, World},
};

/// How a query's root field is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum QueryRow {
    Viewer,
    One(&'static str),
    Many(&'static str),
    Node,
    Nodes,
    Entities,
    /// As for [`Self::Many`], of the kinds that the caller may read.
    Records,
    /// Newest first, for ADMINs.
    Deliveries,
    /// What tells of people, for MANAGERs.
    Stays(&'static str),
    /// As for [`Self::Many`], of the kinds that the caller may read.
    Alerts,
    /// The rooms of an account that stand for no door.
    Unmapped,
    /// What one made oneself; all of it for an ADMIN without limits.
    Keys,
    /// Public: it tells nothing but the schema.
    Service,
}

pub(super) fn query_rows() -> BTreeMap<&'static str, QueryRow> {
    use QueryRow::{
        Alerts, Deliveries, Entities, Keys, Many, Node, Nodes, One, Records, Service, Stays, Unmapped, Viewer,
    };
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
        ("vendorAccount", One("VendorAccount")),
        ("vendorAccounts", Many("VendorAccount")),
        ("records", Records),
        ("webhookDeliveries", Deliveries),
        ("user", One("User")),
        ("users", Stays("User")),
        ("credential", One("Credential")),
        ("credentials", Stays("Credential")),
        ("accessLevel", One("AccessLevel")),
        ("accessLevels", Stays("AccessLevel")),
        ("schedule", One("Schedule")),
        ("schedules", Stays("Schedule")),
        ("reservation", One("Reservation")),
        ("reservations", Stays("Reservation")),
        ("accessToken", One("AccessToken")),
        ("accessTokens", Stays("AccessToken")),
        ("alerts", Alerts),
        ("unmappedResources", Unmapped),
        ("apiKeys", Keys),
        ("_entities", Entities),
        ("_service", Service),
    ])
}

pub(super) async fn check_query(world: &World, caller: &Caller, field: &str, row: QueryRow) {
    let client = &caller.client;
    let ask = async |query: &str, variables: Value| {
        let answer = client.ask(query, variables).await;
        world.assert_no_leak(caller, &answer);
        answer
    };
    let shown = |thing: &Thing| if caller.sees(thing) { json!({ "id": thing.id }) } else { Value::Null };
    match row {
        QueryRow::Service => {
            let answer = ask("{ _service { sdl } }", json!({})).await;
            // Open to everybody in the embedded house only.
            if caller.sight == Sight::Nobody && !world.house.settings.is_embedded() {
                return assert_unauthenticated(&answer);
            }
            assert!(answer.get("errors").is_none(), "{} {answer:#}", caller.name);
        }
        QueryRow::Keys => {
            let answer = ask("{ apiKeys(first: 100) { totalCount nodes { id } } }", json!({})).await;
            if caller.sight == Sight::Nobody {
                return assert_unauthenticated(&answer);
            }
            let keys = answer["data"]["apiKeys"]["nodes"].as_array().unwrap();
            let all = caller.role == Role::Admin && caller.only.is_none();
            assert_eq!(!keys.is_empty(), all, "{} {answer:#}", caller.name);
            let ours = &world.house.client.data("{ viewer { id } }", json!({})).await["viewer"];
            assert_eq!(keys.contains(ours), all && caller.sight == Sight::Everything, "{}", caller.name);
        }
        QueryRow::Viewer => {
            let answer =
                ask("{ viewer { id role organization { id } sees { everything siteIds doorIds } } }", json!({})).await;
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
            let everything = site == door && !matches!(caller.sight, Sight::Own(_));
            let sees = json!({ "everything": everything, "siteIds": site, "doorIds": door });
            assert_eq!(viewer["sees"], sees, "{}", caller.name);
            let is_ours = viewer["organization"]["id"] == world.house.organization.to_string();
            assert_eq!(is_ours, caller.sight != Sight::Stranger);
        }
        QueryRow::One(_) | QueryRow::Node => {
            let of_kind = |thing: &&Thing| {
                matches!(row, QueryRow::Node) || matches!(row, QueryRow::One(kind) if kind == thing.kind)
            };
            let things: Vec<&Thing> = world.things.iter().filter(of_kind).collect();
            assert!(!things.is_empty(), "{field}");
            for things in things.chunks(50) {
                let fields: Vec<String> = (0..)
                    .zip(things)
                    .map(|(number, thing): (usize, _)| format!("a{number}: {field}(id: \"{}\") {{ id }}", thing.id))
                    .collect();
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
        QueryRow::Records | QueryRow::Deliveries | QueryRow::Stays(_) | QueryRow::Alerts
            if caller.sight != Sight::Nobody =>
        {
            check_by_role(world, caller, field, row).await;
        }
        QueryRow::Unmapped => {
            let account = &world.of("VendorAccount").last().unwrap().id;
            for id in [account.clone(), world.absent("VendorAccount")] {
                let query = "query($id: ID!) { unmappedResources(vendorAccountId: $id) { nodes { id } } }";
                let answer = ask(query, json!({ "id": id })).await;
                if caller.sight == Sight::Nobody {
                    assert_unauthenticated(&answer);
                } else {
                    assert!(answer["data"]["unmappedResources"]["nodes"].is_array(), "{} {answer:#}", caller.name);
                }
            }
        }
        QueryRow::Many(_) | QueryRow::Records | QueryRow::Deliveries | QueryRow::Stays(_) | QueryRow::Alerts => {
            let kind = if let QueryRow::Many(kind) = row { kind } else { "" };
            let answer = ask(&format!("{{ {field}(first: 100) {{ nodes {{ id }} totalCount }} }}"), json!({})).await;
            if caller.sight == Sight::Nobody {
                return assert_unauthenticated(&answer);
            }
            if caller.sight == Sight::Stranger && kind == "Event" {
                let own = ask("{ events(first: 100) { nodes { type } } }", json!({})).await;
                assert_eq!(own["data"]["events"]["nodes"], json!([{ "type": "API_KEY_CREATED" }]), "their own key's");
                return;
            }
            let mut expected: Vec<Value> = world.of(kind).map(shown).filter(|shown| !shown.is_null()).collect();
            if caller.sight == Sight::Everything && kind == "Event" {
                // The callers' keys were made after what the world knows of.
                let keys = "{ events(filter: { types: [API_KEY_CREATED] }, last: 100) { nodes { id } } }";
                let mut keys = ask(keys, json!({})).await["data"]["events"]["nodes"].take();
                let later = keys.as_array_mut().unwrap().drain(..).filter(|key| !expected.contains(key));
                let later: Vec<Value> = later.collect();
                expected.extend(later);
            }
            let first: Vec<&Value> = expected.iter().take(100).collect();
            let connection = json!({ "nodes": first, "totalCount": expected.len() });
            assert_eq!(answer["data"][field], connection, "{} {field}", caller.name);
        }
        QueryRow::Nodes | QueryRow::Entities => {
            let is_node = matches!(row, QueryRow::Nodes);
            let is_entity = |thing: &Thing| {
                ![
                    "Event",
                    "VendorRecord",
                    "WebhookDelivery",
                    "Placement",
                    "Alert",
                    "AccessLevel",
                    "Schedule",
                    "AccessAssignment",
                ]
                .contains(&thing.kind)
            };
            let asked: Vec<&Thing> = world.things.iter().filter(|thing| is_node || is_entity(thing)).collect();
            for things in asked.chunks(100) {
                let answer = if is_node {
                    let ids: Vec<&String> = things.iter().map(|thing| &thing.id).collect();
                    ask("query($of: [ID!]!) { nodes(ids: $of) { id } }", json!({ "of": ids })).await
                } else {
                    let of: Vec<Value> =
                        things.iter().map(|thing| json!({ "__typename": thing.kind, "id": thing.id })).collect();
                    let spread: Vec<String> = [
                        "Organization",
                        "Site",
                        "Device",
                        "Door",
                        "Command",
                        "VendorAccount",
                        "User",
                        "Credential",
                        "Reservation",
                        "AccessToken",
                    ]
                    .iter()
                    .map(|name| format!("... on {name} {{ id }}"))
                    .collect();
                    let query = format!(
                        "query($of: [_Any!]!) {{ _entities(representations: $of) {{ {} }} }}",
                        spread.join(" ")
                    );
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

/// Lists whose items depend on the caller's role: what one may not see is left out, and what one may not ask for is refused.
async fn check_by_role(world: &World, caller: &Caller, field: &str, row: QueryRow) {
    let refused = |answer: &Value| {
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{} {answer:#}", caller.name);
        assert!(answer["data"].as_object().is_none_or(|data| data.values().all(Value::is_null)), "{answer:#}");
    };
    let kind = match row {
        QueryRow::Records => "VendorRecord",
        QueryRow::Alerts => "Alert",
        QueryRow::Stays(kind) => kind,
        _ => "WebhookDelivery",
    };
    let answer =
        caller.client.ask(&format!("{{ list: {field}(first: 100) {{ nodes {{ id }} totalCount }} }}"), json!({})).await;
    world.assert_no_leak(caller, &answer);
    let mut seen: Vec<&Thing> = world.of(kind).filter(|thing| caller.sees(thing)).collect();
    match row {
        QueryRow::Records => {
            let people = "{ records(filter: { kinds: [LOCATION, USER] }) { nodes { id } } }";
            let answer = caller.client.ask(people, json!({})).await;
            world.assert_no_leak(caller, &answer);
            if caller.role < Role::Manager {
                refused(&answer);
            } else {
                assert!(answer.get("errors").is_none(), "{} {answer:#}", caller.name);
            }
        }
        QueryRow::Alerts => {
            let people = "{ alerts(filter: { kinds: [LOW_BATTERY, ZOMBIE] }) { nodes { id } } }";
            let answer = caller.client.ask(people, json!({})).await;
            if caller.role < Role::Manager {
                refused(&answer);
            } else {
                assert!(answer.get("errors").is_none(), "{} {answer:#}", caller.name);
            }
        }
        QueryRow::Stays(_) if caller.role < Role::Manager => return refused(&answer),
        QueryRow::Stays(_) => {}
        _ if caller.role < Role::Admin => return refused(&answer),
        _ => seen.reverse(),
    }
    let first: Vec<Value> = seen.iter().take(100).map(|thing| json!({ "id": thing.id })).collect();
    assert_eq!(answer["data"]["list"], json!({ "nodes": first, "totalCount": seen.len() }), "{}", caller.name);
}

/// What one does not see, what is not there, and what is no id: the same to the byte.
async fn check_absent(world: &World, caller: &Caller, field: &str, things: &[&Thing]) {
    let query = format!("query($id: ID!) {{ {field}(id: $id) {{ id }} }}");
    let mut kinds = BTreeSet::new();
    for thing in things.iter().filter(|thing| !caller.sees(thing)) {
        if kinds.insert(thing.kind) {
            let invisible = bytes(&caller.client, &query, json!({ "id": thing.id })).await;
            for id in [world.absent(thing.kind), "nonsense".to_owned(), String::new(), thing.id.to_uppercase()] {
                assert_eq!(
                    bytes(&caller.client, &query, json!({ "id": id })).await,
                    invisible,
                    "{} {field} {id}",
                    caller.name
                );
            }
        }
    }
}
