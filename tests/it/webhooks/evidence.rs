//! What vendors push or remember as proof of what became of an open whose answer was lost (P3), and what proves nothing.

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::Clock;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, RaixerChange, Vendor, WorldChange};

use super::{address, connect, deliver, door_named, instant, parqex, settled, synced};
use crate::orders::{operation, steps};

/// An open whose answer got lost, after its effect or before it.
async fn lost_open(house: &TestHouse, vendor: Vendor, door: &Value, kind: FaultKind) -> (String, DateTime<Utc>) {
    house.vendors.add_fault(Fault::new(vendor, kind).at(operation(vendor)).times(1)).unwrap();
    let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
    let unknown = house.client.in_state(&id, "OUTCOME_UNKNOWN").await;
    (id, instant(&unknown["dispatchedAt"]))
}

/// Waits until a command is known to have succeeded.
async fn proven(house: &TestHouse, id: &str) -> Value {
    let command = house.client.in_state(id, "SUCCEEDED").await;
    assert_eq!(command["evidence"], "SENSOR", "{command:#}");
    assert!(steps(&command).contains(&"NOTICED".to_owned()), "{command:#}");
    command
}

async fn assert_unknown(house: &TestHouse, id: &str, why: &str) {
    let command = house.client.read_command(id).await;
    assert_eq!(command["state"], "OUTCOME_UNKNOWN", "{why}: {command:#}");
}

on_both_back_ends! {
    /// A door that a look can not judge: it has no sensor, so only the push tells.
    async fn a_push_proves_an_open(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Parqex).await;
        let door = door_named(&house, "PARQEX", "North walkway", 4).await;
        let (id, _) = lost_open(&house, Vendor::Parqex, &door, FaultKind::DropAfterEffect).await;
        deliver(&url, &parqex(1, &door, "OPEN", Utc::now())).await;
        let command = proven(&house, &id).await;
        assert_eq!(house.effects_at(&door["externalId"]), 1, "{command:#}");
        house.stop().await;
    }

    /// Raixer's push names no door of two: the history behind it does.
    async fn a_history_behind_a_push_proves_an_open(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        connect(&house, Vendor::Raixer).await;
        for (device, position, other) in [("Market street 3", 2, Some(1)), ("Market street 1", 1, None)] {
            let door = door_named(&house, "RAIXER", device, position).await;
            let (id, _) = lost_open(&house, Vendor::Raixer, &door, FaultKind::DropAfterEffect).await;
            let named = text(&door["device"]["externalId"]);
            let moves = |position: i64, open| {
                let position = u32::try_from(position).unwrap();
                let change = RaixerChange::Door { device: named.clone(), position, open };
                house.vendors.change(WorldChange::Raixer(change)).unwrap();
            };
            if let Some(other) = other {
                moves(other, true);
                moves(other, false);
                settled(&house, Vendor::Raixer, 2).await;
                assert_unknown(&house, &id, "the other door moved").await;
            }
            moves(position, true);
            proven(&house, &id).await;
        }
        house.stop().await;
    }

    async fn a_history_alone_proves_an_open(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = door_named(&house, "RAIXER", "Market street 3", 2).await;
        let (id, _) = lost_open(&house, Vendor::Raixer, &door, FaultKind::DropAfterEffect).await;
        let device = text(&door["device"]["externalId"]);
        let change = RaixerChange::Door { device, position: 2, open: true };
        house.vendors.change(WorldChange::Raixer(change)).unwrap();
        synced(&house, Vendor::Raixer).await;
        proven(&house, &id).await;
        house.stop().await;
    }

    async fn what_proves_nothing(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Parqex).await;
        let door = door_named(&house, "PARQEX", "North walkway", 4).await;
        let other = door_named(&house, "PARQEX", "Yard door", 3).await;
        let (id, sent) = lost_open(&house, Vendor::Parqex, &door, FaultKind::DropBeforeEffect).await;
        let mut unmeasured = parqex(5, &door, "OPEN", Utc::now());
        unmeasured["channel"] = json!("ParqEx Web");
        let mut undated = parqex(6, &door, "OPEN", Utc::now());
        undated.as_object_mut().unwrap().retain(|name, _| !name.starts_with("eventOccurred"));
        for (number, (why, body)) in [
            ("an older event", parqex(1, &door, "OPEN", sent - TimeDelta::seconds(2))),
            ("another door", parqex(2, &other, "OPEN", Utc::now())),
            ("the opposite", parqex(3, &door, "CLOSED", Utc::now())),
            ("a clock in another zone", parqex(4, &door, "OPEN", sent + TimeDelta::hours(1))),
            ("nothing measured it", unmeasured),
            ("nobody says when", undated),
        ]
        .into_iter()
        .enumerate()
        {
            deliver(&url, &body).await;
            assert_eq!(settled(&house, Vendor::Parqex, number + 1).await, (number + 1, 0), "{why}");
            assert_unknown(&house, &id, why).await;
        }
        assert_eq!(house.effects_at(&door["externalId"]), 0);
        house.stop().await;
    }

    /// What opened the door after a later command is that one's doing, and what opened it much later is somebody else's.
    async fn somebody_elses_doing_proves_nothing(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let url = address(&house, Vendor::Parqex).await;
        let now = || house.clock.as_ref().unwrap().now();
        let door = door_named(&house, "PARQEX", "North walkway", 4).await;
        let (first, _) = lost_open(&house, Vendor::Parqex, &door, FaultKind::DropBeforeEffect).await;
        house.advance(TimeDelta::seconds(10));
        let second = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        house.client.in_state(&second, "SUCCEEDED").await;
        house.advance(TimeDelta::seconds(2));
        deliver(&url, &parqex(1, &door, "OPEN", now())).await;
        settled(&house, Vendor::Parqex, 1).await;
        assert_unknown(&house, &first, "the second open did it").await;

        house.advance(TimeDelta::minutes(20));
        let (third, _) = lost_open(&house, Vendor::Parqex, &door, FaultKind::DropBeforeEffect).await;
        house.advance(TimeDelta::hours(2));
        deliver(&url, &parqex(2, &door, "OPEN", now())).await;
        settled(&house, Vendor::Parqex, 2).await;
        assert_unknown(&house, &third, "nobody waits at a door for two hours").await;
        assert_eq!(house.effects_at(&door["externalId"]), 1);
        house.stop().await;
    }

    /// The truth may come late, if only it happened in time.
    async fn a_late_push_proves_an_open(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let url = address(&house, Vendor::Parqex).await;
        let door = door_named(&house, "PARQEX", "North walkway", 4).await;
        let (id, sent) = lost_open(&house, Vendor::Parqex, &door, FaultKind::DropAfterEffect).await;
        house.advance(TimeDelta::hours(3));
        deliver(&url, &parqex(1, &door, "OPEN", sent + TimeDelta::seconds(2))).await;
        proven(&house, &id).await;
        house.stop().await;
    }
}
