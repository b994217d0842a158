//! What records say is what the vendors say.

use std::collections::{BTreeMap, BTreeSet};

use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::Vendor;

use super::{ask, id, ids, list, mews_list, of_kind, parts, records};
use crate::vendor_accounts::sync;

/// The details of one kind of records by the vendor's id, as far as they are compared.
fn told(records: &[Value], kind: &str, tell: impl Fn(&Value) -> Value) -> BTreeMap<String, Value> {
    of_kind(records, kind).into_iter().map(|record| (text(&record["externalId"]), tell(record))).collect()
}

/// The same of a vendor's rows.
fn said(rows: &[Value], key: &str, say: impl Fn(&Value) -> Value) -> BTreeMap<String, Value> {
    rows.iter().map(|row| (id(&row[key]), say(row))).collect()
}

/// Nothing, for a text without content.
fn some(value: &Value) -> Value {
    if value == "" { Value::Null } else { value.clone() }
}

/// Milliseconds of an instant, however it is written.
fn instant(value: &Value) -> Value {
    let read = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
    value.as_str().map_or(Value::Null, |text| json!(read(text)))
}

async fn batteries(house: &TestHouse) -> BTreeMap<String, Value> {
    let query = "{ devices(first: 100) { nodes { externalId batteryPercent vendorAccount { vendor } } } }";
    let data = house.client.data(query, json!({})).await;
    let nodes = data["devices"]["nodes"].as_array().unwrap();
    let ours = nodes.iter().filter(|device| device["vendorAccount"]["vendor"] == "LOCKT");
    ours.map(|device| (text(&device["externalId"]), device["batteryPercent"].clone())).collect()
}

on_both_back_ends! {
    async fn what_lockt_keeps_is_told_as_it_is(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let rows = async |path: &str| list(&house, Vendor::Lockt, &format!("/api/v1/{path}")).await;
        let held = records(&house, &house.client, Vendor::Lockt).await;
        let levels = |row: &Value| json!(ids(row["accesslevels"].as_array().unwrap(), "id"));
        // Fobs stand in the list of users as well, by their name.
        let users: Vec<Value> = rows("user").await.into_iter().filter(|user| user["name"].is_null()).collect();
        let people = said(&users, "id", |user| {
            json!([user["id_num"], user["email"], some(&user["card_num"]), user["enabled"], levels(user)])
        });
        let mut known = told(&held, "USER", |record| {
            let user = &record["details"];
            let levels: BTreeSet<String> = serde_json::from_value(user["accessLevelExternalIds"].clone()).unwrap();
            json!([user["idNumber"], user["email"], user["cardNumber"], user["enabled"], levels])
        });
        known.retain(|id, _| people.contains_key(id));
        assert_eq!(people.len(), 240);
        assert_eq!(known, people);

        let credentials = said(&rows("credential").await, "id", |credential| {
            json!([credential["card_num"], credential["user"].get(0).map(|user| id(&user["id"]))])
        });
        let cards = told(&held, "CREDENTIAL", |record| {
            json!([record["details"]["number"], record["details"]["userExternalId"]])
        });
        assert_eq!(cards, credentials, "the fobs are among them");
        let claimed = of_kind(&held, "CREDENTIAL").iter().filter(|it| it["details"]["status"] == "CLAIMED").count();
        let summary = &rows("credentialsummary").await[0];
        assert_eq!(json!(claimed), summary["claimed"]);
        let counted = &of_kind(&held, "CREDENTIAL_SUMMARY")[0]["details"];
        assert_eq!((&counted["claimed"], &counted["unclaimed"]), (&summary["claimed"], &summary["unclaimed"]));

        let levels = said(&rows("accesslevel").await, "id", |level| {
            json!([level["name"], level["doors"].as_array().map(|doors| ids(doors, "id")).unwrap_or_default()])
        });
        let known = told(&held, "ACCESS_LEVEL", |record| {
            let doors: BTreeSet<String> =
                serde_json::from_value(record["details"]["doorExternalIds"].clone()).unwrap();
            json!([record["name"], doors])
        });
        assert_eq!(known, levels);
        let schedules = said(&rows("schedule").await, "id", |schedule| {
            let days: Vec<u8> = (0..7).filter(|day| schedule[format!("d{day}")] == 1).collect();
            json!([schedule["name"], days, schedule["start"], schedule["stop"]])
        });
        let known = told(&held, "SCHEDULE", |record| {
            let details = &record["details"];
            json!([record["name"], details["days"], details["starts"], details["ends"]])
        });
        assert_eq!(known, schedules);

        let charged = said(&rows("doorstate").await, "id", |door| {
            door["battery_level"].as_f64().map_or(Value::Null, |level| json!((level * 100.0).round() as i64))
        });
        assert_eq!(batteries(&house).await, charged);
        house.stop().await;
    }

    async fn what_mews_keeps_is_told_as_it_is(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        parts::furnish(&house).await;
        sync(&house, Vendor::Mews).await.unwrap();
        let held = records(&house, &house.client, Vendor::Mews).await;
        let stays = parts::stays(&house).await;
        let stay_ids: Vec<String> = ids(&stays, "Id").into_iter().collect();
        let of_stays = json!({ "ReservationIds": stay_ids, "Extent": {} });
        let companions = mews_list(&house, "companionships/getAll", of_stays).await;
        let with = |stay: &Value| -> BTreeSet<String> {
            let of_stay = companions.iter().filter(|companion| companion["ReservationId"] == stay["Id"]);
            let people = of_stay.map(|companion| text(&companion["CustomerId"]));
            people.filter(|person| stay["AccountId"] != **person).collect()
        };
        assert!(stays.iter().any(|stay| with(stay).len() == 2), "a family is among them");
        let expected = said(&stays, "Id", |stay| {
            json!([
                stay["Number"],
                stay["State"],
                stay["AccountId"],
                stay["AssignedResourceId"],
                instant(&stay["ScheduledStartUtc"]),
                instant(&stay["ScheduledEndUtc"]),
                with(stay),
            ])
        });
        let known = told(&held, "RESERVATION", |record| {
            let stay = &record["details"];
            json!([
                record["name"],
                stay["vendorState"],
                stay["guestExternalId"],
                stay["resourceExternalId"],
                instant(&stay["startsAt"]),
                instant(&stay["endsAt"]),
                ids(stay["companions"].as_array().unwrap(), "userExternalId"),
            ])
        });
        assert_eq!(known, expected);

        let people: Vec<String> = of_kind(&held, "USER").iter().map(|user| text(&user["externalId"])).collect();
        let of_people = json!({ "CustomerIds": people, "Extent": { "Customers": true, "Addresses": false } });
        let customers = mews_list(&house, "customers/getAll", of_people).await;
        let expected = said(&customers, "Id", |person| json!([person["FirstName"], person["LastName"]]));
        let known = told(&held, "USER", |user| json!([user["details"]["firstName"], user["details"]["lastName"]]));
        assert_eq!(known, expected);

        let extent = json!({ "Extent": { "Resources": true, "Inactive": true } });
        let expected = said(&mews_list(&house, "resources/getAll", extent).await, "Id", |resource| {
            json!([resource["Name"], resource["ParentResourceId"], resource["IsActive"]])
        });
        let known = told(&held, "RESOURCE", |record| {
            json!([record["name"], record["details"]["parentExternalId"], record["details"]["active"]])
        });
        assert_eq!(known, expected);

        let by_stay = json!({ "ServiceOrderIds": stay_ids });
        let expected = said(&mews_list(&house, "resourceAccessTokens/getAll", by_stay).await, "Id", |token| {
            let window = (instant(&token["ValidityStartUtc"]), instant(&token["ValidityEndUtc"]));
            json!([token["SerialNumber"], token["ServiceOrderId"], token["IsActive"], window])
        });
        let known = told(&held, "ACCESS_TOKEN", |record| {
            let token = &record["details"];
            let window = (instant(&token["validFrom"]), instant(&token["validUntil"]));
            json!([token["serialNumber"], token["reservationExternalId"], token["active"], window])
        });
        assert_eq!((known.len(), &known), (1, &expected));
        house.stop().await;
    }

    async fn what_the_other_vendors_keep_is_told_as_it_is(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        parts::furnish(&house).await;
        for vendor in [Vendor::Bikeep, Vendor::Raixer, Vendor::Parqex] {
            sync(&house, vendor).await.unwrap();
        }
        let held = records(&house, &house.client, Vendor::Bikeep).await;
        let locations = list(&house, Vendor::Bikeep, "/location/v1/locations").await;
        let mut expected = said(&locations, "id", |location| json!([location["label"], location["address"]]));
        expected.retain(|id, _| house.vendors.credentials()[0].bikeep.locations.contains(id));
        assert_eq!(told(&held, "LOCATION", |_| Value::Null).len(), expected.len());

        let held = records(&house, &house.client, Vendor::Parqex).await;
        let user = ask(&house, Vendor::Parqex, Method::GET, "/oauth/v1/endpoints/user-info", Value::Null).await;
        let name = format!("{} {}", text(&user["data"]["first_name"]), text(&user["data"]["last_name"]));
        assert_eq!(of_kind(&held, "PROFILE")[0]["details"]["displayName"], name);

        let held = records(&house, &house.client, Vendor::Raixer).await;
        let schedules = list(&house, Vendor::Raixer, "/schedules").await;
        let expected = said(&schedules, "_id", |schedule| {
            json!([schedule["schedule"], schedule["time"], text(&schedule["doorPort"]).parse::<u8>().unwrap()])
        });
        let known = told(&held, "AUTO_ACCESS_SCHEDULE", |record| {
            let schedule = &record["details"];
            json!([instant(&schedule["startsAt"]), schedule["minutes"], schedule["position"]])
        });
        assert_eq!((known.len(), &known), (1, &expected));
        let device = text(&of_kind(&held, "SENSOR")[0]["device"]["externalId"]);
        let sensors = list(&house, Vendor::Raixer, &format!("/devices/{device}/sensors")).await;
        let expected = said(&sensors, "_id", |sensor| json!([sensor["name"], sensor["use"]]));
        assert_eq!(told(&held, "SENSOR", |record| json!([record["name"], record["details"]["usage"]])), expected);
        let connections = list(&house, Vendor::Raixer, "/connections").await;
        let expected = said(&connections, "_id", |connection| {
            let profile = text(&connection["profile"]).to_uppercase();
            json!([connection["deviceId"], profile, connection["disabled"], connection["device"]["owner"]])
        });
        let known = told(&held, "DEVICE_ACCESS", |record| {
            let access = &record["details"];
            json!([record["device"]["externalId"], access["profile"], access["disabled"], access["ownerExternalId"]])
        });
        assert_eq!(known, expected);
        let campaigns = list(&house, Vendor::Raixer, "/intercom-campaigns").await;
        let expected = said(&campaigns, "_id", |campaign| json!([campaign["name"], "INTERCOM"]));
        let known =
            told(&held, "CAMPAIGN", |record| json!([record["name"], record["details"]["campaignKind"]]));
        assert_eq!(known, expected);
        let phone = of_kind(&held, "CREDENTIAL")[0];
        assert_eq!(
            (&phone["details"]["number"], &phone["details"]["credentialType"], &phone["device"]["externalId"]),
            (&json!("351910000001"), &json!("PHONE_NUMBER"), &json!(device))
        );
        house.stop().await;
    }
}
