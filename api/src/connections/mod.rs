//! The connections of the front door: how many there are, how long each may keep us waiting, and how they end. HTTP/1 and
//! what is upgraded from it; what is said on them is for the router.

mod allowance;
mod line;

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(crate) use self::allowance::Allowance;
use self::line::Line;

/// The largest head of a request, in bytes: also what a connection may hold of ours in its buffers.
const LARGEST_HEAD: usize = 64 * 1024;
/// How long what is open may take to end once nothing new is taken.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// How much of us connections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at the same time, upgraded ones among them. Whoever comes beyond that waits.
    pub most: usize,
    /// How long one may be idle, take for the head of a request, or take nothing of what is sent.
    pub patience: Duration,
}

/// Serves the front door until `shutdown`, and then until what is open has ended or its patience is over.
pub async fn serve(mut listener: TcpListener, router: Router, limits: ConnectionLimits, shutdown: CancellationToken) {
    let most = u32::try_from(limits.most).unwrap_or(u32::MAX);
    let places = Arc::new(Semaphore::new(most as usize));
    // As axum's own server does: once, and not for each request.
    let router = router.with_state::<()>(());
    let mut attended = JoinSet::new();
    let mut was_full = false;
    // It ends by being asked to: nobody closes the semaphore.
    while let Some(Ok(place)) = shutdown.run_until_cancelled(Arc::clone(&places).acquire_owned()).await {
        let is_full = places.available_permits() == 0;
        if is_full && !was_full {
            tracing::warn!(most, "as many connections are open as max_connections allows: whoever comes now waits");
        }
        was_full = is_full;
        let accepted = shutdown.run_until_cancelled(Listener::accept(&mut listener)).await;
        let Some((socket, peer)) = accepted else { break };
        // Without it an event waits for the acknowledgement of the one before: 20 ms instead of 1.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays with Nagle's algorithm");
        }
        let visit = Visit { socket, peer, place, patience: limits.patience };
        attended.spawn(visit.attend(router.clone(), shutdown.clone()));
        while attended.try_join_next().is_some() {}
    }
    drop(listener);
    // All places are free again once the last WebSocket, which no task here has, is closed.
    if timeout(LAST_PATIENCE, places.acquire_many(most)).await.is_err() {
        tracing::debug!("some connections did not end in time");
    }
}

/// One connection.
struct Visit {
    socket: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    patience: Duration,
}

impl Visit {
    async fn attend(self, router: Router, shutdown: CancellationToken) {
        let (peer, allowance) = (self.peer, Allowance::default());
        let line = Line::new(self.socket, self.patience, allowance.clone(), self.place);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(allowance.clone());
            router.clone().oneshot(request.map(Body::new))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(line), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let ended = shutdown.run_until_cancelled(connection.as_mut()).await;
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // Whoever goes away in the middle, or is too slow, is no error of ours.
        if let Err(error) = ended {
            tracing::trace!(%error, "a connection broke off");
        }
    }
}
