//! One socket from its first frame to its last. Everything that is sent waits for the client to take it: while it does
//! not, nothing is read and nothing is asked of a subscription, and a client that takes nothing for long is gone.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use async_graphql::{Request, Response};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use chrono::TimeDelta;
use domain::clock::Timestamp;
use futures::{
    SinkExt, StreamExt,
    future::AbortHandle,
    stream::{Abortable, BoxStream, SelectAll, SplitSink},
};
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

use super::protocol::{Close, Incoming, Outgoing};
use crate::{
    app::AppState,
    auth::{Admission, Credential},
    connections::Allowance,
    graphql::error::{ErrorCode, coded, has_code, is_request_error},
    streams::Place,
};

/// `connection_init` has to come within this time.
const INIT_PATIENCE: TimeDelta = TimeDelta::seconds(10);
/// How often a silent client is asked whether it is there; if it says nothing for as long again, it is gone.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long a frame may wait for the client to take it.
const SEND_PATIENCE: Duration = Duration::from_secs(15);
/// How long the client may take to answer our Close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Operations under way at the same time.
const MOST_OPERATIONS: usize = 100;

/// What the operations yield: their answers, then that they are over.
type Operations = SelectAll<BoxStream<'static, (Arc<str>, Option<Response>)>>;

/// Serves a socket until one side closes it. Who is signed in with the browser that opened it counts where
/// `connection_init` says nothing else.
pub(super) async fn serve(socket: WebSocket, state: AppState, caller: Caller) {
    let (sink, mut frames) = socket.split();
    let shutdown = state.shutdown.clone();
    let mut connection = Connection::new(sink, state, caller);
    let over = loop {
        let clock = Arc::clone(&connection.state.shared.clock);
        let step = tokio::select! {
            frame = frames.next() => match frame {
                Some(Ok(frame)) => connection.hear(frame).await,
                Some(Err(error)) => Err(broken(error)),
                None => Err(Over::Gone),
            },
            Some((id, response)) = connection.operations.next(), if !connection.operations.is_empty() => {
                connection.deliver(&id, response).await
            }
            () = sleep_until(connection.silent_since + PING_EVERY) => connection.ask_whether_it_is_there().await,
            () = deadline(&clock, connection.ends_at) => Err(Over::Closed(connection.end())),
            () = shutdown.cancelled() => Err(Over::Closed(Close::GoingAway)),
        };
        if let Err(over) = step {
            break over;
        }
    };
    // It is over, whether what is still said arrives or not.
    match over {
        Over::Gone => {}
        // The answer to its Close is written already, and has to leave.
        Over::Left => {
            let _ = timeout(SEND_PATIENCE, connection.sink.flush()).await;
        }
        Over::Closed(close) => {
            let frame = CloseFrame { code: close.code(), reason: close.reason().into() };
            if connection.send(Message::Close(Some(frame))).await.is_ok() {
                // A socket that is closed with something unread is reset, and our Close lost with it.
                let answered = async {
                    while let Some(Ok(_)) = frames.next().await {}
                    if close == Close::TooBig {
                        std::future::pending::<()>().await;
                    }
                };
                let _ = timeout(CLOSE_PATIENCE, answered).await;
            }
        }
    }
}

/// Why nothing more can be read.
fn broken(error: axum::Error) -> Over {
    let Ok(error) = error.into_inner().downcast::<tungstenite::Error>() else { return Over::Gone };
    match *error {
        tungstenite::Error::Capacity(_) => Over::Closed(Close::TooBig),
        tungstenite::Error::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => Over::Closed(Close::TooBig),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Over::Gone,
        tungstenite::Error::Protocol(_) => Over::Closed(Close::ProtocolError),
        tungstenite::Error::Utf8(_) => Over::Closed(Close::NotText),
        _ => Over::Gone,
    }
}

/// Who opened the socket, as far as the request said.
pub(super) struct Caller {
    /// Where they come from.
    pub(super) peer: Option<IpAddr>,
    /// Who is signed in with their browser.
    pub(super) signed_in: Option<Credential>,
    /// How much is read of them while they are nobody.
    pub(super) allowance: Allowance,
}

/// How a socket ends.
enum Over {
    /// The client is not there, or takes nothing any more.
    Gone,
    /// The client closed it.
    Left,
    /// We close it.
    Closed(Close),
}

struct Connection {
    state: AppState,
    caller: Caller,
    sink: SplitSink<WebSocket, Message>,
    /// Whose socket it is, once admitted.
    credential: Option<Credential>,
    /// Its place among theirs.
    place: Option<Place>,
    /// When it is closed: at first because nobody was admitted, then because the key ends.
    ends_at: Option<Timestamp>,
    /// Since when the client has said nothing, or was asked whether it is there.
    silent_since: Instant,
    asked: bool,
    running: HashMap<Arc<str>, AbortHandle>,
    operations: Operations,
}

impl Connection {
    fn new(sink: SplitSink<WebSocket, Message>, state: AppState, caller: Caller) -> Self {
        Self {
            ends_at: Some(state.shared.clock.now() + INIT_PATIENCE),
            state,
            caller,
            sink,
            credential: None,
            place: None,
            silent_since: now(),
            asked: false,
            running: HashMap::new(),
            operations: SelectAll::new(),
        }
    }

    /// Why it ends when its time is over.
    fn end(&self) -> Close {
        if self.credential.is_some() { Close::Forbidden } else { Close::InitTimeout }
    }

    async fn hear(&mut self, frame: Message) -> Result<(), Over> {
        (self.silent_since, self.asked) = (now(), false);
        let text = match frame {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Binary(_) => return Err(Over::Closed(Close::BadRequest)),
            Message::Close(_) => return Err(Over::Left),
        };
        match Incoming::read(text.as_bytes()).ok_or(Over::Closed(Close::BadRequest))? {
            Incoming::Init(_) if self.credential.is_some() => Err(Over::Closed(Close::TooManyInits)),
            Incoming::Init(payload) => self.admit(&payload).await,
            Incoming::Ping => self.say(&Outgoing::Pong).await,
            Incoming::Pong => Ok(()),
            Incoming::Subscribe { id, request } => self.subscribe(&id, *request).await,
            Incoming::Complete { id } => {
                if let Some(operation) = self.running.remove(id.as_str()) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    /// The key is verified now, and again for each operation and delivery.
    async fn admit(&mut self, payload: &Value) -> Result<(), Over> {
        let named = Credential::of_init_payload(payload);
        let Ok(Some(credential)) = named.map(|named| named.or_else(|| self.caller.signed_in.clone())) else {
            return Err(Over::Closed(Close::Forbidden));
        };
        match self.state.shared.keys.admit(&credential, self.caller.peer).await {
            Ok(Admission::Session(session)) => {
                self.place = self.state.streams.enter(session.principal.actor);
                if self.place.is_none() {
                    return Err(Over::Closed(Close::Crowded));
                }
                self.caller.allowance.lift();
                self.credential = Some(credential);
                self.ends_at = session.principal.expires_at;
                self.say(&Outgoing::ConnectionAck).await
            }
            Ok(Admission::Nobody) => Err(Over::Closed(Close::Forbidden)),
            Ok(Admission::Slowed(_) | Admission::Unreachable) => Err(Over::Closed(Close::TryAgainLater)),
            Err(error) => {
                tracing::warn!(%error, "a key could not be looked up");
                Err(Over::Closed(Close::TryAgainLater))
            }
        }
    }

    async fn subscribe(&mut self, id: &str, request: Request) -> Result<(), Over> {
        let Some(credential) = self.credential.clone() else { return Err(Over::Closed(Close::Unauthorized)) };
        if self.running.contains_key(id) {
            return Err(Over::Closed(Close::SubscriberExists));
        }
        if self.running.len() >= MOST_OPERATIONS {
            let message = format!("At most {MOST_OPERATIONS} operations may run on one socket at a time.");
            return self.say(&Outgoing::Error { id, payload: &[coded(ErrorCode::TooComplex, message)] }).await;
        }
        let id: Arc<str> = id.into();
        let (operation, registration) = AbortHandle::new_pair();
        let answers = self.state.execution.clone().stream(request, credential);
        let tagged = {
            let (id, over) = (Arc::clone(&id), Arc::clone(&id));
            let answers = answers.map(move |response| (Arc::clone(&id), Some(response)));
            answers.chain(futures::stream::once(std::future::ready((over, None))))
        };
        self.running.insert(id, operation);
        self.operations.push(Abortable::new(tagged, registration).boxed());
        Ok(())
    }

    async fn deliver(&mut self, id: &Arc<str>, response: Option<Response>) -> Result<(), Over> {
        let Some(response) = response else {
            self.running.remove(id);
            return self.say(&Outgoing::Complete { id }).await;
        };
        let ended = has_code(&response, ErrorCode::Unauthenticated);
        if is_request_error(&response) {
            // Nothing was executed: the protocol has a message for that, and it is the operation's last.
            if let Some(operation) = self.running.remove(id) {
                operation.abort();
            }
            self.say(&Outgoing::Error { id, payload: &response.errors }).await?;
        } else {
            self.say(&Outgoing::Next { id, payload: &response }).await?;
        }
        if ended { Err(Over::Closed(Close::Forbidden)) } else { Ok(()) }
    }

    async fn ask_whether_it_is_there(&mut self) -> Result<(), Over> {
        if self.asked {
            return Err(Over::Gone);
        }
        (self.silent_since, self.asked) = (now(), true);
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn say(&mut self, message: &Outgoing<'_>) -> Result<(), Over> {
        match serde_json::to_string(message) {
            Ok(text) => self.send(Message::Text(text.into())).await,
            Err(error) => {
                tracing::error!(%error, "a message could not be written as JSON");
                Err(Over::Closed(Close::TryAgainLater))
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Over> {
        match timeout(SEND_PATIENCE, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over::Gone),
        }
    }
}

async fn deadline(clock: &Arc<dyn domain::clock::Clock>, at: Option<Timestamp>) {
    match at {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "whether a client is still there is a matter of real time")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "whether a client is still there is a matter of real time")]
async fn sleep_until(at: Instant) {
    tokio::time::sleep_until(at.into()).await;
}
