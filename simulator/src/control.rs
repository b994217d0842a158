//! The control API under /_sim: the handle over HTTP, JSON in and out. No decision is made here.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    change::WorldChange,
    engine::Engine,
    faults::Fault,
    handle::{Poke, SimulatorHandle},
    vendors::{Vendor, lockt::LocktPresented},
    webhooks::{WebhookConduct, WebhookTarget},
};

/// How many entries a page has if the caller does not say.
const PAGE: usize = 1000;

#[derive(Debug, Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Advance {
    millis: u64,
}

#[derive(Debug, Deserialize)]
struct AddTarget {
    vendor: Vendor,
    #[serde(flatten)]
    target: WebhookTarget,
}

#[derive(Debug, Deserialize)]
struct Conduct {
    vendor: Vendor,
    #[serde(flatten)]
    conduct: WebhookConduct,
}

#[derive(Debug, Deserialize)]
struct Release {
    vendor: Vendor,
    #[serde(default)]
    reversed: bool,
}

#[derive(Debug, Deserialize)]
struct LocktQuestion {
    door: u64,
    credential: LocktPresented,
    /// Now if absent.
    #[serde(default)]
    at: Option<DateTime<Utc>>,
}

/// A request that cannot be carried out, with a sentence.
#[derive(Debug)]
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

pub(crate) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/_sim/journal", get(journal).delete(clear_journal))
        .route("/_sim/effects", get(effects))
        .route("/_sim/coverage", get(coverage))
        .route("/_sim/credentials", get(credentials))
        .route("/_sim/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_sim/faults/{id}", delete(remove_fault))
        .route("/_sim/lockt/overlaps", get(lockt_overlaps))
        .route("/_sim/lockt/verdict", post(lockt_verdict))
        .route("/_sim/mews/usage", get(mews_usage))
        .route("/_sim/poke", post(poke))
        .route("/_sim/clock", get(clock))
        .route("/_sim/clock/advance", post(advance))
        .route("/_sim/world/{change}", post(change))
        .route("/_sim/parqex/oauth/{user}", get(parqex_oauth))
        .route("/_sim/webhooks", get(webhooks))
        .route("/_sim/webhooks/targets", post(add_webhook_target))
        .route("/_sim/webhooks/targets/{id}", delete(remove_webhook_target))
        .route("/_sim/webhooks/conduct", post(webhook_conduct))
        .route("/_sim/webhooks/release", post(release_webhooks))
}

type Here = State<Arc<Engine>>;

fn handle(State(engine): Here) -> SimulatorHandle {
    SimulatorHandle { engine }
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))
}

async fn journal(engine: Here, Query(page): Query<After>) -> Response {
    Json(engine.journal.requests(page.after, page.limit.unwrap_or(PAGE))).into_response()
}

async fn effects(engine: Here, Query(page): Query<After>) -> Response {
    engine.settle();
    Json(engine.journal.effects(page.after, page.limit.unwrap_or(PAGE))).into_response()
}

async fn clear_journal(engine: Here) -> StatusCode {
    handle(engine).clear_journal();
    StatusCode::NO_CONTENT
}

async fn coverage(engine: Here) -> Response {
    Json(handle(engine).coverage()).into_response()
}

async fn credentials(engine: Here) -> Response {
    Json(handle(engine).credentials()).into_response()
}

async fn faults(engine: Here) -> Response {
    Json(handle(engine).faults()).into_response()
}

async fn add_fault(engine: Here, body: Bytes) -> Result<Response, Refused> {
    let fault: Fault = read(&body)?;
    let id = handle(engine).add_fault(fault).map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))).into_response())
}

async fn clear_faults(engine: Here) -> StatusCode {
    handle(engine).clear_faults();
    StatusCode::NO_CONTENT
}

async fn remove_fault(engine: Here, Path(id): Path<u64>) -> StatusCode {
    if handle(engine).remove_fault(id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn mews_usage(engine: Here) -> Response {
    Json(handle(engine).mews_usage()).into_response()
}

async fn lockt_overlaps(engine: Here) -> Response {
    Json(handle(engine).lockt_overlaps()).into_response()
}

async fn lockt_verdict(engine: Here, body: Bytes) -> Result<Response, Refused> {
    let LocktQuestion { door, credential, at } = read(&body)?;
    let at = at.unwrap_or_else(|| engine.clock.now());
    Ok(Json(json!({ "verdict": handle(engine).lockt_verdict(door, &credential, at) })).into_response())
}

async fn poke(engine: Here, body: Bytes) -> Result<Response, Refused> {
    let poke: Poke = read(&body)?;
    Ok(Json(json!({ "moved": handle(engine).poke(&poke) })).into_response())
}

async fn clock(engine: Here) -> Response {
    Json(json!({ "now": engine.clock.now() })).into_response()
}

async fn advance(engine: Here, body: Bytes) -> Result<Response, Refused> {
    let Advance { millis } = read(&body)?;
    let handle = handle(engine);
    handle.advance(Duration::from_millis(millis));
    Ok(Json(json!({ "now": handle.clock().now() })).into_response())
}

async fn change(engine: Here, Path(name): Path<String>, body: Bytes) -> Result<StatusCode, Refused> {
    let mut fields: serde_json::Map<String, Value> = read(&body)?;
    fields.insert("change".to_owned(), Value::String(name));
    let change: WorldChange = serde_json::from_value(Value::Object(fields))
        .map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))?;
    handle(engine).change(change).map_err(|error| Refused(StatusCode::NOT_FOUND, error.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn parqex_oauth(engine: Here, Path(user): Path<String>) -> Response {
    Json(handle(engine).parqex_oauth(&user)).into_response()
}

async fn webhooks(engine: Here, Query(page): Query<After>) -> Response {
    engine.settle();
    Json(engine.webhooks.entries(page.after, page.limit.unwrap_or(PAGE))).into_response()
}

async fn add_webhook_target(engine: Here, body: Bytes) -> Result<Response, Refused> {
    let AddTarget { vendor, target } = read(&body)?;
    let id = handle(engine).send_webhooks_to(vendor, target);
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))).into_response())
}

async fn remove_webhook_target(engine: Here, Path(id): Path<u64>) -> StatusCode {
    if handle(engine).stop_webhooks_to(id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn webhook_conduct(engine: Here, body: Bytes) -> Result<StatusCode, Refused> {
    let Conduct { vendor, conduct } = read(&body)?;
    handle(engine).set_webhook_conduct(vendor, conduct);
    Ok(StatusCode::NO_CONTENT)
}

async fn release_webhooks(engine: Here, body: Bytes) -> Result<Response, Refused> {
    let Release { vendor, reversed } = read(&body)?;
    Ok(Json(json!({ "released": handle(engine).release_webhooks(vendor, reversed) })).into_response())
}
