//! GraphQL over server-sent events (graphql-sse, distinct connections mode): one operation per request, its answers as
//! events. For clients behind whatever lets no WebSocket through. A client that takes nothing is closed by its connection.

use std::{convert::Infallible, time::Duration};

use async_graphql::Response as Answer;
use axum::{
    http::{HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt, stream, stream::BoxStream};

use crate::{
    app::AppState,
    auth::Session,
    graphql::error::{ApiError, ErrorCode, coded, has_code},
    streams::Place,
};

/// A comment keeps what is between awake.
const KEEP_ALIVE: Duration = Duration::from_secs(12);
/// Proxies of nginx's kind would collect events before they pass them on.
const DO_NOT_BUFFER: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// The answers of one operation as events `next`, then `complete`. Answers wait in the connection until the client has
/// taken those before. Whoever asks is told when their time is over, and hears nothing more.
pub(crate) fn respond(
    answers: BoxStream<'static, Answer>,
    session: &Session,
    place: Place,
    state: &AppState,
) -> Response {
    let (clock, ends) = (state.shared.clock.clone(), session.principal.expires_at);
    let over = async move {
        match ends {
            Some(at) => clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    };
    // At a shutdown there is no `complete`: it is not over, and the client asks elsewhere.
    let events = events(answers, over).take_until(state.shutdown.clone().cancelled_owned());
    let events = events.map(move |event| {
        let _kept_until_the_end = &place;
        event
    });
    ([DO_NOT_BUFFER], Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))).into_response()
}

fn events(
    answers: BoxStream<'static, Answer>,
    over: impl Future<Output = ()> + Send + 'static,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let refused =
        || Answer::from_errors(vec![coded(ErrorCode::Unauthenticated, ApiError::Unauthenticated.to_string())]);
    let over = stream::once(async move {
        over.await;
        Some(refused())
    });
    let answers = answers.map(Some).chain(stream::once(std::future::ready(None)));
    let told = stream::unfold(Some(Box::pin(stream::select(answers, over))), |told| async move {
        let mut told = told?;
        let answer = told.next().await.flatten()?;
        // A key that no longer counts hears nothing more, and nothing more is waited for.
        let is_last = has_code(&answer, ErrorCode::Unauthenticated);
        Some((answer, (!is_last).then_some(told)))
    });
    let next = told.filter_map(|answer| {
        std::future::ready(match Event::default().event("next").json_data(&answer) {
            Ok(event) => Some(Ok(event)),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                None
            }
        })
    });
    // An event without data is not told by a browser.
    next.chain(stream::once(std::future::ready(Ok(Event::default().event("complete").data("null")))))
}
