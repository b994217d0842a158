//! A stored delivery processed again: on an operator's wish, with a trace, and without changing anything twice.

use chrono::{TimeDelta, Utc};
use domain::access::Role;
use gatehouse_tests::{
    client::{Client, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::Vendor;

use super::{address, deliver, deliveries, door_named, parqex, reauthorize, settled, told};
use crate::orders::{side_becomes, side_of};

async fn replay(client: &Client, delivery: &Value) -> Value {
    let query = "mutation($input: ReplayWebhookDeliveryInput!) { replayWebhookDelivery(input: $input) { \
        webhookDelivery { id } userErrors { code path } } }";
    let mut data = client.data(query, json!({ "input": { "webhookDeliveryId": delivery["id"] } })).await;
    data["replayWebhookDelivery"].take()
}

/// Replays a delivery and waits until it is processed once more.
async fn replayed(house: &TestHouse, vendor: Vendor, delivery: &Value, state: &str) -> Value {
    let payload = replay(&house.client, delivery).await;
    assert_eq!((&payload["userErrors"], &payload["webhookDelivery"]["id"]), (&json!([]), &delivery["id"]));
    until("it is processed again", async || {
        let all = deliveries(house, vendor).await;
        let now = all.into_iter().find(|other| other["id"] == delivery["id"]).unwrap();
        (now["state"] == state && now["attempts"].as_i64() > delivery["attempts"].as_i64()).then_some(now)
    })
    .await
}

async fn everything_told(house: &TestHouse, vendor: Vendor) -> Vec<Value> {
    let mut events = told(house, vendor, json!({})).await;
    events.retain(|event| event["type"] != "WEBHOOK_REPLAYED");
    events
}

on_both_back_ends! {
    async fn a_replay_changes_nothing_twice(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Parqex).await;
        let gate = door_named(&house, "PARQEX", "North gate", 1).await;
        let id = text(&gate["id"]);
        deliver(&url, &parqex(1, &gate, "OPEN", Utc::now() - TimeDelta::seconds(20))).await;
        side_becomes(&house, &id, "position", "OPEN").await;
        deliver(&url, &parqex(2, &gate, "CLOSED", Utc::now() - TimeDelta::seconds(10))).await;
        side_becomes(&house, &id, "position", "CLOSED").await;
        settled(&house, Vendor::Parqex, 2).await;
        let (events, state) = (everything_told(&house, Vendor::Parqex).await, side_of(&house, &id, "position").await);
        let first = deliveries(&house, Vendor::Parqex).await.remove(0);
        let again = replayed(&house, Vendor::Parqex, &first, "PROCESSED").await;
        assert_eq!((&again["receivedAt"], &again["size"]), (&first["receivedAt"], &first["size"]));
        assert_eq!(everything_told(&house, Vendor::Parqex).await, events);
        assert_eq!(side_of(&house, &id, "position").await, state);
        let traces = told(&house, Vendor::Parqex, json!({ "types": ["WEBHOOK_REPLAYED"] })).await;
        assert_eq!(traces.len(), 1);
        assert_eq!(traces[0]["data"]["delivery"], first["id"]);
        let me = house.client.data("{ viewer { id } }", json!({})).await;
        assert_eq!(traces[0]["actor"], me["viewer"]["id"], "{traces:#?}");
        house.stop().await;
    }

    /// A vendor that tells no time: the delivery's own counts, also when it is read again later.
    async fn an_undated_delivery_keeps_its_place(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Raixer).await;
        let door = door_named(&house, "RAIXER", "Market street 1", 1).await;
        let (id, device) = (text(&door["id"]), &door["device"]["externalId"]);
        for (event, position) in [("door-open", "OPEN"), ("door-closed", "CLOSED")] {
            deliver(&url, &json!({ "event": event, "coreid": device })).await;
            side_becomes(&house, &id, "position", position).await;
        }
        settled(&house, Vendor::Raixer, 2).await;
        let (events, state) = (everything_told(&house, Vendor::Raixer).await, side_of(&house, &id, "position").await);
        let all = deliveries(&house, Vendor::Raixer).await;
        for (event, delivery) in events[events.len() - 2..].iter().zip(&all) {
            assert_eq!(event["occurredAt"], delivery["receivedAt"], "{event:#}");
        }
        replayed(&house, Vendor::Raixer, &all[0], "PROCESSED").await;
        assert_eq!(side_of(&house, &id, "position").await, state);
        assert_eq!(everything_told(&house, Vendor::Raixer).await, events);
        house.stop().await;
    }

    /// What was refused for want of the right key can be read once we have it.
    async fn a_rejected_delivery_can_be_saved(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Mews).await;
        reauthorize(&house, Vendor::Mews, json!({ "webhookSecret": "the-wrong-one" })).await;
        let body = json!({ "Events": [{ "Discriminator": "RobotUpdated", "Value": { "Id": "r2" } }] });
        deliver(&format!("{url}?secret=the-right-one"), &body).await;
        settled(&house, Vendor::Mews, 1).await;
        let refused = deliveries(&house, Vendor::Mews).await.remove(0);
        assert_eq!(refused["state"], "REJECTED");
        replayed(&house, Vendor::Mews, &refused, "REJECTED").await;
        reauthorize(&house, Vendor::Mews, json!({ "webhookSecret": "the-right-one" })).await;
        let refused = deliveries(&house, Vendor::Mews).await.remove(0);
        replayed(&house, Vendor::Mews, &refused, "PROCESSED").await;
        assert_eq!(told(&house, Vendor::Mews, json!({ "types": ["VENDOR_EVENT"] })).await.len(), 1);
        assert_eq!(told(&house, Vendor::Mews, json!({ "types": ["WEBHOOK_REPLAYED"] })).await.len(), 2);
        house.stop().await;
    }

    async fn only_those_who_may(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Raixer).await;
        deliver(&url, &json!({ "event": "power-out", "coreid": "x" })).await;
        settled(&house, Vendor::Raixer, 1).await;
        let delivery = deliveries(&house, Vendor::Raixer).await.remove(0);
        let manager = house.caller_with_role(Role::Manager).await;
        for (client, code) in [(&manager, "FORBIDDEN"), (&house.stranger().await, "NOT_FOUND")] {
            let payload = replay(client, &delivery).await;
            assert_eq!(payload["userErrors"][0]["code"], code, "{payload:#}");
        }
        for id in ["whd_01890000000000000000000000", "door_x", ""] {
            let payload = replay(&house.client, &json!({ "id": id })).await;
            assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND", "{payload:#}");
        }
        assert_eq!(deliveries(&house, Vendor::Raixer).await, [delivery]);
        house.stop().await;
    }
}
