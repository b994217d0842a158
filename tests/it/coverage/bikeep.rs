//! The tour of Bikeep: its nine commands and the polling of each, its list of a location, one device again after a webhook,
//! and an account that is linked by a client's credentials.

use chrono::TimeDelta;
use domain::command::CommandKind;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};
use simulator::{EffectKind, Vendor, WorldChange};

use super::{Ground, Tour, rows};
use crate::orders::account_id;

pub(super) fn ground() -> Ground {
    Ground {
        vendor: Vendor::Bikeep,
        rows: rows("B", 1..=4),
        given_up: Vec::new(),
        kinds: &[
            CommandKind::OpenDoor,
            CommandKind::LockDoor,
            CommandKind::UnlockDoor,
            CommandKind::ForceLockDoor,
            CommandKind::ForceUnlockDoor,
            CommandKind::BookDoor,
            CommandKind::CancelBooking,
            CommandKind::ForceCancelBooking,
            CommandKind::SyncDevice,
            CommandKind::TakePhoto,
        ],
    }
}

fn side_is<'a>(side: &'a str, value: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |device| device["doors"][0]["state"][side]["value"] == value
}

/// A free dock of the demo is locked, unlocked and booked in every way that there is.
async fn a_dock(tour: &mut Tour) {
    let dock = tour.house.door_where("BIKEEP", "LOCK_DOOR", |door| door["state"]["occupancy"]["value"] == "FREE").await;
    let (door, device) = (json!({ "doorId": dock["id"] }), &dock["device"]["id"]);
    for (mutation, effect, side, value) in [
        ("lockDoor", EffectKind::Lock, "lock", "LOCKED"),
        ("unlockDoor", EffectKind::Unlock, "lock", "UNLOCKED"),
        ("bookDoor", EffectKind::Book, "occupancy", "BOOKED"),
        ("cancelBooking", EffectKind::CancelBooking, "occupancy", "FREE"),
        ("bookDoor", EffectKind::Book, "occupancy", "BOOKED"),
        ("forceCancelBooking", EffectKind::CancelBooking, "occupancy", "FREE"),
        ("forceLockDoor", EffectKind::Lock, "lock", "LOCKED"),
    ] {
        tour.done(mutation, door.clone(), &[effect]).await;
        tour.device_becomes(&format!("{value} by {mutation}"), device, side_is(side, value)).await;
    }
    let forced = json!({ "doorId": dock["id"], "reason": "OTHER", "comment": "left behind by its rider" });
    tour.done("forceUnlockDoor", forced, &[EffectKind::Unlock]).await;
    tour.device_becomes("unlocked by force", device, side_is("occupancy", "FREE")).await;
    // For somebody else, whom only the request names.
    let rider = &tour.house.vendors.credentials()[1].bikeep.user.clone();
    let for_rider = json!({ "doorId": dock["id"], "onBehalfOf": rider });
    tour.done("lockDoor", for_rider, &[EffectKind::Lock]).await;
    tour.device_becomes("the rider's", device, side_is("occupancy", "IN_USE")).await;
    let sent = tour.house.vendors.requests_to(Vendor::Bikeep, "send_command").pop().unwrap();
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(body, json!({ "command": "lock", "user_id": rider }));
}

/// A device that is alarmed is read again, alone, and the alarm is an event at it.
async fn an_alarm(tour: &Tour, account: &str, webhook_url: &Value) {
    let credentials = tour.house.vendors.credentials()[1].bikeep.clone();
    let devices = tour.devices(account).await;
    let dock = devices.get("Dock 1").unwrap();
    let name = text(&dock["externalId"]);
    let asked = || {
        let asked = tour.house.vendors.requests_to(Vendor::Bikeep, "get_device").into_iter();
        asked.filter(|entry| entry.path.ends_with(&name)).count()
    };
    tour.hear(&credentials.user, webhook_url);
    let before = asked();
    let (category, reason) = ("security".to_owned(), "wire_cut".to_owned());
    tour.house.vendors.change(WorldChange::BikeepAlarm { device: name.clone(), category, reason }).unwrap();
    // Alarms are collected for a minute.
    tour.house.advance(TimeDelta::seconds(61));
    assert_eq!(tour.heard(account).await, 1);
    let event = tour.event(dock, "DEVICE_ALARM").await;
    assert_eq!(event["vendorCode"], "alarm");
    assert!(event["data"].to_string().contains("wire_cut"), "{event:#}");
    assert_eq!(asked(), before + 1);
}

on_both_back_ends! {
    async fn every_row_of_bikeep_is_used(back_end: BackEnd) {
        let mut tour = Tour::start(Plan::on(back_end).with_manual_clock(), Vendor::Bikeep).await;
        a_dock(&mut tour).await;
        let house = tour.house.door("BIKEEP", "OPEN_DOOR").await;
        tour.done("openDoor", json!({ "doorId": house["id"] }), &[EffectKind::Unlock]).await;
        tour.device_becomes("it is unlocked", &house["device"]["id"], side_is("lock", "UNLOCKED")).await;
        let guard = tour.house.door("BIKEEP", "TAKE_PHOTO").await;
        tour.done("takePhoto", json!({ "deviceId": guard["device"]["id"] }), &[EffectKind::Photo]).await;
        tour.done("syncDevice", json!({ "deviceId": guard["device"]["id"] }), &[EffectKind::Sync]).await;
        let power_cycle = json!({ "deviceId": guard["device"]["id"], "powerCycle": true });
        tour.done("syncDevice", power_cycle, &[EffectKind::PowerCycle]).await;

        let client = tour.house.vendors.credentials()[1].bikeep.clone();
        let linked = tour.link("Neighbour", json!({
            "clientId": client.client_id,
            "clientSecret": client.client_secret,
            "webhookSeed": client.webhook_seed,
        })).await;
        assert_eq!(linked["locations"].as_array().unwrap().len(), client.locations.len(), "{linked:#}");
        let account = text(&linked["vendorAccount"]["id"]);
        tour.synced(&account, &Value::Null).await;
        let own = account_id(&tour.house, Vendor::Bikeep).await.to_string();
        assert!(tour.devices(&own).await.len() > tour.devices(&account).await.len());
        an_alarm(&tour, &account, &linked["webhookUrl"]).await;
        tour.end(&ground()).await;
    }
}
