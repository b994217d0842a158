//! Bikeep's access for back ends: tokens that a client fetches, an hour each. A lost one is fetched again.

use chrono::TimeDelta;
use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Vendor, WorldChange};

use crate::{
    account_links::{
        accepted, account, account_count, assert_refused, becomes, devices_of, events_about, link, linked, order,
        synced, synced_since,
    },
    oauth_refresh::{all_connect, ended, now, row},
    orders::failure,
};

/// How long a token lives, by the vendor's document.
const LIFE: TimeDelta = TimeDelta::hours(1);

fn client(house: &TestHouse, secret: Option<&str>) -> Value {
    let of = &house.vendors.credentials()[0].bikeep;
    json!({ "bikeep": {
        "clientId": of.client_id,
        "clientSecret": secret.unwrap_or(&of.client_secret),
        "locations": of.locations,
    } })
}

async fn linked_with_client(back_end: BackEnd) -> (TestHouse, String) {
    let house = Plan::on(back_end).with_manual_clock().start().await;
    let payload = linked(&house, order(&house, Vendor::Bikeep, client(&house, None)).await).await;
    assert_eq!(payload["vendorAccount"]["state"], "CONNECTED", "{payload:#}");
    let id = text(&payload["vendorAccount"]["id"]);
    synced(&house, &id).await;
    (house, id)
}

fn fetches(house: &TestHouse) -> usize {
    house.vendors.requests_to(Vendor::Bikeep, "token").len()
}

/// A free dock of an account's.
async fn dock(house: &TestHouse, id: &str) -> Value {
    let devices = devices_of(house, id).await;
    let free = house.doors().await;
    let is_free = |door: &Value| {
        free.iter()
            .any(|it| it["id"] == door["id"] && it["state"]["occupancy"]["value"] == "FREE" && it["kind"] == "DOCK")
    };
    let doors = devices.iter().flat_map(|device| device["doors"].as_array().unwrap());
    doors.filter(|door| is_free(door)).min_by_key(|door| text(&door["name"])).cloned().unwrap()
}

/// Locks a dock and unlocks it again, both of which must work once.
async fn locks_once(house: &TestHouse, id: &str) {
    let dock = dock(house, id).await;
    for (name, further) in [("lockDoor", 1), ("unlockDoor", 2)] {
        let before = house.effects_at(&dock["externalId"]);
        let command = house.client.command(name, json!({ "doorId": dock["id"] })).await;
        let command = ended(house, &command, 20).await;
        assert_eq!(command["state"], "SUCCEEDED", "{further}: {command:#}");
        assert_eq!(house.effects_at(&dock["externalId"]), before + 1, "{command:#}");
    }
}

on_both_back_ends! {
    /// One token at the link, one more each hour, however many workers want it.
    async fn a_client_fetches_a_token_each_hour(back_end: BackEnd) {
        let (house, id) = linked_with_client(back_end).await;
        assert_eq!(fetches(&house), 1, "the token of the check is the first in use");
        let asked = &house.vendors.requests_to(Vendor::Bikeep, "token")[0];
        assert!(asked.body.contains("grant_type=client_credentials"), "{asked:#?}");
        locks_once(&house, &id).await;
        house.vendors.add_fault(Fault::new(Vendor::Bikeep, FaultKind::DelayAnswer { millis: 50 }).at("token")).unwrap();
        for hour in 2..=3 {
            let version = row(&house, &id).await.credentials_version;
            house.advance(LIFE);
            all_connect(&house, &id).await;
            assert_eq!((fetches(&house), row(&house, &id).await.credentials_version), (hour, version + 1));
            locks_once(&house, &id).await;
            assert_eq!(fetches(&house), hour);
        }
        house.stop().await;
    }

    /// The vendor forgets nothing by giving a token: a lost one costs a moment, never a person.
    async fn a_lost_token_is_fetched_again(back_end: BackEnd) {
        let (house, id) = linked_with_client(back_end).await;
        let status = |code, after_effect| FaultKind::Status { code, retry_after: None, after_effect };
        let kinds = [
            FaultKind::DropBeforeEffect,
            FaultKind::DropAfterEffect,
            FaultKind::DropMidAnswer,
            FaultKind::Garbage,
            FaultKind::Truncated,
            status(503, true),
            status(429, false),
        ];
        for kind in kinds {
            house.advance(LIFE);
            let ended = now(&house);
            house.vendors.add_fault(Fault::new(Vendor::Bikeep, kind).at("token").times(1)).unwrap();
            locks_once(&house, &id).await;
            synced_since(&house, &id, ended).await;
            assert_eq!(house.vendors.faults(), [], "the fault has hit");
        }
        let events = events_about(&house, &id, &["ACCOUNT_STATE_CHANGED"]).await;
        assert!(events.iter().all(|event| event["data"]["to"] != "REAUTH_REQUIRED"), "{events:#?}");
        house.stop().await;
    }

    /// A client that the vendor does not know any more needs a person; a wrong one was never linked.
    async fn a_refused_client_needs_a_person(back_end: BackEnd) {
        let (house, id) = linked_with_client(back_end).await;
        let accounts = account_count(&house).await;
        let payload = link(&house, order(&house, Vendor::Bikeep, client(&house, Some("canary"))).await).await;
        assert_refused(&payload, "VENDOR_REFUSED", Some("credentials"));
        assert!(!payload.to_string().contains("canary"), "{payload:#}");
        assert_eq!(account_count(&house).await, accounts);

        let (asked, dock) = (fetches(&house), dock(&house, &id).await);
        let credential = house.vendors.credentials()[0].bikeep.token.clone();
        let valid = |valid| WorldChange::Credential { vendor: Vendor::Bikeep, credential: credential.clone(), valid };
        house.vendors.change(valid(false)).unwrap();
        house.advance(LIFE);
        let command = house.client.command("lockDoor", json!({ "doorId": dock["id"] })).await;
        let command = ended(&house, &command, 20).await;
        assert_eq!(failure(&command), "AUTHENTICATION_FAILED", "{command:#}");
        let refused = becomes(&house, &id, "REAUTH_REQUIRED").await;
        assert!(refused["stateReason"].is_string(), "{refused:#}");
        assert_eq!((fetches(&house), house.effects()), (asked + 1, 0));

        house.vendors.change(valid(true)).unwrap();
        let input = json!({ "vendorAccountId": id, "credentials": client(&house, None) });
        accepted(&house, "reauthorizeVendorAccount", input, "").await;
        synced(&house, &id).await;
        assert_eq!(account(&house, &id).await["state"], "CONNECTED");
        locks_once(&house, &id).await;
        house.stop().await;
    }
}
