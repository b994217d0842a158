//! What vendors keep comes in part by part, each with its own cursor, and nothing is taken for gone that was not read to
//! its end (rules 7, 11 and 14); meanwhile a budget and a breaker keep the peace (P5, P8). What these tests share is here.

mod breaker;
mod budget;
mod calls;
mod details;
mod lockt;
mod partial;
mod parts;
mod size;
mod spoiled;
mod vanished;

use std::collections::{BTreeMap, BTreeSet};

use gatehouse_tests::{
    client::{Client, http, text},
    house::TestHouse,
};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, RequestEntry, Vendor};

use crate::orders::account_id;

/// What a test reads of a record.
const RECORD: &str = "id kind externalId name missingSince lastSeenAt version device { externalId } details { __typename \
    ... on UserDetails { idNumber email firstName lastName cardNumber enabled accessLevelExternalIds } \
    ... on CredentialDetails { credentialType number status userExternalId } \
    ... on AccessLevelDetails { doorExternalIds } ... on ScheduleDetails { days starts ends } \
    ... on CredentialSummary { claimed unclaimed } \
    ... on DeviceAccessDetails { holderEmail profile disabled ownerExternalId } ... on SensorDetails { port usage } \
    ... on CampaignDetails { campaignKind } ... on AutoAccessScheduleDetails { startsAt minutes position } \
    ... on ProfileDetails { displayName } ... on LocationDetails { timeZone } \
    ... on ResourceDetails { parentExternalId floor active } \
    ... on ReservationDetails { vendorState guestExternalId resourceExternalId startsAt endsAt \
        companions { userExternalId } } \
    ... on AccessTokenDetails { active serialNumber reservationExternalId validFrom validUntil } }";

/// A vendor's own answer to its operator, asked without any of our code.
async fn ask(house: &TestHouse, vendor: Vendor, method: Method, path: &str, mut body: Value) -> Value {
    let of = &house.vendors.credentials()[0];
    let url = format!("http://{}/{}{path}", house.simulator().address(), vendor.name());
    let request = http().request(method, url).header("accept", "application/json");
    let request = match vendor {
        Vendor::Bikeep => request.bearer_auth(&of.bikeep.token),
        Vendor::Raixer => request.basic_auth(&of.raixer.user, Some(&of.raixer.password)),
        Vendor::Parqex => request
            .bearer_auth(&of.parqex.access_token)
            .header("accept-charset", "utf-8")
            .header("accept-encoding", "gzip"),
        Vendor::Lockt => request.header("apiuser", &of.lockt.api_user).header("apikey", &of.lockt.api_key),
        Vendor::Mews => {
            body["ClientToken"] = json!(of.mews.client_token);
            body["AccessToken"] = json!(of.mews.access_token);
            body["Client"] = json!("a test");
            request
        }
    };
    let request = request.header("content-type", "application/json");
    let request = if body.is_null() { request } else { request.body(body.to_string()) };
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{path}: {status} {text}");
    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
}

/// The rows of a vendor's list.
async fn list(house: &TestHouse, vendor: Vendor, path: &str) -> Vec<Value> {
    let answer = ask(house, vendor, Method::GET, path, Value::Null).await;
    let rows = if answer.is_array() { &answer } else { &answer["data"] };
    rows.as_array().unwrap().clone()
}

/// The rows of a list of Mews, all on one page.
async fn mews_list(house: &TestHouse, operation: &str, mut body: Value) -> Vec<Value> {
    body["Limitation"] = json!({ "Count": 1000 });
    let answer = ask(house, Vendor::Mews, Method::POST, &format!("/api/connector/v1/{operation}"), body).await;
    // An empty page is an answer without a body.
    answer.as_object().and_then(|answer| answer.values().find_map(Value::as_array)).cloned().unwrap_or_default()
}

/// An id that a vendor writes as a number or as text.
fn id(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The ids of rows.
fn ids(rows: &[Value], key: &str) -> BTreeSet<String> {
    rows.iter().map(|row| id(&row[key])).collect()
}

/// All records of a vendor's account that a caller sees, also those that are missing.
async fn records(house: &TestHouse, client: &Client, vendor: Vendor) -> Vec<Value> {
    let account = account_id(house, vendor).await.to_string();
    let query = format!(
        "query($account: ID!, $after: String) {{ records(first: 100, after: $after, \
         filter: {{vendorAccountId: $account, missingToo: true}}) {{ \
         pageInfo {{ hasNextPage endCursor }} nodes {{ {RECORD} }} }} }}"
    );
    let mut all = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut data = client.data(&query, json!({ "account": account, "after": after })).await;
        let page = &mut data["records"];
        all.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}

/// The records of one kind.
fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}

/// The ids of the records that are there, by kind.
fn by_kind(records: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in records.iter().filter(|record| record["missingSince"].is_null()) {
        kinds.entry(text(&record["kind"])).or_default().insert(text(&record["externalId"]));
    }
    kinds
}

/// How far the sync of an account's parts has come: when each was read, and why not.
async fn progress(house: &TestHouse, vendor: Vendor) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let account = account_id(house, vendor).await.to_string();
    let query = "query($id: ID!) { vendorAccount(id: $id) { syncParts { part syncedAt error } } }";
    let data = house.client.data(query, json!({ "id": account })).await;
    let told = |value: &Value| value.as_str().map(str::to_owned);
    let parts = data["vendorAccount"]["syncParts"].as_array().unwrap();
    parts.iter().map(|part| (text(&part["part"]), (told(&part["syncedAt"]), told(&part["error"])))).collect()
}

/// The requests to each operation of a vendor since the journal was cleared.
fn calls(house: &TestHouse, vendor: Vendor) -> BTreeMap<String, Vec<RequestEntry>> {
    let mut calls: BTreeMap<String, Vec<RequestEntry>> = BTreeMap::new();
    for entry in house.vendors.journal(0).entries.into_iter().filter(|entry| entry.vendor == vendor) {
        calls.entry(entry.operation.clone().unwrap_or_else(|| entry.path.clone())).or_default().push(entry);
    }
    calls
}

/// How many requests that were.
fn counts(calls: &BTreeMap<String, Vec<RequestEntry>>) -> BTreeMap<&str, usize> {
    calls.iter().map(|(operation, requests)| (operation.as_str(), requests.len())).collect()
}

/// Lets the next `intact` requests to an operation pass, and breaks the one after them.
fn break_after(house: &TestHouse, vendor: Vendor, operation: &str, intact: u64, kind: FaultKind) {
    if intact > 0 {
        // These answers are whole; only their label is wrong, which nobody reads.
        let passing = Fault::new(vendor, FaultKind::WrongContentType).at(operation).times(intact);
        house.vendors.add_fault(passing).unwrap();
    }
    house.vendors.add_fault(Fault::new(vendor, kind).at(operation).times(1)).unwrap();
}
