//! Whether the process lives and whether it can serve. Both answer without a key and tell nothing about anybody.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use crate::app::AppState;

/// The process runs.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// The database answers and a ring would get through; 503 and the part at fault otherwise.
pub(crate) async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    let (database, queue) = tokio::join!(state.shared.database.check(), state.shared.queue.check());
    if let Err(error) = &database {
        tracing::warn!(%error, "not ready: database");
    }
    if let Err(error) = &queue {
        tracing::warn!(%error, "not ready: queue");
    }
    let word = |up: bool| if up { "up" } else { "down" };
    let up = database.is_ok() && queue.is_ok();
    let status = if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": up, "database": word(database.is_ok()), "queue": word(queue.is_ok()) })))
}
