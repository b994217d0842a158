//! The rows of mutations of people, credentials, access levels and schedules: MANAGERs may, with keys without any limit.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use domain::access::Role;
use gatehouse_tests::{client::text, house::TestHouse};
use serde_json::{Value, json};

use super::{
    assert_unauthenticated, bytes,
    world::{Caller, Sight, World},
};

/// What mutations are for: one of each, known to nobody else.
pub(super) struct Made {
    pub(super) site: String,
    pub(super) door: String,
    pub(super) user: String,
    pub(super) credential: String,
    pub(super) level: String,
    pub(super) schedule: String,
    pub(super) unused_schedule: String,
}

/// The number of the next card.
static NUMBER: AtomicU64 = AtomicU64::new(4711);

type Row = fn(&Made) -> Value;

/// Another number each time: two may not have one at one door.
fn number() -> String {
    NUMBER.fetch_add(1, Ordering::Relaxed).to_string()
}

pub(super) fn people_rows() -> BTreeMap<&'static str, Row> {
    BTreeMap::from([
        ("createUser", (|_| json!({ "name": "Zoë" })) as Row),
        ("updateUser", |of| json!({ "userId": of.user, "name": "Zoë" })),
        ("deleteUser", |of| json!({ "userId": of.user })),
        ("createCredential", |of| json!({ "userId": of.user, "kind": "FOB", "number": number() })),
        ("updateCredential", |of| json!({ "credentialId": of.credential, "label": "other" })),
        ("suspendCredential", |of| json!({ "credentialId": of.credential })),
        ("resumeCredential", |of| json!({ "credentialId": of.credential })),
        ("reissueCredential", |of| json!({ "credentialId": of.credential, "number": number() })),
        ("revokeCredential", |of| json!({ "credentialId": of.credential })),
        ("createAccessLevel", |of| json!({ "siteId": of.site, "name": "More", "doorIds": [of.door] })),
        ("updateAccessLevel", |of| json!({ "accessLevelId": of.level, "name": "Other" })),
        ("deleteAccessLevel", |of| json!({ "accessLevelId": of.level })),
        (
            "assignAccessLevel",
            |of| json!({ "userId": of.user, "accessLevelId": of.level, "validUntil": "2050-01-01T00:00:00Z" }),
        ),
        ("unassignAccessLevel", |of| json!({ "userId": of.user, "accessLevelId": of.level })),
        ("createSchedule", |of| json!({ "siteId": of.site, "name": "More", "ranges": [] })),
        ("updateSchedule", |of| json!({ "scheduleId": of.schedule, "name": "Other" })),
        ("deleteSchedule", |of| json!({ "scheduleId": of.unused_schedule })),
    ])
}

async fn make(house: &TestHouse, mutation: &str, what: &str, input: Value) -> String {
    let query = format!(
        "mutation($input: {}{}Input!) {{ {mutation}(input: $input) {{ {what} {{ id }} userErrors {{ code message }} }} }}",
        mutation[..1].to_uppercase(),
        &mutation[1..]
    );
    let data = house.client.data(&query, json!({ "input": input })).await;
    assert_eq!(data[mutation]["userErrors"], json!([]), "{data:#}");
    text(&data[mutation][what]["id"])
}

/// Somebody with a card and an access level with a schedule.
pub(super) async fn made(house: &TestHouse, doors: &[Value]) -> Made {
    let (site, door) = (text(&doors[0]["site"]["id"]), text(&doors[0]["id"]));
    let schedule = async |name: &str| {
        let ranges = json!([{ "days": [0, 1], "starts": "09:00", "ends": "17:00" }]);
        let input = json!({ "siteId": site, "name": name, "ranges": ranges });
        make(house, "createSchedule", "schedule", input).await
    };
    let (office, unused_schedule) = (schedule("Office").await, schedule("Unused").await);
    let user = make(house, "createUser", "user", json!({ "name": "Ada Byron", "email": "ada@example.test" })).await;
    let input = json!({ "siteId": site, "name": "Staff", "doorIds": [door], "scheduleId": office });
    let level = make(house, "createAccessLevel", "accessLevel", input).await;
    let input = json!({ "userId": user, "accessLevelId": level });
    make(house, "assignAccessLevel", "assignment", input).await;
    let input = json!({ "userId": user, "kind": "CARD", "number": number() });
    let credential = make(house, "createCredential", "credential", input).await;
    Made { site, door, user, credential, level, schedule: office, unused_schedule }
}

/// All that the mutations may change, as the organization's ADMIN sees it.
async fn everything(house: &TestHouse) -> Value {
    let query = "{
        users(first: 100, filter: { erasedToo: true }) { nodes {
            id name email erasedAt credentials { id state version label } accessLevels { id validUntil accessLevel { id } }
        } }
        accessLevels(first: 100) { nodes { id name doors { id } schedule { id } } }
        schedules(first: 100) { nodes { id name ranges { days } } }
    }";
    house.client.data(query, json!({})).await
}

/// What a refused caller must be told; `None` for one who may.
fn expected(caller: &Caller) -> Option<&'static str> {
    match caller.sight {
        Sight::Stranger => Some("NOT_FOUND"),
        Sight::Everything if caller.role >= Role::Manager && caller.only.is_none() => None,
        _ => Some("FORBIDDEN"),
    }
}

/// The same input with other ids in it, which nothing has.
fn elsewhere(world: &World, row: Row) -> Vec<Value> {
    let absent = Made {
        site: world.absent("Site"),
        door: world.absent("Door"),
        user: world.absent("User"),
        credential: world.absent("Credential"),
        level: world.absent("AccessLevel"),
        schedule: world.absent("Schedule"),
        unused_schedule: world.absent("Schedule"),
    };
    let word = || "nonsense".to_owned();
    let nonsense = Made {
        site: word(),
        door: word(),
        user: word(),
        credential: word(),
        level: word(),
        schedule: word(),
        unused_schedule: word(),
    };
    vec![row(&absent), row(&nonsense)]
}

pub(super) async fn check_people(world: &World) {
    let house = &world.house;
    let callers = world.callers(&world.doors[0]).await;
    let fixed = made(house, &world.doors).await;
    for (name, row) in people_rows() {
        let query = format!(
            "mutation($input: {}{}Input!) {{ {name}(input: $input) {{ userErrors {{ code message path }} }} }}",
            name[..1].to_uppercase(),
            &name[1..]
        );
        for caller in &callers {
            let expected = expected(caller);
            let fresh = match expected {
                None => Some(made(house, &world.doors).await),
                Some(_) => None,
            };
            let input = row(fresh.as_ref().unwrap_or(&fixed));
            let before = everything(house).await;
            let said = bytes(&caller.client, &query, json!({ "input": input })).await;
            let answer: Value = serde_json::from_str(&said[said.find('{').unwrap()..]).unwrap();
            let after = everything(house).await;
            if caller.sight == Sight::Nobody {
                assert_unauthenticated(&answer);
                assert_eq!(after, before);
                continue;
            }
            let code = answer["data"][name]["userErrors"][0]["code"].as_str();
            let Some(expected) = expected else {
                assert_eq!(code, None, "{name} by {}: {answer:#}", caller.name);
                assert!(name == "resumeCredential" || after != before, "{name} by {}", caller.name);
                continue;
            };
            assert_eq!(after, before, "{name} by {}: refused, and yet something was written", caller.name);
            if name == "createUser" && caller.sight == Sight::Stranger {
                // They make somebody of their own.
                assert_eq!(code, None, "{answer:#}");
                continue;
            }
            assert_eq!(code, Some(expected), "{name} by {}: {answer:#}", caller.name);
            for input in elsewhere(world, row) {
                let same = bytes(&caller.client, &query, json!({ "input": input })).await;
                assert_eq!(same, said, "{name} by {}", caller.name);
            }
        }
    }
}
