//! What the tests of linked accounts share: how an account is linked, and what the API tells of it. No test lives here.

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::truncate;
use gatehouse_tests::{client::text, house::TestHouse, wait::until};
use serde_json::{Value, json};
use simulator::{DemoCredentials, Vendor};

/// Every vendor.
pub(crate) const VENDORS: [Vendor; 5] = [Vendor::Raixer, Vendor::Parqex, Vendor::Lockt, Vendor::Bikeep, Vendor::Mews];

/// What tests read of an account.
pub(crate) const ACCOUNT: &str = "id vendor name baseUrl signedInAs state stateReason stateSince syncedAt \
    syncRequestedAt syncError createdAt site { id } locations { location name site { id } } \
    syncParts { part syncedAt error }";

/// A vendor as the schema calls it.
pub(crate) fn word(vendor: Vendor) -> String {
    format!("{vendor:?}").to_uppercase()
}

/// What an account at a vendor signs in with, as `linkVendorAccount` takes it.
pub(crate) fn credentials(vendor: Vendor, of: &DemoCredentials) -> Value {
    match vendor {
        Vendor::Raixer => json!({ "raixer": { "user": of.raixer.user, "password": of.raixer.password } }),
        Vendor::Parqex => json!({ "parqex": {
            "clientId": of.parqex.client_id,
            "clientSecret": of.parqex.client_secret,
            "accessToken": of.parqex.access_token,
        } }),
        Vendor::Lockt => json!({ "lockt": {
            "apiUser": of.lockt.api_user, "apiKey": of.lockt.api_key, "timeZone": "Europe/Lisbon",
        } }),
        Vendor::Bikeep => json!({ "bikeep": {
            "token": of.bikeep.token, "locations": of.bikeep.locations, "webhookSeed": of.bikeep.webhook_seed,
        } }),
        Vendor::Mews => json!({ "mews": {
            "clientToken": of.mews.client_token, "accessToken": of.mews.access_token, "client": of.mews.client,
        } }),
    }
}

/// The ids of the sites, oldest first.
pub(crate) async fn sites(house: &TestHouse) -> Vec<String> {
    let data = house.client.data("{ sites(first: 100) { nodes { id } } }", json!({})).await;
    data["sites"]["nodes"].as_array().unwrap().iter().map(|site| text(&site["id"])).collect()
}

/// Sends a mutation of vendor accounts and returns its payload.
pub(crate) async fn mutate(house: &TestHouse, name: &str, input: Value, fields: &str) -> Value {
    let upper = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    let query = format!(
        "mutation($input: {upper}Input!) {{ {name}(input: $input) {{ \
         vendorAccount {{ {ACCOUNT} }} {fields} userErrors {{ code message path }} }} }}"
    );
    let mut data = house.client.data(&query, json!({ "input": input })).await;
    data[name].take()
}

/// Sends a mutation of vendor accounts that must be accepted.
pub(crate) async fn accepted(house: &TestHouse, name: &str, input: Value, fields: &str) -> Value {
    let payload = mutate(house, name, input, fields).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    payload
}

/// What `linkVendorAccount` takes: this vendor at the simulator, at the first site.
pub(crate) async fn order(house: &TestHouse, vendor: Vendor, credentials: Value) -> Value {
    json!({
        "name": format!("{} here", word(vendor)),
        "siteId": sites(house).await[0],
        "baseUrl": house.simulator().base_url(vendor),
        "credentials": credentials,
    })
}

/// Links an account, or not, and returns the payload.
pub(crate) async fn link(house: &TestHouse, order: Value) -> Value {
    mutate(house, "linkVendorAccount", order, "authorizationUrl webhookUrl locations { location name }").await
}

/// Links an account, which must work, and returns the payload.
pub(crate) async fn linked(house: &TestHouse, order: Value) -> Value {
    let payload = link(house, order).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    payload
}

/// Links the neighbour's account at a vendor and returns its id once it is synced.
pub(crate) async fn neighbour(house: &TestHouse, vendor: Vendor) -> String {
    let of = &house.vendors.credentials()[1];
    let payload = linked(house, order(house, vendor, credentials(vendor, of)).await).await;
    let id = text(&payload["vendorAccount"]["id"]);
    synced(house, &id).await;
    id
}

/// An account as it is now.
pub(crate) async fn account(house: &TestHouse, id: &str) -> Value {
    let query = format!("query($id: ID!) {{ vendorAccount(id: $id) {{ {ACCOUNT} }} }}");
    let mut data = house.client.data(&query, json!({ "id": id })).await;
    data["vendorAccount"].take()
}

/// How many accounts there are.
pub(crate) async fn account_count(house: &TestHouse) -> u64 {
    let data = house.client.data("{ vendorAccounts(first: 1) { totalCount } }", json!({})).await;
    data["vendorAccounts"]["totalCount"].as_u64().unwrap()
}

/// Waits until an account is in a state.
pub(crate) async fn becomes(house: &TestHouse, id: &str, state: &str) -> Value {
    until(&format!("{id} is {state}"), async || {
        let account = account(house, id).await;
        (account["state"] == state).then_some(account)
    })
    .await
}

/// Waits until an account is synced and no sync of it is wished for any more.
pub(crate) async fn synced(house: &TestHouse, id: &str) -> Value {
    until(&format!("{id} is synced"), async || {
        let account = account(house, id).await;
        (account["syncedAt"].is_string() && account["syncRequestedAt"].is_null()).then_some(account)
    })
    .await
}

/// Waits until a sync has ended well at this moment or later. The clock goes on meanwhile, if it is the test that moves it.
pub(crate) async fn synced_since(house: &TestHouse, id: &str, since: DateTime<Utc>) {
    until(&format!("{id} is synced again"), async || {
        let account = account(house, id).await;
        let at: DateTime<Utc> = account["syncedAt"].as_str()?.parse().unwrap();
        if at >= truncate(since) && account["syncRequestedAt"].is_null() {
            return Some(());
        }
        if house.clock.is_some() {
            house.advance(TimeDelta::milliseconds(50));
        }
        None
    })
    .await;
}

/// The devices of an account that its vendor lists, with their doors.
pub(crate) async fn devices_of(house: &TestHouse, id: &str) -> Vec<Value> {
    let query = "query($after: String) { devices(first: 100, after: $after) { \
        pageInfo { hasNextPage endCursor } nodes { id externalId name missingSince capabilities site { id } \
        vendorAccount { id } doors { id externalId name capabilities site { id } } } } }";
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut data = house.client.data(query, json!({ "after": after })).await;
        let page = &mut data["devices"];
        let nodes = page["nodes"].as_array().unwrap().iter();
        found.extend(nodes.filter(|node| node["vendorAccount"]["id"] == id && node["missingSince"].is_null()).cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            return found;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}

/// The first door of an account that can do this, by the order of names.
pub(crate) async fn door_of(house: &TestHouse, id: &str, capability: &str) -> Value {
    let devices = devices_of(house, id).await;
    let doors = devices.iter().flat_map(|device| device["doors"].as_array().unwrap());
    let can = |door: &&Value| door["capabilities"].as_array().unwrap().contains(&json!(capability));
    let mut able: Vec<&Value> = doors.filter(can).collect();
    able.sort_by_key(|door| door["name"].to_string());
    able.first().copied().unwrap_or_else(|| panic!("{id} has no door that can {capability}: {devices:#?}")).clone()
}

/// The events of these types that are about an account, oldest first.
pub(crate) async fn events_about(house: &TestHouse, id: &str, types: &[&str]) -> Vec<Value> {
    let query = "query($filter: EventFilter) { events(first: 100, orderBy: NEWEST_FIRST, filter: $filter) { \
        nodes { type actor occurredAt data vendorAccount { id } } } }";
    let mut data = house.client.data(query, json!({ "filter": { "types": types } })).await;
    let nodes: Vec<Value> = serde_json::from_value(data["events"]["nodes"].take()).unwrap();
    nodes.into_iter().rev().filter(|event| event["vendorAccount"]["id"] == id).collect()
}

/// How many requests have reached the vendors.
pub(crate) fn requests(house: &TestHouse) -> usize {
    house.vendors.journal(0).entries.len()
}

/// A refusal of a mutation of accounts: nothing but one error, which names the argument and ends as a sentence.
pub(crate) fn assert_refused(payload: &Value, code: &str, at: Option<&str>) {
    assert_eq!((&payload["vendorAccount"], &payload["command"]), (&Value::Null, &Value::Null), "{payload:#}");
    let errors = payload["userErrors"].as_array().unwrap();
    let [error] = &errors[..] else { panic!("{payload:#}") };
    let path = at.map_or(Value::Null, |field| json!(["input", field]));
    assert_eq!((&error["code"], &error["path"]), (&json!(code), &path), "{payload:#}");
    assert!(error["message"].as_str().is_some_and(|message| message.ends_with('.')), "{payload:#}");
}
