//! The tour of ParqEx: its user consents, gates open and close on request, a webhook tells what a hand did, the access is
//! renewed, and the history brings what happened.

use chrono::TimeDelta;
use domain::command::CommandKind;
use gatehouse_tests::{
    client::{http, text},
    house::Plan,
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{EffectKind, Vendor, WorldChange};

use super::{Ground, Tour, rows};

pub(super) fn ground() -> Ground {
    Ground {
        vendor: Vendor::Parqex,
        rows: rows("P", 1..=4),
        given_up: Vec::new(),
        kinds: &[CommandKind::OpenDoor, CommandKind::CloseDoor],
    }
}

/// Links the operator's user through their consent. Returns the payload of the mutation.
async fn consented(tour: &Tour) -> Value {
    let client = &tour.house.vendors.credentials()[0].parqex;
    let credentials = json!({ "clientId": client.client_id, "clientSecret": client.client_secret });
    let linked = tour.link("Garage", credentials).await;
    let account = text(&linked["vendorAccount"]["id"]);
    assert_eq!(linked["vendorAccount"]["state"], "REAUTH_REQUIRED", "{linked:#}");
    let page = http().get(text(&linked["authorizationUrl"])).send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.url().path()), (200, "/oauth/callback"));
    tour.synced(&account, &Value::Null).await;
    let counts = tour.house.vendors.parqex_oauth(&client.email);
    assert_eq!((counts.authorizations, counts.exchanges, counts.refreshes), (1, 1, 0));
    linked
}

fn position_is<'a>(door: &'a Value, value: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |device| {
        let doors = device["doors"].as_array().unwrap();
        doors.iter().any(|shown| shown["id"] == door["id"] && shown["state"]["position"]["value"] == value)
    }
}

on_both_back_ends! {
    async fn every_row_of_parqex_is_used(back_end: BackEnd) {
        let mut tour = Tour::start(Plan::on(back_end).with_manual_clock(), Vendor::Parqex).await;
        let linked = consented(&tour).await;
        let (account, user) = (text(&linked["vendorAccount"]["id"]), tour.house.vendors.credentials()[0].parqex.email.clone());
        let profile = tour.records(json!({ "vendorAccountId": account, "kinds": ["PROFILE"] })).await;
        assert_eq!(profile[0]["details"]["profileEmail"], user, "{profile:#?}");

        let devices = tour.devices(&account).await;
        assert_eq!(devices.len(), 3, "{devices:#?}");
        let mut gate = Value::Null;
        for device in devices.values() {
            let doors = tour.device(&device["id"]).await["doors"].take();
            gate = doors.as_array().unwrap().iter().find(|door| door["name"] == "North gate").cloned().unwrap_or(gate);
        }
        let device = {
            let query = "query($id: ID!) { door(id: $id) { device { id } } }";
            tour.house.client.data(query, json!({ "id": gate["id"] })).await["door"]["device"].take()
        };
        tour.done("openDoor", json!({ "doorId": gate["id"] }), &[EffectKind::Open]).await;
        tour.device_becomes("the gate is open", &device["id"], position_is(&gate, "OPEN")).await;
        tour.house.advance(TimeDelta::seconds(10));
        tour.done("closeDoor", json!({ "doorId": gate["id"] }), &[EffectKind::Close]).await;
        tour.device_becomes("the gate is closed", &device["id"], position_is(&gate, "CLOSED")).await;

        // P5: somebody opens it by hand, and nobody asked.
        tour.hear(&user, &linked["webhookUrl"]);
        tour.house.advance(TimeDelta::seconds(10));
        tour.house.vendors.change(WorldChange::ParqexDoor { door: text(&gate["externalId"]), open: true }).unwrap();
        assert_eq!(tour.heard(&account).await, 1);
        let event = tour.event(&device, "DOOR_OPENED").await;
        assert_eq!((&event["door"]["id"], &event["vendorCode"]), (&gate["id"], &json!("door1_open")), "{event:#}");
        tour.device_becomes("the gate is open again", &device["id"], position_is(&gate, "OPEN")).await;

        // The access ends after an hour, and is renewed on the way.
        tour.house.advance(TimeDelta::hours(2));
        tour.done("closeDoor", json!({ "doorId": gate["id"] }), &[EffectKind::Close]).await;
        let counts = tour.house.vendors.parqex_oauth(&user);
        assert_eq!((counts.refreshes, counts.reused_refresh_tokens), (1, 0));

        let history = || tour.house.vendors.requests_to(Vendor::Parqex, "toggle_history").len();
        let before = history();
        tour.sync(&account).await;
        assert!(history() > before);
        let event = tour.event(&device, "DOOR_CLOSED").await;
        assert!(event["vendorCode"].is_string(), "{event:#}");
        tour.end(&ground()).await;
    }
}
