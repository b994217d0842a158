//! The rows of mutations that decide who may do what: keys by who may do no less, memberships by ADMINs without limits.

use std::collections::BTreeMap;

use domain::{
    access::Role,
    ids::{ApiKeyId, MembershipId, UserId},
};
use entities::store::{
    self,
    identities::{self, By, Word},
};
use gatehouse::keys::{KeyPlan, store_key};
use serde_json::{Value, json};

use super::{
    assert_unauthenticated, bytes,
    world::{Caller, Sight, World},
};

/// A provider that was set once.
const FORMER_ISSUER: &str = "https://id.example.org";

type Row = fn(&Target) -> Value;

/// A key and a person with a membership and an identity, known to nobody else.
pub(super) struct Target {
    key: String,
    user: String,
    membership: String,
    issuer: String,
}

pub(super) fn key_rows() -> BTreeMap<&'static str, Row> {
    BTreeMap::from([
        ("createApiKey", (|_| json!({ "name": "new", "role": "VIEWER" })) as Row),
        ("revokeApiKey", |of| json!({ "apiKeyId": of.key })),
        ("setMembership", |of| json!({ "userId": of.user, "role": "OPERATOR" })),
        ("removeMembership", |of| json!({ "membershipId": of.membership })),
        ("linkIdentity", |of| json!({ "userId": of.user, "issuer": of.issuer, "subject": of.user })),
        ("unlinkIdentity", |of| json!({ "userId": of.user, "issuer": FORMER_ISSUER })),
    ])
}

async fn target(world: &World) -> Target {
    let (house, secret) = (&world.house, platform::api_key::generate());
    let plan = KeyPlan::unlimited("target", Role::Viewer);
    let key: ApiKeyId = store_key(house.foundation(), house.organization, &plan, &secret).await.unwrap();
    let ids = &house.foundation().ids;
    let member = (UserId(ids.next_uuid()), MembershipId(ids.next_uuid()));
    let address = format!("{}@example.com", member.0);
    let (who, may) = (("Max", Some(address.as_str())), (Role::Viewer, None));
    let now = house.foundation().clock.now();
    store::organizations::create_member(house.database(), house.organization, member, who, may, now).await.unwrap();
    let (by, person) = (By { ids: ids.as_ref(), actor: "test", now }, (house.organization, member.0));
    let word = Word::OfProvider(&address);
    let linked = identities::link(house.database(), by, person, (FORMER_ISSUER, &address), word).await.unwrap();
    linked.unwrap();
    let issuer = world.issuer.url();
    Target { key: key.to_string(), user: member.0.to_string(), membership: member.1.to_string(), issuer }
}

/// What a refused caller must be told; `None` for one who may.
fn expected(caller: &Caller, name: &str) -> Option<&'static str> {
    let rules = caller.sight == Sight::Everything && caller.role == Role::Admin && caller.only.is_none();
    match name {
        "createApiKey" => (caller.role < Role::Manager).then_some("FORBIDDEN"),
        // Others see no keys but those that they made.
        "revokeApiKey" => (!rules).then_some("NOT_FOUND"),
        _ if caller.sight == Sight::Stranger => Some("NOT_FOUND"),
        _ => (!rules).then_some("FORBIDDEN"),
    }
}

pub(super) async fn check_keys(world: &World) {
    let admin = &world.house.client;
    let callers = world.callers(&world.doors[0]).await;
    let everything = async || {
        let query = "{ apiKeys(last: 100) { totalCount nodes { id } } users(last: 100) { nodes { id memberships { id role } identities { issuer subject } } } }";
        admin.data(query, json!({})).await
    };
    for (name, row) in key_rows() {
        let query = format!(
            "mutation($input: {}{}Input!) {{ {name}(input: $input) {{ userErrors {{ code message path }} }} }}",
            name[..1].to_uppercase(),
            &name[1..]
        );
        for caller in &callers {
            let target = target(world).await;
            let before = everything().await;
            let said = bytes(&caller.client, &query, json!({ "input": row(&target) })).await;
            let answer: Value = serde_json::from_str(&said[said.find('{').unwrap()..]).unwrap();
            let after = everything().await;
            if caller.sight == Sight::Nobody {
                assert_unauthenticated(&answer);
                assert_eq!(after, before);
                continue;
            }
            let code = answer["data"][name]["userErrors"][0]["code"].as_str();
            let expected = expected(caller, name);
            assert_eq!(code, expected, "{name} by {}: {answer:#}", caller.name);
            // A stranger makes a key of their own organization.
            let writes = expected.is_none() && caller.sight != Sight::Stranger;
            assert_eq!(after != before, writes, "{name} by {}", caller.name);
            if expected == Some("NOT_FOUND") {
                let absent = Target {
                    key: world.absent("ApiKey"),
                    user: world.absent("User"),
                    membership: world.absent("Membership"),
                    issuer: target.issuer.clone(),
                };
                let word = || "nonsense".to_owned();
                let nonsense = Target { key: word(), user: word(), membership: word(), issuer: word() };
                for target in [absent, nonsense] {
                    let same = bytes(&caller.client, &query, json!({ "input": row(&target) })).await;
                    assert_eq!(same, said, "{name} by {}", caller.name);
                }
            }
        }
    }
}
