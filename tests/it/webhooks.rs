//! What vendors push: kept before it is read, believed only with its mark, written once by the vendor's clock, and proof of
//! what became of commands. Beside it the events that a sync reads, which follow the same rule (rule 14).

mod arrival;
mod authenticity;
mod evidence;
mod garbage;
mod history;
mod intake;
mod order;
mod replay;

use chrono::{DateTime, SecondsFormat, Utc};
use gatehouse_tests::{
    client::{http, text},
    house::TestHouse,
    wait::until,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulator::{Vendor, WebhookTarget};

use crate::orders::account_id;

/// Gives a vendor's account a new webhook address, as an operator does.
async fn address(house: &TestHouse, vendor: Vendor) -> String {
    let query = "mutation($input: RotateWebhookAddressInput!) { rotateWebhookAddress(input: $input) { \
        webhookUrl userErrors { code message } } }";
    let input = json!({ "vendorAccountId": account_id(house, vendor).await.to_string() });
    let mut data = house.client.data(query, json!({ "input": input })).await;
    let payload = data["rotateWebhookAddress"].take();
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    text(&payload["webhookUrl"])
}

/// Has a simulated vendor send its webhooks to its account.
async fn connect(house: &TestHouse, vendor: Vendor) -> String {
    let url = address(house, vendor).await;
    let operator = &house.vendors.credentials()[0];
    let target = WebhookTarget::new(&url);
    let target = match vendor {
        Vendor::Bikeep => target.only_for(&operator.bikeep.user),
        Vendor::Raixer => target.only_for(&operator.raixer.user),
        Vendor::Parqex => target.only_for(&operator.parqex.email),
        Vendor::Lockt | Vendor::Mews => target,
    };
    house.vendors.send_webhooks_to(vendor, target);
    url
}

/// Gives an account other credentials: those of the demo with these fields added. Waits for the sync that follows.
async fn reauthorize(house: &TestHouse, vendor: Vendor, more: Value) {
    let began = Utc::now();
    let operator = &house.vendors.credentials()[0];
    let (name, mut credentials) = match vendor {
        Vendor::Parqex => ("parqex", json!({ "accessToken": operator.parqex.access_token })),
        Vendor::Mews => {
            let mews = &operator.mews;
            let tokens = json!({ "clientToken": mews.client_token, "accessToken": mews.access_token });
            ("mews", tokens)
        }
        other => unreachable!("no test gives {other:?} other credentials"),
    };
    credentials.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let query = "mutation($input: ReauthorizeVendorAccountInput!) { reauthorizeVendorAccount(input: $input) { \
        userErrors { code message path } } }";
    let id = account_id(house, vendor).await.to_string();
    let input = json!({ "vendorAccountId": id, "credentials": { name: credentials } });
    let data = house.client.data(query, json!({ "input": input })).await;
    assert_eq!(data["reauthorizeVendorAccount"]["userErrors"], json!([]), "{data:#}");
    let query = "query($id: ID!) { vendorAccount(id: $id) { syncedAt syncRequestedAt } }";
    until("it is synced again", async || {
        let data = house.client.data(query, json!({ "id": id })).await;
        let account = &data["vendorAccount"];
        (account["syncRequestedAt"].is_null() && instant(&account["syncedAt"]) >= began).then_some(())
    })
    .await;
}

/// Posts a webhook.
async fn post(url: &str, body: impl Into<reqwest::Body>) -> StatusCode {
    http().post(url).header("content-type", "application/json").body(body).send().await.unwrap().status()
}

/// Posts a webhook that must be taken.
async fn deliver(url: &str, body: &Value) {
    assert_eq!(post(url, body.to_string()).await, StatusCode::ACCEPTED, "{body:#}");
}

/// What a vendor has sent so far, at most the latest hundred, oldest first.
async fn deliveries(house: &TestHouse, vendor: Vendor) -> Vec<Value> {
    let query = "query($filter: WebhookDeliveryFilter) { webhookDeliveries(first: 100, filter: $filter) { nodes { \
        id state receivedAt size attempts note processedAt vendorAccount { id } } } }";
    let filter = json!({ "vendorAccountId": account_id(house, vendor).await.to_string() });
    let mut data = house.client.data(query, json!({ "filter": filter })).await;
    let mut all: Vec<Value> = serde_json::from_value(data["webhookDeliveries"]["nodes"].take()).unwrap();
    all.reverse();
    all
}

/// How many deliveries of a vendor stand like this.
async fn count(house: &TestHouse, vendor: Vendor, state: &str) -> usize {
    let query = "query($filter: WebhookDeliveryFilter) { webhookDeliveries(filter: $filter) { totalCount } }";
    let filter = json!({ "vendorAccountId": account_id(house, vendor).await.to_string(), "state": state });
    let data = house.client.data(query, json!({ "filter": filter })).await;
    usize::try_from(data["webhookDeliveries"]["totalCount"].as_u64().unwrap()).unwrap()
}

/// Waits until nothing that a vendor sent is left to process, and gives how many there are: processed and rejected.
async fn settled(house: &TestHouse, vendor: Vendor, number: usize) -> (usize, usize) {
    until(&format!("{number} webhooks of {vendor:?} are processed"), async || {
        let (done, refused) = (count(house, vendor, "PROCESSED").await, count(house, vendor, "REJECTED").await);
        (done + refused == number && count(house, vendor, "PENDING").await == 0).then_some((done, refused))
    })
    .await
}

/// The latest hundred events by a filter that a vendor told, oldest first.
async fn told(house: &TestHouse, vendor: Vendor, filter: Value) -> Vec<Value> {
    let query = "query($filter: EventFilter) { events(last: 100, filter: $filter) { nodes { id type vendorCode \
        occurredAt recordedAt actor data vendorAccount { id } device { id } door { id } } } }";
    let mut data = house.client.data(query, json!({ "filter": filter })).await;
    let mut events: Vec<Value> = serde_json::from_value(data["events"]["nodes"].take()).unwrap();
    let account = account_id(house, vendor).await.to_string();
    events.retain(|event| event["vendorAccount"]["id"] == account);
    events
}

/// Waits until a vendor has told this many events of a type.
async fn told_of(house: &TestHouse, vendor: Vendor, kind: &str, number: usize) -> Vec<Value> {
    until(&format!("{vendor:?} has told {number} {kind}"), async || {
        let events = told(house, vendor, json!({ "types": [kind] })).await;
        (events.len() >= number).then_some(events)
    })
    .await
}

/// A door of a vendor by its name and that of its device; either may be a part.
async fn door_named(house: &TestHouse, vendor: &str, device: &str, position: i64) -> Value {
    let doors = house.doors().await;
    let found = doors.into_iter().find(|door| {
        door["device"]["vendorAccount"]["vendor"] == vendor
            && door["position"] == position
            && (text(&door["device"]["name"]).contains(device) || text(&door["name"]) == device)
    });
    found.unwrap_or_else(|| panic!("no {vendor} door {position} of {device}"))
}

/// A movement of a ParqEx door as its webhook tells it, seen by the door's sensor.
fn parqex(id: usize, door: &Value, state: &str, at: DateTime<Utc>) -> Value {
    json!({
        "id": format!("7C1D{id:028X}"),
        "eventType": format!("door{}_{}", door["position"], state.to_lowercase()),
        "toggleID": format!("A0A1{id:028X}"),
        "doorID": door["externalId"],
        "doorState": state,
        "channel": "Door Sensor",
        "deviceID": door["device"]["externalId"],
        "eventOccurred": at.timestamp(),
        "eventOccurredUTC": at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "userThatToggled": { "firstName": "Ada", "lastName": "Quill", "emailAddress": "ada@example.test" },
    })
}

/// An instant that the API or a vendor tells.
fn instant(value: &Value) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap_or_else(|| panic!("no instant: {value}"))).unwrap().to_utc()
}

/// Asks an account to be synced, and waits until it was.
async fn synced(house: &TestHouse, vendor: Vendor) {
    crate::vendor_accounts::sync(house, vendor).await.unwrap();
}
