//! `POST /graphql`: reads one operation, answers as JSON. Content rules only; what an operation means is for `execution`.

use async_graphql::{Request, Response as Answer};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};

use crate::{
    app::AppState,
    auth::{Credential, Malformed, Session},
    graphql::error::{ApiError, ErrorCode, coded, dress},
};

const JSON: &str = "application/json; charset=utf-8";
const GRAPHQL_JSON: &str = "application/graphql-response+json; charset=utf-8";

/// Answers one operation. Without a key only the schema itself answers; with a key that does not count, nothing does.
pub(crate) async fn answer(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let accepted = accepted(&headers);
    let request = match read(&headers, body) {
        Ok(request) => request,
        Err((status, message)) => return refuse(status, accepted, ErrorCode::BadUserInput, message),
    };
    let session = match session(&state, &headers).await {
        Ok(session) => session,
        Err(refused) => return refused.into_response(accepted),
    };
    let answer = state.execution.answer(request, session).await;
    respond(StatusCode::OK, accepted, &answer)
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Request, (StatusCode, &'static str)> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
        _ => (StatusCode::BAD_REQUEST, "The body could not be read."),
    })?;
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send `Content-Type: application/json`."));
    }
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err((StatusCode::BAD_REQUEST, "Batches are not supported: send one operation at a time."));
    }
    let request: Request = serde_json::from_slice(&body)
        .map_err(|_| (StatusCode::BAD_REQUEST, "The body is not a GraphQL request: {\"query\": \"…\"}."))?;
    if request.query.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "The request has no `query`."));
    }
    Ok(request)
}

enum Refused {
    Unauthenticated,
    Failed(Box<async_graphql::ServerError>),
}

impl Refused {
    fn into_response(self, accepted: &'static str) -> Response {
        match self {
            Self::Unauthenticated => {
                let message = ApiError::Unauthenticated.to_string();
                let mut response = refuse(StatusCode::UNAUTHORIZED, accepted, ErrorCode::Unauthenticated, &message);
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                response
            }
            Self::Failed(error) => {
                respond(StatusCode::SERVICE_UNAVAILABLE, accepted, &Answer::from_errors(vec![*error]))
            }
        }
    }
}

async fn session(state: &AppState, headers: &HeaderMap) -> Result<Option<Session>, Refused> {
    let credential = match Credential::of_headers(headers) {
        Ok(None) => return Ok(None),
        Ok(Some(credential)) => credential,
        Err(Malformed) => return Err(Refused::Unauthenticated),
    };
    match state.shared.keys.verify(&credential).await {
        Ok(Some(session)) => Ok(Some(session)),
        Ok(None) => Err(Refused::Unauthenticated),
        Err(error) => {
            let error = async_graphql::Error::from(error).into_server_error(async_graphql::Pos::default());
            let mut errors = vec![error];
            dress(&mut errors, state.shared.ids.as_ref());
            Err(Refused::Failed(Box::new(errors.swap_remove(0))))
        }
    }
}

fn accepted(headers: &HeaderMap) -> &'static str {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/graphql-response+json") { GRAPHQL_JSON } else { JSON }
}

fn refuse(status: StatusCode, accepted: &'static str, code: ErrorCode, message: &str) -> Response {
    respond(status, accepted, &Answer::from_errors(vec![coded(code, message)]))
}

fn respond(status: StatusCode, content_type: &'static str, answer: &Answer) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    match serde_json::to_vec(answer) {
        Ok(body) => (status, headers, body).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
