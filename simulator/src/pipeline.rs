//! The way of a request: arrive, wait, meet its faults, be answered by its vendor, be spoiled, be journaled, leave. What a vendor
//! answers is decided elsewhere.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;

use crate::{
    answer::{Answer, Call},
    catalogue::{Found, RowKind, find},
    connection::CutSwitch,
    engine::Engine,
    faults::{FaultKind, Hit},
    journal::{End, Outcome, Received, take_api_key, take_authorization},
    vendors::Vendor,
};

/// Largest request body accepted, in bytes.
const BODY_LIMIT: usize = 1 << 20;
/// How long the first half of a cut answer may take to reach the client.
const HALF_ANSWER_TIME: Duration = Duration::from_millis(20);

/// How a request leaves.
enum Leaving {
    Answer(Answer),
    HalfAnswer(Answer),
    Drop,
    Hang,
}

/// Serves everything below the vendors' prefixes.
pub(crate) async fn serve(
    State(engine): State<Arc<Engine>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let (prefix, rest) = match path.get(1..).and_then(|path| path.split_once('/')) {
        Some((prefix, _)) => (prefix, path.get(prefix.len() + 1..).unwrap_or_default()),
        None => (path.trim_start_matches('/'), "/"),
    };
    let Some(vendor) = Vendor::from_prefix(prefix) else {
        return (StatusCode::NOT_FOUND, "no vendor has this prefix").into_response();
    };
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "body too large or broken").into_response();
    };
    let query = parts.uri.query().map(str::to_owned);
    let found = find(vendor.rows(), parts.method.as_str(), rest, query.as_deref());
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.map_or_else(|| engine.address.to_string(), str::to_owned);
    let path = path.to_owned();
    let mut headers = parts.headers;
    let authorization = take_authorization(&mut headers);
    let api_key = take_api_key(&mut headers);
    let received = Arc::new(Received {
        vendor,
        row: found.as_ref().map(|found| (found.row.id, found.row.operation)),
        method: parts.method.as_str().to_owned(),
        path,
        query,
        headers,
        body,
        at: engine.clock.now(),
    });
    let sequence = engine.journal.arrived(&received);
    let base_url = format!("http://{host}/{}", vendor.name());
    let (params, row) = match found {
        Some(Found { index, row, params }) => {
            engine.coverage.called(vendor, index);
            (params, Some(row))
        }
        None => (Vec::new(), None),
    };
    let call = Call { sequence, params, authorization, api_key, received, base_url };
    let served = row.filter(|row| row.kind != RowKind::Unserved).map(|row| (row.operation, row.kind));
    let mut watcher = Watcher { left: Arc::default(), finished: false };
    let work = work(Arc::clone(&engine), vendor, served, call, Arc::clone(&watcher.left));
    // On a task of its own, because what a client asked for happens even if the client leaves.
    let leaving = tokio::spawn(work).await.unwrap_or(Leaving::Drop);
    let response = leave(&engine, switch, leaving).await;
    watcher.finished = true;
    response
}

/// Notices that the client left: the server then forgets the request, and this with it.
struct Watcher {
    left: Arc<AtomicBool>,
    finished: bool,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if !self.finished {
            self.left.store(true, Ordering::Release);
        }
    }
}

async fn work(
    engine: Arc<Engine>,
    vendor: Vendor,
    served: Option<(&'static str, RowKind)>,
    call: Call,
    left: Arc<AtomicBool>,
) -> Leaving {
    let sequence = call.sequence;
    let _serving = engine.begin(vendor, &call);
    let (leaving, faults) = match served {
        Some((operation, kind)) => {
            let hit = if engine.faults.none() {
                Hit::default()
            } else {
                let subjects = engine.subjects(vendor, operation, &call);
                engine.faults.take(vendor, operation, kind, &subjects)
            };
            (meet(&engine, vendor, operation, kind, &call, &hit).await, hit.names)
        }
        None => {
            pause(engine.latency.answer).await;
            (Leaving::Answer(vendor.error(404, sequence)), Vec::new())
        }
    };
    let (outcome, status) = match &leaving {
        Leaving::Answer(answer) => (Outcome::Answered, Some(answer.status)),
        Leaving::HalfAnswer(answer) => (Outcome::DroppedMidAnswer, Some(answer.status)),
        Leaving::Drop => (Outcome::Dropped, None),
        Leaving::Hang => (Outcome::Hung, None),
    };
    let client_left = left.load(Ordering::Acquire);
    engine.journal.ended(sequence, End { at: engine.clock.now(), outcome, status, client_left, faults });
    leaving
}

/// Waits, lets the vendor answer or not, and spoils the answer, as the faults have it.
async fn meet(engine: &Engine, vendor: Vendor, operation: &str, kind: RowKind, call: &Call, hit: &Hit) -> Leaving {
    pause(hit.delay).await;
    match &hit.wire {
        Some(FaultKind::DropBeforeEffect) => return Leaving::Drop,
        Some(FaultKind::Hang { after_effect: false }) => return Leaving::Hang,
        Some(FaultKind::Status { code, retry_after, after_effect: false }) => {
            pause(engine.latency.answer + hit.delay_answer).await;
            return Leaving::Answer(Answer { retry_after: *retry_after, ..vendor.error(*code, call.sequence) });
        }
        _ => {}
    }
    if kind == RowKind::DeviceCall {
        pause(engine.latency.device).await;
    }
    let answer = engine.answer(vendor, operation, call, hit.device.as_ref());
    pause(engine.latency.answer + hit.delay_answer).await;
    spoil(answer, vendor, call, hit)
}

fn spoil(answer: Answer, vendor: Vendor, call: &Call, hit: &Hit) -> Leaving {
    Leaving::Answer(match &hit.wire {
        Some(FaultKind::DropAfterEffect) => return Leaving::Drop,
        Some(FaultKind::DropMidAnswer) => return Leaving::HalfAnswer(answer),
        Some(FaultKind::Hang { .. }) => return Leaving::Hang,
        Some(FaultKind::Status { code, retry_after, .. }) => {
            Answer { retry_after: *retry_after, ..vendor.error(*code, call.sequence) }
        }
        Some(FaultKind::Garbage) => {
            Answer { status: 200, body: "<!doctype html><title>Welcome</title>".to_owned(), ..answer }
        }
        Some(FaultKind::Truncated) => {
            let half = answer.body.len() / 2;
            let body = answer.body.char_indices().take_while(|(at, _)| *at < half).map(|(_, letter)| letter).collect();
            Answer { body, ..answer }
        }
        Some(FaultKind::WrongContentType) => Answer { content_type: "text/html; charset=utf-8", ..answer },
        _ => answer,
    })
}

async fn leave(engine: &Engine, switch: CutSwitch, leaving: Leaving) -> Response {
    match leaving {
        Leaving::Answer(answer) => respond(answer, Body::from),
        Leaving::HalfAnswer(answer) => {
            let length = HeaderValue::from(answer.body.len());
            let mut response = respond(answer, |body| half(Bytes::from(body), switch));
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
            response
        }
        Leaving::Drop => {
            switch.cut();
            StatusCode::NO_CONTENT.into_response()
        }
        Leaving::Hang => {
            let mut closing = engine.closing.subscribe();
            // An error means that the engine is gone, which ends the waiting as well.
            let _ended = closing.wait_for(|closing| *closing).await;
            switch.cut();
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

/// The first half of a body, then the end of the connection.
fn half(body: Bytes, switch: CutSwitch) -> Body {
    let first = body.slice(..body.len() / 2);
    let rest = futures::stream::once(async move {
        tokio::time::sleep(HALF_ANSWER_TIME).await;
        switch.cut();
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut by a simulated fault"))
    });
    Body::from_stream(futures::stream::once(async move { Ok(first) }).chain(rest))
}

fn respond(answer: Answer, body: impl FnOnce(String) -> Body) -> Response {
    let mut response = Response::new(body(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(seconds) = answer.retry_after {
        let name: HeaderName = header::RETRY_AFTER;
        headers.insert(name, HeaderValue::from(seconds));
    }
    if let Some(Ok(location)) = answer.location.map(HeaderValue::try_from) {
        headers.insert(header::LOCATION, location);
    }
    if let Some(Ok(id)) = answer.request_id.map(HeaderValue::try_from) {
        headers.insert(HeaderName::from_static("request-id"), id);
    }
    response
}

/// Network time: real time, whatever the simulator's clock.
async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
