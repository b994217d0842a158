//! Linking vendor accounts: checked first, stored sealed, by nobody but an ADMIN who sees everything.

use std::collections::BTreeSet;

use domain::{
    access::{Limits, Role},
    clock::Clock,
    command::CommandKind,
    ids::VendorAccountId,
};
use entities::{store, work};
use messaging::Job;
use platform::vault::Place;
use serde_json::{Value, json};

use super::house::House;

pub(crate) const LINK: &str = "mutation Link($input: LinkVendorAccountInput!) { linkVendorAccount(input: $input) {
    vendorAccount { id name vendor state stateReason baseUrl signedInAs capabilities syncRequestedAt site { id }
        locations { location name site { id } } syncParts { part } }
    authorizationUrl webhookUrl locations { location name } userErrors { code message path } } }";

const REAUTHORIZE: &str = "mutation Again($input: ReauthorizeVendorAccountInput!) {
    reauthorizeVendorAccount(input: $input) { vendorAccount { state baseUrl } authorizationUrl
        userErrors { code path message } } }";

/// The order of a Raixer account with this password.
pub(crate) fn raixer(house: &House, password: &str) -> Value {
    json!({ "input": {
        "name": "Intercoms",
        "siteId": house.site.to_string(),
        "credentials": { "raixer": { "user": "canary-user", "password": password } },
    } })
}

async fn admin(house: &House) -> String {
    house.key(Role::Admin, &Limits::default()).await
}

async fn count(house: &House, key: &str) -> Value {
    house.ask(key, "{ vendorAccounts { totalCount } }", json!({})).await["data"]["vendorAccounts"]["totalCount"].clone()
}

#[tokio::test]
async fn an_account_is_linked_with_sealed_credentials_and_synced() {
    let house = House::build().await;
    let key = admin(&house).await;
    let answer = house.ask(&key, LINK, raixer(&house, "canary-password")).await;
    let linked = &answer["data"]["linkVendorAccount"];
    let account = &linked["vendorAccount"];
    assert_eq!((&linked["userErrors"], &linked["authorizationUrl"]), (&json!([]), &Value::Null), "{answer}");
    assert_eq!((&account["state"], &account["vendor"]), (&json!("CONNECTED"), &json!("RAIXER")));
    assert_eq!(account["baseUrl"], "https://vendor.example");
    assert_eq!(account["signedInAs"], "somebody@example.test");
    assert_eq!(account["capabilities"], json!(["UPDATE_ACCOUNT_PROFILE"]));
    assert!(account["syncRequestedAt"].is_string());
    assert!(!answer.to_string().contains("canary"), "{answer}");

    let id: VendorAccountId = account["id"].as_str().unwrap().parse().unwrap();
    let row = work::account(&house.database, id).await.unwrap().unwrap();
    assert!(!row.credentials.windows(6).any(|part| part == b"canary"));
    let place = Place { table: "vendor_accounts", column: "credentials", row: id.0 };
    assert!(house.vault.open(&row.credentials, place).unwrap().expose().contains("canary-password"));
    assert_eq!(house.rung(), [Job::SyncAccount { account: id.0 }]);

    let events = "{ events(filter: { types: [ACCOUNT_LINKED] }, orderBy: NEWEST_FIRST) { nodes { actor vendorAccount { id } } } }";
    let events = house.ask(&key, events, json!({})).await;
    let newest = &events["data"]["events"]["nodes"][0];
    assert_eq!(newest["vendorAccount"]["id"], account["id"], "{events}");
    assert!(newest["actor"].as_str().unwrap().starts_with("key_"));
    let one = "query One($id: ID!) { vendorAccount(id: $id) { name } node(id: $id) { id } }";
    let one = house.ask(&key, one, json!({ "id": account["id"] })).await;
    assert_eq!(one["data"]["vendorAccount"]["name"], "Intercoms", "{one}");
    let filtered = "{ vendorAccounts(filter: { vendor: RAIXER, state: CONNECTED }) { nodes { vendor } totalCount } }";
    let filtered = house.ask(&key, filtered, json!({})).await;
    assert_eq!(filtered["data"]["vendorAccounts"], json!({ "nodes": [{ "vendor": "RAIXER" }], "totalCount": 1 }));
}

#[tokio::test]
async fn what_is_not_good_is_told_and_nothing_is_written() {
    let house = House::build().await;
    let key = admin(&house).await;
    let before = count(&house, &key).await;
    let credentials = ["input", "credentials"];
    let with = |change: &dyn Fn(&mut Value)| {
        let mut order = raixer(&house, "canary-password");
        change(&mut order["input"]);
        order
    };
    let password = |password: &str| raixer(&house, password);
    let absent = VendorAccountId(uuid::Uuid::nil()).to_string().replace("acct", "site");
    for (order, code, path) in [
        (password(""), "INVALID_INPUT", json!(credentials)),
        (password("canary-wrong"), "VENDOR_REFUSED", json!(credentials)),
        (password("canary-slow"), "VENDOR_UNREACHABLE", Value::Null),
        (with(&|input| input["baseUrl"] = json!("ftp")), "INVALID_INPUT", json!(["input", "baseUrl"])),
        (with(&|input| input["name"] = json!("a\nb")), "INVALID_INPUT", json!(["input", "name"])),
        (with(&|input| input["siteId"] = json!(absent)), "NOT_FOUND", json!(["input", "siteId"])),
        (with(&|input| input["siteId"] = json!("nonsense")), "NOT_FOUND", json!(["input", "siteId"])),
        (
            with(&|input| input["locations"] = json!([{ "location": "a", "siteId": absent }])),
            "NOT_FOUND",
            json!(["input", "locations"]),
        ),
        (with(&|input| input["idempotencyKey"] = json!("")), "INVALID_INPUT", json!(["input", "idempotencyKey"])),
    ] {
        let answer = house.ask(&key, LINK, order).await;
        let linked = &answer["data"]["linkVendorAccount"];
        let error = &linked["userErrors"][0];
        assert_eq!((&error["code"], &error["path"]), (&json!(code), &path), "{answer}");
        assert!(linked["vendorAccount"].is_null() && linked["webhookUrl"].is_null());
        assert!(!answer.to_string().contains("canary"), "{answer}");
    }
    assert_eq!(count(&house, &key).await, before);
    assert_eq!(house.rung(), []);
    let two = json!({ "raixer": { "user": "a", "password": "b" }, "mews": { "clientToken": "a", "accessToken": "b" } });
    let answer = house.ask(&key, LINK, with(&|input| input["credentials"] = two.clone())).await;
    assert!(answer["errors"].is_array(), "one vendor's credentials at a time: {answer}");
}

#[tokio::test]
async fn locations_are_sites() {
    let house = House::build().await;
    let key = admin(&house).await;
    let site = house.site.to_string();
    let order = |location: &str| {
        json!({ "input": {
            "name": "Docks",
            "siteId": site,
            "locations": [{ "location": location, "siteId": site }],
            "credentials": { "bikeep": { "token": "canary-token", "locations": ["place-1"] } },
        } })
    };
    let answer = house.ask(&key, LINK, order("place-9")).await;
    let error = &answer["data"]["linkVendorAccount"]["userErrors"][0];
    assert_eq!((&error["code"], &error["path"]), (&json!("INVALID_INPUT"), &json!(["input", "locations"])), "{answer}");
    let answer = house.ask(&key, LINK, order("place-1")).await;
    let linked = &answer["data"]["linkVendorAccount"];
    assert_eq!(linked["locations"], json!([{ "location": "place-1", "name": "Place 1" }]), "{answer}");
    let mapped = json!([{ "location": "place-1", "name": null, "site": { "id": site } }]);
    assert_eq!(linked["vendorAccount"]["locations"], mapped, "{answer}");

    let map = "mutation Map($input: MapVendorLocationsInput!) { mapVendorLocations(input: $input) {
        vendorAccount { syncRequestedAt locations { location } } userErrors { code path } } }";
    house.rung();
    let id = &linked["vendorAccount"]["id"];
    let given = json!([{ "location": "x", "siteId": site }, { "location": "y", "siteId": site }]);
    let answer = house.ask(&key, map, json!({ "input": { "vendorAccountId": id, "locations": given } })).await;
    let expected = json!([{ "location": "x" }, { "location": "y" }]);
    assert_eq!(answer["data"]["mapVendorLocations"]["vendorAccount"]["locations"], expected, "{answer}");
    assert!(matches!(house.rung().as_slice(), [Job::SyncAccount { .. }]));
    let twice = json!([{ "location": "x", "siteId": site }, { "location": "x", "siteId": site }]);
    let answer = house.ask(&key, map, json!({ "input": { "vendorAccountId": id, "locations": twice } })).await;
    assert_eq!(answer["data"]["mapVendorLocations"]["userErrors"][0]["code"], "INVALID_INPUT", "{answer}");
}

#[tokio::test]
async fn the_same_key_is_the_same_account() {
    let house = House::build().await;
    let key = admin(&house).await;
    let order = |name: &str, password: &str| {
        let mut order = raixer(&house, password);
        order["input"]["name"] = json!(name);
        order["input"]["idempotencyKey"] = json!("once");
        order
    };
    let asked = [order("Intercoms", "canary"), order("Intercoms", "canary")];
    let [first, second] = asked.map(|order| house.ask(&key, LINK, order));
    let (first, second) = tokio::join!(first, second);
    let answers = [&first["data"]["linkVendorAccount"], &second["data"]["linkVendorAccount"]];
    let linked: Vec<&Value> = answers.into_iter().filter(|answer| !answer["vendorAccount"].is_null()).collect();
    assert!(!linked.is_empty(), "{first} {second}");
    assert!(
        answers.iter().all(|answer| !answer["vendorAccount"].is_null() || answer["userErrors"][0]["code"] == "BUSY")
    );
    let repeated = house.ask(&key, LINK, order("Intercoms", "canary")).await;
    let repeated = &repeated["data"]["linkVendorAccount"];
    assert_eq!(repeated["vendorAccount"]["id"], linked[0]["vendorAccount"]["id"]);
    assert!(repeated["webhookUrl"].is_null(), "the address is shown once");
    for other in [order("Other", "canary"), order("Intercoms", "canary-other")] {
        let answer = house.ask(&key, LINK, other).await;
        let error = &answer["data"]["linkVendorAccount"]["userErrors"][0]["code"];
        assert_eq!(error, "IDEMPOTENCY_KEY_REUSED", "{answer}");
    }
    assert_eq!(count(&house, &key).await, 2);
    let colleague = admin(&house).await;
    house.ask(&colleague, LINK, order("Intercoms", "canary")).await;
    assert_eq!(count(&house, &key).await, 3, "another caller's key is another key");
}

#[tokio::test]
async fn only_an_admin_without_limits_links() {
    let house = House::build().await;
    let key = admin(&house).await;
    let id = VendorAccountId(house.account.id).to_string();
    let mutations = [
        ("reauthorizeVendorAccount", json!({ "vendorAccountId": id })),
        ("unlinkVendorAccount", json!({ "vendorAccountId": id })),
        ("syncVendorAccount", json!({ "vendorAccountId": id })),
        ("mapVendorLocations", json!({ "vendorAccountId": id, "locations": [] })),
        ("rotateWebhookAddress", json!({ "vendorAccountId": id })),
        ("linkVendorAccount", raixer(&house, "canary")["input"].clone()),
    ];
    let of_site = Limits { sites: Some(BTreeSet::from([house.site])), ..Limits::default() };
    let opener = Limits { verbs: Some(BTreeSet::from([CommandKind::OpenDoor])), ..Limits::default() };
    let before = count(&house, &key).await;
    for (name, input) in &mutations {
        let query = format!(
            "mutation($input: {}{}Input!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}",
            name[..1].to_uppercase(),
            &name[1..]
        );
        let has_id = *name != "linkVendorAccount";
        let too_low = if *name == "syncVendorAccount" { Role::Operator } else { Role::Manager };
        for (role, limits, code) in [
            (too_low, &Limits::default(), "FORBIDDEN"),
            (Role::Admin, &opener, "FORBIDDEN"),
            (Role::Admin, &of_site, if has_id { "NOT_FOUND" } else { "FORBIDDEN" }),
        ] {
            let caller = house.key(role, limits).await;
            let answer = house.ask(&caller, &query, json!({ "input": input })).await;
            assert_eq!(answer["data"][name]["userErrors"][0]["code"], code, "{name} {role} {answer}");
        }
    }
    assert_eq!(count(&house, &key).await, before);
    assert_eq!(house.rung(), []);
    let state = house.ask(&key, "{ vendorAccounts { nodes { state syncRequestedAt } } }", json!({})).await;
    assert_eq!(state["data"]["vendorAccounts"]["nodes"][0]["state"], "CONNECTED", "{state}");
}

#[tokio::test]
async fn a_manager_has_an_account_synced() {
    let house = House::build().await;
    let key = house.key(Role::Manager, &Limits::default()).await;
    let id = VendorAccountId(house.account.id).to_string();
    let sync = "mutation Sync($id: ID!) { syncVendorAccount(input: { vendorAccountId: $id }) {
        vendorAccount { id syncRequestedAt } userErrors { code } } }";
    // Fulfilled: the wish of the linking is over.
    let now = house.clock.now();
    store::accounts::synced(&house.database, VendorAccountId(house.account.id), now, None, now).await.unwrap();
    let wish = "{ vendorAccounts { nodes { syncRequestedAt syncedAt syncError } } }";
    let before = house.ask(&key, wish, json!({})).await;
    let before = &before["data"]["vendorAccounts"]["nodes"][0];
    assert!(before["syncRequestedAt"].is_null() && before["syncedAt"].is_string(), "{before}");
    let answer = house.ask(&key, sync, json!({ "id": id })).await;
    assert!(answer["data"]["syncVendorAccount"]["vendorAccount"]["syncRequestedAt"].is_string(), "{answer}");
    assert_eq!(house.rung(), [Job::SyncAccount { account: house.account.id }]);
    for id in ["nonsense", &VendorAccountId(uuid::Uuid::nil()).to_string()] {
        let answer = house.ask(&key, sync, json!({ "id": id })).await;
        assert_eq!(answer["data"]["syncVendorAccount"]["userErrors"][0]["code"], "NOT_FOUND", "{answer}");
    }
}

#[tokio::test]
async fn new_credentials_are_checked_and_go_nowhere_else() {
    let house = House::build().await;
    let key = admin(&house).await;
    let linked = house.ask(&key, LINK, raixer(&house, "canary-password")).await;
    let id = linked["data"]["linkVendorAccount"]["vendorAccount"]["id"].clone();
    let raixer = |password: &str| json!({ "raixer": { "user": "canary-user", "password": password } });
    let again = async |input: Value| {
        let mut input = input;
        input["vendorAccountId"] = id.clone();
        let answer = house.ask(&key, REAUTHORIZE, json!({ "input": input })).await;
        assert!(!answer.to_string().contains("canary"), "{answer}");
        answer["data"]["reauthorizeVendorAccount"].clone()
    };
    let mews = json!({ "mews": { "clientToken": "a", "accessToken": "b" } });
    for (input, code) in [
        (json!({ "credentials": raixer("canary-wrong") }), "VENDOR_REFUSED"),
        (json!({ "credentials": mews }), "INVALID_INPUT"),
        (json!({}), "INVALID_INPUT"),
        (json!({ "baseUrl": "https://elsewhere.example" }), "INVALID_INPUT"),
    ] {
        let refused = again(input).await;
        assert_eq!(refused["userErrors"][0]["code"], code, "{refused}");
    }
    house.rung();
    let moved = again(json!({ "credentials": raixer("canary-new"), "baseUrl": "https://new.example" })).await;
    let expected = json!({ "state": "CONNECTED", "baseUrl": "https://new.example" });
    assert_eq!(moved["vendorAccount"], expected, "{moved}");
    assert!(matches!(house.rung().as_slice(), [Job::SyncAccount { .. }]));
    let id: VendorAccountId = id.as_str().unwrap().parse().unwrap();
    let row = work::account(&house.database, id).await.unwrap().unwrap();
    let place = Place { table: "vendor_accounts", column: "credentials", row: id.0 };
    assert!(house.vault.open(&row.credentials, place).unwrap().expose().contains("canary-new"));
}
