//! GraphQL over HTTP: `POST /graphql` reads one operation, `GET /graphql` one query; both answer as JSON. Content rules
//! only (the working draft of GraphQL over HTTP); what an operation means is for `execution`.

use async_graphql::{Request, Response as Answer, parser::types::OperationType};
use axum::{
    body::Bytes,
    extract::{
        Extension, Query, Request as HttpRequest, State,
        rejection::QueryRejection,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    accept::{Form, preferred},
    app::AppState,
    auth::{Admission, Brought, Cookie, Credential, Malformed, Peer, Session},
    body,
    connections::Allowance,
    graphql::error::{ApiError, ErrorCode, coded, dress, has_code, is_request_error},
    socket, sse,
};

const JSON: &str = "application/json; charset=utf-8";
const GRAPHQL_JSON: &str = "application/graphql-response+json; charset=utf-8";

/// Answers one operation. Without a key, token or session only the schema itself answers; with a key or token that does not
/// count, nothing does.
pub(crate) async fn answer(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    request: HttpRequest,
) -> Response {
    let form = preferred(&headers, Form::ALL);
    let accepted = content_type(form);
    let request = match read(&headers, body::whole(request, &state).await) {
        Ok(request) => request,
        Err((status, message)) => return refuse(status, accepted, ErrorCode::BadUserInput, message),
    };
    let asker = match asker(&state, peer, &headers).await {
        Ok(asker) => asker,
        Err(refused) => return refused.into_response(accepted),
    };
    let response = if form == Form::Events {
        match asker.session.map(|session| (state.streams.enter(session.principal.actor), session)) {
            Some((Some(place), session)) => {
                let answers = state.execution.clone().stream(request, session.credential.clone());
                sse::respond(answers, &session, place, &state)
            }
            Some((None, _)) => Refused::Crowded.into_response(accepted),
            None => Refused::Unauthenticated.into_response(accepted),
        }
    } else {
        let answer = state.execution.answer(request, asker.session).await;
        respond(status_of(&answer, accepted), accepted, &answer)
    };
    if asker.has_dead_cookie { state.browsers.forgetting(Cookie::Session, response) } else { response }
}

/// The members of a query in an address.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// Answers one query, or upgrades to a WebSocket. An address is kept in logs and followed by anybody, so that it never
/// changes anything: mutations are refused.
pub(crate) async fn look(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    allowance: Option<Extension<Allowance>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Response {
    if let Ok(upgrade) = upgrade {
        let allowance = allowance.map(|Extension(allowance)| allowance).unwrap_or_default();
        return socket::upgrade(state, peer, &headers, upgrade, allowance);
    }
    let accepted = content_type(preferred(&headers, Form::SINGLE));
    let bad = |message| refuse(StatusCode::BAD_REQUEST, accepted, ErrorCode::BadUserInput, message);
    let Ok(Query(Parameters { query, operation_name, variables, extensions })) = parameters else {
        return bad("The parameters of the address cannot be read.");
    };
    if query.is_none() && extensions.is_none() {
        return not_by_get("POST an operation, GET one as `?query=…`, or upgrade to a WebSocket.\n");
    }
    let mut request = Request::new(query.unwrap_or_default());
    if let Some(name) = operation_name.filter(|name| !name.is_empty()) {
        request = request.operation_name(name);
    }
    match (object(variables), object(extensions)) {
        (Some(variables), Some(extensions)) => {
            request.variables = async_graphql::Variables::from_json(variables);
            request.extensions = serde_json::from_value(extensions).unwrap_or_default();
        }
        (None, _) => return bad("`variables` is not a JSON object."),
        (_, None) => return bad("`extensions` is not a JSON object."),
    }
    // The document of a hash is as good as one that is sent, and is looked at for the same.
    if let Err(error) = state.execution.complete(&mut request) {
        let answer = Answer::from_errors(vec![error]);
        return respond(status_of(&answer, accepted), accepted, &answer);
    }
    if request.query.is_empty() {
        return bad("The request has no `query`.");
    }
    let changes = |kind| matches!(kind, OperationType::Mutation | OperationType::Subscription);
    if request.parsed_query().is_ok_and(|document| document.operations.iter().any(|(_, it)| changes(it.node.ty))) {
        return not_by_get("Only queries are answered by GET: POST the operation.\n");
    }
    let asker = match asker(&state, peer, &headers).await {
        Ok(asker) => asker,
        Err(refused) => return refused.into_response(accepted),
    };
    let answer = state.execution.answer(request, asker.session).await;
    let response = respond(status_of(&answer, accepted), accepted, &answer);
    if asker.has_dead_cookie { state.browsers.forgetting(Cookie::Session, response) } else { response }
}

/// A parameter that holds a JSON object; without it, nothing.
fn object(text: Option<String>) -> Option<serde_json::Value> {
    match text.filter(|text| !text.is_empty()) {
        None => Some(serde_json::Value::Null),
        Some(text) => serde_json::from_str(&text).ok().filter(|it: &serde_json::Value| it.is_object() || it.is_null()),
    }
}

fn not_by_get(message: &'static str) -> Response {
    let allow = [(ALLOW, HeaderValue::from_static("POST"))];
    (StatusCode::METHOD_NOT_ALLOWED, allow, message).into_response()
}

/// Whoever knows `application/graphql-response+json` is told by the status that nothing was executed, and whose fault it
/// was.
fn status_of(answer: &Answer, accepted: &'static str) -> StatusCode {
    if accepted != GRAPHQL_JSON || !is_request_error(answer) {
        return StatusCode::OK;
    }
    if has_code(answer, ErrorCode::Internal) { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST }
}

fn read(headers: &HeaderMap, body: Result<Bytes, StatusCode>) -> Result<Request, (StatusCode, &'static str)> {
    let body = body.map_err(|status| match status {
        StatusCode::PAYLOAD_TOO_LARGE => (status, "The body is too large."),
        StatusCode::REQUEST_TIMEOUT => (status, "The body did not come to its end in time."),
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
    // A persisted query is named by its hash.
    if request.query.is_empty() && !request.extensions.contains_key("persistedQuery") {
        return Err((StatusCode::BAD_REQUEST, "The request has no `query`."));
    }
    Ok(request)
}

enum Refused {
    Unauthenticated,
    Slowed(TimeDelta),
    Crowded,
    Unreachable,
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
            Self::Slowed(pause) => {
                let message = "Too many wrong keys came from here: wait, and ask again.";
                let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, accepted, ErrorCode::RateLimited, message);
                // The next whole second, so that it is not asked a moment too early.
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(pause.num_seconds() + 1));
                response
            }
            Self::Crowded => {
                let message = "You have as many sockets and streams open as you may: close one first.";
                refuse(StatusCode::TOO_MANY_REQUESTS, accepted, ErrorCode::RateLimited, message)
            }
            Self::Unreachable => {
                let message = "Your identity provider cannot be asked just now. Try again.";
                refuse(StatusCode::SERVICE_UNAVAILABLE, accepted, ErrorCode::Unavailable, message)
            }
            Self::Failed(error) => {
                respond(StatusCode::SERVICE_UNAVAILABLE, accepted, &Answer::from_errors(vec![*error]))
            }
        }
    }
}

/// Who asks.
struct Asker {
    session: Option<Session>,
    /// Whether their browser brought a session that does not count any more: it acts for nobody, and is told to forget it.
    has_dead_cookie: bool,
}

/// A header counts before a cookie; a cookie counts for pages of ours only.
async fn asker(state: &AppState, Peer(peer): Peer, headers: &HeaderMap) -> Result<Asker, Refused> {
    let nobody = |has_dead_cookie| Asker { session: None, has_dead_cookie };
    let (credential, is_cookie) = match Credential::of_headers(headers) {
        Ok(Some(credential)) => (credential, false),
        Ok(None) => match state.browsers.session(headers) {
            Brought::Credential(credential) => (credential, true),
            Brought::Unreadable => return Ok(nobody(true)),
            Brought::Nothing => return Ok(nobody(false)),
        },
        Err(Malformed) => return Err(Refused::Unauthenticated),
    };
    match state.shared.keys.admit(&credential, peer).await {
        Ok(Admission::Session(session)) => Ok(Asker { session: Some(session), has_dead_cookie: false }),
        Ok(Admission::Nobody) if is_cookie => Ok(nobody(true)),
        Ok(Admission::Nobody) => Err(Refused::Unauthenticated),
        Ok(Admission::Slowed(pause)) => Err(Refused::Slowed(pause)),
        Ok(Admission::Unreachable) => Err(Refused::Unreachable),
        Err(error) => {
            let error = async_graphql::Error::from(error).into_server_error(async_graphql::Pos::default());
            let mut errors = vec![error];
            dress(&mut errors, state.shared.ids.as_ref());
            Err(Refused::Failed(Box::new(errors.swap_remove(0))))
        }
    }
}

/// The type of a single answer. Whoever wants events is refused in JSON.
const fn content_type(form: Form) -> &'static str {
    match form {
        Form::GraphqlJson => GRAPHQL_JSON,
        Form::Json | Form::Events => JSON,
    }
}

fn refuse(status: StatusCode, accepted: &'static str, code: ErrorCode, message: &str) -> Response {
    respond(status, accepted, &Answer::from_errors(vec![coded(code, message)]))
}

#[derive(Serialize)]
struct Errors<'a> {
    errors: &'a [async_graphql::ServerError],
}

fn respond(status: StatusCode, content_type: &'static str, answer: &Answer) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VARY, HeaderValue::from_static("accept")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    // Where nothing was executed there is no data, not even null.
    let body = if is_request_error(answer) {
        serde_json::to_vec(&Errors { errors: &answer.errors })
    } else {
        serde_json::to_vec(answer)
    };
    match body {
        Ok(body) => (status, headers, body).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
