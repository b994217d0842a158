//! Webhooks: whatever comes to the right address is kept as it came, and nothing else is.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use domain::{
    access::{Limits, Role},
    webhook::RawDelivery,
};
use entities::{Scope, find, page::PageRequest, rows::webhook_delivery};
use messaging::Job;
use platform::vault::Place;
use serde_json::{Value, json};

use super::{
    accounts::{LINK, raixer},
    house::House,
};

/// An account with a webhook address: its id, and the path of the address.
async fn linked(house: &House, key: &str) -> (String, String) {
    let answer = house.ask(key, LINK, raixer(house, "canary-password")).await;
    let linked = &answer["data"]["linkVendorAccount"];
    let url = linked["webhookUrl"].as_str().unwrap();
    let path = url.strip_prefix("https://doors.example").unwrap().to_owned();
    (linked["vendorAccount"]["id"].as_str().unwrap().to_owned(), path)
}

fn delivery(path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header("X-Vendor-Key", "canary-key").header("authorization", "Basic canary");
    request.header("cookie", "canary-cookie").header("content-type", "text/odd").body(body.into()).unwrap()
}

async fn kept(house: &House) -> Vec<webhook_delivery::Model> {
    let everything = Scope::of(&house.principal(Role::Admin));
    let page = PageRequest { after: None, before: None, limit: 100, from_end: false, newest_first: false };
    find::deliveries::page(&house.database, &everything, &find::deliveries::DeliveryFilter::default(), page)
        .await
        .unwrap()
        .rows
}

#[tokio::test]
async fn a_delivery_is_kept_as_it_came_and_rung_for() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    let (account, path) = linked(&house, &key).await;
    house.rung();
    let odd = b"{\"canary\": \"\xff\x00\"".to_vec();
    let (status, _, body) = house.send(delivery(&format!("{path}?mark=of%20theirs"), odd.clone())).await;
    assert_eq!((status, body.as_str()), (StatusCode::ACCEPTED, ""));
    let rows = kept(&house).await;
    let [row] = rows.as_slice() else { panic!("{} deliveries", rows.len()) };
    assert!(!row.content.windows(6).any(|part| part == b"canary"));
    let place = Place { table: "webhook_deliveries", column: "content", row: row.id };
    let form = house.vault.open(&row.content, place).unwrap();
    let raw: RawDelivery = serde_json::from_str(form.expose()).unwrap();
    assert_eq!((raw.body, row.size), (odd.clone(), i32::try_from(odd.len()).unwrap()));
    let header = |name: &str| raw.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(header("x-vendor-key"), Some("canary-key"));
    assert_eq!(header("authorization"), Some("Basic canary"));
    assert_eq!(header("cookie"), None);
    assert_eq!(header(":path"), Some("/webhooks?mark=of%20theirs"));
    assert_eq!(house.rung(), [Job::Intake { account: row.account_id }]);

    let query = "{ webhookDeliveries { totalCount nodes { id state size attempts note vendorAccount { id } } } }";
    let answer = house.ask(&key, query, json!({})).await;
    let list = &answer["data"]["webhookDeliveries"];
    assert_eq!((&list["totalCount"], &list["nodes"][0]["vendorAccount"]["id"]), (&json!(1), &json!(account)));
    assert_eq!(list["nodes"][0]["state"], "PENDING", "{answer}");
    assert!(!answer.to_string().contains("canary"), "{answer}");
}

#[tokio::test]
async fn an_unknown_address_is_like_any_other() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    linked(&house, &key).await;
    let nowhere = house.send(delivery("/nowhere", "{}")).await;
    assert_eq!(nowhere.0, StatusCode::NOT_FOUND);
    for token in ["x".repeat(43), "x".to_owned(), "%ff".to_owned(), "x".repeat(5_000)] {
        assert_eq!(house.send(delivery(&format!("/webhooks/{token}"), "{}")).await, nowhere);
    }
    assert!(kept(&house).await.is_empty());
}

#[tokio::test]
async fn a_delivery_has_a_size_that_is_its_own() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    let (_, path) = linked(&house, &key).await;
    // Larger than any operation may be, and as large as a webhook may.
    let (status, ..) = house.send(delivery(&path, "x".repeat(30_000))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, ..) = house.send(delivery(&path, "x".repeat(30_001))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(kept(&house).await.len(), 1);
}

#[tokio::test]
async fn an_address_ends_when_another_is_made_and_when_its_account_is_unlinked() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    let (account, path) = linked(&house, &key).await;
    let rotate = "mutation Rotate($id: ID!) { rotateWebhookAddress(input: { vendorAccountId: $id }) \
        { webhookUrl userErrors { code } } }";
    let answer = house.ask(&key, rotate, json!({ "id": account })).await;
    let url = answer["data"]["rotateWebhookAddress"]["webhookUrl"].as_str().unwrap();
    let other = url.strip_prefix("https://doors.example").unwrap();
    assert_eq!(house.send(delivery(&path, "{}")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.send(delivery(other, "{}")).await.0, StatusCode::ACCEPTED);
    let unlink = "mutation Unlink($id: ID!) { unlinkVendorAccount(input: { vendorAccountId: $id }) \
        { vendorAccount { state } } }";
    let answer = house.ask(&key, unlink, json!({ "id": account })).await;
    assert_eq!(answer["data"]["unlinkVendorAccount"]["vendorAccount"]["state"], "DISCONNECTED", "{answer}");
    assert_eq!(house.send(delivery(other, "{}")).await.0, StatusCode::NOT_FOUND);
    let answer = house.ask(&key, rotate, json!({ "id": account })).await;
    assert_eq!(answer["data"]["rotateWebhookAddress"]["userErrors"][0]["code"], "ACCOUNT_NOT_USABLE", "{answer}");
}

#[tokio::test]
async fn deliveries_are_for_admins() {
    let house = House::build().await;
    let admin = house.key(Role::Admin, &Limits::default()).await;
    let (account, path) = linked(&house, &admin).await;
    house.send(delivery(&path, "{}")).await;
    let delivery_id = house.ask(&admin, "{ webhookDeliveries { nodes { id } } }", json!({})).await;
    let delivery_id = delivery_id["data"]["webhookDeliveries"]["nodes"][0]["id"].clone();
    let manager = house.key(Role::Manager, &Limits::default()).await;
    for query in [
        "{ webhookDeliveries { nodes { id } } }".to_owned(),
        format!("{{ vendorAccount(id: \"{account}\") {{ webhookDeliveries {{ nodes {{ id }} }} }} }}"),
    ] {
        let answer = house.ask(&manager, &query, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
        assert!(house.ask(&admin, &query, json!({})).await.get("errors").is_none());
    }
    let node = "query Node($id: ID!) { node(id: $id) { id } }";
    let answer = house.ask(&manager, node, json!({ "id": delivery_id })).await;
    assert_eq!(answer, json!({ "data": { "node": null } }));
    let answer = house.ask(&admin, node, json!({ "id": delivery_id })).await;
    assert_eq!(answer["data"]["node"]["id"], delivery_id);

    let replay = "mutation Replay($id: ID!) { replayWebhookDelivery(input: { webhookDeliveryId: $id }) \
        { webhookDelivery { id state } userErrors { code } } }";
    let answer = house.ask(&manager, replay, json!({ "id": delivery_id })).await;
    assert_eq!(answer["data"]["replayWebhookDelivery"]["userErrors"][0]["code"], "FORBIDDEN", "{answer}");
    house.rung();
    let answer = house.ask(&admin, replay, json!({ "id": delivery_id })).await;
    let replayed = &answer["data"]["replayWebhookDelivery"];
    assert_eq!(replayed["webhookDelivery"], json!({ "id": delivery_id, "state": "PENDING" }), "{answer}");
    assert!(matches!(house.rung().as_slice(), [Job::Intake { .. }]));
    let events = house.ask(
        &admin,
        "{ events(filter: { types: [WEBHOOK_REPLAYED] }) { nodes { vendorAccount { id } } } }",
        json!({}),
    );
    assert_eq!(events.await["data"]["events"]["nodes"], json!([{ "vendorAccount": { "id": account } }]));
    let absent: Value = house.ask(&admin, replay, json!({ "id": "nonsense" })).await;
    assert_eq!(absent["data"]["replayWebhookDelivery"]["userErrors"][0]["code"], "NOT_FOUND", "{absent}");
}
