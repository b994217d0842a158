//! The rows of who can open what: people are told to a MANAGER who sees the whole organization, what lets anybody in to
//! whoever sees the door.

use std::collections::BTreeMap;

use domain::{
    access::Role,
    door::{DoorReading, Mode, Source},
    ids::DoorId,
};
use entities::store;
use gatehouse_tests::client::text;
use serde_json::{Value, json};

use super::{
    assert_unauthenticated,
    world::{Caller, Sight, World},
};

const DOORS: &str = "{ doors(first: 100) { nodes { id whoCanOpen { anybody { reason certainty from until } \
    people(first: 100) { totalCount nodes { user { id } guestOf { id } record { id } \
    paths { reason record { id } vendorAccessLevel { id } } } } } } } }";

/// What each door tells, by its id.
fn told(answer: &Value) -> BTreeMap<String, Value> {
    let nodes = answer["data"]["doors"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    nodes.iter().map(|door| (door["id"].to_string(), door["whoCanOpen"].clone())).collect()
}

pub(super) async fn check_openings(world: &World, caller: &Caller) {
    // A door that listens to its bell lets anybody in.
    let listening = DoorReading { mode: Some(Mode::AutoAccess), ..DoorReading::default() };
    let foundation = world.house.foundation();
    let (ids, now) = (foundation.ids.as_ref(), foundation.clock.now());
    let door: DoorId = text(&world.house.door("RAIXER", "OPEN_DOOR").await["id"]).parse().unwrap();
    store::doors::observe(world.house.database(), ids, door, &listening, Source::Poll, now).await.unwrap();
    let all = told(&world.house.client.ask(DOORS, json!({})).await);
    assert!(all.values().any(|door| door["people"]["totalCount"] != 0), "nobody can open anything in this world");
    assert!(all.values().any(|door| door["anybody"] != json!([])), "nothing is open to anybody in this world");
    let answer = caller.client.ask(DOORS, json!({})).await;
    world.assert_no_leak(caller, &answer);
    if caller.sight == Sight::Nobody {
        return assert_unauthenticated(&answer);
    }
    let sees_all = caller.sight == Sight::Everything;
    let sees_people = sees_all && caller.role >= Role::Manager;
    let seen = told(&answer);
    for (id, door) in &seen {
        let Some(known) = all.get(id) else {
            assert_eq!(caller.sight, Sight::Stranger, "{}", caller.name);
            continue;
        };
        assert_eq!(door["anybody"], known["anybody"], "{} {id}", caller.name);
        let people = if sees_people { known["people"].clone() } else { Value::Null };
        assert_eq!(door["people"], people, "{} {id}", caller.name);
    }
    // Whoever sees the whole organization learns that the role is too low; others see nothing of people as everywhere.
    let refused = answer["errors"].as_array().map_or(0, Vec::len);
    if sees_all && !sees_people {
        // An answer tells of 20 errors at most.
        assert_eq!(refused, seen.len().min(20), "{}", caller.name);
        assert!(answer["errors"].as_array().unwrap().iter().all(|error| error["extensions"]["code"] == "FORBIDDEN"));
    } else {
        assert_eq!(refused, 0, "{} {answer:#}", caller.name);
    }
    let query = "query($id: ID!) { node(id: $id) { ... on User { id canOpen { nodes { door { id } } } } } }";
    for user in world.of("User") {
        let answer = caller.client.ask(query, json!({ "id": user.id })).await;
        world.assert_no_leak(caller, &answer);
        let doors = &answer["data"]["node"]["canOpen"]["nodes"];
        assert_eq!(doors.is_array(), sees_people, "{} {answer:#}", caller.name);
    }
}
