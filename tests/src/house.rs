//! A house to test: the same `House` that the binary starts, beside its own simulated vendors, on either back end.
//! Distributed means an api process part and a worker part that share nothing but PostgreSQL and Redis.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    access::Role,
    clock::Clock,
    ids::{DoorId, OrganizationId},
};
use entities::{Database, work};
use gatehouse::{
    demo,
    foundation::{Foundation, Migrations},
    house::{House, Rooms},
    keys::{self, KeyPlan},
};
use platform::{
    clock::{ManualClock, SystemClock},
    settings::Settings,
    vault::Vault,
};
use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait};
use serde_json::{Value, json};
use simulator::{Latency, SimClock, Simulator, SimulatorHandle, SimulatorOptions};

use crate::{
    client::{Client, text},
    services,
    wait::until,
};

/// Where a house keeps its rows and rings its bell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackEnd {
    /// SQLite and an in-process bell, one process.
    Embedded,
    /// PostgreSQL and Redis, api and worker apart.
    Distributed,
}

/// How to start one.
#[derive(Debug)]
pub struct Plan {
    /// On which back end.
    pub back_end: BackEnd,
    /// Whether the test moves the clock. The simulator's clock is moved along.
    pub manual_clock: bool,
    /// Whether a worker runs from the start.
    pub worker: bool,
    /// How the simulated vendors behave.
    pub simulator: SimulatorOptions,
    /// Settings other than the defaults.
    pub settings: Vec<(&'static str, String)>,
}

impl Plan {
    /// The usual: the system's clock, a worker, vendors without latency.
    #[must_use]
    pub fn on(back_end: BackEnd) -> Self {
        Self {
            back_end,
            manual_clock: false,
            worker: true,
            simulator: SimulatorOptions { latency: Latency::none(), ..SimulatorOptions::default() },
            settings: Vec::new(),
        }
    }

    /// The same with a clock that the test moves.
    #[must_use]
    pub fn with_manual_clock(mut self) -> Self {
        self.manual_clock = true;
        self
    }

    /// The same without a worker; see [`TestHouse::start_worker`].
    #[must_use]
    pub fn without_worker(mut self) -> Self {
        self.worker = false;
        self
    }

    /// The same with another setting.
    #[must_use]
    pub fn with_setting(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    /// Starts it.
    pub async fn start(self) -> TestHouse {
        TestHouse::start(self).await
    }
}

/// A running house with a client and everything a test may turn.
pub struct TestHouse {
    /// The caller with the ADMIN key.
    pub client: Client,
    /// The simulated vendors.
    pub vendors: SimulatorHandle,
    /// The clock, if the test moves it.
    pub clock: Option<ManualClock>,
    /// The settings it was started with.
    pub settings: Settings,
    /// The demo's organization.
    pub organization: OrganizationId,
    time: Arc<dyn Clock>,
    front: House,
    workers: Vec<House>,
    simulator: Simulator,
    _folder: tempfile::TempDir,
}

#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test without its house cannot go on")]
impl TestHouse {
    async fn start(plan: Plan) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(&plan, folder.path()).await;
        let clock = plan.manual_clock.then(|| ManualClock::at(SystemClock.now()));
        let time: Arc<dyn Clock> = match &clock {
            Some(clock) => Arc::new(clock.clone()),
            None => Arc::new(SystemClock),
        };
        let sim_clock = if plan.manual_clock { SimClock::manual(time.now()) } else { SimClock::system() };
        let options = SimulatorOptions { clock: sim_clock, ..plan.simulator };
        let simulator = simulator::start(options).await.expect("a simulator");
        let embedded = plan.back_end == BackEnd::Embedded;
        let rooms = Rooms { api: true, worker: embedded && plan.worker, demo: None, migrations: Migrations::Apply };
        let front = House::start(&settings, Arc::clone(&time), rooms).await.expect("a house");
        let key = platform::api_key::generate();
        let url = format!("http://{}", simulator.address());
        let credentials = &simulator.credentials()[0];
        let organization = demo::furnish(front.foundation(), &url, credentials, &key).await.expect("a demo");
        front.sync_unsynced(&settings, organization).await.expect("an inventory");
        let client = Client::new(front.address().expect("an address"), key.expose());
        let mut house = Self {
            client,
            vendors: simulator.handle(),
            clock,
            settings,
            organization,
            time,
            front,
            workers: Vec::new(),
            simulator,
            _folder: folder,
        };
        if !embedded && plan.worker {
            house.start_worker().await;
        }
        house
    }

    /// Starts one more worker; on the embedded back end it lives beside the api.
    pub async fn start_worker(&mut self) {
        let rooms = Rooms { api: false, worker: true, demo: None, migrations: Migrations::Require };
        let foundation = self.settings.is_embedded().then(|| self.front.foundation().clone());
        let worker = House::start_on(foundation, &self.settings, Arc::clone(&self.time), rooms).await;
        self.workers.push(worker.expect("a worker"));
    }

    /// Kills every worker that was started: whatever it was doing is dropped where it stands.
    pub fn kill_workers(&mut self) {
        self.workers.clear();
    }

    /// What the front of the house stands on.
    #[must_use]
    pub const fn foundation(&self) -> &Foundation {
        self.front.foundation()
    }

    /// Its database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.front.foundation().database
    }

    /// A connection of the test's own to the database.
    pub async fn open_database(&self) -> sea_orm::DatabaseConnection {
        let url = if self.settings.is_embedded() {
            format!("sqlite://{}", self.settings.data_directory.join(platform::database::FILE).display())
        } else {
            self.settings.database_url.expose().to_owned()
        };
        sea_orm::Database::connect(url).await.expect("a database")
    }

    /// A transaction of the test's own that will write. As the house's own do, it takes SQLite's write lock at once and
    /// waits for it: one that reads first and is overtaken by another writer cannot write any more.
    pub async fn begin_writing(connection: &sea_orm::DatabaseConnection) -> sea_orm::DatabaseTransaction {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        connection.begin_with_options(options).await.expect("a transaction")
    }

    /// The simulated vendors' base address.
    #[must_use]
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Moves both clocks.
    pub fn advance(&self, by: TimeDelta) {
        let clock = self.clock.as_ref().expect("a manual clock");
        // The vendors first: whoever our clock wakes must not find them in the past.
        self.vendors.advance(by.to_std().unwrap_or_default());
        clock.advance(by);
    }

    /// A caller with a key of its own.
    pub async fn caller(&self, plan: &KeyPlan) -> Client {
        let secret = platform::api_key::generate();
        keys::store_key(self.foundation(), self.organization, plan, &secret).await.expect("a key");
        self.client.with_key(secret.expose())
    }

    /// A caller with a role and no limits.
    pub async fn caller_with_role(&self, role: Role) -> Client {
        self.caller(&KeyPlan::unlimited("test", role)).await
    }

    /// A caller of another organization.
    pub async fn stranger(&self) -> Client {
        let foundation = self.foundation();
        let organization = OrganizationId(foundation.ids.next_uuid());
        entities::store::organizations::create(&foundation.database, organization, "Strangers", foundation.clock.now())
            .await
            .expect("an organization");
        let secret = platform::api_key::generate();
        let plan = KeyPlan::unlimited("stranger", Role::Admin);
        keys::store_key(foundation, organization, &plan, &secret).await.expect("a key");
        self.client.with_key(secret.expose())
    }

    /// Every door, as the API tells.
    pub async fn doors(&self) -> Vec<Value> {
        let query = "{ doors(first: 100) { nodes { id name kind position capabilities externalId \
            device { id name model externalId capabilities health vendorAccount { vendor } } site { id } \
            state { lock { value } position { value } mode { value } occupancy { value } } } } }";
        let mut data = self.client.data(query, json!({})).await;
        serde_json::from_value(data["doors"]["nodes"].take()).expect("doors")
    }

    /// A healthy door of a vendor that can do this, the first by id.
    pub async fn door(&self, vendor: &str, capability: &str) -> Value {
        self.door_where(vendor, capability, |_| true).await
    }

    /// A healthy door of a vendor that can do this and that `fits`.
    pub async fn door_where(&self, vendor: &str, capability: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let doors = self.doors().await;
        let found = doors.into_iter().find(|door| {
            let can = |at: &Value| at["capabilities"].as_array().is_some_and(|all| all.contains(&json!(capability)));
            door["device"]["vendorAccount"]["vendor"] == vendor
                && (can(door) || can(&door["device"]))
                && is_well(&door["device"])
                && fits(door)
        });
        found.unwrap_or_else(|| unreachable!("the demo has a {vendor} door that can {capability}"))
    }

    /// How many physical effects requests had at a device or door of the vendor's.
    #[must_use]
    pub fn effects_at(&self, external_id: &Value) -> usize {
        self.vendors.effects_at(&text(external_id)).iter().filter(|effect| effect.caused_by.is_some()).count()
    }

    /// How many physical effects requests had so far. What hardware does by itself (relock, a hand) is left out.
    #[must_use]
    pub fn effects(&self) -> usize {
        self.vendors.effects(0).entries.iter().filter(|effect| effect.caused_by.is_some()).count()
    }

    /// A command's row.
    pub async fn row(&self, id: &str) -> entities::rows::command::Model {
        let id = id.parse().expect("a command id");
        work::command(self.database(), id).await.expect("a database").expect("a command")
    }

    /// A door's row id.
    #[must_use]
    pub fn door_id(door: &Value) -> DoorId {
        text(&door["id"]).parse().expect("a door id")
    }

    /// Waits until nothing is left to do.
    pub async fn idle(&self) {
        until("nothing is left to do", async || {
            let query = "{ commands(first: 100) { nodes { state } } }";
            let data = self.client.data(query, json!({})).await;
            let open = |state: &Value| matches!(state.as_str(), Some("QUEUED" | "DISPATCHING" | "ACCEPTED"));
            let nodes = data["commands"]["nodes"].as_array().cloned().unwrap_or_default();
            (!nodes.iter().any(|node| open(&node["state"]))).then_some(())
        })
        .await;
    }

    /// Stops everything gracefully.
    pub async fn stop(self) {
        for worker in self.workers {
            worker.stop().await;
        }
        self.front.stop().await;
        self.simulator.shutdown().await;
    }
}

/// Whether a device is as well as its vendor can tell: ParqEx tells nothing of health.
fn is_well(device: &Value) -> bool {
    device["health"] == if device["vendorAccount"]["vendor"] == "PARQEX" { "UNKNOWN" } else { "HEALTHY" }
}

#[expect(clippy::expect_used, reason = "a test without its settings cannot go on")]
async fn settings(plan: &Plan, folder: &std::path::Path) -> Settings {
    let mut replaced = vec![
        ("data_directory", folder.join("data").display().to_string()),
        ("http_address", "127.0.0.1:0".to_owned()),
        ("secret_key", Vault::generate_key().expose().to_owned()),
        // Deep enough in its own time; the suite has many houses at once.
        ("database_connections", "6".to_owned()),
    ];
    if plan.back_end == BackEnd::Distributed {
        let redis = services::redis().await;
        replaced.push(("database_url", services::migrated_postgres().await));
        replaced.push(("redis_url", redis.url));
        replaced.push(("redis_prefix", redis.prefix));
        // Where the simulated vendors are.
        replaced.push(("allow_private_vendor_addresses", "loopback".to_owned()));
    }
    replaced.extend(plan.settings.iter().cloned());
    let replaced: Vec<(&str, &str)> = replaced.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Settings::defaults_with(&replaced).expect("settings")
}

/// Declares tests that run on both back ends: each is a function of the [`BackEnd`].
#[macro_export]
macro_rules! on_both_back_ends {
    ($($(#[$doc:meta])* async fn $name:ident($back_end:ident: BackEnd) $body:block)+) => {
        $(
            $(#[$doc])*
            mod $name {
                #[allow(unused_imports, reason = "the body may need none of its parent's names")]
                use super::*;

                async fn check($back_end: $crate::house::BackEnd) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn embedded() {
                    check($crate::house::BackEnd::Embedded).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn distributed() {
                    check($crate::house::BackEnd::Distributed).await;
                }
            }
        )+
    };
}
