//! Every part of every vendor is there, and nothing else, and only who may reads of people.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, Utc};
use domain::access::Role;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{LocktChange, LocktPresented, Vendor, WorldChange};
use worker::sync::Synced;

use super::{ask, by_kind, id, ids, list, mews_list, of_kind, progress, records};
use crate::{orders::events, vendor_accounts::sync};

/// The PIN that a token of Mews shows to a guest, and nobody else.
const PIN: &str = "730512";

/// Adds at the vendors what their worlds begin without, asked without any of our code.
pub(super) async fn furnish(house: &TestHouse) {
    let raixer = async |method, path: &str, body| ask(house, Vendor::Raixer, method, path, body).await;
    let devices = list(house, Vendor::Raixer, "/devices").await;
    let device = devices.iter().find(|device| device["name"] == "Market street 3").unwrap();
    let device_id = text(&device["_id"]);
    raixer(Method::POST, "/authorized-phones", json!({ "deviceId": device_id, "phoneNumber": 351_910_000_001_u64 }))
        .await;
    raixer(Method::POST, &format!("/devices/{device_id}/sensors"), json!({ "name": "Hall" })).await;
    let starts = (Utc::now() + TimeDelta::hours(3)).timestamp_millis();
    let schedule = json!({ "campaignId": device["campaignId"], "time": 20, "schedule": starts, "doorPort": "2" });
    raixer(Method::POST, "/schedules", schedule).await;
    raixer(Method::POST, &format!("/devices/{device_id}/open-door/1"), Value::Null).await;

    let controllers = ask(house, Vendor::Parqex, Method::GET, "/oauth/v1/endpoints/sync", Value::Null).await;
    let gate = json!({ "door_id": controllers["devices"][0]["doors"][0]["id"], "door_state": "OPEN" });
    ask(house, Vendor::Parqex, Method::POST, "/oauth/v1/endpoint/toggle", gate).await;

    let door = list(house, Vendor::Lockt, "/api/v1/door").await[0]["id"].as_u64().unwrap();
    for credential in [LocktPresented::Card("10000".to_owned()), LocktPresented::Card("4711".to_owned())] {
        let presented = LocktChange::Presented { door, credential, recorded_after: 0 };
        house.vendors.change(WorldChange::Lockt(presented)).unwrap();
    }

    let stay = &stays(house).await[0];
    let token = json!({
        "ServiceOrderId": stay["Id"],
        "ResourceId": stay["AssignedResourceId"],
        "Type": "PinCode",
        "Value": PIN,
        "SerialNumber": "front-desk-1",
        "ValidityStartUtc": stay["ScheduledStartUtc"],
        "ValidityEndUtc": stay["ScheduledEndUtc"],
        "Permissions": { "Bed": { "Value": false }, "Room": { "Value": true }, "Floor": { "Value": false } },
    });
    let path = "/api/connector/v1/resourceAccessTokens/add";
    ask(house, Vendor::Mews, Method::POST, path, json!({ "ResourceAccessTokenParameters": [token] })).await;
}

/// The reservations that a first sync reads: what is on in the next 90 days and not over or canceled.
pub(super) async fn stays(house: &TestHouse) -> Vec<Value> {
    let today = Utc::now().date_naive();
    let from = format!("{}T00:00:00Z", today - TimeDelta::days(1));
    let until = format!("{}T00:00:00Z", today + TimeDelta::days(80));
    let body = json!({
        "CollidingUtc": { "StartUtc": from, "EndUtc": until },
        "States": ["Confirmed", "Started", "Optional"],
    });
    mews_list(house, "reservations/getAll/2023-06-06", body).await
}

/// What each vendor keeps beside devices and doors, by kind.
async fn kept(house: &TestHouse, vendor: Vendor) -> BTreeMap<String, BTreeSet<String>> {
    let rows = async |path: &str, key: &str| ids(&list(house, vendor, path).await, key);
    let mut kept = BTreeMap::new();
    let mut keep = |kind: &str, ids: BTreeSet<String>| _ = kept.insert(kind.to_owned(), ids);
    match vendor {
        Vendor::Bikeep => {
            let mut locations = rows("/location/v1/locations", "id").await;
            locations.retain(|id| house.vendors.credentials()[0].bikeep.locations.contains(id));
            keep("LOCATION", locations);
        }
        Vendor::Parqex => {
            let user = ask(house, vendor, Method::GET, "/oauth/v1/endpoints/user-info", Value::Null).await;
            keep("PROFILE", [text(&user["data"]["id"])].into());
        }
        Vendor::Raixer => {
            let connections = list(house, vendor, "/connections").await;
            let mut accesses = ids(&connections, "_id");
            let mut numbers = BTreeSet::new();
            let mut sensors = BTreeSet::new();
            let owned = list(house, vendor, "/devices").await;
            for device in ids(&owned, "_id") {
                accesses.extend(rows(&format!("/connections/by/device/{device}"), "_id").await);
                let phones = list(house, vendor, &format!("/authorized-phones/device/{device}")).await;
                // Listed without an id: device and number name it.
                numbers.extend(phones.iter().map(|number| format!("number:{device}/{number}")));
            }
            for device in ids(&connections, "deviceId") {
                sensors.extend(rows(&format!("/devices/{device}/sensors"), "_id").await);
            }
            let mut campaigns = rows("/intercom-campaigns", "_id").await;
            campaigns.extend(rows("/power-campaigns", "_id").await);
            keep("DEVICE_ACCESS", accesses);
            keep("CREDENTIAL", numbers);
            keep("SENSOR", sensors);
            keep("CAMPAIGN", campaigns);
            keep("AUTO_ACCESS_SCHEDULE", rows("/schedules", "_id").await);
            keep("PROFILE", ids(&owned, "owner"));
        }
        Vendor::Lockt => {
            let mut credentials = rows("/api/v1/credential", "id").await;
            credentials.extend(rows("/api/v1/fob", "id").await);
            keep("USER", rows("/api/v1/user", "id").await);
            keep("CREDENTIAL", credentials);
            keep("CREDENTIAL_SUMMARY", ["credentials".to_owned()].into());
            keep("ACCESS_LEVEL", rows("/api/v1/accesslevel", "id").await);
            keep("SCHEDULE", rows("/api/v1/schedule", "id").await);
        }
        Vendor::Mews => {
            let configuration =
                ask(house, vendor, Method::POST, "/api/connector/v1/configuration/get", json!({})).await;
            let everything = json!({ "Extent": { "Resources": true, "Inactive": true } });
            let resources = mews_list(house, "resources/getAll", everything).await;
            let stays = stays(house).await;
            let named: Vec<String> = ids(&stays, "Id").into_iter().collect();
            let of_stays = json!({ "ReservationIds": named, "Extent": {} });
            let companions = mews_list(house, "companionships/getAll", of_stays).await;
            let mut people = ids(&stays, "AccountId");
            people.extend(ids(&companions, "CustomerId"));
            let tokens = mews_list(house, "resourceAccessTokens/getAll", json!({ "ServiceOrderIds": named })).await;
            keep("LOCATION", [text(&configuration["Enterprise"]["Id"])].into());
            keep("RESOURCE", ids(&resources, "Id"));
            keep("RESERVATION", ids(&stays, "Id"));
            keep("USER", people);
            keep("ACCESS_TOKEN", ids(&tokens, "Id"));
        }
    }
    kept.retain(|_, ids| !ids.is_empty());
    kept
}

/// What a vendor tells of, part by part.
fn parts_of(vendor: Vendor) -> &'static [&'static str] {
    match vendor {
        Vendor::Bikeep => &["DEVICES", "PROFILE"],
        Vendor::Parqex => &["DEVICES", "EVENTS", "PROFILE"],
        Vendor::Raixer => {
            &["AUTO_ACCESS_SCHEDULES", "CAMPAIGNS", "CREDENTIALS", "DEVICES", "DEVICE_ACCESS", "EVENTS", "PROFILE"]
        }
        Vendor::Lockt => &["ACCESS_LEVELS", "CREDENTIALS", "DEVICES", "EVENTS", "USERS"],
        Vendor::Mews => &["ACCESS_TOKENS", "PROFILE", "RESERVATIONS", "RESOURCES"],
    }
}

on_both_back_ends! {
    async fn every_part_of_every_vendor_is_there_and_nothing_else(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        furnish(&house).await;
        for vendor in Vendor::ALL {
            let synced = sync(&house, vendor).await.unwrap();
            assert!(matches!(synced, Synced::Complete { missing: 0, .. }), "{vendor:?}: {synced:?}");
            let held = records(&house, &house.client, vendor).await;
            assert_eq!(by_kind(&held), kept(&house, vendor).await, "{vendor:?}");
            assert!(held.iter().all(|record| record["missingSince"].is_null()), "{vendor:?}");
            let told: Vec<String> =
                events(&house, json!({ "types": ["RECORD_MISSING", "EVENT_GAP"] })).await.iter().map(id).collect();
            assert!(told.is_empty(), "{told:?}");
            let progress = progress(&house, vendor).await;
            assert_eq!(progress.keys().map(String::as_str).collect::<Vec<_>>(), parts_of(vendor), "{vendor:?}");
            for (part, (synced_at, error)) in &progress {
                // Raixer lists telephone numbers without their ids: what is gone among them cannot be told.
                let is_blind = (vendor, part.as_str()) == (Vendor::Raixer, "CREDENTIALS");
                assert_eq!((synced_at.is_some(), error.is_some()), (true, is_blind), "{vendor:?} {part}: {error:?}");
            }
        }
        // What a record is about is shown at its device too.
        let query = "{ devices(first: 100) { nodes { name phones { externalId } accesses { externalId } \
            sensors { externalId } autoAccessSchedules { externalId } campaign { externalId } } } }";
        let data = house.client.data(query, json!({})).await;
        let nodes = data["devices"]["nodes"].as_array().unwrap();
        let intercom = nodes.iter().find(|device| device["name"] == "Market street 3").unwrap();
        for list in ["phones", "accesses", "sensors", "autoAccessSchedules"] {
            assert_eq!(intercom[list].as_array().map(Vec::len), Some(1), "{list}: {intercom:#}");
        }
        assert!(intercom["campaign"].is_object(), "{intercom:#}");
        house.stop().await;
    }

    /// Histories become events, once, with the vendor's own code and time.
    async fn histories_are_read_once(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        furnish(&house).await;
        let query = "{ events(first: 100, filter: {types: [DOOR_OPENED, ACCESS_GRANTED, ACCESS_DENIED, VENDOR_EVENT]}) { \
            nodes { type vendorCode data occurredAt recordedAt door { name } device { name } vendorAccount { vendor } } } }";
        let told = async |vendor: &str| {
            let data = house.client.data(query, json!({})).await;
            let nodes = data["events"]["nodes"].as_array().unwrap().clone();
            let ours = nodes.into_iter().filter(|event| event["vendorAccount"]["vendor"] == vendor);
            ours.collect::<Vec<_>>()
        };
        for (vendor, word, expected) in [
            (Vendor::Raixer, "RAIXER", vec!["DOOR_OPENED"]),
            // The order, and then what the sensor saw of it.
            (Vendor::Parqex, "PARQEX", vec!["DOOR_OPENED", "DOOR_OPENED"]),
            (Vendor::Lockt, "LOCKT", vec!["ACCESS_GRANTED", "ACCESS_DENIED"]),
        ] {
            assert!(told(word).await.is_empty());
            let synced = sync(&house, vendor).await.unwrap();
            let events = told(word).await;
            assert!(
                matches!(synced, Synced::Complete { events, .. } if events == expected.len()),
                "{vendor:?} {synced:?} {events:#?}"
            );
            let types: Vec<String> = events.iter().map(|event| text(&event["type"])).collect();
            assert_eq!(types, expected, "{events:#?}");
            for event in &events {
                assert!(event["occurredAt"].as_str() <= event["recordedAt"].as_str(), "{event:#}");
                assert!(event["device"].is_object(), "{event:#}");
            }
            for _ in 0..2 {
                let again = sync(&house, vendor).await.unwrap();
                assert!(matches!(again, Synced::Complete { events: 0, records: 0, .. }), "{vendor:?} {again:?}");
            }
            assert_eq!(told(word).await, events);
        }
        house.stop().await;
    }

    /// Who is no MANAGER sees nothing of people: not in lists, not by id, not at a device; and nobody sees a secret.
    async fn records_of_people_need_a_manager(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        furnish(&house).await;
        for vendor in Vendor::ALL {
            sync(&house, vendor).await.unwrap();
        }
        let personal = ["USER", "CREDENTIAL", "DEVICE_ACCESS", "PROFILE", "RESERVATION", "ACCESS_TOKEN"];
        let (viewer, operator) = (house.caller_with_role(Role::Viewer).await, house.caller_with_role(Role::Operator).await);
        let manager = house.caller_with_role(Role::Manager).await;
        for vendor in Vendor::ALL {
            let all = records(&house, &house.client, vendor).await;
            assert_eq!(records(&house, &manager, vendor).await, all, "{vendor:?}");
            let mut open = all.clone();
            open.retain(|record| !personal.contains(&record["kind"].as_str().unwrap()));
            for client in [&viewer, &operator] {
                assert_eq!(records(&house, client, vendor).await, open, "{vendor:?}");
                for record in all.iter().filter(|record| !open.contains(record)).take(3) {
                    let node = "query($id: ID!) { node(id: $id) { id } }";
                    assert_eq!(client.data(node, json!({ "id": record["id"] })).await["node"], Value::Null);
                }
            }
            let told = json!(all).to_string();
            assert!(!told.contains(PIN), "{vendor:?}");
        }
        for kind in personal {
            let query = format!("{{ records(first: 1, filter: {{kinds: [RESOURCE, {kind}]}}) {{ nodes {{ id }} }} }}");
            for client in [&viewer, &operator] {
                let answer = client.ask(&query, json!({})).await;
                assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{kind}: {answer:#}");
            }
            assert!(manager.ask(&query, json!({})).await.get("errors").is_none(), "{kind}");
        }
        // The registration keys of Lockt are secrets as well.
        let users = list(&house, Vendor::Lockt, "/api/v1/user").await;
        let key = users.iter().map(|user| text(&user["credential_key"])).find(|key| !key.is_empty()).unwrap();
        let all = json!(records(&house, &house.client, Vendor::Lockt).await).to_string();
        assert!(!all.contains(&key) && all.contains("HR-00001"));
        assert_eq!(of_kind(&records(&house, &viewer, Vendor::Mews).await, "RESERVATION").len(), 0);
        house.stop().await;
    }
}
