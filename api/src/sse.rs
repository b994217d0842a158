//! GraphQL over server-sent events (graphql-sse, distinct connections mode): one operation per request, its answers as
//! events. For clients behind whatever lets no WebSocket through.

use std::{convert::Infallible, time::Duration};

use async_graphql::Response as Answer;
use axum::{
    http::{HeaderMap, header::ACCEPT},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt, stream::BoxStream};

use crate::graphql::error::{ErrorCode, has_code};

/// A comment keeps what is between awake.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

/// Whether the caller asks for events.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|part| part.split(';').next().unwrap_or_default().trim() == "text/event-stream")
}

/// The answers of one operation as events `next`, then `complete`. Answers wait in the connection until the client has
/// taken those before.
pub(crate) fn respond(answers: BoxStream<'static, Answer>) -> Response {
    Sse::new(events(answers)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

fn events(answers: BoxStream<'static, Answer>) -> impl Stream<Item = Result<Event, Infallible>> {
    let next = answers.scan(false, |over, answer| {
        if *over {
            return std::future::ready(None);
        }
        // A key that no longer counts hears nothing more.
        *over = has_code(&answer, ErrorCode::Unauthenticated);
        std::future::ready(Some(answer))
    });
    let next = next.filter_map(|answer| {
        std::future::ready(match Event::default().event("next").json_data(&answer) {
            Ok(event) => Some(Ok(event)),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                None
            }
        })
    });
    // An event without data is not told by a browser.
    next.chain(futures::stream::once(std::future::ready(Ok(Event::default().event("complete").data("null")))))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn events_are_asked_for_by_name() {
        let judge =
            |accept: &'static str| is_wanted(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]));
        assert!(judge("text/event-stream"));
        assert!(judge("application/json, text/event-stream;q=0.5"));
        assert!(!judge("application/json"));
        assert!(!is_wanted(&HeaderMap::new()));
    }
}
