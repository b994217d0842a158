//! Five thousand devices in one account: in portions, and in little memory.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use gatehouse_tests::{
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::json;
use simulator::{FaultKind, Latency, Simulator, SimulatorOptions, Vendor, WorldChoice, WorldSize};
use worker::sync::{SyncError, Synced};

use crate::{orders::account_id, vendor_accounts::sync};

/// Bikeep: five places of a guard and 999 docks.
const LOCATIONS: usize = 5;
const DEVICES: usize = 5_000;

/// The process's resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or_default()
}

/// Watches how much memory the process takes while it lives.
struct Memory {
    before: u64,
    peak: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Memory {
    #[expect(clippy::disallowed_methods, reason = "it looks every few milliseconds of real time")]
    fn watch() -> Self {
        let before = resident();
        let (peak, over) = (Arc::new(AtomicU64::new(before)), Arc::new(AtomicBool::new(false)));
        let (seen, ended) = (Arc::clone(&peak), Arc::clone(&over));
        thread::spawn(move || {
            while !ended.load(Ordering::Acquire) {
                seen.fetch_max(resident(), Ordering::AcqRel);
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { before, peak, over }
    }

    /// By how many MiB it grew at most: whatever else the process does meanwhile, and its simulator, included.
    fn growth(&self) -> u64 {
        self.over.store(true, Ordering::Release);
        (self.peak.load(Ordering::Acquire).max(resident()) - self.before) / 1024
    }
}

/// A house whose accounts are small, and vendors at which the same accounts have very much.
async fn large(plan: Plan) -> (TestHouse, Simulator) {
    let small = WorldSize {
        bikeep_locations: LOCATIONS,
        bikeep_docks: 0,
        raixer_devices: 1,
        parqex_controllers: 1,
        ..WorldSize::default()
    };
    let large = WorldSize {
        bikeep_docks: DEVICES / LOCATIONS - 1,
        raixer_devices: 400,
        raixer_doors: 3,
        parqex_controllers: 600,
        parqex_doors: 8,
        lockt_rooms: 996,
        lockt_users: 5_000,
        ..small.clone()
    };
    let plan = Plan { simulator: SimulatorOptions { world: WorldChoice::Sized(small), ..plan.simulator }, ..plan };
    let house = plan.start().await;
    let world = WorldChoice::Sized(large);
    let options = SimulatorOptions { world, latency: Latency::none(), ..SimulatorOptions::default() };
    let vendors = simulator::start(options).await.unwrap();
    for vendor in Vendor::ALL {
        let (id, url) = (account_id(&house, vendor).await, format!("http://{}/{}", vendors.address(), vendor.name()));
        entities::store::accounts::set_base_url(house.database(), id, &url).await.unwrap();
    }
    (house, vendors)
}

async fn totals(house: &TestHouse) -> (usize, usize) {
    let query = "{ devices(first: 1) { totalCount } doors(first: 1) { totalCount } }";
    let data = house.client.data(query, json!({})).await;
    let total = |of: &str| usize::try_from(data[of]["totalCount"].as_u64().unwrap()).unwrap();
    (total("devices"), total("doors"))
}

#[expect(clippy::print_stderr, reason = "figures for whoever runs it; nothing is decided by them")]
fn say(what: &str, began: Instant, memory: &Memory) {
    eprintln!("{what}: {:.1} s, at most {} MiB more than before", began.elapsed().as_secs_f64(), memory.growth());
}

on_both_back_ends! {
    async fn thousands_of_devices_sync(back_end: BackEnd) {
        let (house, vendors) = large(Plan::on(back_end).without_worker()).await;
        let (devices, doors) = totals(&house).await;
        for (vendor, listed, more_devices, more_doors) in [
            (Vendor::Bikeep, DEVICES, DEVICES - LOCATIONS, DEVICES - LOCATIONS),
            (Vendor::Parqex, 600, 599, 600 * 8 - 2),
            (Vendor::Raixer, 400, 399, 400 * 3 - 2),
            (Vendor::Lockt, 1_000, 1_000 - 10, 1_000 - 10),
        ] {
            let before = totals(&house).await;
            for round in ["first", "second"] {
                let (memory, began) = (Memory::watch(), Instant::now());
                let synced = sync(&house, vendor).await.unwrap();
                say(&format!("{vendor:?}, {back_end:?}, {round} sync of {listed} devices"), began, &memory);
                assert!(matches!(synced, Synced::Complete { devices, .. } if devices == listed), "{vendor:?} {synced:?}");
            }
            let after = totals(&house).await;
            assert_eq!((after.0 - before.0, after.1 - before.1), (more_devices, more_doors), "{vendor:?}");
        }
        assert!(totals(&house).await > (devices, doors));
        vendors.shutdown().await;
        house.stop().await;
    }

    /// Each portion is stored before the next is asked for: what was read is there when a later one never comes.
    async fn portions_are_stored_as_they_come(back_end: BackEnd) {
        let plan = Plan::on(back_end).without_worker().with_setting("vendor_timeout_seconds", "6");
        let (house, vendors) = large(plan).await;
        let per_location = DEVICES / LOCATIONS;
        let handle = vendors.handle();
        for (vendor, operation, intact, least) in [
            (Vendor::Bikeep, "list_devices", 3_u64, 3 * (per_location - 1)),
            (Vendor::Raixer, "list_doors", 50, 49),
        ] {
            let before = totals(&house).await.0;
            let pass = simulator::Fault::new(vendor, FaultKind::WrongContentType).at(operation).times(intact);
            handle.add_fault(pass).unwrap();
            let hang = FaultKind::Hang { after_effect: false };
            handle.add_fault(simulator::Fault::new(vendor, hang).at(operation).times(1)).unwrap();
            let synced = sync(&house, vendor).await;
            let account = crate::orders::account(&house, vendor).await;
            assert!(matches!(synced, Err(SyncError::Vendor(_))), "{vendor:?} {synced:?} {account:#}");
            assert_eq!(totals(&house).await.0 - before, least, "{vendor:?}");
        }
        vendors.shutdown().await;
        house.stop().await;
    }
}
