//! A user's consent: begun with a state that counts once and for ten minutes.

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use chrono::TimeDelta;
use domain::{
    access::{Limits, Role},
    ids::VendorAccountId,
};
use entities::work;
use messaging::Job;
use platform::vault::Place;
use serde_json::{Value, json};

use super::{accounts::LINK, desk::GOOD_CODE, house::House};

async fn begin(house: &House, key: &str) -> (VendorAccountId, String) {
    let order = json!({ "input": {
        "name": "Gates",
        "siteId": house.site.to_string(),
        "credentials": { "parqex": { "clientId": "me", "clientSecret": "canary-secret" } },
    } });
    let answer = house.ask(key, LINK, order).await;
    let linked = &answer["data"]["linkVendorAccount"];
    assert_eq!(linked["vendorAccount"]["state"], "REAUTH_REQUIRED", "{answer}");
    assert_eq!(house.rung(), [], "nothing is asked of the vendor yet");
    let id = linked["vendorAccount"]["id"].as_str().unwrap().parse().unwrap();
    (id, state(&linked["authorizationUrl"]))
}

fn state(url: &Value) -> String {
    let url = url.as_str().unwrap();
    assert!(url.starts_with("https://vendor.example/authorize?"), "{url}");
    url.split_once("state=").unwrap().1.to_owned()
}

async fn come_back(house: &House, query: &str) -> (StatusCode, String) {
    let request = Request::get(format!("/oauth/callback?{query}")).body(Body::empty()).unwrap();
    let (status, headers, body) = house.send(request).await;
    let header = |name: &str| HeaderMap::get(&headers, name).unwrap().to_str().unwrap().to_owned();
    assert_eq!((header("cache-control"), header("referrer-policy")), ("no-store".to_owned(), "no-referrer".to_owned()));
    assert!(header("content-security-policy").contains("default-src 'none'"));
    assert!(header("content-type").starts_with("text/html"));
    assert!(!body.contains("canary") && !body.contains("script"), "{body}");
    (status, body)
}

async fn account_state(house: &House, id: VendorAccountId) -> String {
    work::account(&house.database, id).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_consent_links_the_account_once() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    let (id, state) = begin(&house, &key).await;
    let (status, body) = come_back(&house, &format!("state={state}&code={GOOD_CODE}")).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(account_state(&house, id).await, "CONNECTED");
    assert_eq!(house.rung(), [Job::SyncAccount { account: id.0 }]);
    let row = work::account(&house.database, id).await.unwrap().unwrap();
    let place = Place { table: "vendor_accounts", column: "credentials", row: id.0 };
    assert!(house.vault.open(&row.credentials, place).unwrap().expose().contains("canary-token"));
    let (status, _) = come_back(&house, &format!("state={state}&code={GOOD_CODE}")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "a state counts once");
}

#[tokio::test]
async fn what_is_no_consent_links_nothing() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    for (query, expected) in [
        (format!("code={GOOD_CODE}"), StatusCode::BAD_REQUEST),
        (format!("state=canary%3Cscript%3E&code={GOOD_CODE}"), StatusCode::BAD_REQUEST),
        ("state=a&state=b".to_owned(), StatusCode::BAD_REQUEST),
        ("state=STATE&error=access_denied&error_description=canary".to_owned(), StatusCode::FORBIDDEN),
        ("state=STATE&code=canary-bad".to_owned(), StatusCode::BAD_GATEWAY),
        ("state=STATE&code=slow".to_owned(), StatusCode::BAD_GATEWAY),
    ] {
        let (id, state) = begin(&house, &key).await;
        let (status, body) = come_back(&house, &query.replace("STATE", &state)).await;
        assert_eq!(status, expected, "{query} {body}");
        assert_eq!(account_state(&house, id).await, "REAUTH_REQUIRED");
        if query.contains("STATE") {
            let (status, _) = come_back(&house, &format!("state={state}&code={GOOD_CODE}")).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "a state counts once, however it ended");
        }
    }
    let (id, late) = begin(&house, &key).await;
    house.clock.advance(TimeDelta::minutes(10));
    assert_eq!(come_back(&house, &format!("state={late}&code={GOOD_CODE}")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(account_state(&house, id).await, "REAUTH_REQUIRED");
    assert_eq!(house.rung(), []);
}

#[tokio::test]
async fn a_consent_is_begun_again_and_the_earlier_one_ends() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    let (id, earlier) = begin(&house, &key).await;
    let again = "mutation Again($id: ID!) { reauthorizeVendorAccount(input: { vendorAccountId: $id }) {
        authorizationUrl userErrors { message } } }";
    let answer = house.ask(&key, again, json!({ "id": id.to_string() })).await;
    let later = state(&answer["data"]["reauthorizeVendorAccount"]["authorizationUrl"]);
    assert_eq!(come_back(&house, &format!("state={earlier}&code={GOOD_CODE}")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(come_back(&house, &format!("state={later}&code={GOOD_CODE}")).await.0, StatusCode::OK);
    assert_eq!(account_state(&house, id).await, "CONNECTED");
}

#[tokio::test]
async fn an_account_that_was_unlinked_meanwhile_stays_so() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    let (id, state) = begin(&house, &key).await;
    let unlink =
        "mutation Unlink($id: ID!) { unlinkVendorAccount(input: { vendorAccountId: $id }) { userErrors { code } } }";
    house.ask(&key, unlink, json!({ "id": id.to_string() })).await;
    let (status, _) = come_back(&house, &format!("state={state}&code={GOOD_CODE}")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(account_state(&house, id).await, "DISCONNECTED");
}
