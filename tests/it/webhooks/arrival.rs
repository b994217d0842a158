//! The simulated vendors' own webhooks, from what happens at the hardware to what a caller sees.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{
    BikeepHealth, BikeepNotice, MewsChange, MewsIntegrationAction, MewsState, RaixerChange, Vendor, WorldChange,
};

use super::{account_id, connect, deliver, door_named, instant, settled, told, told_of};
use crate::orders::{account_becomes, events, side_becomes, side_of};

async fn device_becomes(house: &TestHouse, door: &Value, health: &str) {
    let query = "query($id: ID!) { device(id: $id) { health } }";
    until(&format!("the device is {health}"), async || {
        let data = house.client.data(query, json!({ "id": door["device"]["id"] })).await;
        (data["device"]["health"] == health).then_some(())
    })
    .await;
}

/// When the latest webhook of a vendor was fired, by its own clock.
fn fired_at(house: &TestHouse, field: &str) -> chrono::DateTime<chrono::Utc> {
    instant(&house.vendors.webhooks(0).entries.last().unwrap().body[field])
}

/// The first record of a kind at Mews that `fits`.
async fn record(house: &TestHouse, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let query = "query($filter: RecordFilter) { records(first: 100, filter: $filter) { nodes { id externalId name \
        version details { ... on ReservationDetails { reservationState vendorState guestExternalId } \
        ... on ResourceDetails { resourceState } } } } }";
    let filter = json!({ "vendorAccountId": account_id(house, Vendor::Mews).await.to_string(), "kinds": [kind] });
    let mut data = house.client.data(query, json!({ "filter": filter })).await;
    let records: Vec<Value> = serde_json::from_value(data["records"]["nodes"].take()).unwrap();
    records.into_iter().find(|record| fits(record)).unwrap_or_else(|| panic!("no such {kind}"))
}

on_both_back_ends! {
    async fn what_happens_at_an_intercom(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        connect(&house, Vendor::Raixer).await;
        let single = door_named(&house, "RAIXER", "Market street 1", 1).await;
        let device = text(&single["device"]["externalId"]);
        let at = |what| house.vendors.change(WorldChange::Raixer(what)).unwrap();
        at(RaixerChange::Door { device: device.clone(), position: 1, open: true });
        side_becomes(&house, &text(&single["id"]), "position", "OPEN").await;
        let opened_at = fired_at(&house, "published_at");
        let opened = side_of(&house, &text(&single["id"]), "position").await;
        assert_eq!(instant(&opened["observedAt"]), opened_at, "by the device's clock: {opened:#}");
        let opened = told_of(&house, Vendor::Raixer, "DOOR_OPENED", 2).await;
        // The push and the history, whichever was read first.
        let codes: BTreeSet<_> = opened.iter().map(|event| text(&event["vendorCode"])).collect();
        assert_eq!(codes, ["connections.detail.history.action.doorIsOpen", "door-open"].map(str::to_owned).into());
        for event in &opened {
            assert_eq!((&event["door"]["id"], instant(&event["occurredAt"])), (&single["id"], opened_at), "{event:#}");
            assert!(instant(&event["recordedAt"]) >= opened_at, "{event:#}");
        }

        // Of two doors the push does not say which; the history does.
        let left = door_named(&house, "RAIXER", "Market street 3", 2).await;
        let right = door_named(&house, "RAIXER", "Market street 3", 1).await;
        let double = text(&left["device"]["externalId"]);
        at(RaixerChange::Door { device: double, position: 2, open: true });
        side_becomes(&house, &text(&left["id"]), "position", "OPEN").await;
        assert_ne!(side_of(&house, &text(&right["id"]), "position").await["value"], "OPEN");
        let opened = told_of(&house, Vendor::Raixer, "DOOR_OPENED", 4).await;
        let places: BTreeSet<_> = opened[2..].iter().map(|event| event["door"]["id"].as_str()).collect();
        assert_eq!(places, BTreeSet::from([None, left["id"].as_str()]));
        assert!(opened[2..].iter().all(|event| event["device"]["id"] == left["device"]["id"]), "{opened:#?}");

        house.vendors.change(WorldChange::RaixerOnline { device: device.clone(), online: false }).unwrap();
        told_of(&house, Vendor::Raixer, "DEVICE_OFFLINE", 1).await;
        device_becomes(&house, &single, "OFFLINE").await;
        house.vendors.change(WorldChange::RaixerOnline { device: device.clone(), online: true }).unwrap();
        told_of(&house, Vendor::Raixer, "DEVICE_ONLINE", 1).await;
        device_becomes(&house, &single, "HEALTHY").await;

        at(RaixerChange::Power { device: device.clone(), on: false });
        at(RaixerChange::Power { device: device.clone(), on: true });
        at(RaixerChange::Movement { device: device.clone(), detected: true });
        at(RaixerChange::Movement { device: device.clone(), detected: false });
        at(RaixerChange::Button { device });
        for (kind, code) in [
            ("POWER_LOST", "power-out"),
            ("POWER_RESTORED", "power-in"),
            ("MOVEMENT_DETECTED", "movement-1"),
            ("MOVEMENT_ENDED", "movement-0"),
            ("BUTTON_PRESSED", "mainButton-press"),
        ] {
            until(&format!("{code} is told"), async || {
                let events = told(&house, Vendor::Raixer, json!({ "types": [kind] })).await;
                let pushed = events.into_iter().find(|event| event["vendorCode"] == code)?;
                (pushed["device"]["id"] == single["device"]["id"]).then_some(())
            })
            .await;
        }
        house.stop().await;
    }

    async fn what_happens_at_a_gate(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        connect(&house, Vendor::Parqex).await;
        let gate = door_named(&house, "PARQEX", "South gate", 2).await;
        let id = text(&gate["id"]);
        let door = text(&gate["externalId"]);
        house.vendors.change(WorldChange::ParqexDoor { door: door.clone(), open: true }).unwrap();
        side_becomes(&house, &id, "position", "OPEN").await;
        let opened_at = fired_at(&house, "eventOccurredUTC");
        assert_eq!(instant(&side_of(&house, &id, "position").await["observedAt"]), opened_at);
        let event = told_of(&house, Vendor::Parqex, "DOOR_OPENED", 1).await.remove(0);
        assert_eq!((&event["door"]["id"], instant(&event["occurredAt"])), (&gate["id"], opened_at), "{event:#}");
        assert_eq!(event["vendorCode"], "door2_open");
        assert_eq!(event["data"]["channel"], "Door Sensor");
        assert!(event["data"]["toggleID"].is_string(), "what groups its events: {event:#}");
        house.vendors.change(WorldChange::ParqexDoor { door, open: false }).unwrap();
        settled(&house, Vendor::Parqex, 2).await;
        assert_eq!(told_of(&house, Vendor::Parqex, "DOOR_CLOSED", 1).await[0]["vendorCode"], "door2_closed");
        house.stop().await;
    }

    /// Bikeep collects for minutes: what it tells then keeps the time at which it happened.
    async fn what_happens_at_a_dock(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        connect(&house, Vendor::Bikeep).await;
        let dock = door_named(&house, "BIKEEP", "Quay dock 1", 1).await;
        let device = text(&dock["device"]["externalId"]);
        let began = house.clock.as_ref().map(domain::clock::Clock::now).unwrap();
        let dead = WorldChange::BikeepHealth { device: device.clone(), health: Some(BikeepHealth::Dead) };
        house.vendors.change(dead).unwrap();
        let alarm = WorldChange::BikeepAlarm { device, category: "security".to_owned(), reason: "wire_cut".to_owned() };
        house.vendors.change(alarm).unwrap();
        house.advance(TimeDelta::minutes(6));
        house.vendors.webhooks_delivered().await;
        device_becomes(&house, &dock, "OFFLINE").await;
        for kind in ["DEVICE_OFFLINE", "DEVICE_ALARM"] {
            let event = told_of(&house, Vendor::Bikeep, kind, 1).await.remove(0);
            let (occurred, recorded) = (instant(&event["occurredAt"]), instant(&event["recordedAt"]));
            assert!((occurred - began).abs() <= TimeDelta::seconds(1), "{event:#}");
            assert!(recorded >= began + TimeDelta::minutes(5), "{event:#}");
            assert_eq!(event["device"]["id"], dock["device"]["id"]);
        }
        let alarm = told(&house, Vendor::Bikeep, json!({ "types": ["DEVICE_ALARM"] })).await.remove(0);
        assert_eq!((&alarm["vendorCode"], &alarm["data"]["alarm_reason"]), (&json!("alarm"), &json!("wire_cut")));
        let user = house.vendors.credentials()[0].bikeep.user.clone();
        let data = json!({ "report_id": "r1", "report_url": "https://x.test/canary", "otp": "canary" });
        house.vendors.change(WorldChange::BikeepNotice { user, notice: BikeepNotice::Report, data }).unwrap();
        let report = told_of(&house, Vendor::Bikeep, "VENDOR_EVENT", 1).await.remove(0);
        assert_eq!((&report["vendorCode"], &report["data"]["report_id"]), (&json!("report"), &json!("r1")));
        assert!(!report.to_string().contains("canary"), "what opens something is no event's: {report:#}");
        house.stop().await;
    }

    /// Mews tells ids only; what they name is read again, each by itself.
    async fn what_happens_at_a_hotel(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = connect(&house, Vendor::Mews).await;
        let arriving = |record: &Value| record["details"]["reservationState"] == "CONFIRMED";
        let stay = record(&house, "RESERVATION", arriving).await;
        let id = text(&stay["externalId"]);
        let starts = MewsChange::SetState { reservation: id.clone(), state: MewsState::Started };
        house.vendors.change(WorldChange::Mews(starts)).unwrap();
        until("the stay has started", async || {
            let now = record(&house, "RESERVATION", |record| record["externalId"] == id).await;
            (now["details"]["reservationState"] == "STARTED" && now["id"] == stay["id"]).then_some(())
        })
        .await;
        settled(&house, Vendor::Mews, 1).await;
        let alone = |operation, ids: &str| {
            let requests = house.vendors.requests_to(Vendor::Mews, operation);
            requests.iter().filter(|request| request.body.contains(ids)).count()
        };
        assert_eq!(alone("list_reservations", &format!("\"ReservationIds\":[\"{id}\"]")), 1);

        let guest = text(&stay["details"]["guestExternalId"]);
        let edit = MewsChange::EditCustomer {
            customer: guest.clone(),
            first_name: None,
            last_name: Some("Renamed".to_owned()),
            email: None,
            phone: None,
        };
        house.vendors.change(WorldChange::Mews(edit)).unwrap();
        until("the guest has another name", async || {
            let now = record(&house, "USER", |record| record["externalId"] == guest).await;
            text(&now["name"]).contains("Renamed").then_some(())
        })
        .await;
        settled(&house, Vendor::Mews, 2).await;
        let by_hint = alone("list_customers", &format!("\"CustomerIds\":[\"{guest}\"]"));
        assert!(by_hint > 0, "not by the next sync");

        let unknown = json!({ "Events": [{ "Discriminator": "RobotUpdated", "Value": { "Id": "r2" } }] });
        deliver(&url, &unknown).await;
        let event = told_of(&house, Vendor::Mews, "VENDOR_EVENT", 1).await.remove(0);
        assert_eq!((&event["vendorCode"], &event["data"]["id"]), (&json!("RobotUpdated"), &json!("r2")));
        settled(&house, Vendor::Mews, 3).await;
        house.stop().await;
    }

    /// A new key kills the old one: the account says so, and the key in the message goes nowhere.
    async fn a_new_key_at_the_hotel(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        connect(&house, Vendor::Mews).await;
        let access_token = house.vendors.credentials()[0].mews.access_token.clone();
        let action = MewsIntegrationAction::ApiKeyCreated;
        let new_access_token = Some("canary-of-a-key".to_owned());
        let change = MewsChange::Integration { access_token, action, new_access_token };
        house.vendors.change(WorldChange::Mews(change)).unwrap();
        let event = told_of(&house, Vendor::Mews, "VENDOR_EVENT", 1).await.remove(0);
        assert_eq!(event["vendorCode"], "IntegrationApiKeyCreated");
        account_becomes(&house, Vendor::Mews, "REAUTH_REQUIRED").await;
        let all = json!(events(&house, json!({})).await).to_string();
        assert!(!all.contains("canary"), "{all}");
        house.stop().await;
    }
}
