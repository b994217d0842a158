//! `POST /webhooks/{intakeToken}`: a delivery is sealed and stored before the vendor gets its answer; what it says is
//! for the worker. Nothing is parsed here.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{
        HeaderValue, StatusCode, Uri,
        header::{COOKIE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use domain::{ids::WebhookDeliveryId, secret::Secret, webhook::RawDelivery};
use entities::{find, rows::vendor_account, store};
use messaging::Job;
use platform::vault::Place;
use tokio::{sync::Semaphore, time::timeout};

use super::nothing;
use crate::{app::AppState, body, shared::Shared, token};

/// Deliveries under way at once; each may hold a body of the largest size.
const AT_ONCE: usize = 64;
/// How long a delivery waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// The name under which the address of the request is kept among its headers, as in HTTP/2. Some vendors carry their
/// mark in its query.
const PATH: &str = ":path";

/// How much may come in at once.
#[derive(Clone)]
pub(crate) struct Intake(Arc<Semaphore>);

impl Default for Intake {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Takes a delivery: 202 once it is stored, 404 as for any unknown address, 413 if it is too large, 408 if it does not
/// come to its end, 503 if it could not be stored and is to be sent again.
pub(crate) async fn take_delivery(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let Ok(Path(token)) = path else { return nothing() };
    let Ok(Ok(_turn)) = timeout(PATIENCE, state.intake.0.acquire()).await else { return later() };
    // The same steps for every token: nothing tells which ones exist but the answer.
    let account = match find::intake::by_token_hash(&state.shared.database, &token::hash(&token)).await {
        Ok(Some(account)) => account,
        Ok(None) => return nothing(),
        Err(error) => {
            tracing::warn!(%error, "a webhook could not be looked up; its vendor is asked to send it again");
            return later();
        }
    };
    let headers = kept_headers(&request);
    let body = match body::whole(request, &state).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let delivery = RawDelivery { headers, body: body.into() };
    if keep(&state.shared, &account, &delivery).await { StatusCode::ACCEPTED.into_response() } else { later() }
}

/// Stores a delivery and rings for it. Returns whether it is kept.
async fn keep(shared: &Shared, account: &vendor_account::Model, delivery: &RawDelivery) -> bool {
    let id = WebhookDeliveryId(shared.ids.next_uuid());
    let place = Place { table: "webhook_deliveries", column: "content", row: id.0 };
    let form = serde_json::to_string(delivery).map(Secret::new);
    let Some(content) = form.ok().and_then(|form| shared.vault.seal(&form, place).ok()) else {
        tracing::error!("a webhook could not be sealed");
        return false;
    };
    let (now, size) = (shared.clock.now(), delivery.body.len());
    if let Err(error) = store::deliveries::store(&shared.database, id, account, content, size, now).await {
        tracing::warn!(%error, "a webhook was not stored; its vendor is asked to send it again");
        return false;
    }
    if let Err(error) = shared.queue.ring(&Job::Intake { account: account.id }).await {
        tracing::warn!(%error, "the bell did not ring for a webhook; the sweeper will");
    }
    true
}

/// The vendor's headers, which may hold its key, and what follows our token in the address.
fn kept_headers(request: &Request) -> Vec<(String, String)> {
    let headers = request.headers().iter().filter(|(name, _)| *name != COOKIE);
    let told =
        headers.map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into()));
    told.chain([(PATH.to_owned(), address(request.uri()))]).collect()
}

fn address(uri: &Uri) -> String {
    uri.query().map_or_else(|| "/webhooks".to_owned(), |query| format!("/webhooks?{query}"))
}

fn later() -> Response {
    let said = "This delivery was not stored. Send it again in a few seconds.\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, HeaderValue::from_static("5"))], said).into_response()
}
