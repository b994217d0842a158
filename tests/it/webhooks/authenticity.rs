//! Marks that show that the vendor sent it: without the right one a delivery is kept for a look and changes nothing.

use gatehouse_tests::{
    client::{http, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulator::Vendor;

use super::{address, deliver, deliveries, door_named, parqex, reauthorize, settled, told};
use crate::orders::{events, side_of};

async fn deliver_with(url: &str, header: (&str, &str), body: &Value) {
    let request = http().post(url).header(header.0, header.1).body(body.to_string());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::ACCEPTED, "it is told after the answer");
}

/// The latest delivery, which must be rejected and say why without the mark.
async fn assert_rejected(house: &TestHouse, vendor: Vendor) {
    let last = deliveries(house, vendor).await.pop().unwrap();
    assert_eq!(last["state"], "REJECTED", "{last:#}");
    assert!(last["note"].is_string() && !last.to_string().contains("canary"), "{last:#}");
}

on_both_back_ends! {
    async fn a_gates_key(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Parqex).await;
        let gate = door_named(&house, "PARQEX", "North gate", 1).await;
        let key = json!({ "webhookKey": "canary-key", "webhookKeyHeader": "X-ParqEx-Key" });
        reauthorize(&house, Vendor::Parqex, key).await;
        let before = side_of(&house, &text(&gate["id"]), "position").await;
        let (asked, known) = (house.vendors.requests_to(Vendor::Parqex, "sync").len(), events(&house, json!({})).await);
        let body = parqex(1, &gate, "OPEN", chrono::Utc::now());
        deliver(&url, &body).await;
        deliver_with(&url, ("x-parqex-key", "canary-kez"), &body).await;
        deliver_with(&url, ("x-other-header", "canary-key"), &body).await;
        deliver(&format!("{url}?key=canary-key"), &body).await;
        assert_eq!(settled(&house, Vendor::Parqex, 4).await, (0, 4));
        assert_rejected(&house, Vendor::Parqex).await;
        assert_eq!(side_of(&house, &text(&gate["id"]), "position").await, before);
        assert_eq!(house.vendors.requests_to(Vendor::Parqex, "sync").len(), asked, "nothing is asked for it");
        assert_eq!(events(&house, json!({})).await, known);
        deliver_with(&url, ("x-parqex-key", "canary-key"), &body).await;
        assert_eq!(settled(&house, Vendor::Parqex, 5).await, (1, 4));
        assert_eq!(side_of(&house, &text(&gate["id"]), "position").await["value"], "OPEN");

        // The document does not name the header: where nobody told us, any may hold the key.
        reauthorize(&house, Vendor::Parqex, json!({ "webhookKey": "canary-other" })).await;
        deliver_with(&url, ("x-any", "canary-key"), &body).await;
        deliver_with(&url, ("x-any", "canary-other"), &body).await;
        assert_eq!(settled(&house, Vendor::Parqex, 7).await, (2, 5));
        house.stop().await;
    }

    async fn a_docks_hash(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Bikeep).await;
        let data = json!({ "device_id": "x", "alarm_category": "security", "alarm_reason": "wire_cut" });
        deliver(&url, &json!({ "type": "alarm", "version": 2, "data": data })).await;
        deliver(&url, &json!({ "type": "alarm", "version": 2, "data": data, "hash": "" })).await;
        deliver(&url, &json!({ "type": "alarm", "version": 2, "data": data, "hash": "canary" })).await;
        assert_eq!(settled(&house, Vendor::Bikeep, 3).await, (0, 3));
        assert_rejected(&house, Vendor::Bikeep).await;
        assert_eq!(told(&house, Vendor::Bikeep, json!({ "types": ["DEVICE_ALARM"] })).await, [] as [Value; 0]);
        house.stop().await;
    }

    async fn a_hotels_secret(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Mews).await;
        reauthorize(&house, Vendor::Mews, json!({ "webhookSecret": "canary/secret&1" })).await;
        let body = json!({ "Events": [{ "Discriminator": "RobotUpdated", "Value": { "Id": "r2" } }] });
        deliver(&url, &body).await;
        deliver(&format!("{url}?secret=canary"), &body).await;
        deliver(&format!("{url}?canary%2Fsecret%261=x"), &body).await;
        assert_eq!(settled(&house, Vendor::Mews, 3).await, (0, 3));
        assert_rejected(&house, Vendor::Mews).await;
        assert_eq!(told(&house, Vendor::Mews, json!({ "types": ["VENDOR_EVENT"] })).await, [] as [Value; 0]);
        deliver(&format!("{url}?secret=canary%2Fsecret%261"), &body).await;
        assert_eq!(settled(&house, Vendor::Mews, 4).await, (1, 3));
        assert_eq!(told(&house, Vendor::Mews, json!({ "types": ["VENDOR_EVENT"] })).await.len(), 1);
        house.stop().await;
    }
}
