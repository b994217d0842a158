//! The router: which path leads where, and what the front door needs to be built. No behaviour lives here.

use std::sync::Arc;

use async_graphql::http::GraphiQLSource;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    response::Html,
    routing::{get, post},
};
use domain::{clock::Clock, ids::IdSource};
use entities::Database;
use messaging::{JobQueue, LiveBus};
use platform::vault::Vault;

use crate::{
    auth::Keys, desk::VendorDesk, execution::Execution, graphql, health, http, routes, shared::Shared, socket,
};

/// What the front door works with.
#[derive(Clone)]
pub struct Parts {
    /// The database, already migrated.
    pub database: Database,
    /// The bell that wakes the worker.
    pub queue: Arc<dyn JobQueue>,
    /// Where subscriptions hear of changes.
    pub live: Arc<dyn LiveBus>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// Seals and opens secrets.
    pub vault: Arc<Vault>,
    /// Asks vendors while an account is linked.
    pub desk: Arc<dyn VendorDesk>,
    /// Where browsers and vendors reach this front door, for example `https://gatehouse.example`.
    pub public_url: String,
}

/// How much a caller may ask for at once, and what is shown to the curious.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The deepest selection.
    pub max_depth: usize,
    /// The most expensive operation: fields counted, lists multiplied by their page.
    pub max_complexity: usize,
    /// The largest request body and WebSocket message, in bytes.
    pub max_body_bytes: usize,
    /// The largest webhook, in bytes.
    pub max_webhook_bytes: usize,
    /// Whether `/graphiql` is served. The page loads its scripts from a CDN (esm.sh).
    pub graphiql: bool,
    /// Whether `__schema` and `__type` answer.
    pub introspection: bool,
}

/// The front door: `POST /graphql`, the WebSocket (`graphql-transport-ws`) at `GET /graphql` and `GET /graphql/ws`,
/// `GET /graphiql` if asked for, `POST /webhooks/{intakeToken}`, `GET /oauth/callback`, `GET /healthz` and `GET /readyz`.
pub fn router(parts: Parts, settings: Settings) -> Router {
    let keys = Keys::new(parts.database.clone(), Arc::clone(&parts.clock));
    let Parts { database, queue, live, clock, ids, vault, desk, public_url } = parts;
    let public_url = public_url.trim_end_matches('/').into();
    let shared = Arc::new(Shared { database, queue, live, clock, ids, vault, desk, public_url, keys });
    let state = AppState {
        execution: Execution::new(graphql::build(settings), Arc::clone(&shared), settings),
        shared,
        max_message_bytes: settings.max_body_bytes,
        intake: routes::Intake::default(),
    };
    let webhook_limit = DefaultBodyLimit::max(settings.max_webhook_bytes);
    let mut router = Router::new()
        .route("/graphql", post(http::answer).get(socket::upgrade))
        .route("/graphql/ws", get(socket::upgrade))
        .route("/webhooks/{token}", post(routes::take_delivery).layer(webhook_limit))
        .route("/oauth/callback", get(routes::finish_consent))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(routes::nothing_here);
    if settings.graphiql {
        router = router.route("/graphiql", get(graphiql));
    }
    router.layer(DefaultBodyLimit::max(settings.max_body_bytes)).with_state(state)
}

/// What the handlers get.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) execution: Execution,
    pub(crate) shared: Arc<Shared>,
    pub(crate) max_message_bytes: usize,
    pub(crate) intake: routes::Intake,
}

async fn graphiql() -> Html<String> {
    Html(GraphiQLSource::build().endpoint("/graphql").subscription_endpoint("/graphql/ws").title("Gatehouse").finish())
}
