//! Events that a sync reads: each once, whatever it is read again for; each with the time at which it happened; and what is
//! lost is an event, too (rule 14).

use chrono::{TimeDelta, Utc};
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{LocktChange, LocktPresented, RaixerChange, Vendor, WebhookConduct, WorldChange};

use super::{connect, door_named, instant, settled, synced, told, told_of};

/// What Lockt keeps at most, as documented.
const CACHE: usize = 5_000;

fn present(house: &TestHouse, door: &Value, recorded_after: u32) {
    let door = text(&door["externalId"]).parse().unwrap();
    let credential = LocktPresented::Card("0000".to_owned());
    let change = LocktChange::Presented { door, credential, recorded_after };
    house.vendors.change(WorldChange::Lockt(change)).unwrap();
}

async fn lockt_door(house: &TestHouse) -> Value {
    let doors = house.doors().await;
    doors.into_iter().find(|door| door["device"]["vendorAccount"]["vendor"] == "LOCKT").unwrap()
}

on_both_back_ends! {
    /// Pushed twice, then read with every sync: two events, since nothing documented joins a push and a line.
    async fn a_movement_is_written_once_for_each_way_it_is_told(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        connect(&house, Vendor::Raixer).await;
        house.vendors.set_webhook_conduct(Vendor::Raixer, WebhookConduct { copies: 3, held: false });
        let door = door_named(&house, "RAIXER", "Market street 5", 3).await;
        let device = text(&door["device"]["externalId"]);
        let change = RaixerChange::Door { device, position: 3, open: true };
        house.vendors.change(WorldChange::Raixer(change)).unwrap();
        told_of(&house, Vendor::Raixer, "DOOR_OPENED", 2).await;
        settled(&house, Vendor::Raixer, 3).await;
        for _ in 0..3 {
            synced(&house, Vendor::Raixer).await;
        }
        let opened = told(&house, Vendor::Raixer, json!({ "types": ["DOOR_OPENED"] })).await;
        let mut codes: Vec<_> = opened.iter().map(|event| text(&event["vendorCode"])).collect();
        codes.sort();
        assert_eq!(codes, ["connections.detail.history.action.doorIsOpen3", "door-open"]);
        house.stop().await;
    }

    /// A card lock reports when it is reached: the event is of when the card was there.
    async fn a_late_event_keeps_its_time(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().without_worker().start().await;
        let door = lockt_door(&house).await;
        let now = || house.clock.as_ref().map(domain::clock::Clock::now).unwrap();
        let happened = now();
        present(&house, &door, 3_600);
        house.advance(TimeDelta::minutes(10));
        present(&house, &door, 0);
        synced(&house, Vendor::Lockt).await;
        assert_eq!(told(&house, Vendor::Lockt, json!({ "types": ["ACCESS_DENIED"] })).await.len(), 1);
        house.advance(TimeDelta::minutes(55));
        for _ in 0..3 {
            synced(&house, Vendor::Lockt).await;
        }
        let denied = told(&house, Vendor::Lockt, json!({ "types": ["ACCESS_DENIED"] })).await;
        assert_eq!(denied.len(), 2, "{denied:#?}");
        let late = &denied[1];
        assert_eq!(instant(&late["occurredAt"]).timestamp(), happened.timestamp(), "by the lock's clock: {late:#}");
        assert!(instant(&late["recordedAt"]) >= happened + TimeDelta::minutes(65), "{late:#}");
        assert_eq!((&late["door"]["id"], &late["vendorCode"]), (&door["id"], &json!("49")));
        house.stop().await;
    }

    /// More happened than the vendor keeps: what is lost is said, once, and what is left is written.
    async fn a_gap_is_an_event(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let door = lockt_door(&house).await;
        present(&house, &door, 0);
        synced(&house, Vendor::Lockt).await;
        assert_eq!(told(&house, Vendor::Lockt, json!({ "types": ["EVENT_GAP"] })).await, [] as [Value; 0]);
        for _ in 0..CACHE + 7 {
            present(&house, &door, 0);
        }
        let began = Utc::now();
        for _ in 0..2 {
            synced(&house, Vendor::Lockt).await;
        }
        let gaps = told(&house, Vendor::Lockt, json!({ "types": ["EVENT_GAP"] })).await;
        let [gap] = &gaps[..] else { panic!("one gap: {gaps:#?}") };
        let number = |name: &str| text(&gap["data"][name]).parse::<usize>().unwrap();
        assert_eq!(number("to") - number("from") + 1, 7, "{gap:#}");
        assert!(instant(&gap["occurredAt"]) >= began - TimeDelta::seconds(1));
        let query = "query($filter: EventFilter) { events(filter: $filter) { totalCount } }";
        let data = house.client.data(query, json!({ "filter": { "types": ["ACCESS_DENIED"] } })).await;
        assert_eq!(data["events"]["totalCount"], CACHE + 1);
        house.stop().await;
    }
}
