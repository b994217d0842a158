//! A front door over a database of its own: one site of twelve Bikeep docks, another with one, a key per role.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use domain::{
    access::{Actor, Limits, Principal, Role},
    account::{AccountState, Vendor},
    clock::Clock,
    command::CommandKind,
    device::{DeviceDetails, FoundDevice, FoundDoor, Health},
    door::{DoorKind, DoorReading, LockState},
    ids::{ApiKeyId, DoorId, IdSource, OrganizationId, SiteId, VendorAccountId},
};
use entities::{
    Database, Scope,
    find::{self, doors::DoorFilter},
    page::PageRequest,
    rows::{door, vendor_account},
    store,
};
use gatehouse_api::{Parts, Settings, router};
use messaging::{Backend, Job, JobQueue, QueueError};
use migration::{Migrator, MigratorTrait};
use platform::{
    clock::ManualClock,
    ids::Ids,
    oidc::{Answer, Documents, Form, Issuers},
    vault::Vault,
};
use sea_orm::ConnectOptions;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::desk::FakeDesk;

pub(crate) const DOCKS: usize = 12;

pub(crate) struct House {
    pub(crate) router: Router,
    pub(crate) database: Database,
    pub(crate) backend: Backend,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) organization: OrganizationId,
    pub(crate) site: SiteId,
    pub(crate) account: vendor_account::Model,
    pub(crate) doors: Vec<door::Model>,
    pub(crate) vault: Arc<Vault>,
    bell: Arc<Bell>,
    keys: AtomicU64,
    _folder: TempDir,
}

impl House {
    pub(crate) async fn build() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("gatehouse.db").display());
        let pool = |connections| {
            let mut options = ConnectOptions::new(&url);
            options.max_connections(connections).sqlx_logging(false);
            sea_orm::Database::connect(options)
        };
        let write = pool(1).await.unwrap();
        Migrator::up(&write, None).await.unwrap();
        let database = Database::new(pool(4).await.unwrap(), write);
        let backend = Backend::embedded(folder.path()).await.unwrap();
        let clock = Arc::new(ManualClock::default());
        let ids = Arc::new(Ids::new(clock.clone()));
        let vault = Arc::new(Vault::new(&Vault::generate_key()).unwrap());
        let bell = Arc::new(Bell { queue: backend.queue(), rung: Mutex::default(), looks: AtomicU64::new(0) });
        let parts = Parts {
            database: database.clone(),
            queue: Arc::clone(&bell) as Arc<dyn JobQueue>,
            live: backend.live(),
            clock: clock.clone(),
            ids: ids.clone(),
            vault: Arc::clone(&vault),
            desk: Arc::new(FakeDesk),
            public_url: "https://doors.example/".to_owned(),
            stay_timing: domain::stay::StayTiming::default(),
            replay: chrono::TimeDelta::days(7),
            allowed_origins: Vec::new(),
            trusted_documents: None,
            issuers: Arc::new(Issuers::new(Vec::new(), &(Arc::new(NoDocuments) as Arc<dyn Documents>), clock.clone())),
            address_header: None,
            shutdown: CancellationToken::new(),
        };
        let settings = Settings {
            max_depth: 15,
            max_complexity: 20_000,
            max_body_bytes: 20_000,
            max_webhook_bytes: 30_000,
            max_streams_per_caller: 2,
            patience: Duration::from_secs(10),
            graphiql: true,
            introspection: true,
            sdl: false,
        };
        let (organization, site, account) = settle(&database, &ids, &clock).await;
        let doors = every_door(&database, organization).await;
        Self {
            router: router(parts, settings),
            database,
            backend,
            clock,
            ids,
            organization,
            site,
            account,
            doors,
            vault,
            bell,
            keys: AtomicU64::new(0),
            _folder: folder,
        }
    }

    /// A new key of the house's organization.
    pub(crate) async fn key(&self, role: Role, limits: &Limits) -> String {
        let key = format!("gh_{:043}", self.keys.fetch_add(1, Ordering::Relaxed));
        let new = store::keys::NewKey {
            id: ApiKeyId(self.ids.next_uuid()),
            organization: self.organization,
            name: "test",
            prefix: &platform::api_key::prefix(&key),
            secret_hash: platform::api_key::hash(&key),
            role,
            limits,
            expires_at: None,
            max_uses: None,
        };
        store::keys::create(&self.database, self.ids.as_ref(), new, self.clock.now()).await.unwrap();
        key
    }

    /// Somebody who sees the whole organization.
    pub(crate) fn principal(&self, role: Role) -> Principal {
        everybody(self.organization, role)
    }

    /// What was rung for since the last time.
    pub(crate) fn rung(&self) -> Vec<Job> {
        std::mem::take(&mut *self.bell.rung.lock().unwrap())
    }

    /// A request that is no operation: its status, headers and body.
    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// How often it was asked whether the bell would ring.
    pub(crate) fn looks(&self) -> u64 {
        self.bell.looks.load(Ordering::Relaxed)
    }

    pub(crate) fn door(&self, index: usize) -> String {
        DoorId(self.doors[index].id).to_string()
    }

    /// POSTs an operation and returns the whole answer.
    pub(crate) async fn ask(&self, key: &str, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let (status, answer) = self.post(Some(key), "application/json", body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) async fn post(&self, key: Option<&str>, content_type: &str, body: String) -> (StatusCode, Value) {
        let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, content_type);
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

/// A bell that remembers what it was rung for.
/// No identity provider is known here.
struct NoDocuments;

impl Documents for NoDocuments {
    fn get(&self, _: String) -> Answer<Result<Vec<u8>, String>> {
        Box::pin(std::future::ready(Err("there is none".to_owned())))
    }

    fn post(&self, _: String, _: Form) -> Answer<Result<(u16, Vec<u8>), String>> {
        Box::pin(std::future::ready(Err("there is none".to_owned())))
    }
}

struct Bell {
    queue: Arc<dyn JobQueue>,
    rung: Mutex<Vec<Job>>,
    looks: AtomicU64,
}

#[async_trait]
impl JobQueue for Bell {
    async fn ring_later(&self, job: &Job, delay: Duration) -> Result<(), QueueError> {
        self.rung.lock().unwrap().push(job.clone());
        self.queue.ring_later(job, delay).await
    }

    async fn ring_many(&self, jobs: &[Job]) -> Result<(), QueueError> {
        self.rung.lock().unwrap().extend(jobs.iter().cloned());
        self.queue.ring_many(jobs).await
    }

    async fn collect_finished(&self) -> Result<u64, QueueError> {
        self.queue.collect_finished().await
    }

    async fn check(&self) -> Result<(), QueueError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.queue.check().await
    }
}

async fn every_door(database: &Database, organization: OrganizationId) -> Vec<door::Model> {
    let everything = Scope::of(&everybody(organization, Role::Viewer));
    let page = PageRequest { after: None, before: None, limit: 100, from_end: false, newest_first: false };
    find::doors::page(database, &everything, &DoorFilter::default(), page).await.unwrap().rows
}

fn everybody(organization: OrganizationId, role: Role) -> Principal {
    let actor = Actor::ApiKey(ApiKeyId(uuid::Uuid::nil()));
    let limits = Limits::default();
    Principal {
        organization,
        actor,
        role,
        at_sites: BTreeMap::new(),
        limits,
        own_doors: BTreeSet::new(),
        counted: false,
        expires_at: None,
    }
}

async fn settle(
    database: &Database,
    ids: &Ids,
    clock: &ManualClock,
) -> (OrganizationId, SiteId, vendor_account::Model) {
    let now = clock.now();
    let organization = OrganizationId(ids.next_uuid());
    store::organizations::create(database, organization, "Org", now).await.unwrap();
    let [site, other] = [SiteId(ids.next_uuid()), SiteId(ids.next_uuid())];
    for (site, name) in [(site, "Harbour"), (other, "Hill")] {
        store::organizations::create_site(database, organization, site, name, "Europe/Tallinn", now).await.unwrap();
    }
    let id = VendorAccountId(ids.next_uuid());
    let account = store::accounts::NewAccount {
        id,
        organization,
        site,
        vendor: Vendor::Bikeep,
        name: "Bikeep",
        base_url: "http://127.0.0.1:1",
        credentials: vec![1],
        locations: &[("hill".to_owned(), other)],
        state: AccountState::Connected,
        signed_in_as: None,
        intake_token_hash: None,
        linked_by: None,
    };
    let account = store::accounts::link(database, ids, account, now).await.unwrap();
    let mut found: Vec<FoundDevice> = (0..DOCKS).map(|number| dock(number, "harbour")).collect();
    found.push(dock(DOCKS, "hill"));
    store::inventory::record(database, ids, &account, &found, now).await.unwrap();
    (organization, site, account)
}

fn dock(number: usize, location: &str) -> FoundDevice {
    let doors = vec![FoundDoor {
        external_id: number.to_string(),
        name: format!("Dock {number}"),
        kind: DoorKind::Dock,
        position: 1,
        capabilities: [
            CommandKind::OpenDoor,
            CommandKind::UnlockDoor,
            CommandKind::LockDoor,
            CommandKind::BookDoor,
            CommandKind::ForceUnlockDoor,
        ]
        .into(),
        reading: DoorReading { lock: Some(LockState::Locked), ..DoorReading::default() },
        settings: None,
        phone_access: None,
    }];
    FoundDevice {
        external_id: number.to_string(),
        location: location.to_owned(),
        name: format!("Dock {number}"),
        model: "dock".to_owned(),
        firmware: None,
        health: Health::Healthy,
        health_since: None,
        battery_percent: Some(80),
        details: DeviceDetails::default(),
        capabilities: [CommandKind::SyncDevice].into(),
        doors,
    }
}
