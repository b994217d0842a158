//! Devices and doors come from the vendors and follow them; a failed or partial sync takes nothing away (rule 11).

use std::collections::BTreeMap;

use gatehouse_tests::{
    client::{http, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use messaging::Job;
use serde_json::{Value, json};
use simulator::{BikeepHealth, Fault, FaultKind, SimulatorOptions, Vendor, WorldChange, WorldChoice, WorldSize};
use worker::sync::{SyncError, Synced};

use crate::{
    orders::{account, account_id, events},
    vendor_accounts::sync,
};

/// The vendors that list devices. A PMS has rooms and guests, but nothing that we would call one.
const VENDORS: [Vendor; 4] = [Vendor::Bikeep, Vendor::Raixer, Vendor::Parqex, Vendor::Lockt];

/// Every device with its doors, page by page.
async fn devices(house: &TestHouse) -> Vec<Value> {
    let query = "query($after: String) { devices(first: 100, after: $after) { \
        pageInfo { hasNextPage endCursor } nodes { id externalId name model health missingSince lastSeenAt \
        capabilities site { name } vendorAccount { vendor } \
        doors { id externalId name kind position missingSince capabilities } } } }";
    let mut all = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut data = house.client.data(query, json!({ "after": after })).await;
        let page = &mut data["devices"];
        all.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}

async fn device(house: &TestHouse, external_id: &str) -> Value {
    devices(house).await.into_iter().find(|device| device["externalId"] == external_id).unwrap()
}

/// Devices as one compares them: everything but when they were last seen.
fn without_times(mut devices: Vec<Value>) -> Vec<Value> {
    for device in &mut devices {
        device["lastSeenAt"] = Value::Null;
    }
    devices
}

/// What a vendor itself lists, asked without any of our code: device id to name and its doors (id to name).
type Listed = BTreeMap<String, (String, BTreeMap<String, String>)>;

async fn listed(house: &TestHouse, vendor: Vendor) -> Listed {
    let of = &house.vendors.credentials()[0];
    let base = format!("http://{}", house.simulator().address());
    let get = async |path: &str| -> Value {
        let request = http().get(format!("{base}{path}"));
        let request = match vendor {
            Vendor::Bikeep => request.bearer_auth(&of.bikeep.token),
            Vendor::Raixer => request.basic_auth(&of.raixer.user, Some(&of.raixer.password)),
            Vendor::Parqex => request
                .bearer_auth(&of.parqex.access_token)
                .header("accept", "application/json")
                .header("content-type", "application/json")
                .header("accept-charset", "utf-8")
                .header("accept-encoding", "gzip"),
            Vendor::Lockt => request
                .header("apiuser", &of.lockt.api_user)
                .header("apikey", &of.lockt.api_key)
                .header("content-type", "application/json"),
            Vendor::Mews => unreachable!("a PMS lists no devices"),
        };
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    };
    let array = |value: &Value| value.as_array().unwrap().clone();
    let names =
        |doors: &Value, id: &str| array(doors).iter().map(|door| (text(&door[id]), text(&door["name"]))).collect();
    let mut listed = Listed::new();
    match vendor {
        Vendor::Bikeep => {
            for location in &of.bikeep.locations {
                for device in array(&get(&format!("/bikeep/device/v1/locations/{location}/devices")).await["data"]) {
                    let (id, alias) = (text(&device["id"]), text(&device["alias"]));
                    listed.insert(id.clone(), (alias.clone(), [(id, alias)].into()));
                }
            }
        }
        Vendor::Raixer => {
            for connection in array(&get("/raixer/connections").await) {
                let device = &connection["device"];
                listed.insert(text(&device["_id"]), (text(&device["name"]), names(&device["doors"], "_id")));
            }
        }
        Vendor::Parqex => {
            for device in array(&get("/parqex/oauth/v1/endpoints/sync").await["devices"]) {
                let name = format!("ParqEx {}", text(&device["blackbox_code"]));
                listed.insert(text(&device["id"]), (name, names(&device["doors"], "id")));
            }
        }
        Vendor::Lockt => {
            for door in array(&get("/lockt/api/v1/door").await["data"]) {
                let (id, name) = (door["id"].to_string(), text(&door["name"]));
                listed.insert(id.clone(), (name.clone(), [(id, name)].into()));
            }
        }
        Vendor::Mews => {}
    }
    listed
}

fn held(devices: &[Value], vendor: Vendor) -> Listed {
    let word = format!("{vendor:?}").to_uppercase();
    let doors = |device: &Value| {
        let doors = device["doors"].as_array().unwrap();
        doors.iter().map(|door| (text(&door["externalId"]), text(&door["name"]))).collect()
    };
    let ours = devices.iter().filter(|device| device["vendorAccount"]["vendor"] == word);
    ours.map(|device| (text(&device["externalId"]), (text(&device["name"]), doors(device)))).collect()
}

/// The records of a vendor's that it lists no more.
async fn missing_records(house: &TestHouse, vendor: Vendor) -> Vec<Value> {
    let query = "query($id: ID!) { records(first: 100, filter: {vendorAccountId: $id, missingToo: true}) { \
        pageInfo { hasNextPage } nodes { kind name missingSince device { externalId } } } }";
    let data = house.client.data(query, json!({ "id": account_id(house, vendor).await.to_string() })).await;
    let mut records = data["records"]["nodes"].as_array().unwrap().clone();
    // Lockt keeps hundreds of people; none of its records is a door's.
    assert!(data["records"]["pageInfo"]["hasNextPage"] == false || vendor == Vendor::Lockt);
    records.retain(|record| !record["missingSince"].is_null());
    records
}

async fn count_of(house: &TestHouse, event: &str) -> usize {
    events(house, json!({ "types": [event] })).await.len()
}

on_both_back_ends! {
    async fn what_the_vendors_list_is_there_and_nothing_else(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let devices = devices(&house).await;
        for vendor in VENDORS {
            assert_eq!(held(&devices, vendor), listed(&house, vendor).await, "{vendor:?}");
        }
        let doors: usize = devices.iter().map(|device| device["doors"].as_array().unwrap().len()).sum();
        assert_eq!((devices.len(), doors), (45, 57), "the neighbour's own devices are not ours");
        assert_eq!(count_of(&house, "DEVICE_FOUND").await, 45);
        assert!(devices.iter().all(|device| device["missingSince"].is_null()));
        // Each of Bikeep's two locations is a site of its own.
        let at_harbour = |vendor: &str| {
            let is_there = |device: &&Value| {
                device["site"]["name"] == "Harbour House" && device["vendorAccount"]["vendor"] == vendor
            };
            devices.iter().filter(is_there).count()
        };
        let named = devices.iter().filter(|device| text(&device["name"]).starts_with("Quay")).count();
        assert_eq!((at_harbour("BIKEEP"), named, at_harbour("LOCKT")), (10, 10, 16));
        house.stop().await;
    }

    async fn a_second_sync_changes_nothing(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let before = devices(&house).await;
        let states = house.doors().await;
        let facts = events(&house, json!({})).await.len();
        for (vendor, count) in VENDORS.into_iter().zip([20, 6, 3, 16]) {
            assert_eq!(sync(&house, vendor).await.unwrap(), Synced::Complete { devices: count, records: 0, events: 0, missing: 0 });
        }
        let after = devices(&house).await;
        for (before, after) in before.iter().zip(&after) {
            assert!(after["lastSeenAt"].as_str() > before["lastSeenAt"].as_str(), "{after:#}");
        }
        assert_eq!(without_times(before), without_times(after));
        assert_eq!(house.doors().await, states);
        assert_eq!(events(&house, json!({})).await.len(), facts, "nothing happened, so nothing is told");
        house.stop().await;
    }

    async fn what_changes_at_a_vendor_follows(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let doors = house.doors().await;
        let dock = doors.iter().find(|door| door["name"] == "Quay dock 1").unwrap();
        let intercom = doors.iter().find(|door| door["device"]["name"] == "Market street 1").unwrap();
        let gate = doors.iter().find(|door| door["name"] == "Yard gate").unwrap();
        let (dock_id, intercom_id) = (text(&dock["device"]["externalId"]), text(&intercom["device"]["externalId"]));
        let rename = |vendor, device: &str, name: &str| {
            house.vendors.change(WorldChange::Renamed { vendor, device: device.into(), name: name.into() }).unwrap();
        };
        rename(Vendor::Bikeep, &dock_id, "Quay dock Ω");
        rename(Vendor::Raixer, &intercom_id, "Marktstraße 1");
        rename(Vendor::Parqex, gate["externalId"].as_str().unwrap(), "Yard gate (new)");
        let health =
            |health| house.vendors.change(WorldChange::BikeepHealth { device: dock_id.clone(), health }).unwrap();
        health(Some(BikeepHealth::LongDead));
        house.vendors.change(WorldChange::RaixerOnline { device: intercom_id.clone(), online: false }).unwrap();
        house.vendors.change(WorldChange::BikeepByHand { device: dock_id.clone(), locked: true, user: None }).unwrap();
        house.vendors.change(WorldChange::ParqexDoor { door: text(&gate["externalId"]), open: true }).unwrap();
        for vendor in VENDORS {
            sync(&house, vendor).await.unwrap();
        }
        let told = house.doors().await;
        let now = |door: &Value| told.iter().find(|other| other["id"] == door["id"]).unwrap();
        assert_eq!((&now(dock)["name"], &now(dock)["device"]["health"]), (&json!("Quay dock Ω"), &json!("DEAD")));
        assert_eq!(now(dock)["state"]["lock"]["value"], "LOCKED");
        assert_eq!(now(intercom)["device"]["name"], "Marktstraße 1");
        assert_eq!(now(intercom)["device"]["health"], "OFFLINE");
        assert_eq!(
            (&now(gate)["name"], &now(gate)["state"]["position"]["value"]),
            (&json!("Yard gate (new)"), &json!("OPEN"))
        );
        assert_eq!(now(dock)["device"]["id"], dock["device"]["id"], "a renamed device is the same device");
        assert_eq!(count_of(&house, "DEVICE_HEALTH_CHANGED").await, 2);

        for (word, seen) in [
            (Some(BikeepHealth::Healthy), "HEALTHY"),
            (Some(BikeepHealth::Dead), "OFFLINE"),
            (Some(BikeepHealth::Unhealthy), "UNHEALTHY"),
            (None, "UNKNOWN"),
        ] {
            health(word);
            sync(&house, Vendor::Bikeep).await.unwrap();
            assert_eq!(device(&house, &dock_id).await["health"], seen);
        }
        assert_eq!(count_of(&house, "DEVICE_HEALTH_CHANGED").await, 6);
        house.stop().await;
    }

    async fn a_vanished_device_is_marked_and_kept(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        for vendor in VENDORS {
            let gone = listed(&house, vendor).await.into_keys().next().unwrap();
            let before = device(&house, &gone).await;
            house.vendors.change(WorldChange::Removed { vendor, device: gone.clone() }).unwrap();
            let synced = sync(&house, vendor).await.unwrap();
            // The device, and what its vendor kept of it.
            let records = missing_records(&house, vendor).await;
            assert!(
                matches!(synced, Synced::Complete { missing, .. } if missing == 1 + records.len()),
                "{synced:?} {records:#?}"
            );
            assert!(records.iter().all(|record| record["device"]["externalId"] == *gone), "{records:#?}");
            let after = device(&house, &gone).await;
            assert_eq!(
                (&after["id"], &after["name"], &after["lastSeenAt"]),
                (&before["id"], &before["name"], &before["lastSeenAt"])
            );
            let since = &after["missingSince"];
            assert!(since.is_string());
            assert!(after["doors"].as_array().unwrap().iter().all(|door| door["missingSince"] == *since), "{after:#}");
            // It stays missing since then, and is told once.
            assert!(matches!(sync(&house, vendor).await, Ok(Synced::Complete { missing: 0, .. })));
            assert_eq!(device(&house, &gone).await["missingSince"], *since);
        }
        let told = events(&house, json!({ "types": ["DEVICE_MISSING"] })).await;
        assert_eq!(told.len(), VENDORS.len());
        let missing = devices(&house).await.into_iter().filter(|device| !device["missingSince"].is_null()).count();
        assert_eq!(missing, VENDORS.len());
        house.stop().await;
    }

    /// Whatever breaks a sync off, before or after a portion was read, nothing is taken for gone.
    async fn a_partial_sync_takes_nothing_away(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_setting("vendor_timeout_seconds", "1").start().await;
        let quay = device_named(&house, "Quay dock 2").await;
        let station = device_named(&house, "Station locker 2").await;
        let intercom = device_named(&house, "Market street 1").await;
        let garage = listed(&house, Vendor::Parqex).await.into_keys().next().unwrap();
        for (vendor, device) in [
            (Vendor::Bikeep, &quay),
            (Vendor::Bikeep, &station),
            (Vendor::Raixer, &intercom),
            (Vendor::Parqex, &garage),
        ] {
            house.vendors.change(WorldChange::Removed { vendor, device: device.clone() }).unwrap();
        }
        let synced_at = async || {
            let mut all = Vec::new();
            for vendor in VENDORS {
                all.push(account(&house, vendor).await["syncedAt"].take());
            }
            all
        };
        let before = (devices(&house).await.len(), synced_at().await);
        let faults = [
            FaultKind::Status { code: 503, retry_after: None, after_effect: false },
            FaultKind::Status { code: 403, retry_after: None, after_effect: false },
            FaultKind::Status { code: 404, retry_after: None, after_effect: false },
            FaultKind::Status { code: 429, retry_after: Some(1), after_effect: false },
            FaultKind::Garbage,
            FaultKind::Truncated,
            FaultKind::DropBeforeEffect,
            FaultKind::DropMidAnswer,
            FaultKind::Hang { after_effect: false },
        ];
        for kind in faults {
            let breaks = async |vendor: Vendor, operation: &str, intact: u64| {
                if intact > 0 {
                    // The first answers are whole; only their label is wrong, which nobody reads.
                    house
                        .vendors
                        .add_fault(Fault::new(vendor, FaultKind::WrongContentType).at(operation).times(intact))
                        .unwrap();
                }
                house.vendors.add_fault(Fault::new(vendor, kind.clone()).at(operation).times(1)).unwrap();
                let synced = sync(&house, vendor).await;
                assert!(matches!(synced, Err(SyncError::Vendor(_))), "{vendor:?} {operation} {kind:?}: {synced:?}");
                assert!(house.vendors.faults().is_empty(), "{:?}", house.vendors.faults());
            };
            breaks(Vendor::Bikeep, "list_devices", 0).await;
            breaks(Vendor::Bikeep, "list_devices", 1).await;
            breaks(Vendor::Raixer, "list_devices", 0).await;
            breaks(Vendor::Raixer, "list_connections", 0).await;
            // 403 for one device means that this one is not there; the list stays whole.
            if kind != (FaultKind::Status { code: 403, retry_after: None, after_effect: false }) {
                breaks(Vendor::Raixer, "list_doors", 2).await;
            }
            breaks(Vendor::Parqex, "sync", 0).await;
            assert_eq!(count_of(&house, "DEVICE_MISSING").await, 0, "{kind:?}");
        }
        let after = devices(&house).await;
        assert!(after.iter().all(|device| device["missingSince"].is_null()));
        assert_eq!((after.len(), synced_at().await), before);
        for (vendor, gone) in [(Vendor::Bikeep, 2), (Vendor::Raixer, 1), (Vendor::Parqex, 1)] {
            let synced = sync(&house, vendor).await.unwrap();
            assert!(matches!(synced, Synced::Complete { missing, .. } if missing == gone), "{synced:?}");
        }
        assert_eq!(count_of(&house, "DEVICE_MISSING").await, 4);
        house.stop().await;
    }

    async fn more_than_a_thousand_devices_sync(back_end: BackEnd) {
        let size = WorldSize {
            bikeep_locations: 4,
            bikeep_docks: 250,
            raixer_devices: 40,
            raixer_doors: 3,
            parqex_controllers: 40,
            parqex_doors: 3,
            ..WorldSize::default()
        };
        let mut plan = Plan::on(back_end).without_worker();
        plan.simulator = SimulatorOptions { world: WorldChoice::Sized(size), ..plan.simulator };
        let house = plan.start().await;
        let query = "{ devices(first: 1) { totalCount } doors(first: 1) { totalCount } }";
        let data = house.client.data(query, json!({})).await;
        assert_eq!(
            (&data["devices"]["totalCount"], &data["doors"]["totalCount"]),
            (&json!(1_094), &json!(1_004 + 240 + 10))
        );
        assert_eq!(devices(&house).await.len(), 1_094);
        let synced = Synced::Complete { devices: 1_004, records: 0, events: 0, missing: 0 };
        assert_eq!(sync(&house, Vendor::Bikeep).await.unwrap(), synced);
        house.stop().await;
    }

    /// The way a sync is asked for in operation: by a ring, which a worker answers.
    async fn a_ring_brings_a_sync(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let dock = device_named(&house, "Quay dock 3").await;
        let renamed =
            WorldChange::Renamed { vendor: Vendor::Bikeep, device: dock.clone(), name: "Quay dock III".into() };
        house.vendors.change(renamed).unwrap();
        let id = account_id(&house, Vendor::Bikeep).await;
        house.foundation().backend.queue().ring(&Job::SyncAccount { account: id.0 }).await.unwrap();
        until("the new name is there", async || (device(&house, &dock).await["name"] == "Quay dock III").then_some(()))
            .await;
        house.stop().await;
    }
}

/// The vendor's id of the device with this name.
async fn device_named(house: &TestHouse, name: &str) -> String {
    let devices = devices(house).await;
    text(&devices.iter().find(|device| device["name"] == name).unwrap()["externalId"])
}
