//! Linking vendor accounts: good credentials bring their inventory, whatever is wrong is said clearly and leaves nothing.

use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Vendor};

use crate::account_links::{
    VENDORS, accepted, account, account_count, assert_refused, credentials, devices_of, door_of, events_about, link,
    linked, neighbour, order, requests, sites, synced, word,
};

/// The names of the neighbour's devices at a vendor, in their order.
fn neighbours_devices(vendor: Vendor) -> Vec<&'static str> {
    match vendor {
        Vendor::Raixer => vec!["Laundry 9", "Private house 9", "Shared garage 7"],
        Vendor::Parqex => vec!["Gate 1"],
        Vendor::Lockt => vec!["Front Door", "Linen Store", "Office", "Plant Room", "Room 101"],
        Vendor::Bikeep => vec!["Dock 1", "Guard"],
        Vendor::Mews => Vec::new(),
    }
}

/// The names of an account's devices; of their doors at ParqEx, whose devices have none.
async fn names_of(house: &TestHouse, id: &str, vendor: Vendor) -> Vec<String> {
    let devices = devices_of(house, id).await;
    let mut names: Vec<String> = match vendor {
        Vendor::Parqex => devices.iter().flat_map(|it| it["doors"].as_array().unwrap()).map(name).collect(),
        _ => devices.iter().map(name).collect(),
    };
    names.sort();
    names
}

fn name(named: &Value) -> String {
    text(&named["name"])
}

/// An operation that a link asks the vendor for.
fn checked_at(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Raixer => "list_devices",
        Vendor::Parqex => "user_info",
        Vendor::Lockt => "list_doors",
        Vendor::Bikeep => "list_locations",
        Vendor::Mews => "get_configuration",
    }
}

/// Credentials with one thing wrong, each secret of which is a canary.
fn wrong(house: &TestHouse) -> Vec<(Vendor, Value)> {
    let of = &house.vendors.credentials()[1];
    let with = |vendor, field: &str| {
        let mut given = credentials(vendor, of);
        let inner = given.as_object_mut().unwrap().values_mut().next().unwrap();
        inner[field] = json!(format!("canary-{field}"));
        (vendor, given)
    };
    let client = json!({ "bikeep": { "clientId": of.bikeep.client_id, "clientSecret": "canary-clientSecret" } });
    vec![
        with(Vendor::Raixer, "user"),
        with(Vendor::Raixer, "password"),
        with(Vendor::Parqex, "accessToken"),
        with(Vendor::Lockt, "apiUser"),
        with(Vendor::Lockt, "apiKey"),
        with(Vendor::Bikeep, "token"),
        (Vendor::Bikeep, client),
        with(Vendor::Mews, "clientToken"),
        with(Vendor::Mews, "accessToken"),
    ]
}

/// Nothing is left of links that were refused.
async fn assert_nothing_stored(house: &TestHouse, accounts: u64) {
    assert_eq!(account_count(house).await, accounts, "a refused link was stored");
    let rows = entities::work::accounts_of(house.database(), house.organization).await.unwrap();
    assert_eq!(rows.len() as u64, accounts, "a refused link was stored out of sight");
    let events = crate::orders::events(house, json!({ "types": ["ACCOUNT_LINKED"] })).await;
    assert_eq!(events.len() as u64, accounts, "a refused link left an event");
}

on_both_back_ends! {
    /// Every vendor: linked at once, synced by itself, and its doors can be used.
    async fn good_credentials_bring_their_inventory(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        for vendor in VENDORS {
            let given = credentials(vendor, &house.vendors.credentials()[1]);
            let mut order = order(&house, vendor, given).await;
            let base_url = format!("{}/", house.simulator().base_url(vendor));
            order["baseUrl"] = json!(base_url);
            let payload = linked(&house, order).await;
            let made = &payload["vendorAccount"];
            assert_eq!(
                (&made["vendor"], &made["state"], &made["stateReason"], &made["baseUrl"]),
                (&json!(word(vendor)), &json!("CONNECTED"), &Value::Null, &json!(base_url)),
                "{payload:#}"
            );
            assert_eq!((&made["stateSince"], &payload["authorizationUrl"]), (&made["createdAt"], &Value::Null));
            let webhook_url = text(&payload["webhookUrl"]);
            let address = format!("http://{}/webhooks/", house.client.address());
            assert_eq!(webhook_url.strip_prefix(&address).map(str::len), Some(43), "{webhook_url}");

            let id = text(&made["id"]);
            let account = synced(&house, &id).await;
            assert_eq!((&account["syncError"], &account["state"]), (&Value::Null, &json!("CONNECTED")), "{account:#}");
            assert_eq!(names_of(&house, &id, vendor).await, neighbours_devices(vendor), "{vendor:?}");
            let events = events_about(&house, &id, &["ACCOUNT_LINKED"]).await;
            let [event] = &events[..] else { panic!("{events:#?}") };
            assert!(event["actor"].as_str().is_some_and(|actor| actor.starts_with("key_")), "{event:#}");
            assert_eq!(event["data"]["vendor"], word(vendor));
        }
        house.stop().await;
    }

    /// What is linked can be used: doors open, records are there.
    async fn a_linked_account_can_be_used(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        for vendor in [Vendor::Raixer, Vendor::Parqex] {
            let id = neighbour(&house, vendor).await;
            let door = door_of(&house, &id, "OPEN_DOOR").await;
            let effects = house.effects();
            let command = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
            let command = house.client.finished(&command).await;
            assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
            assert_eq!(house.effects(), effects + 1, "{vendor:?}");
        }
        let id = neighbour(&house, Vendor::Mews).await;
        let query = "query($id: ID!) { vendorAccount(id: $id) { locations { location name } \
            records(filter: { kinds: [RESOURCE, RESERVATION] }) { nodes { kind name } } } }";
        let data = house.client.data(query, json!({ "id": id })).await;
        let records = data["vendorAccount"]["records"]["nodes"].as_array().unwrap();
        let kinds: Vec<&Value> = records.iter().map(|record| &record["kind"]).collect();
        assert!(records.contains(&json!({ "kind": "RESOURCE", "name": "1" })), "{data:#}");
        assert!(kinds.contains(&&json!("RESERVATION")), "{data:#}");
        assert_eq!(data["vendorAccount"]["locations"][0]["name"], "Neighbour Inn", "{data:#}");
        house.stop().await;
    }

    /// Locations go to the sites that they are said to be; another word moves what is there.
    async fn locations_are_sites(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let sites = sites(&house).await;
        let of = house.vendors.credentials()[0].clone();
        let [quay, station] = &of.bikeep.locations[..] else { panic!("{:?}", of.bikeep.locations) };
        let mut order = order(&house, Vendor::Bikeep, credentials(Vendor::Bikeep, &of)).await;
        order["locations"] = json!([{ "location": quay, "siteId": sites[1] }]);
        let payload = linked(&house, order.clone()).await;
        let found: Vec<&Value> = payload["locations"].as_array().unwrap().iter().map(|it| &it["location"]).collect();
        assert_eq!(found, [quay, station], "{payload:#}");
        let id = text(&payload["vendorAccount"]["id"]);
        synced(&house, &id).await;

        /// Which site the quay and the station are at, with all their doors.
        async fn places(house: &TestHouse, id: &str) -> [Value; 2] {
            let devices = devices_of(house, id).await;
            ["Quay", "Station"].map(|place| {
                let here: Vec<&Value> = devices.iter().filter(|it| name(it).starts_with(place)).collect();
                let at = &here[0]["site"]["id"];
                assert!(here.len() > 9, "{devices:#?}");
                for device in &here {
                    let doors = device["doors"].as_array().unwrap();
                    assert!(device["site"]["id"] == *at && doors.iter().all(|it| it["site"]["id"] == *at), "{device:#}");
                }
                at.clone()
            })
        }

        assert_eq!(places(&house, &id).await, [json!(sites[1]), json!(sites[0])]);
        for mapping in [vec![(quay, 2), (station, 1)], vec![(station, 2)], Vec::new()] {
            let locations: Vec<Value> =
                mapping.iter().map(|(location, site)| json!({ "location": location, "siteId": sites[*site] })).collect();
            let input = json!({ "vendorAccountId": id, "locations": locations });
            accepted(&house, "mapVendorLocations", input, "").await;
            synced(&house, &id).await;
            let site = |place: &String| {
                let mapped = mapping.iter().find(|(location, _)| *location == place).map_or(0, |(_, site)| *site);
                json!(sites[mapped])
            };
            assert_eq!(places(&house, &id).await, [site(quay), site(station)], "{mapping:?}");
            let shown = account(&house, &id).await;
            let at = |place: &String| {
                let shown = shown["locations"].as_array().unwrap().iter().find(|it| it["location"] == **place);
                shown.unwrap_or_else(|| panic!("no {place}")).clone()
            };
            let is_mapped = |place: &String| mapping.iter().any(|(location, _)| *location == place);
            for place in [quay, station] {
                let expected = if is_mapped(place) { site(place) } else { Value::Null };
                assert_eq!(at(place)["site"]["id"], expected, "{shown:#}");
            }
        }

        let accounts = account_count(&house).await;
        order["locations"] = json!([{ "location": "nowhere", "siteId": sites[1] }]);
        assert_refused(&link(&house, order).await, "INVALID_INPUT", Some("locations"));
        assert_nothing_stored(&house, accounts).await;
        house.stop().await;
    }

    /// A vendor's no is said before anything is stored, without the credentials in it.
    async fn wrong_credentials_are_refused(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let accounts = account_count(&house).await;
        for (vendor, given) in wrong(&house) {
            let payload = link(&house, order(&house, vendor, given.clone()).await).await;
            assert_refused(&payload, "VENDOR_REFUSED", Some("credentials"));
            assert!(!payload.to_string().contains("canary"), "{payload:#}");
            assert_eq!(payload["webhookUrl"], Value::Null);
        }
        assert_nothing_stored(&house, accounts).await;
        house.stop().await;
    }

    /// A vendor that cannot be asked is not a vendor that says no.
    async fn an_unreachable_vendor_is_said_to_be(back_end: BackEnd) {
        let house = Plan::on(back_end).with_setting("vendor_timeout_seconds", "1").start().await;
        let accounts = account_count(&house).await;
        let nobody = format!("http://{}", gatehouse_tests::binary::free_address());
        let unavailable = FaultKind::Status { code: 503, retry_after: None, after_effect: false };
        for vendor in VENDORS {
            let given = credentials(vendor, &house.vendors.credentials()[1]);
            let mut there = order(&house, vendor, given).await;
            for kind in [unavailable.clone(), FaultKind::DropBeforeEffect, FaultKind::Hang { after_effect: false }] {
                let fault = Fault::new(vendor, kind).at(checked_at(vendor));
                let fault = house.vendors.add_fault(fault).unwrap();
                assert_refused(&link(&house, there.clone()).await, "VENDOR_UNREACHABLE", None);
                assert!(house.vendors.remove_fault(fault));
            }
            let garbage = Fault::new(vendor, FaultKind::Garbage);
            let garbage = house.vendors.add_fault(garbage).unwrap();
            assert_refused(&link(&house, there.clone()).await, "INVALID_INPUT", Some("baseUrl"));
            assert!(house.vendors.remove_fault(garbage));
            there["baseUrl"] = json!(nobody);
            assert_refused(&link(&house, there).await, "VENDOR_UNREACHABLE", None);
        }
        assert_nothing_stored(&house, accounts).await;
        house.stop().await;
    }

    /// Whatever cannot be right is said before the vendor is asked.
    async fn malformed_input_is_refused_without_asking(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let stranger = house.stranger().await;
        let accounts = account_count(&house).await;
        house.idle().await;
        let asked = requests(&house);
        let of = house.vendors.credentials()[1].clone();
        let good = order(&house, Vendor::Raixer, credentials(Vendor::Raixer, &of)).await;
        let site = &good["siteId"];
        let nowhere = "site_00000000-0000-7000-8000-000000000000";
        let mapped = |site: &Value| json!({ "location": "a", "siteId": site });
        let secret = |field: &str, value: &str| {
            let mut given = good["credentials"].clone();
            given["raixer"][field] = json!(value);
            given
        };
        let cases = [
            ("name", json!(""), "INVALID_INPUT"),
            ("name", json!(" \t "), "INVALID_INPUT"),
            ("name", json!("a\nb"), "INVALID_INPUT"),
            ("name", json!("x".repeat(501)), "INVALID_INPUT"),
            ("siteId", json!("nonsense"), "NOT_FOUND"),
            ("siteId", json!(nowhere), "NOT_FOUND"),
            ("siteId", json!(text(site).replace("site_", "door_")), "NOT_FOUND"),
            ("baseUrl", json!(""), "INVALID_INPUT"),
            ("baseUrl", json!("nonsense"), "INVALID_INPUT"),
            ("baseUrl", json!("ftp://127.0.0.1/raixer"), "INVALID_INPUT"),
            ("baseUrl", json!("http://169.254.169.254/latest/meta-data"), "INVALID_INPUT"),
            ("baseUrl", json!("https://10.0.0.1/raixer"), "INVALID_INPUT"),
            ("baseUrl", json!("http://[::ffff:192.168.0.1]/raixer"), "INVALID_INPUT"),
            ("baseUrl", json!("http://user:canary@127.0.0.1/raixer"), "INVALID_INPUT"),
            ("baseUrl", json!("http://127.0.0.1/raixer?key=canary"), "INVALID_INPUT"),
            ("baseUrl", json!("http://127.0.0.1/raixer#canary"), "INVALID_INPUT"),
            ("locations", json!([mapped(site), mapped(site)]), "INVALID_INPUT"),
            ("locations", json!([{ "location": "", "siteId": site }]), "INVALID_INPUT"),
            ("locations", json!([mapped(&json!(nowhere))]), "NOT_FOUND"),
            ("locations", json!(vec![mapped(site); 501]), "INVALID_INPUT"),
            ("credentials", secret("user", ""), "INVALID_INPUT"),
            ("credentials", secret("password", "  "), "INVALID_INPUT"),
            ("credentials", json!({ "parqex": {} }), "INVALID_INPUT"),
            ("credentials", json!({ "parqex": { "clientId": "canary" } }), "INVALID_INPUT"),
            ("credentials", json!({ "bikeep": { "clientSecret": "canary" } }), "INVALID_INPUT"),
            ("credentials", json!({ "lockt": { "apiUser": "me", "apiKey": "" } }), "INVALID_INPUT"),
            ("credentials", json!({ "mews": { "clientToken": "", "accessToken": "a" } }), "INVALID_INPUT"),
            ("idempotencyKey", json!(""), "INVALID_INPUT"),
            ("idempotencyKey", json!("a\u{7}b"), "INVALID_INPUT"),
            ("idempotencyKey", json!("x".repeat(129)), "INVALID_INPUT"),
        ];
        for (field, value, code) in cases {
            let mut order = good.clone();
            order[field] = value;
            let payload = link(&house, order.clone()).await;
            assert_refused(&payload, code, Some(field));
            assert!(!payload.to_string().contains("canary"), "{payload:#}");
        }
        let query = "mutation($input: LinkVendorAccountInput!) { linkVendorAccount(input: $input) { \
            vendorAccount { id } userErrors { code path } } }";
        let mut two = good.clone();
        two["credentials"]["lockt"] = json!({ "apiUser": "canary", "apiKey": "canary" });
        let mut none = good.clone();
        none["credentials"] = json!({});
        for input in [two, none] {
            let answer = house.client.ask(query, json!({ "input": input })).await;
            assert!(answer["errors"].is_array() && answer["data"]["linkVendorAccount"].is_null(), "{answer:#}");
            assert!(!answer.to_string().contains("canary"), "{answer:#}");
        }
        let answer = stranger.data(query, json!({ "input": good })).await;
        assert_eq!(answer["linkVendorAccount"]["userErrors"][0]["code"], "NOT_FOUND", "another tenant's site");
        assert_eq!(requests(&house), asked, "a vendor was asked");
        assert_nothing_stored(&house, accounts).await;
        house.stop().await;
    }

    /// The same key and the same order is the same account, also when it is sent many times at once.
    async fn a_key_links_once(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let accounts = account_count(&house).await;
        let given = credentials(Vendor::Raixer, &house.vendors.credentials()[1]);
        let mut order = order(&house, Vendor::Raixer, given).await;
        order["idempotencyKey"] = json!("once");
        let all = futures::future::join_all((0..8).map(|_| link(&house, order.clone()))).await;
        let made: Vec<&Value> = all.iter().filter(|payload| payload["vendorAccount"].is_object()).collect();
        for payload in &all {
            if payload["vendorAccount"].is_null() {
                assert_refused(payload, "BUSY", None);
            }
        }
        let ids: std::collections::BTreeSet<String> =
            made.iter().map(|payload| text(&payload["vendorAccount"]["id"])).collect();
        let told = made.iter().filter(|payload| payload["webhookUrl"].is_string()).count();
        assert_eq!((ids.len(), told), (1, 1), "{all:#?}");
        let again = linked(&house, order.clone()).await;
        assert!(ids.contains(&text(&again["vendorAccount"]["id"])) && again["webhookUrl"].is_null(), "{again:#}");
        assert_eq!(account_count(&house).await, accounts + 1);
        let mut other = order.clone();
        other["name"] = json!("Another name");
        assert_refused(&link(&house, other).await, "IDEMPOTENCY_KEY_REUSED", Some("idempotencyKey"));
        let mut other = order;
        other["credentials"]["raixer"]["password"] = json!("another");
        assert_refused(&link(&house, other).await, "IDEMPOTENCY_KEY_REUSED", Some("idempotencyKey"));
        assert_eq!(account_count(&house).await, accounts + 1);
        house.stop().await;
    }
}
