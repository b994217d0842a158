//! What is no longer listed is marked, with the last proof that it was there, and is itself again when it comes back.

use std::collections::BTreeMap;

use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{LocktChange, SimulatorOptions, Vendor, WorldChange, WorldChoice, WorldSize};
use worker::sync::Synced;

use super::{id, list, of_kind, records};
use crate::{
    orders::{account_id, events},
    vendor_accounts::sync,
};

/// Every device of a vendor with its doors, by the vendor's id.
async fn devices(house: &TestHouse, vendor: Vendor) -> BTreeMap<String, Value> {
    let query = "{ devices(first: 100) { nodes { id externalId name missingSince lastSeenAt \
        vendorAccount { vendor } doors { id missingSince lastSeenAt } } } }";
    let data = house.client.data(query, json!({})).await;
    let nodes = data["devices"]["nodes"].as_array().unwrap();
    let word = format!("{vendor:?}").to_uppercase();
    let ours = nodes.iter().filter(|device| device["vendorAccount"]["vendor"] == word);
    ours.map(|device| (text(&device["externalId"]), device.clone())).collect()
}

async fn move_account(house: &TestHouse, vendor: Vendor, simulator: &str) {
    let url = format!("http://{simulator}/{}", vendor.name());
    let id = account_id(house, vendor).await;
    entities::store::accounts::set_base_url(house.database(), id, &url).await.unwrap();
}

/// The same accounts with next to nothing in them.
fn emptied() -> SimulatorOptions {
    let size = WorldSize {
        bikeep_docks: 0,
        raixer_devices: 0,
        parqex_controllers: 0,
        lockt_rooms: 0,
        lockt_users: 0,
        mews_rooms: 0,
        mews_reservations: 0,
        ..WorldSize::default()
    };
    SimulatorOptions { world: WorldChoice::Sized(size), ..SimulatorOptions::default() }
}

/// What can be compared before and after an absence.
fn lasting(record: &Value) -> Value {
    json!([
        record["id"],
        record["kind"],
        record["externalId"],
        record["name"],
        record["details"],
        record["doors"][0]["id"]
    ])
}

on_both_back_ends! {
    /// A vendor lists next to nothing any more, and then everything again.
    async fn what_vanishes_is_marked_and_comes_back_as_itself(back_end: BackEnd) {
        let size = WorldSize { lockt_users: 30, ..WorldSize::default() };
        let mut plan = Plan::on(back_end).without_worker();
        plan.simulator = SimulatorOptions { world: WorldChoice::Sized(size), ..plan.simulator };
        let house = plan.start().await;
        let other = simulator::start(emptied()).await.unwrap();
        for vendor in Vendor::ALL {
            let before = (devices(&house, vendor).await, records(&house, &house.client, vendor).await);
            move_account(&house, vendor, &other.address().to_string()).await;
            let gone = match sync(&house, vendor).await.unwrap() {
                Synced::Complete { missing, .. } => missing,
                Synced::Skipped => panic!("{vendor:?} was not synced"),
            };
            let after = (devices(&house, vendor).await, records(&house, &house.client, vendor).await);
            let mut marked = 0;
            for (id, device) in &before.0 {
                let now = &after.0[id];
                if now["missingSince"].is_null() {
                    continue;
                }
                marked += 1;
                assert_eq!(now["lastSeenAt"], device["lastSeenAt"], "the last proof stays: {now:#}");
                assert!(now["missingSince"].as_str() > now["lastSeenAt"].as_str(), "{now:#}");
                assert!(now["doors"].as_array().unwrap().iter().all(|door| door["missingSince"].is_string()), "{now:#}");
                assert_eq!(lasting(now), lasting(device));
            }
            for record in &before.1 {
                let now = after.1.iter().find(|now| now["id"] == record["id"]).unwrap();
                if now["missingSince"].is_null() {
                    continue;
                }
                marked += 1;
                assert_eq!((&now["lastSeenAt"], lasting(now)), (&record["lastSeenAt"], lasting(record)));
            }
            assert_eq!(marked, gone, "{vendor:?}");
            assert!(vendor == Vendor::Parqex || vendor == Vendor::Bikeep || marked > 10, "{vendor:?}: {marked}");
            assert!(marked > 0, "{vendor:?}");
            // It is told once, and stays as it is.
            let told = events(&house, json!({ "types": ["DEVICE_MISSING", "RECORD_MISSING"] })).await.len();
            assert!(matches!(sync(&house, vendor).await, Ok(Synced::Complete { missing: 0, .. })), "{vendor:?}");
            assert_eq!(events(&house, json!({ "types": ["DEVICE_MISSING", "RECORD_MISSING"] })).await.len(), told);

            move_account(&house, vendor, &house.simulator().address().to_string()).await;
            sync(&house, vendor).await.unwrap();
            let again = (devices(&house, vendor).await, records(&house, &house.client, vendor).await);
            for (id, device) in &before.0 {
                let now = &again.0[id];
                assert_eq!((&now["missingSince"], lasting(now)), (&Value::Null, lasting(device)), "{vendor:?}");
                assert!(now["doors"].as_array().unwrap().iter().all(|door| door["missingSince"].is_null()), "{now:#}");
                assert!(now["lastSeenAt"].as_str() > device["lastSeenAt"].as_str(), "{now:#}");
            }
            for record in &before.1 {
                let now = again.1.iter().find(|now| now["id"] == record["id"]).unwrap();
                assert_eq!((&now["missingSince"], lasting(now)), (&Value::Null, lasting(record)), "{vendor:?}");
            }
        }
        other.shutdown().await;
        house.stop().await;
    }

    /// One person less at Lockt: that person and the card, and nobody else.
    async fn one_that_vanishes_takes_no_other_along(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let user = &list(&house, Vendor::Lockt, "/api/v1/user").await[4];
        let removed = LocktChange::UserRemoved { user: user["id"].as_u64().unwrap() };
        house.vendors.change(WorldChange::Lockt(removed)).unwrap();
        let synced = sync(&house, Vendor::Lockt).await.unwrap();
        assert!(matches!(synced, Synced::Complete { missing: 2, .. }), "{synced:?}");
        let held = records(&house, &house.client, Vendor::Lockt).await;
        let missing: Vec<&Value> = held.iter().filter(|record| !record["missingSince"].is_null()).collect();
        let numbers: Vec<&Value> = missing.iter().map(|record| &record["details"]["cardNumber"]).collect();
        assert_eq!(missing.len(), 2);
        assert!(numbers.contains(&&user["card_num"]), "{missing:#?}");
        assert!(missing.iter().any(|record| record["details"]["number"] == user["card_num"]), "{missing:#?}");
        assert_eq!(of_kind(&held, "USER").iter().filter(|user| user["missingSince"].is_null()).count(), 242);
        // Lists leave it out unless it is asked for.
        let query = "query($external: String!, $too: Boolean!) { records(first: 5,             filter: {externalId: $external, kinds: [USER], missingToo: $too}) { nodes { id } } }";
        for (too, count) in [(false, 0), (true, 1)] {
            let external = id(&user["id"]);
            let data = house.client.data(query, json!({ "external": external, "too": too })).await;
            assert_eq!(data["records"]["nodes"].as_array().map(Vec::len), Some(count));
        }
        house.stop().await;
    }

    /// A device that is shared with us, no longer, and again.
    async fn a_device_that_is_shared_again_comes_back(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let user = house.vendors.credentials()[0].raixer.user.clone();
        let shared = list(&house, Vendor::Raixer, "/connections").await.into_iter();
        let shared = shared.map(|it| text(&it["device"]["name"])).zip(list(&house, Vendor::Raixer, "/connections").await);
        let (_, connection) = shared.into_iter().find(|(name, _)| name == "Shared garage 7").unwrap();
        let device = text(&connection["deviceId"]);
        let before = devices(&house, Vendor::Raixer).await[&device].clone();
        for (disabled, gone) in [(true, true), (false, false), (true, true)] {
            let change = WorldChange::RaixerConnection { device: device.clone(), user: user.clone(), disabled };
            house.vendors.change(change).unwrap();
            sync(&house, Vendor::Raixer).await.unwrap();
            let now = devices(&house, Vendor::Raixer).await[&device].clone();
            assert_eq!((now["missingSince"].is_string(), &now["id"]), (gone, &before["id"]), "{now:#}");
            let access = records(&house, &house.client, Vendor::Raixer).await;
            let access = access.iter().find(|record| record["externalId"] == connection["_id"]).unwrap();
            assert_eq!((&access["missingSince"], &access["details"]["disabled"]), (&Value::Null, &json!(disabled)));
        }
        house.stop().await;
    }
}
