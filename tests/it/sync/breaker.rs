//! A vendor that is dead, slow or busy costs the others nothing, is not besieged, and is used again as soon as it is well.

use chrono::TimeDelta;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use messaging::Job;
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Vendor};

use crate::orders::{account_becomes, account_id, name_at_vendor, requests, vendor_of};

async fn doors_of(house: &TestHouse, vendor: &str) -> Vec<Value> {
    let mut doors = house.doors().await;
    doors.retain(|door| {
        door["device"]["vendorAccount"]["vendor"] == vendor
            && door["device"]["capabilities"]
                .as_array()
                .into_iter()
                .chain(door["capabilities"].as_array())
                .flatten()
                .any(|can| can == "OPEN_DOOR")
    });
    doors
}

async fn open(house: &TestHouse, door: &Value) -> String {
    house.client.command("openDoor", json!({ "doorId": door["id"] })).await
}

on_both_back_ends! {
    /// P5: one vendor hangs with all that it is asked, syncs included; the others' orders take no longer for it.
    async fn a_hung_vendor_costs_the_others_nothing(back_end: BackEnd) {
        let house = Plan::on(back_end).with_setting("vendor_timeout_seconds", "3").start().await;
        let hung = doors_of(&house, "PARQEX").await;
        for vendor in [Vendor::Parqex, Vendor::Lockt, Vendor::Mews] {
            house.vendors.add_fault(Fault::new(vendor, FaultKind::Hang { after_effect: false })).unwrap();
        }
        let mut stuck = Vec::new();
        for door in &hung {
            stuck.push(open(&house, door).await);
        }
        for vendor in [Vendor::Parqex, Vendor::Lockt, Vendor::Mews] {
            let account = account_id(&house, vendor).await;
            for _ in 0..20 {
                house.foundation().backend.queue().ring(&Job::SyncAccount { account: account.0 }).await.unwrap();
            }
        }
        until("the hung vendor is asked", async || {
            (house.vendors.requests_to(Vendor::Parqex, "toggle").len() == hung.len()).then_some(())
        })
        .await;
        for vendor in ["BIKEEP", "RAIXER"] {
            let door = house.door(vendor, "OPEN_DOOR").await;
            let id = open(&house, &door).await;
            let command = house.client.finished(&id).await;
            assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
            let at = |key: &str| text(&command[key]).parse::<chrono::DateTime<chrono::Utc>>().unwrap();
            assert!(at("finishedAt") - at("createdAt") < TimeDelta::seconds(2), "{command:#}");
        }
        for id in &stuck {
            let command = house.client.read_command(id).await;
            assert_ne!(command["state"], "SUCCEEDED", "{command:#}");
        }
        house.vendors.clear_faults();
        account_becomes(&house, Vendor::Bikeep, "CONNECTED").await;
        house.stop().await;
    }

    /// A dead vendor with many orders and syncs: a bounded number of tries, whatever waits; and back at once.
    async fn a_dead_vendor_is_not_besieged_and_recovers_quickly(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let mut doors = doors_of(&house, "BIKEEP").await;
        doors.extend(house.doors().await.into_iter().filter(|door| {
            door["device"]["vendorAccount"]["vendor"] == "BIKEEP" && door["name"].as_str().is_some_and(|it| it.contains("dock"))
        }));
        let dead = FaultKind::DropBeforeEffect;
        let fault = house.vendors.add_fault(Fault::new(Vendor::Bikeep, dead)).unwrap();
        house.vendors.clear_journal();
        let mut orders = Vec::new();
        for door in &doors {
            let mutation = if door["name"].as_str().is_some_and(|it| it.contains("dock")) { "lockDoor" } else { "openDoor" };
            let input = json!({ "doorId": door["id"] });
            let payload = house.client.mutate(mutation, input).await;
            orders.extend(payload["command"]["id"].as_str().map(str::to_owned));
        }
        let account = account_id(&house, Vendor::Bikeep).await;
        let asked = |house: &TestHouse| {
            house.vendors.journal(0).entries.iter().filter(|entry| entry.vendor == Vendor::Bikeep).count()
        };
        const SECONDS: usize = 60;
        for _ in 0..SECONDS * 4 {
            house.foundation().backend.queue().ring(&Job::SyncAccount { account: account.0 }).await.unwrap();
            pass(&house, TimeDelta::milliseconds(250)).await;
        }
        let during = asked(&house);
        assert!(!orders.is_empty());
        // Each order on its own would be tried every second or so, and each sync anew.
        let storm = orders.len() * SECONDS;
        assert!(during > 0 && during < storm / 2, "{during} requests of {} orders in {SECONDS} s", orders.len());
        account_becomes(&house, Vendor::Bikeep, "DEGRADED").await;

        // Well again: the next order is done within a few seconds of the clock.
        assert!(house.vendors.remove_fault(fault));
        let door = &doors_of(&house, "BIKEEP").await[0];
        let began = house.clock.as_ref().map(domain::clock::Clock::now).unwrap();
        let id = open(&house, door).await;
        until("it is opened", async || {
            let command = house.client.read_command(&id).await;
            if command["terminal"] == true {
                assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
                return Some(());
            }
            pass(&house, TimeDelta::milliseconds(100)).await;
            None
        })
        .await;
        let took = house.clock.as_ref().map(domain::clock::Clock::now).unwrap() - began;
        assert!(took <= TimeDelta::seconds(6), "{took}");
        account_becomes(&house, Vendor::Bikeep, "CONNECTED").await;
        house.stop().await;
    }

    /// A Retry-After silences the whole account, whichever worker asks next.
    async fn a_wish_for_silence_counts_for_every_worker(back_end: BackEnd) {
        let mut house = Plan::on(back_end).start().await;
        house.start_worker().await;
        for (vendor, operation) in [("PARQEX", "toggle"), ("RAIXER", "open_door_at")] {
            let doors = doors_of(&house, vendor).await;
            let first = doors.iter().find(|door| door["device"]["health"] != "OFFLINE").unwrap();
            let at = vendor_of(first);
            let busy = FaultKind::Status { code: 429, retry_after: Some(3), after_effect: false };
            house.vendors.add_fault(Fault::new(at, busy).at(operation).times(1)).unwrap();
            house.vendors.clear_journal();
            let id = open(&house, first).await;
            until("the vendor asked for silence", async || house.vendors.faults().is_empty().then_some(())).await;
            let asked = requests(&house, at, operation, &name_at_vendor(first))[0].clone();
            until("it is known", async || {
                (house.client.read_command(&id).await["failure"]["code"] == "THROTTLED").then_some(())
            })
            .await;
            let mut ids = vec![id];
            for door in doors.iter().filter(|door| door["id"] != first["id"] && door["device"]["health"] != "OFFLINE") {
                ids.push(open(&house, door).await);
            }
            let account = account_id(&house, at).await;
            house.foundation().backend.queue().ring(&Job::SyncAccount { account: account.0 }).await.unwrap();
            for id in &ids {
                let command = house.client.finished(id).await;
                assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
            }
            let entries = house.vendors.journal(asked.sequence).entries;
            let early: Vec<_> = entries
                .iter()
                .filter(|entry| entry.vendor == at && entry.received_at < asked.received_at + TimeDelta::seconds(3))
                .collect();
            assert!(early.is_empty(), "{early:#?}");
        }
        house.stop().await;
    }
}

/// Lets a little of the clock's time pass, and whatever is due happen.
#[expect(clippy::disallowed_methods, reason = "others need a real moment to do what the clock permits")]
async fn pass(house: &TestHouse, by: TimeDelta) {
    house.advance(by);
    tokio::time::sleep(std::time::Duration::from_millis(4)).await;
}
