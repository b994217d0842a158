//! The router: which path leads where, and what the front door needs to be built. No behaviour lives here.

use std::{sync::Arc, time::Duration};

use async_graphql::http::GraphiQLSource;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{
        HeaderName, HeaderValue, Method,
        header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{Html, IntoResponse},
    routing::{get, post},
};
use chrono::TimeDelta;
use domain::{clock::Clock, ids::IdSource, stay::StayTiming};
use entities::Database;
use messaging::{JobQueue, LiveBus};
use platform::{oidc::Issuers, vault::Vault};
use tokio_util::sync::CancellationToken;
use tower_http::cors::CorsLayer;

use crate::{
    actions::denials::{self, Denials},
    auth::{Browsers, Keys, People},
    desk::VendorDesk,
    documents::Documents,
    execution::Execution,
    graphql, health, http, routes,
    shared::Shared,
    streams::Streams,
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
    /// How long before, after and between stays.
    pub stay_timing: StayTiming,
    /// How long a subscription can be resumed from a cursor.
    pub replay: TimeDelta,
    /// Other origins whose pages may call, for example `https://desk.example`.
    pub allowed_origins: Vec<String>,
    /// The only documents that may run; any if absent.
    pub trusted_documents: Option<Vec<String>>,
    /// The identity providers whose tokens count.
    pub issuers: Arc<Issuers>,
    /// The header in which the proxy in front of us writes where a caller is; the connection says so without.
    pub address_header: Option<HeaderName>,
    /// Ends sockets and streams, which would not end by themselves.
    pub shutdown: CancellationToken,
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
    /// WebSockets and event streams of one key or person at the same time.
    pub max_streams_per_caller: usize,
    /// How long the body of a request may take.
    pub patience: Duration,
    /// Whether `/graphiql` is served. The page loads its scripts from a CDN (esm.sh).
    pub graphiql: bool,
    /// Whether `__schema` and `__type` answer.
    pub introspection: bool,
    /// Whether `_service { sdl }` answers callers without a key.
    pub sdl: bool,
}

/// The front door: `POST /graphql` (JSON, or server-sent events), `GET /graphql?query=`, the WebSocket
/// (`graphql-transport-ws`) at `GET /graphql` and `GET /graphql/ws`,
/// `GET /graphiql` if asked for, `/sign-in` and `/sign-out` for browsers, `POST /webhooks/{intakeToken}`,
/// `GET /oauth/callback`, `GET /healthz` and `GET /readyz`.
///
/// # Panics
/// There is no tokio runtime around: what comes by every second is started here, and ends with the router.
pub fn router(parts: Parts, settings: Settings) -> Router {
    let people = People::new(
        Arc::clone(&parts.issuers),
        parts.database.clone(),
        Arc::clone(&parts.clock),
        Arc::clone(&parts.ids),
    );
    let keys = Keys::new(parts.database.clone(), Arc::clone(&parts.clock), people);
    let Parts {
        database,
        queue,
        live,
        clock,
        ids,
        vault,
        desk,
        public_url,
        stay_timing,
        replay,
        allowed_origins,
        trusted_documents,
        issuers,
        address_header,
        shutdown,
    } = parts;
    let public_url: Arc<str> = public_url.trim_end_matches('/').into();
    let browsers = Arc::new(Browsers::new(Arc::clone(&vault), &public_url));
    let shared = Arc::new(Shared {
        database,
        queue,
        live,
        clock,
        ids,
        vault,
        desk,
        public_url,
        stay_timing,
        replay,
        keys,
        denials: Denials::default(),
    });
    tokio::spawn(denials::tell_the_rest(Arc::downgrade(&shared)));
    if shared.public_url.starts_with("https://") && address_header.is_none() {
        tracing::warn!(
            "there is a proxy in front, and GATEHOUSE_CLIENT_ADDRESS_HEADER is not set: everybody behind it counts as one \
             caller, so that wrong keys of one slow down wrong keys of all"
        );
    }
    let state = AppState {
        execution: Execution::new(
            graphql::build(settings),
            Arc::clone(&shared),
            settings,
            Documents::new(trusted_documents),
        ),
        shared,
        max_message_bytes: settings.max_body_bytes,
        origins: allowed_origins.into(),
        address_header,
        intake: routes::Intake::default(),
        browsers,
        issuers,
        exchanges: routes::sign_in::Exchanges::default(),
        graphiql: settings.graphiql,
        patience: settings.patience,
        readiness: health::Readiness::default(),
        streams: Arc::new(Streams::new(settings.max_streams_per_caller)),
        shutdown,
    };
    let webhook_limit = DefaultBodyLimit::max(settings.max_webhook_bytes);
    let form_limit = DefaultBodyLimit::max(routes::sign_in::LONGEST_FORM);
    let mut router = Router::new()
        .route("/graphql", post(http::answer).get(http::look))
        .route("/graphql/ws", get(http::look))
        .route("/webhooks/{token}", post(routes::take_delivery).layer(webhook_limit))
        .route("/oauth/callback", get(routes::finish_consent))
        .route("/sign-in", get(routes::sign_in::show).post(routes::sign_in::with_key).layer(form_limit))
        .route("/sign-in/provider", get(routes::sign_in::begin))
        .route("/sign-in/callback", get(routes::sign_in::finish))
        .route("/sign-out", post(routes::sign_in::out))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(routes::nothing_here);
    if settings.graphiql {
        router = router.route("/graphiql", get(graphiql));
    }
    router.layer(DefaultBodyLimit::max(settings.max_body_bytes)).layer(cross_origin(&state.origins)).with_state(state)
}

/// What pages of other origins may read. Cookies count for pages of our own only, so credentials are not admitted.
fn cross_origin(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return CorsLayer::new();
    }
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .max_age(std::time::Duration::from_secs(3_600))
}

/// What the handlers get.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) execution: Execution,
    pub(crate) shared: Arc<Shared>,
    pub(crate) max_message_bytes: usize,
    /// Other origins whose pages may connect.
    pub(crate) origins: Arc<[String]>,
    /// See [`Parts::address_header`].
    pub(crate) address_header: Option<HeaderName>,
    pub(crate) intake: routes::Intake,
    pub(crate) browsers: Arc<Browsers>,
    /// See [`Parts::issuers`].
    pub(crate) issuers: Arc<Issuers>,
    pub(crate) exchanges: routes::sign_in::Exchanges,
    /// See [`Settings::graphiql`].
    pub(crate) graphiql: bool,
    /// See [`Settings::patience`].
    pub(crate) patience: Duration,
    pub(crate) readiness: health::Readiness,
    pub(crate) streams: Arc<Streams>,
    /// See [`Parts::shutdown`].
    pub(crate) shutdown: CancellationToken,
}

/// No page may frame it: it acts for whoever is signed in.
async fn graphiql() -> impl IntoResponse {
    let page = GraphiQLSource::build().endpoint("/graphql").subscription_endpoint("/graphql/ws").title("Gatehouse");
    ([(CONTENT_SECURITY_POLICY, "frame-ancestors 'none'")], Html(page.finish()))
}
