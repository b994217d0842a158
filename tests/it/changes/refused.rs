//! What is refused before anything is queued: arguments that make no sense, things that cannot do it, and what belongs to
//! something else.

use chrono::{TimeDelta, Utc};
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::Vendor;

use super::scene::{iso, made_id, mutate, person, record, records, succeed};
use crate::{
    orders::{account_id, command_count},
    refusals::assert_refused,
};

/// One payload, whichever mutation it is of.
async fn refused(house: &TestHouse, mutation: &str, input: Value, code: &str, at: Option<&str>) {
    let mut payload = mutate(&house.client, mutation, input.clone()).await;
    payload["command"] = payload["commands"].as_array().and_then(|all| all.first()).cloned().unwrap_or_default();
    assert!(payload["command"].is_null(), "{mutation} {input}: {payload:#}");
    assert_eq!(payload["userErrors"][0]["code"], code, "{mutation} {input}: {payload:#}");
    assert_refused(&payload, code, at);
}

/// What the refused changes are about.
struct Subjects {
    door: Value,
    device: Value,
    dock: Value,
    lockt: String,
    mews: String,
    stay: Value,
}

impl Subjects {
    async fn of(house: &TestHouse) -> Self {
        let door = house.door("RAIXER", "START_AUTO_ACCESS").await;
        let dock = house.door("BIKEEP", "OPEN_DOOR").await;
        let (lockt, mews) = (account_id(house, Vendor::Lockt).await, account_id(house, Vendor::Mews).await);
        let stay = records(house, json!({ "kinds": ["RESERVATION"] })).await[0]["id"].clone();
        let device = door["device"]["id"].clone();
        let door = door["id"].clone();
        Self { door, device, dock, lockt: lockt.to_string(), mews: mews.to_string(), stay }
    }
}

on_both_back_ends! {
    async fn bad_arguments_are_told_and_nothing_is_sent(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let of = Subjects::of(&house).await;
        let asked = house.vendors.journal(0).entries.len();
        let (door, device, lockt) = (&of.door, &of.device, &of.lockt);
        let (yesterday, tomorrow) = (iso(Utc::now() - TimeDelta::days(1)), iso(Utc::now() + TimeDelta::days(1)));
        let someone = |field: &str, value: Value| {
            let mut person = person(1);
            person[field] = value;
            json!([person])
        };
        let period = |from: &str, until: &str| {
            json!([{ "idNumber": "1", "firstName": "A", "lastName": "B", "accessFrom": from, "accessUntil": until }])
        };
        let fob = |number: &str, card: &str| json!([{ "idNumber": number, "name": "Fob", "cardNumber": card }]);
        let token = |value: &str, from: &str, until: &str| json!({
            "reservationId": of.stay, "tokenType": "PIN_CODE", "value": value, "validFrom": from, "validUntil": until,
            "permissions": { "room": true },
        });
        let cases = [
            ("startAutoAccess", json!({ "doorId": door, "minutes": 0 }), "minutes"),
            ("startAutoAccess", json!({ "doorId": door, "minutes": 1441 }), "minutes"),
            ("startAutoAccess", json!({ "doorId": door, "minutes": 5, "openingValue": 1e12 }), "openingValue"),
            ("startAutoAccess", json!({ "doorId": door, "minutes": 5, "expiresAt": tomorrow }), "expiresAt"),
            ("startAutoAccess", json!({ "doorId": door, "minutes": 5, "idempotencyKey": "" }), "idempotencyKey"),
            ("createAutoAccessSchedule", json!({ "doorId": door, "startsAt": yesterday, "minutes": 5 }), "startsAt"),
            ("createAutoAccessSchedule", json!({ "doorId": door, "startsAt": tomorrow, "minutes": 0 }), "minutes"),
            ("authorizePhone", json!({ "deviceId": device, "number": "+351910000000" }), "number"),
            ("authorizePhone", json!({ "deviceId": device, "number": "123456" }), "number"),
            ("authorizePhone", json!({ "deviceId": device, "number": "1234567890123456" }), "number"),
            ("readDeviceVariable", json!({ "deviceId": device, "variable": " " }), "variable"),
            ("executeDeviceFunction", json!({ "deviceId": device, "function": "" }), "function"),
            ("executeDeviceFunction", json!({ "deviceId": device, "function": "alarm", "argument": "1".repeat(64) }), "argument"),
            ("updateDoor", json!({ "doorId": door, "settings": {} }), "settings"),
            ("updateDoor", json!({ "doorId": door, "settings": { "name": "" } }), "settings"),
            ("createDoor", json!({ "deviceId": device, "settings": { "name": "x".repeat(101) } }), "settings"),
            ("createSensor", json!({ "deviceId": device, "settings": { "name": "a\nb" } }), "settings"),
            ("changeDeviceAccess", json!({ "deviceId": device, "holder": { "email": "a@b.example" } }), "profile"),
            ("suspendDeviceAccess", json!({ "deviceId": device, "holder": { "email": "nobody" } }), "holder"),
            ("createDoors", json!({ "vendorAccountId": lockt, "names": [] }), "names"),
            ("createDoors", json!({ "vendorAccountId": lockt, "names": vec!["Door"; 101] }), "names"),
            ("importUsers", json!({ "vendorAccountId": lockt, "users": [] }), "users"),
            ("importUsers", json!({ "vendorAccountId": lockt, "users": [person(1), person(1)] }), "users"),
            ("importUsers", json!({ "vendorAccountId": lockt, "users": someone("idNumber", json!("")) }), "users"),
            ("importUsers", json!({ "vendorAccountId": lockt, "users": someone("firstName", json!(" ")) }), "users"),
            ("importUsers", json!({ "vendorAccountId": lockt, "users": someone("pin", json!("12a4")) }), "users"),
            ("importUsers", json!({ "vendorAccountId": lockt, "users": someone("cardNumber", json!("12-4")) }), "users"),
            ("importUsers", json!({ "vendorAccountId": lockt, "users": period(&tomorrow, &yesterday) }), "users"),
            ("createFobs", json!({ "vendorAccountId": lockt, "fobs": fob("", "1") }), "fobs"),
            ("createFobs", json!({ "vendorAccountId": lockt, "fobs": fob("1", "x") }), "fobs"),
            ("assignFobs", json!({ "vendorAccountId": lockt, "assignments": [] }), "assignments"),
            ("reissueCredentials", json!({ "vendorAccountId": lockt, "credentialIds": [] }), "credentialIds"),
            ("addPmsAccessToken", token("", &yesterday, &tomorrow), "value"),
            ("addPmsAccessToken", token("1234", &tomorrow, &yesterday), "validUntil"),
        ];
        for (mutation, input, at) in cases {
            refused(&house, mutation, input, "INVALID_INPUT", Some(at)).await;
        }
        assert_eq!(command_count(&house).await, 0);
        assert_eq!(house.vendors.journal(0).entries.len(), asked, "a refusal reached a vendor");
        house.stop().await;
    }

    /// What cannot do it is not asked: a dock has no bell, a PMS no people, a card-lock system no tokens.
    async fn what_cannot_do_it_is_not_asked(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let of = Subjects::of(&house).await;
        let asked = house.vendors.journal(0).entries.len();
        let (dock, rack) = (&of.dock["id"], &of.dock["device"]["id"]);
        let raixer = account_id(&house, Vendor::Raixer).await.to_string();
        let cases = [
            ("startAutoAccess", json!({ "doorId": dock, "minutes": 5 }), "doorId"),
            ("setPhoneAccess", json!({ "doorId": dock, "enabled": true }), "doorId"),
            ("updateDoor", json!({ "doorId": dock, "settings": { "name": "Dock" } }), "doorId"),
            ("authorizePhone", json!({ "deviceId": rack, "number": "351910000000" }), "deviceId"),
            ("grantDeviceAccess", json!({ "deviceId": rack, "profile": "USER" }), "deviceId"),
            ("createSensor", json!({ "deviceId": rack, "settings": {} }), "deviceId"),
            ("executeDeviceFunction", json!({ "deviceId": rack, "function": "alarm", "argument": "1" }), "deviceId"),
            ("importUsers", json!({ "vendorAccountId": of.mews, "users": [person(1)] }), "vendorAccountId"),
            ("createDoors", json!({ "vendorAccountId": raixer, "names": ["Door"] }), "vendorAccountId"),
            ("readNextCardNumber", json!({ "vendorAccountId": of.mews }), "vendorAccountId"),
            ("updateAccountProfile", json!({ "vendorAccountId": of.lockt, "displayName": "We" }), "vendorAccountId"),
        ];
        for (mutation, input, at) in cases {
            refused(&house, mutation, input, "CAPABILITY_MISSING", Some(at)).await;
        }
        assert_eq!(command_count(&house).await, 0);
        assert_eq!(house.vendors.journal(0).entries.len(), asked, "a refusal reached a vendor");
        house.stop().await;
    }

    /// A record of something else is not changed by the way.
    async fn a_record_has_to_belong_to_what_is_changed(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let of = Subjects::of(&house).await;
        let other = house.door_where("RAIXER", "START_AUTO_ACCESS", |door| door["device"]["id"] != of.device).await;
        let input = json!({ "deviceId": other["device"]["id"], "profile": "USER" });
        let id = made_id(&house, &succeed(&house, "grantDeviceAccess", input).await).await;
        let access = record(&house, "DEVICE_ACCESS", &id).await.unwrap();
        let input = json!({ "deviceId": of.device, "holder": { "deviceAccessId": access["id"] } });
        refused(&house, "revokeDeviceAccess", input, "INVALID_INPUT", Some("holder")).await;
        // Of another kind it is as good as not there.
        for (mutation, field) in [("removePhone", "phoneId"), ("deleteSensor", "sensorId"), ("deleteAutoAccessSchedule", "scheduleId")] {
            let mut input = json!({});
            input[field] = access["id"].clone();
            refused(&house, mutation, input, "NOT_FOUND", Some(field)).await;
        }
        let credentials = json!([of.stay]);
        let input = json!({ "vendorAccountId": of.lockt, "credentialIds": credentials });
        refused(&house, "reissueCredentials", input, "NOT_FOUND", Some("credentialIds")).await;
        let input = json!({ "phoneId": text(&access["id"]).replace("rec_", "dev_") });
        refused(&house, "removePhone", input, "NOT_FOUND", Some("phoneId")).await;
        assert!(record(&house, "DEVICE_ACCESS", &id).await.is_some());
        house.stop().await;
    }
}
