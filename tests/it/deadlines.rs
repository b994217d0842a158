//! P1: no stale open. Whatever delays a command, nothing begins after its deadline, and it says so.

use chrono::TimeDelta;
use gatehouse_tests::{house::Plan, on_both_back_ends, wait::until};
use serde_json::json;
use simulator::{Fault, FaultKind, Vendor};

on_both_back_ends! {
    /// The queue stands still for half an hour: every open ends EXPIRED without a request.
    async fn a_frozen_queue_opens_nothing_late(back_end: BackEnd) {
        let mut house = Plan::on(back_end).with_manual_clock().without_worker().start().await;
        let mut ids = Vec::new();
        for vendor in ["BIKEEP", "RAIXER", "PARQEX"] {
            let door = house.door(vendor, "OPEN_DOOR").await;
            ids.push(house.client.command("openDoor", json!({ "doorId": door["id"] })).await);
        }
        house.advance(TimeDelta::minutes(30));
        house.start_worker().await;
        for id in &ids {
            let command = house.client.finished(id).await;
            assert_eq!(command["state"], "EXPIRED", "{command:#}");
            assert_eq!(command["failure"]["code"], "EXPIRED");
            assert_eq!(command["attempts"], 0);
        }
        assert_eq!(house.effects(), 0);
        house.stop().await;
    }

    /// Between the intent and the bytes the clock jumps: the bytes do not leave.
    async fn the_deadline_is_checked_at_the_last_instant(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        // Throttled once, so that the command waits in the queue with its deadline running.
        house.vendors.add_fault(Fault::new(Vendor::Raixer, FaultKind::Status { code: 429, retry_after: Some(3600), after_effect: false }).at("open_door_at").times(1)).unwrap();
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        until("it was throttled", async || {
            let command = house.client.read_command(&id).await;
            (command["failure"]["code"] == "THROTTLED").then_some(())
        })
        .await;
        house.advance(TimeDelta::seconds(16));
        let command = house.client.finished(&id).await;
        assert_eq!(command["state"], "EXPIRED", "{command:#}");
        assert_eq!(house.effects(), 0);
        house.stop().await;
    }

    /// Set back, the clock makes nothing late; set forward, nothing leaves.
    async fn clock_steps_open_nothing_late(back_end: BackEnd) {
        let mut house = Plan::on(back_end).with_manual_clock().without_worker().start().await;
        let door = house.door("PARQEX", "OPEN_DOOR").await;
        let expires = domain::clock::Clock::now(house.clock.as_ref().unwrap()) + TimeDelta::seconds(30);
        let id = house.client.command("openDoor", json!({ "doorId": door["id"], "expiresAt": expires })).await;
        house.advance(TimeDelta::hours(5));
        house.clock.as_ref().unwrap().advance(TimeDelta::hours(-6));
        house.clock.as_ref().unwrap().advance(TimeDelta::hours(2));
        house.start_worker().await;
        let command = house.client.finished(&id).await;
        assert_eq!(command["state"], "EXPIRED", "{command:#}");
        assert_eq!(house.effects(), 0);
        house.stop().await;
    }

    /// A vendor that cannot be reached is tried until the deadline, not beyond.
    async fn an_unreachable_vendor_is_tried_until_the_deadline(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let door = house.door("BIKEEP", "OPEN_DOOR").await;
        let accounts = entities::work::accounts_of(house.database(), house.organization).await.unwrap();
        let bikeep = accounts.iter().find(|account| account.vendor == "BIKEEP").unwrap();
        let nowhere = domain::ids::VendorAccountId(bikeep.id);
        // A port that was free a moment ago: connections are refused.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        entities::store::accounts::set_base_url(house.database(), nowhere, &format!("http://127.0.0.1:{port}")).await.unwrap();
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        // The clock stands until the first try, so that a slow machine does not miss the deadline, and then goes slowly.
        for (tries, step) in [(1, 0), (2, 20)] {
            until("it is tried", async || {
                house.advance(TimeDelta::milliseconds(step));
                let command = house.client.read_command(&id).await;
                (command["attempts"].as_i64() >= Some(tries) || command["terminal"] == true).then_some(())
            })
            .await;
        }
        let command = until("it expires", async || {
            house.advance(TimeDelta::milliseconds(400));
            let command = house.client.read_command(&id).await;
            (command["terminal"] == true).then_some(command)
        })
        .await;
        assert_eq!(command["state"], "EXPIRED", "{command:#}");
        assert!(command["attempts"].as_i64().unwrap() > 1, "{command:#}");
        assert!(command["failure"]["message"].as_str().unwrap().contains("Last attempt"), "{command:#}");
        assert_eq!(house.effects(), 0);
        house.stop().await;
    }

    /// A caller may call off what has not left.
    async fn a_canceled_command_never_leaves(back_end: BackEnd) {
        let mut house = Plan::on(back_end).without_worker().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let canceled = house.client.command("cancelCommand", json!({ "commandId": id })).await;
        assert_eq!(canceled, id);
        house.start_worker().await;
        let other = house.door_where("RAIXER", "OPEN_DOOR", |other| other["id"] != door["id"]).await;
        let later = house.client.command("openDoor", json!({ "doorId": other["id"] })).await;
        assert_eq!(house.client.finished(&later).await["state"], "SUCCEEDED");
        let command = house.client.read_command(&id).await;
        assert_eq!(command["state"], "CANCELED", "{command:#}");
        assert_eq!(house.effects(), 1);
        let again = house.client.mutate("cancelCommand", json!({ "commandId": later })).await;
        assert_eq!(again["userErrors"][0]["code"], "TOO_LATE");
        house.stop().await;
    }
}
