//! Whether the process lives and whether it can serve. Both answer without a key and tell nothing about anybody.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{app::AppState, shared::Shared};

/// How long an answer holds: anybody may ask, and each look costs the database and the queue a round trip.
const HOLDS_FOR: Duration = Duration::from_secs(1);

/// How it was at the last look. Whoever comes during one waits for it.
#[derive(Clone, Default)]
pub(crate) struct Readiness(Arc<Mutex<Option<Look>>>);

#[derive(Clone, Copy)]
struct Look {
    at: Instant,
    database: bool,
    queue: bool,
}

impl Readiness {
    #[expect(clippy::disallowed_methods, reason = "whether this process can serve is a matter of real time")]
    async fn look(&self, shared: &Shared) -> Look {
        let mut last = self.0.lock().await;
        if let Some(look) = last.filter(|look| look.at.elapsed() < HOLDS_FOR) {
            return look;
        }
        let (database, queue) = tokio::join!(shared.database.check(), shared.queue.check());
        if let Err(error) = &database {
            tracing::warn!(%error, "not ready: database");
        }
        if let Err(error) = &queue {
            tracing::warn!(%error, "not ready: queue");
        }
        *last.insert(Look { at: Instant::now(), database: database.is_ok(), queue: queue.is_ok() })
    }
}

/// The process runs.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// The database answers and a ring would get through; 503 and the part at fault otherwise. True a second ago at most.
pub(crate) async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    let Look { database, queue, .. } = state.readiness.look(&state.shared).await;
    let word = |up: bool| if up { "up" } else { "down" };
    let up = database && queue;
    let status = if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": up, "database": word(database), "queue": word(queue) })))
}
