//! Keys for repetition, one caller at a time: the same key is the same command, another order under it is refused.
//! Many callers at once are in `together`.

use chrono::{SecondsFormat, TimeDelta};
use domain::access::Role;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};

use crate::{
    orders::{command_count, dispatch_count},
    refusals::assert_refused,
};

on_both_back_ends! {
    async fn another_order_under_the_same_key_is_refused(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let dock = house.door("BIKEEP", "BOOK_DOOR").await;
        let other = house.door_where("BIKEEP", "BOOK_DOOR", |door| door["id"] != dock["id"]).await;
        let wire =
            |hours| json!((chrono::Utc::now() + TimeDelta::hours(hours)).to_rfc3339_opts(SecondsFormat::Secs, true));
        let (early, late) = (wire(1), wire(2));
        let (door, device) = (&dock["id"], &dock["device"]["id"]);
        let orders: Vec<(&str, Value)> = vec![
            ("bookDoor", json!({ "doorId": door, "until": early })),
            ("bookDoor", json!({ "doorId": door, "until": late })),
            ("bookDoor", json!({ "doorId": door })),
            ("bookDoor", json!({ "doorId": other["id"], "until": early })),
            ("lockDoor", json!({ "doorId": door })),
            ("unlockDoor", json!({ "doorId": door })),
            ("forceUnlockDoor", json!({ "doorId": door, "reason": "TESTING" })),
            ("forceUnlockDoor", json!({ "doorId": door, "reason": "MAINTENANCE" })),
            ("forceUnlockDoor", json!({ "doorId": door, "reason": "TESTING", "comment": "because" })),
            ("syncDevice", json!({ "deviceId": device })),
            ("syncDevice", json!({ "deviceId": device, "powerCycle": true })),
            ("syncDevice", json!({ "deviceId": other["device"]["id"] })),
        ];
        for (index, (mutation, input)) in orders.iter().enumerate() {
            let keyed = |input: &Value| {
                let mut input = input.clone();
                input["idempotencyKey"] = json!(format!("key {index}"));
                input
            };
            let id = house.client.command(mutation, keyed(input)).await;
            assert_eq!(house.client.command(mutation, keyed(input)).await, id, "the same order is the same command");
            for (_, (another, input)) in orders.iter().enumerate().filter(|(at, _)| *at != index) {
                let payload = house.client.mutate(another, keyed(input)).await;
                assert_refused(&payload, "IDEMPOTENCY_KEY_REUSED", Some("idempotencyKey"));
            }
            assert_eq!(command_count(&house).await, index as u64 + 1);
            // The key is the caller's own: for somebody else it is another key, and nobody reads it.
            let colleague = house.caller_with_role(Role::Manager).await;
            assert_eq!(house.client.read_command(&id).await["idempotencyKey"], format!("key {index}"));
            assert_eq!(colleague.read_command(&id).await["idempotencyKey"], Value::Null);
        }
        assert_eq!(dispatch_count(&house), 0);
        house.stop().await;
    }

    async fn a_key_has_1_to_128_printable_characters(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let send = async |key: &str| {
            house.client.mutate("openDoor", json!({ "doorId": door["id"], "idempotencyKey": key })).await
        };
        for key in ["", &"k".repeat(129), &"🔑".repeat(129), "a\nb", "\u{1}", "\u{7f}", "a\u{85}"] {
            assert_refused(&send(key).await, "INVALID_INPUT", Some("idempotencyKey"));
        }
        assert_eq!(command_count(&house).await, 0);
        for key in ["k", &"k".repeat(128), &"🔑".repeat(128), "'; DROP TABLE commands; --", " ", "K"] {
            let first = send(key).await;
            assert_eq!(first["userErrors"], json!([]), "{key}: {first:#}");
            assert_eq!(send(key).await["command"]["id"], first["command"]["id"], "{key}");
        }
        assert_eq!(command_count(&house).await, 6, "capitals are other letters");
        house.stop().await;
    }

    /// A client that lost the answer repeats its request as it was, however late (rule 4).
    async fn a_late_repetition_is_still_the_same_command(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let now = domain::clock::Clock::now(house.clock.as_ref().unwrap());
        let wire = |at: chrono::DateTime<chrono::Utc>| json!(at.to_rfc3339_opts(SecondsFormat::Micros, true));
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let open =
            json!({ "doorId": door["id"], "idempotencyKey": "once", "expiresAt": wire(now + TimeDelta::seconds(5)) });
        let id = house.client.command("openDoor", open.clone()).await;
        assert_eq!(house.client.finished(&id).await["state"], "SUCCEEDED");
        house.advance(TimeDelta::minutes(10));
        let payload = house.client.mutate("openDoor", open).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        assert_eq!((text(&payload["command"]["id"]), house.effects()), (id, 1));
        house.stop().await;
    }
}
