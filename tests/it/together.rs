//! P2 and P4: the same key is the same command; many presses are one pulse; later orders win.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::json;
use simulator::EffectKind;

on_both_back_ends! {
    async fn a_thousand_equal_keys_are_one_command(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let input = json!({ "doorId": door["id"], "idempotencyKey": "the one and only" });
        let calls = (0..1_000).map(|_| house.client.command("openDoor", input.clone()));
        let ids: BTreeSet<String> = futures::future::join_all(calls).await.into_iter().collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        let id = ids.first().unwrap();
        assert_eq!(house.client.finished(id).await["state"], "SUCCEEDED");
        assert_eq!(house.effects(), 1);
        // Afterwards too, and for another caller the key is another key.
        assert_eq!(&house.client.command("openDoor", input.clone()).await, id);
        let other = house.caller_with_role(domain::access::Role::Operator).await;
        assert_ne!(&other.command("openDoor", input).await, id);
        house.stop().await;
    }

    /// Fifty people press open within two seconds: one pulse, fifty commands that end alike.
    async fn fifty_presses_are_one_pulse(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        for vendor in ["RAIXER", "PARQEX", "BIKEEP"] {
            let door = house.door(vendor, "OPEN_DOOR").await;
            let before = house.effects();
            let presses = (0..50).map(|_| house.client.command("openDoor", json!({ "doorId": door["id"] })));
            let ids = futures::future::join_all(presses).await;
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 50);
            let mut leaders = 0;
            for id in &ids {
                let command = house.client.finished(id).await;
                assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
                leaders += usize::from(command["coalescedWith"].is_null());
            }
            assert_eq!((leaders, house.effects() - before), (1, 1), "{vendor}");
        }
        house.stop().await;
    }

    /// Past the window a press is a wish of its own.
    async fn a_later_press_is_another_pulse(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        for pulses in 1..=3 {
            let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
            assert_eq!(house.client.finished(&id).await["state"], "SUCCEEDED");
            assert_eq!(house.effects(), pulses);
            house.advance(TimeDelta::seconds(4));
        }
        house.stop().await;
    }

    /// A closing order calls off what has not left yet (P4).
    async fn closing_calls_off_queued_opens(back_end: BackEnd) {
        let mut house = Plan::on(back_end).without_worker().start().await;
        let gate = house.door("PARQEX", "CLOSE_DOOR").await;
        let mut opens = Vec::new();
        for _ in 0..3 {
            opens.push(house.client.command("openDoor", json!({ "doorId": gate["id"] })).await);
        }
        let close = house.client.command("closeDoor", json!({ "doorId": gate["id"] })).await;
        for id in &opens {
            let command = house.client.read_command(id).await;
            assert_eq!((&command["state"], &command["failure"]["code"]), (&json!("CANCELED"), &json!("SUPERSEDED")));
        }
        house.start_worker().await;
        house.client.finished(&close).await;
        let opened = house.vendors.effects(0).entries.into_iter().filter(|effect| effect.kind == EffectKind::Open);
        assert_eq!(opened.count(), 0);
        house.stop().await;
    }

    /// Commands of one door leave in the order of their asking.
    async fn one_door_is_served_in_order(back_end: BackEnd) {
        let mut house = Plan::on(back_end).without_worker().start().await;
        let dock = house
            .door_where("BIKEEP", "LOCK_DOOR", |door| door["state"]["occupancy"]["value"] == "FREE")
            .await;
        let mut ids = Vec::new();
        for mutation in ["bookDoor", "cancelBooking", "lockDoor", "unlockDoor"] {
            ids.push(house.client.command(mutation, json!({ "doorId": dock["id"] })).await);
        }
        house.start_worker().await;
        for id in &ids {
            let command = house.client.finished(id).await;
            assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
        }
        let asked: Vec<String> = house
            .vendors
            .requests_to(simulator::Vendor::Bikeep, "send_command")
            .iter()
            .map(|request| serde_json::from_str::<serde_json::Value>(&request.body).unwrap())
            .map(|body| text(&body["command"]))
            .collect();
        assert_eq!(asked, ["book", "cancel-booking", "lock", "unlock"]);
        house.stop().await;
    }
}
