//! The body of a request, as far as it comes in time.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use tokio::time::timeout;

use crate::app::AppState;

/// The whole body.
///
/// # Errors
/// 413 if it is too large, 408 if it does not come to its end, or why it cannot be read.
pub(crate) async fn whole(request: Request, state: &AppState) -> Result<Bytes, StatusCode> {
    match timeout(state.patience, Bytes::from_request(request, state)).await {
        Ok(body) => body.map_err(|rejection| rejection.status()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}
