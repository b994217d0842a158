//! The rows of mutations of vendor accounts: what they are for, and the lowest role that may. Keys with limits of any
//! kind may not.

use std::collections::BTreeMap;

use domain::{
    access::Role,
    account::{AccountState, Vendor},
    ids::{SiteId, VendorAccountId, WebhookDeliveryId},
};
use entities::{rows::vendor_account, store, work};
use gatehouse_tests::client::text;
use serde_json::{Value, json};

use super::{
    assert_unauthenticated, bytes,
    world::{Caller, Sight, World},
};

/// What a mutation is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum AccountRow {
    /// An account that is there.
    Account(Role),
    /// A new account at a site.
    Site(Role),
    /// A webhook delivery to an account.
    Delivery(Role),
}

pub(super) fn account_rows() -> BTreeMap<&'static str, AccountRow> {
    use AccountRow::{Account, Delivery, Site};
    use Role::{Admin, Manager};
    BTreeMap::from([
        ("linkVendorAccount", Site(Admin)),
        ("reauthorizeVendorAccount", Account(Admin)),
        ("unlinkVendorAccount", Account(Admin)),
        ("syncVendorAccount", Account(Manager)),
        ("mapVendorLocations", Account(Admin)),
        ("rotateWebhookAddress", Account(Admin)),
        ("replayWebhookDelivery", Delivery(Admin)),
    ])
}

/// An account of nobody's vendor, with a delivery.
async fn fresh(world: &World) -> (vendor_account::Model, WebhookDeliveryId) {
    let foundation = world.house.foundation();
    let now = foundation.clock.now();
    let account = store::accounts::NewAccount {
        id: VendorAccountId(foundation.ids.next_uuid()),
        organization: world.house.organization,
        site: text(&world.doors[0]["site"]["id"]).parse::<SiteId>().unwrap(),
        vendor: Vendor::Raixer,
        name: "Fresh",
        base_url: "http://127.0.0.1:1",
        credentials: vec![1],
        locations: &[],
        state: AccountState::Connected,
        signed_in_as: None,
        intake_token_hash: None,
        linked_by: None,
    };
    let database = &foundation.database;
    let account = store::accounts::link(database, foundation.ids.as_ref(), account, now).await.unwrap();
    let id = WebhookDeliveryId(foundation.ids.next_uuid());
    store::deliveries::store(database, id, &account, vec![1], 1, now).await.unwrap();
    (account, id)
}

/// The input of a mutation for a target. Nothing listens where it leads.
fn input(name: &str, row: AccountRow, target: &str) -> Value {
    match (name, row) {
        ("mapVendorLocations", _) => json!({ "vendorAccountId": target, "locations": [] }),
        ("reauthorizeVendorAccount", _) => {
            json!({ "vendorAccountId": target, "credentials": { "raixer": { "user": "a", "password": "b" } } })
        }
        (_, AccountRow::Account(_)) => json!({ "vendorAccountId": target }),
        (_, AccountRow::Delivery(_)) => json!({ "webhookDeliveryId": target }),
        (_, AccountRow::Site(_)) => json!({
            "name": "New",
            "siteId": target,
            "baseUrl": "http://127.0.0.1:1",
            "credentials": { "raixer": { "user": "a", "password": "b" } },
        }),
    }
}

/// What a refused caller must be told; `None` for one who may.
fn expected(caller: &Caller, row: AccountRow) -> Option<&'static str> {
    let (AccountRow::Account(needed) | AccountRow::Site(needed) | AccountRow::Delivery(needed)) = row;
    let sees_it = match (&caller.sight, row) {
        (Sight::Everything, _) => true,
        (sight, AccountRow::Site(_)) if sight.is_limited() => return Some("FORBIDDEN"),
        _ => false,
    };
    if !sees_it {
        return Some("NOT_FOUND");
    }
    (caller.role < needed || caller.only.is_some()).then_some("FORBIDDEN")
}

pub(super) async fn check_account_mutation(world: &World, name: &str, row: AccountRow) {
    let query = format!(
        "mutation($input: {}{}Input!) {{ {name}(input: $input) {{ userErrors {{ code message path }} }} }}",
        name[..1].to_uppercase(),
        &name[1..]
    );
    let database = world.house.database();
    for caller in world.callers(&world.doors[0]).await {
        let (account, delivery) = fresh(world).await;
        let id = VendorAccountId(account.id);
        let target = match row {
            AccountRow::Account(_) => id.to_string(),
            AccountRow::Delivery(_) => delivery.to_string(),
            AccountRow::Site(_) => text(&world.doors[0]["site"]["id"]),
        };
        let said = bytes(&caller.client, &query, json!({ "input": input(name, row, &target) })).await;
        let answer: Value = serde_json::from_str(&said[said.find('{').unwrap()..]).unwrap();
        let after = work::account(database, id).await.unwrap().unwrap();
        if caller.sight == Sight::Nobody {
            assert_unauthenticated(&answer);
            assert_eq!(after, account);
            continue;
        }
        let code = answer["data"][name]["userErrors"][0]["code"].as_str();
        let Some(expected) = expected(&caller, row) else {
            assert!(!matches!(code, Some("FORBIDDEN" | "NOT_FOUND")), "{name} by {}: {answer:#}", caller.name);
            continue;
        };
        assert_eq!(code, Some(expected), "{name} by {}: {answer:#}", caller.name);
        assert_eq!(after, account, "{name} by {}: refused, and yet something was written", caller.name);
        if expected == "NOT_FOUND" {
            let absent = match row {
                AccountRow::Account(_) => world.absent("VendorAccount"),
                AccountRow::Delivery(_) => world.absent("WebhookDelivery"),
                AccountRow::Site(_) => world.absent("Site"),
            };
            for id in [absent, "nonsense".to_owned()] {
                let same = bytes(&caller.client, &query, json!({ "input": input(name, row, &id) })).await;
                assert_eq!(same, said, "{name} by {}", caller.name);
            }
        }
    }
}
