//! A front door over a database of its own: one site of twelve Bikeep docks, another with one, a key per role.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use domain::{
    access::{Actor, Limits, Principal, Role},
    account::Vendor,
    clock::Clock,
    command::CommandKind,
    device::{FoundDevice, FoundDoor, Health},
    door::{DoorKind, DoorReading, LockState},
    ids::{ApiKeyId, DoorId, IdSource, OrganizationId, SiteId, VendorAccountId},
};
use entities::{
    Database, Scope,
    find::{self, doors::DoorFilter},
    page::PageRequest,
    rows::{door, vendor_account},
    store, work,
};
use gatehouse_api::{Parts, Settings, router};
use messaging::Backend;
use migration::{Migrator, MigratorTrait};
use platform::{clock::ManualClock, ids::Ids};
use sea_orm::ConnectOptions;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

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
        let parts = Parts {
            database: database.clone(),
            queue: backend.queue(),
            live: backend.live(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let settings = Settings {
            max_depth: 15,
            max_complexity: 20_000,
            max_body_bytes: 20_000,
            graphiql: true,
            introspection: true,
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
            secret_hash: platform::api_key::hash(&key),
            role,
            limits,
            expires_at: None,
        };
        store::keys::create(&self.database, new, self.clock.now()).await.unwrap();
        key
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

async fn every_door(database: &Database, organization: OrganizationId) -> Vec<door::Model> {
    let everything = Scope::of(&Principal {
        organization,
        actor: Actor::ApiKey(ApiKeyId(uuid::Uuid::nil())),
        role: Role::Viewer,
        limits: Limits::default(),
        expires_at: None,
    });
    let page = PageRequest { after: None, before: None, limit: 100, from_end: false, newest_first: false };
    find::doors::page(database, &everything, &DoorFilter::default(), page).await.unwrap().rows
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
    };
    store::accounts::link(database, account, now).await.unwrap();
    let account = work::account(database, id).await.unwrap().unwrap();
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
        capabilities: [CommandKind::SyncDevice].into(),
        doors,
    }
}
