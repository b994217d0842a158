//! How little is asked: one call per location or list, and at the next sync only what is new.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::Clock;
use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{
    LocktChange, LocktPresented, MewsChange, RaixerChange, SimulatorOptions, Vendor, WorldChange, WorldChoice,
    WorldSize,
};
use worker::sync::Synced;

use super::{calls, counts, list, parts, records};
use crate::vendor_accounts::sync;

const SIZE: (usize, usize, usize) = (4, 30, 25);

fn sized(back_end: BackEnd) -> Plan {
    let (bikeep_locations, raixer_devices, parqex_controllers) = SIZE;
    let size = WorldSize {
        bikeep_locations,
        bikeep_docks: 40,
        raixer_devices,
        raixer_doors: 3,
        parqex_controllers,
        lockt_rooms: 40,
        lockt_users: 300,
        mews_rooms: 50,
        mews_reservations: 400,
        ..WorldSize::default()
    };
    let mut plan = Plan::on(back_end).without_worker();
    plan.simulator = SimulatorOptions { world: WorldChoice::Sized(size), ..plan.simulator };
    plan
}

fn most(counts: &BTreeMap<&str, usize>, operations: &[(&str, usize)]) {
    let allowed: BTreeMap<&str, usize> = operations.iter().copied().collect();
    for (operation, count) in counts {
        let most = allowed.get(operation).copied().unwrap_or_default();
        assert!(*count <= most, "{operation} was asked for {count} times, {most} are enough: {counts:?}");
    }
}

/// The two ends of the interval by which a request to Mews asks.
fn interval(body: &str, name: &str) -> (DateTime<Utc>, DateTime<Utc>) {
    let body: Value = serde_json::from_str(body).unwrap();
    let read = |end: &str| text(&body[name][end]).parse::<DateTime<Utc>>().unwrap();
    (read("StartUtc"), read("EndUtc"))
}

async fn again(house: &TestHouse, vendor: Vendor) -> BTreeMap<String, Vec<simulator::RequestEntry>> {
    house.vendors.clear_journal();
    let synced = sync(house, vendor).await.unwrap();
    assert!(matches!(synced, Synced::Complete { missing: 0, .. }), "{vendor:?} {synced:?}");
    calls(house, vendor)
}

on_both_back_ends! {
    /// A first sync of everything.
    async fn what_a_list_tells_is_not_asked_for_one_by_one(back_end: BackEnd) {
        let house = sized(back_end).start().await;
        let (locations, devices, controllers) = SIZE;
        let made = |vendor| calls(&house, vendor);
        most(&counts(&made(Vendor::Bikeep)), &[("list_locations", 1), ("list_devices", locations)]);
        let lists = [
            "list_doors", "list_door_states", "list_users", "list_credentials", "list_fobs", "check_fobs",
            "credential_summary", "list_access_levels", "list_schedules", "list_events",
        ];
        most(&counts(&made(Vendor::Lockt)), &lists.map(|list| (list, 1)));
        // Doors, sensors, users, telephone numbers and history are lists of one device; nothing else is asked by device.
        let by_device = [
            "list_doors", "list_sensors", "list_device_connections", "list_authorized_phones", "list_connection_history",
        ];
        let lists = [
            ("list_devices", 7), ("list_connections", 7), ("list_connections_ordered", 1), ("list_intercom_campaigns", 1),
            ("list_power_campaigns", 1), ("list_schedules", 1), ("get_user", 1),
        ];
        let raixer = made(Vendor::Raixer);
        most(&counts(&raixer), &[&by_device.map(|list| (list, devices))[..], &lists].concat());
        for operation in by_device {
            let paths: BTreeSet<&str> = raixer[operation].iter().map(|request| request.path.as_str()).collect();
            assert_eq!(paths.len(), raixer[operation].len(), "{operation}: each once");
        }
        // The history is asked by controller, or else what others did would not be seen: two days for a first read.
        let histories = 2 * (controllers + 1);
        let parqex = [("sync", 2), ("user_info", 1), ("user_settings", 1), ("toggle_history", histories)];
        most(&counts(&made(Vendor::Parqex)), &parqex);
        let mews = [
            ("get_configuration", 4), ("list_services", 1), ("list_resources", 1), ("list_resource_categories", 1),
            ("list_resource_category_assignments", 1), ("list_resource_blocks", 1), ("list_reservations", 2),
            ("list_companionships", 2), ("list_customers", 2), ("list_access_tokens", 2),
        ];
        most(&counts(&made(Vendor::Mews)), &mews);
        house.stop().await;
    }

    /// The second sync asks for what is new, and nothing is lost between the two.
    async fn the_next_sync_reads_what_is_new(back_end: BackEnd) {
        let house = sized(back_end).with_manual_clock().start().await;
        let started = house.clock.as_ref().unwrap().now();
        house.advance(TimeDelta::minutes(5));

        let mews = again(&house, Vendor::Mews).await;
        for (operation, list) in [("list_reservations", 1), ("list_access_tokens", 1)] {
            assert_eq!(mews[operation].len(), list, "{:?}", counts(&mews));
            let (from, until) = interval(&mews[operation][0].body, "UpdatedUtc");
            let now = house.clock.as_ref().unwrap().now();
            assert!(from < started && started - from <= TimeDelta::minutes(3), "{from}: it overlaps the first read");
            assert!(until >= now - TimeDelta::milliseconds(1) && until <= now + TimeDelta::seconds(1), "{until} {now}");
        }
        assert!(!mews.contains_key("list_customers") && !mews.contains_key("list_companionships"), "{:?}", counts(&mews));

        // One stay changes: it alone is read, with its guest.
        let stay = parts::stays(&house).await.swap_remove(0);
        let end = text(&stay["ScheduledEndUtc"]).parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(1);
        let reservation = text(&stay["Id"]);
        let longer = MewsChange::Reschedule { reservation: reservation.clone(), start: None, end: Some(end) };
        house.vendors.change(WorldChange::Mews(longer)).unwrap();
        house.advance(TimeDelta::minutes(5));
        let mews = again(&house, Vendor::Mews).await;
        assert!(mews["list_companionships"][0].body.contains(&reservation));
        assert_eq!((mews["list_customers"].len(), mews["list_companionships"].len()), (1, 1));
        let held = records(&house, &house.client, Vendor::Mews).await;
        let known = held.iter().find(|record| record["externalId"] == reservation).unwrap();
        let ends = text(&known["details"]["endsAt"]).parse::<DateTime<Utc>>().unwrap();
        assert_eq!((ends, &known["version"]), (end, &json!(2)));
        // Longer than an interval may be: in pieces, without a gap.
        house.advance(TimeDelta::days(200));
        let mews = again(&house, Vendor::Mews).await;
        let updated = mews["list_reservations"].iter().filter(|request| request.body.contains("UpdatedUtc"));
        let mut pieces: Vec<_> = updated.map(|request| interval(&request.body, "UpdatedUtc")).collect();
        pieces.sort();
        assert!(pieces.len() >= 3, "{pieces:?}");
        assert!(pieces.windows(2).all(|pair| pair[0].1 >= pair[1].0), "{pieces:?}");
        house.stop().await;
    }

    async fn the_next_sync_reads_the_next_events(back_end: BackEnd) {
        let house = sized(back_end).start().await;
        let doors = list(&house, Vendor::Lockt, "/api/v1/door").await;
        let door = doors[0]["id"].as_u64().unwrap();
        let present = |times: usize| {
            for _ in 0..times {
                let credential = LocktPresented::Card("10000".to_owned());
                let presented = LocktChange::Presented { door, credential, recorded_after: 0 };
                house.vendors.change(WorldChange::Lockt(presented)).unwrap();
            }
        };
        let told = async |vendor| match sync(&house, vendor).await.unwrap() {
            Synced::Complete { events, .. } => events,
            Synced::Skipped => panic!("not synced"),
        };
        present(3);
        assert_eq!(told(Vendor::Lockt).await, 3);
        present(2);
        house.vendors.clear_journal();
        assert_eq!(told(Vendor::Lockt).await, 2);
        let lockt = calls(&house, Vendor::Lockt);
        assert!(!lockt.contains_key("list_events"), "{:?}", counts(&lockt));
        assert_eq!(lockt["list_events_from"].len(), 1);
        assert_eq!(lockt["list_events_from"][0].query.as_deref(), Some("id=3"));

        // Raixer's history comes newest first, ten lines a page: as many pages as there are new lines.
        let device = list(&house, Vendor::Raixer, "/devices").await.swap_remove(0);
        let device = text(&device["_id"]);
        let press = |times: usize| {
            for _ in 0..times {
                let pressed = RaixerChange::Button { device: device.clone() };
                house.vendors.change(WorldChange::Raixer(pressed)).unwrap();
            }
        };
        let pages = || {
            let raixer = calls(&house, Vendor::Raixer);
            let asked = raixer["list_connection_history"].iter();
            let mut pages: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for request in asked {
                pages.entry(request.path.clone()).or_default().push(request.query.clone().unwrap());
            }
            let more: Vec<Vec<String>> = pages.values().filter(|pages| pages.len() > 1).cloned().collect();
            (pages.len(), more)
        };
        for (presses, further) in [(25, vec!["page=0", "page=1", "page=2"]), (3, vec![]), (0, vec![])] {
            press(presses);
            house.vendors.clear_journal();
            assert_eq!(told(Vendor::Raixer).await, presses);
            let (histories, more) = pages();
            assert_eq!(histories, SIZE.1, "the newest page of each device");
            assert_eq!(more.concat(), further);
        }
        house.stop().await;
    }
}
