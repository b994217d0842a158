//! Whatever breaks a sync off, at whichever list and page: nothing is taken for gone (rule 11).

use std::{pin::pin, time::Duration};

use chrono::TimeDelta;
use domain::account::AccountState;
use entities::{store, work};
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::json;
use simulator::{FaultKind, MewsChange, SimulatorOptions, Vendor, WorldChange, WorldChoice, WorldSize};
use worker::sync::{SyncError, Synced};

use super::{break_after, parts, progress, records};
use crate::{
    orders::{account, account_id, events},
    vendor_accounts::sync,
};

fn status(code: u16) -> FaultKind {
    FaultKind::Status { code, retry_after: None, after_effect: false }
}

/// Syncs under a manual clock: whenever nothing more may leave, a little of its time passes.
#[expect(clippy::disallowed_methods, reason = "it sees that nothing happens for a real moment")]
async fn sync_in_time(house: &TestHouse, vendor: Vendor) -> Result<Synced, SyncError> {
    let mut synced = pin!(sync(house, vendor));
    loop {
        tokio::select! {
            synced = &mut synced => return synced,
            () = tokio::time::sleep(Duration::from_millis(300)), if house.clock.is_some() => {
                house.advance(TimeDelta::seconds(5));
            }
        }
    }
}

/// Every list that a sync reads: its vendor, its operation, and the part that fails with it.
const LISTS: [(Vendor, &str, &str); 36] = [
    (Vendor::Bikeep, "list_locations", "PROFILE"),
    (Vendor::Bikeep, "list_devices", "DEVICES"),
    (Vendor::Raixer, "list_devices", "DEVICES"),
    (Vendor::Raixer, "list_connections", "DEVICES"),
    (Vendor::Raixer, "get_device", "DEVICES"),
    (Vendor::Raixer, "list_doors", "DEVICES"),
    (Vendor::Raixer, "list_sensors", "DEVICES"),
    (Vendor::Raixer, "list_connections_ordered", "DEVICE_ACCESS"),
    (Vendor::Raixer, "list_device_connections", "DEVICE_ACCESS"),
    (Vendor::Raixer, "list_authorized_phones", "CREDENTIALS"),
    (Vendor::Raixer, "list_intercom_campaigns", "CAMPAIGNS"),
    (Vendor::Raixer, "list_power_campaigns", "CAMPAIGNS"),
    (Vendor::Raixer, "list_schedules", "AUTO_ACCESS_SCHEDULES"),
    (Vendor::Raixer, "get_user", "PROFILE"),
    (Vendor::Raixer, "list_connection_history", "EVENTS"),
    (Vendor::Parqex, "user_info", "PROFILE"),
    (Vendor::Parqex, "sync", "DEVICES"),
    (Vendor::Parqex, "toggle_history", "EVENTS"),
    (Vendor::Lockt, "list_doors", "DEVICES"),
    (Vendor::Lockt, "list_door_states", "DEVICES"),
    (Vendor::Lockt, "list_access_levels", "ACCESS_LEVELS"),
    (Vendor::Lockt, "list_schedules", "ACCESS_LEVELS"),
    (Vendor::Lockt, "list_users", "USERS"),
    (Vendor::Lockt, "list_credentials", "CREDENTIALS"),
    (Vendor::Lockt, "list_fobs", "CREDENTIALS"),
    (Vendor::Lockt, "check_fobs", "CREDENTIALS"),
    (Vendor::Lockt, "credential_summary", "CREDENTIALS"),
    (Vendor::Mews, "get_configuration", "PROFILE"),
    (Vendor::Mews, "list_services", "RESOURCES"),
    (Vendor::Mews, "list_resource_categories", "RESOURCES"),
    (Vendor::Mews, "list_resource_category_assignments", "RESOURCES"),
    (Vendor::Mews, "list_resource_blocks", "RESOURCES"),
    (Vendor::Mews, "list_resources", "RESOURCES"),
    (Vendor::Mews, "list_reservations", "RESERVATIONS"),
    (Vendor::Mews, "list_access_tokens", "ACCESS_TOKENS"),
    (Vendor::Lockt, "list_events_from", "EVENTS"),
];

/// Breaks one sync, and says what it came to.
async fn broken(house: &TestHouse, vendor: Vendor, operation: &str, intact: u64, kind: &FaultKind) -> String {
    break_after(house, vendor, operation, intact, kind.clone());
    let synced = sync_in_time(house, vendor).await;
    assert!(house.vendors.faults().is_empty(), "{vendor:?} {operation} was not asked for: {synced:?}");
    match synced {
        Err(SyncError::Vendor(error)) => error.to_string(),
        other => panic!("{vendor:?} {operation} {intact} {kind:?}: {other:?}"),
    }
}

async fn assert_nothing_missing(house: &TestHouse, what: &str) {
    let told = events(house, json!({ "types": ["DEVICE_MISSING", "RECORD_MISSING"] })).await;
    assert!(told.is_empty(), "{what}: {told:#?}");
}

/// Lets an account be used again after its vendor refused the credentials once.
async fn reconnect(house: &TestHouse, vendor: Vendor) {
    let (database, foundation) = (house.database(), house.foundation());
    let row = work::account(database, account_id(house, vendor).await).await.unwrap().unwrap();
    let (ids, now) = (foundation.ids.as_ref(), foundation.clock.now());
    store::accounts::set_state(database, ids, &row, AccountState::Connected, None, now).await.unwrap();
}

on_both_back_ends! {
    /// The first answer of each list breaks: the part says why, keeps the time of its last read, and nothing goes missing.
    async fn a_list_that_breaks_takes_nothing_away(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_manual_clock().start().await;
        parts::furnish(&house).await;
        for vendor in Vendor::ALL {
            sync(&house, vendor).await.unwrap();
        }
        for (vendor, operation, part) in LISTS {
            let before = progress(&house, vendor).await;
            let synced_at = account(&house, vendor).await["syncedAt"].clone();
            for kind in [status(503), FaultKind::Garbage, FaultKind::Truncated, FaultKind::DropMidAnswer] {
                let why = broken(&house, vendor, operation, 0, &kind).await;
                let what = format!("{vendor:?} {operation} {kind:?}");
                let after = progress(&house, vendor).await;
                assert_eq!(after[part], (before[part].0.clone(), Some(why)), "{what}");
                assert_eq!(account(&house, vendor).await["syncedAt"], synced_at, "{what}");
                assert_nothing_missing(&house, &what).await;
            }
            let synced = sync_in_time(&house, vendor).await.unwrap();
            assert!(matches!(synced, Synced::Complete { missing: 0, .. }), "{vendor:?} {operation} {synced:?}");
        }
        house.stop().await;
    }

    /// A later page or location breaks, after others were read: what was read is kept, the rest is as it was.
    async fn a_later_page_that_breaks_takes_nothing_away(back_end: BackEnd) {
        let size = WorldSize { mews_rooms: 40, mews_reservations: 280, lockt_users: 20, ..WorldSize::default() };
        let mut plan = Plan::on(back_end).without_worker().with_manual_clock();
        plan.simulator = SimulatorOptions { world: WorldChoice::Sized(WorldSize { bikeep_locations: 3, ..size }), ..plan.simulator };
        let house = plan.start().await;
        // Pages of fifteen rows: three questions are too heavy before.
        house.vendors.change(WorldChange::Mews(MewsChange::TooHeavyAbove { rows: Some(20) })).unwrap();
        let held = records(&house, &house.client, Vendor::Mews).await.len();
        for (vendor, operation, intact) in [
            // What changed, which is nothing, on one page, and then the second page of the horizon,
            // and who stays there.
            (Vendor::Mews, "list_reservations", 8),
            (Vendor::Mews, "list_customers", 8),
            (Vendor::Mews, "list_companionships", 8),
            (Vendor::Bikeep, "list_devices", 1),
            (Vendor::Bikeep, "list_devices", 2),
            (Vendor::Raixer, "list_doors", 3),
            (Vendor::Raixer, "list_device_connections", 3),
            (Vendor::Raixer, "list_connection_history", 3),
            (Vendor::Parqex, "toggle_history", 2),
            (Vendor::Mews, "list_resources", 4),
            (Vendor::Mews, "list_resources", 5),
            (Vendor::Mews, "list_resource_category_assignments", 4),
        ] {
            for kind in [status(500), FaultKind::Truncated, FaultKind::DropBeforeEffect] {
                // A day later the whole horizon of stays is read again, and no budget is used up.
                house.advance(TimeDelta::hours(25));
                broken(&house, vendor, operation, intact, &kind).await;
                assert_nothing_missing(&house, &format!("{vendor:?} {operation} {intact} {kind:?}")).await;
            }
        }
        assert!(records(&house, &house.client, Vendor::Mews).await.len() >= held);
        for vendor in Vendor::ALL {
            let synced = sync_in_time(&house, vendor).await.unwrap();
            assert!(matches!(synced, Synced::Complete { missing: 0, .. }), "{vendor:?} {synced:?}");
        }
        house.stop().await;
    }

    /// Credentials refused in the middle of a sync: a person must act, and nothing is missing until then.
    async fn credentials_refused_in_the_middle_take_nothing_away(back_end: BackEnd) {
        let size = WorldSize { bikeep_locations: 3, ..WorldSize::default() };
        let mut plan = Plan::on(back_end).without_worker();
        plan.simulator = SimulatorOptions { world: WorldChoice::Sized(size), ..plan.simulator };
        let house = plan.start().await;
        for (vendor, operation, intact) in [
            (Vendor::Bikeep, "list_devices", 1),
            (Vendor::Parqex, "toggle_history", 1),
            (Vendor::Raixer, "list_connections_ordered", 0),
            (Vendor::Lockt, "list_schedules", 0),
            (Vendor::Lockt, "list_fobs", 0),
        ] {
            broken(&house, vendor, operation, intact, &status(401)).await;
            assert_nothing_missing(&house, operation).await;
            assert_eq!(text(&account(&house, vendor).await["state"]), "REAUTH_REQUIRED", "{vendor:?} {operation}");
            assert_eq!(sync(&house, vendor).await.unwrap(), Synced::Skipped);
            reconnect(&house, vendor).await;
            let synced = sync(&house, vendor).await.unwrap();
            assert!(matches!(synced, Synced::Complete { missing: 0, .. }), "{vendor:?} {synced:?}");
        }
        // One operation that is refused is not the account: Mews and Raixer say 401 for that too.
        for (vendor, operation, intact) in [(Vendor::Raixer, "list_doors", 2), (Vendor::Mews, "list_resources", 0)] {
            break_after(&house, vendor, operation, intact, status(401));
            let synced = sync(&house, vendor).await;
            assert!(house.vendors.faults().is_empty(), "{synced:?}");
            assert_nothing_missing(&house, operation).await;
            assert_eq!(text(&account(&house, vendor).await["state"]), "CONNECTED", "{vendor:?} {synced:?}");
        }
        house.stop().await;
    }
}
