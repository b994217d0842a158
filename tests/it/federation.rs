//! Gatehouse as a subgraph: the SDL, and entities by representation, in one batch, in scope, each for itself.

use domain::{
    access::Role,
    ids::{CommandId, DeviceId, DoorId, MembershipId, OrganizationId, SiteId, UserId, VendorAccountId},
};
use entities::{store, work};
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};

const ENTITIES: &str = "query($of: [_Any!]!) { _entities(representations: $of) { __typename \
    ... on Organization { id name } ... on Site { id name timeZone } ... on Device { id name site { id } } \
    ... on Door { id name device { id } } ... on Command { id kind door { id } } ... on VendorAccount { id vendor } \
    ... on User { id name } } }";

async fn entities(client: &Client, representations: &[Value]) -> Value {
    client.ask(ENTITIES, json!({ "of": representations })).await
}

/// One representation of each entity type, with what it must be answered.
async fn one_of_each(house: &TestHouse) -> Vec<(Value, Value)> {
    let door = house.door("RAIXER", "OPEN_DOOR").await;
    let command = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
    let foundation = house.foundation();
    let user = UserId(foundation.ids.next_uuid());
    let member = (user, MembershipId(foundation.ids.next_uuid()));
    let now = foundation.clock.now();
    store::organizations::create_member(
        house.database(),
        house.organization,
        member,
        ("Zoë", None),
        (Role::Viewer, None),
        now,
    )
    .await
    .unwrap();
    let account = work::accounts_of(house.database(), house.organization).await.unwrap().remove(0);
    let site =
        &house.client.data("{ sites(first: 1) { nodes { id name timeZone } } }", json!({})).await["sites"]["nodes"][0];
    let (user, account_id) = (user.to_string(), VendorAccountId(account.id).to_string());
    let device = json!({ "id": door["device"]["id"], "name": door["device"]["name"], "site": door["site"] });
    [
        ("Organization", json!({ "id": house.organization.to_string(), "name": "Demo" })),
        ("Site", site.clone()),
        ("Device", device),
        ("Door", json!({ "id": door["id"], "name": door["name"], "device": { "id": door["device"]["id"] } })),
        ("Command", json!({ "id": command, "kind": "OPEN_DOOR", "door": { "id": door["id"] } })),
        ("VendorAccount", json!({ "id": account_id, "vendor": account.vendor })),
        ("User", json!({ "id": user, "name": "Zoë" })),
    ]
    .into_iter()
    .map(|(name, mut expected)| {
        expected["__typename"] = json!(name);
        (json!({ "__typename": name, "id": expected["id"] }), expected)
    })
    .collect()
}

/// An id of the type that nothing has.
fn absent(house: &TestHouse, name: &str) -> Value {
    let uuid = house.foundation().ids.next_uuid();
    let id = match name {
        "Organization" => OrganizationId(uuid).to_string(),
        "Site" => SiteId(uuid).to_string(),
        "Device" => DeviceId(uuid).to_string(),
        "Door" => DoorId(uuid).to_string(),
        "Command" => CommandId(uuid).to_string(),
        "VendorAccount" => VendorAccountId(uuid).to_string(),
        _ => UserId(uuid).to_string(),
    };
    json!({ "__typename": name, "id": id })
}

on_both_back_ends! {
    async fn the_service_tells_its_schema(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let anonymous = house.client.with_key("");
        // Who has no key may read it in the embedded house only.
        let is_open = house.settings.is_embedded();
        if !is_open {
            let refused = anonymous.ask("{ _service { sdl } }", json!({})).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused}");
        }
        for client in [&house.client, &anonymous].into_iter().take(if is_open { 2 } else { 1 }) {
            let data = client.data("{ _service { sdl } }", json!({})).await;
            let sdl = text(&data["_service"]["sdl"]);
            assert!(sdl.contains("https://specs.apollo.dev/federation/v2"), "{sdl}");
            for name in ["Organization", "Site", "Device", "Door", "Command", "VendorAccount", "User"] {
                let keyed = sdl.lines().any(|line| line.starts_with(&format!("type {name} ")) && line.contains("@key(fields: \"id\")"));
                assert!(keyed, "{name}: {sdl}");
            }
            for root in ["type Query", "type Mutation", "type Subscription"] {
                assert!(sdl.contains(root), "{root}");
            }
        }
        house.stop().await;
    }

    /// Whatever the order, whatever is missing between: each is answered in its place.
    async fn entities_come_in_their_places(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let each = one_of_each(&house).await;
        let mut asked = Vec::new();
        let mut expected = Vec::new();
        for round in 0..each.len() {
            for step in 0..each.len() {
                // 3 and 7 have no common divisor: an order of its own each round.
                let (representation, answer) = &each[(round + step * 3) % each.len()];
                asked.push(representation.clone());
                expected.push(answer.clone());
                let name = text(&representation["__typename"]);
                let gap = match step % 4 {
                    0 => absent(&house, &name),
                    1 => json!({ "__typename": name, "id": "nonsense" }),
                    // The id of something else.
                    2 => json!({ "__typename": name, "id": each[(round + step * 3 + 1) % each.len()].0["id"] }),
                    _ => continue,
                };
                asked.push(gap);
                expected.push(Value::Null);
            }
        }
        let answer = entities(&house.client, &asked).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        for ((asked, expected), found) in asked.iter().zip(&expected).zip(answer["data"]["_entities"].as_array().unwrap()) {
            assert_eq!(found, expected, "{asked}");
        }
        assert_eq!(entities(&house.client, &[]).await["data"]["_entities"], json!([]));
        house.stop().await;
    }

    /// Fifty representations cost what two cost.
    async fn entities_are_read_in_one_batch(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_manual_clock().start().await;
        let doors = house.doors().await;
        let devices: std::collections::BTreeSet<String> = doors.iter().map(|door| text(&door["device"]["id"])).collect();
        let all: Vec<Value> = doors.iter().map(|door| json!({ "__typename": "Door", "id": door["id"] }))
            .zip(devices.iter().map(|id| json!({ "__typename": "Device", "id": id })))
            .flat_map(|(door, device)| [door, device])
            .collect();
        let cost = async |count: usize| {
            entities(&house.client, &all[..2]).await;
            let before = house.database().statements();
            let answer = entities(&house.client, &all[..count]).await;
            assert!(answer["data"]["_entities"].as_array().unwrap().iter().all(|entity| !entity.is_null()), "{answer:#}");
            house.database().statements() - before
        };
        assert!(all.len() >= 50);
        assert_eq!(cost(2).await, cost(50).await);
        assert!(cost(50).await <= 4);
        house.stop().await;
    }

    /// A gateway passes its caller's key on, and so its caller's scope.
    async fn entities_are_in_scope(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let each = one_of_each(&house).await;
        let asked: Vec<Value> = each.iter().map(|(asked, _)| asked.clone()).collect();
        let stranger = entities(&house.stranger().await, &asked).await;
        assert_eq!(stranger, json!({ "data": { "_entities": vec![Value::Null; asked.len()] } }));
        let anonymous = entities(&house.client.with_key(""), &asked).await;
        let data = &anonymous["data"]["_entities"];
        assert!(data.is_null() || data.as_array().unwrap().iter().all(Value::is_null), "{anonymous:#}");
        assert_eq!(anonymous["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{anonymous:#}");
        let door = text(&each[3].0["id"]).parse().unwrap();
        let plan = KeyPlan { doors: [door].into(), ..KeyPlan::unlimited("one door", Role::Viewer) };
        let limited = entities(&house.caller(&plan).await, &asked).await;
        let site = limited["data"]["_entities"][1].clone();
        let is_own_site = each[1].1["id"] == each[2].1["site"]["id"];
        assert_eq!(site.is_null(), !is_own_site, "{limited:#}");
        for (index, sees) in [(0, true), (2, true), (3, true), (4, true), (5, false), (6, false)] {
            assert_eq!(!limited["data"]["_entities"][index].is_null(), sees, "{index}: {limited:#}");
        }
        house.stop().await;
    }

    /// One that nobody can answer says so at its own place, and loses none of its neighbours.
    async fn a_broken_representation_fails_alone(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let each = one_of_each(&house).await;
        let (door, answer) = &each[3];
        for broken in [
            json!({ "__typename": "Gate", "id": "x" }),
            json!({ "__typename": "Door" }),
            json!({ "__typename": "Door", "id": null }),
            json!({ "__typename": "Door", "id": ["x"] }),
            json!({ "__typename": "Door", "name": "x", "__place": 0 }),
            json!({ "__typename": 7, "id": "x" }),
            json!({ "__typename": "G".repeat(10_000), "id": "x" }),
            json!({ "id": door["id"] }),
            json!(7),
            json!([door]),
            Value::Null,
        ] {
            // No item may be null by the schema; the library finds so before anything is asked.
            if broken.is_null() {
                let answer = entities(&house.client, &[door.clone(), broken]).await;
                assert_eq!(answer["errors"][0]["extensions"]["code"], "VALIDATION_FAILED", "{answer:#}");
                continue;
            }
            let found = entities(&house.client, &[door.clone(), broken.clone(), door.clone(), broken.clone()]).await;
            assert_eq!(found["data"]["_entities"], json!([answer, null, answer, null]), "{broken} {found:#}");
            let mut paths = Vec::new();
            for error in found["errors"].as_array().unwrap() {
                assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{found:#}");
                assert!(text(&error["message"]).len() < 300, "{found:#}");
                paths.push(error["path"].clone());
            }
            paths.sort_by_key(ToString::to_string);
            assert_eq!(paths, [json!(["_entities", 1]), json!(["_entities", 3])], "{broken}");
        }
        // Under another name, and beside another list.
        let document = "query($a: [_Any!]!, $b: [_Any!]!) { doors: _entities(representations: $a) { ... on Door { id } } \
            gates: _entities(representations: $b) { ... on Door { id } } }";
        let gate = json!({ "__typename": "Gate", "id": "x" });
        let found = house.client.ask(document, json!({ "a": [door], "b": [door, door, gate] })).await;
        assert_eq!(found["data"]["doors"], json!([{ "id": door["id"] }]), "{found:#}");
        assert_eq!(found["data"]["gates"][1], found["data"]["doors"][0], "{found:#}");
        assert_eq!(found["errors"].as_array().unwrap().len(), 1, "{found:#}");
        assert_eq!(found["errors"][0]["path"], json!(["gates", 2]), "{found:#}");
        // Written into the document, which no gateway does, it has no place to tell.
        let literal = "{ _entities(representations: [{ __typename: \"Gate\" }]) { __typename } }";
        let found = house.client.ask(literal, json!({})).await;
        assert_eq!(found["data"]["_entities"], json!([null]), "{found:#}");
        assert_eq!(found["errors"][0]["path"], json!(["_entities"]), "{found:#}");
        let endless = vec![door.clone(); 1_001];
        let refused = entities(&house.client, &endless).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused:#}");
        assert!(refused["data"].is_null(), "{refused:#}");
        house.stop().await;
    }
}
