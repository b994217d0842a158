//! The last gate before the wire: a request body that asks, at the moment hyper writes it, whether it may still leave,
//! and that remembers whether anything left. Nothing here knows a vendor.
//!
//! In HTTP/1, the only one that `clients` speak, hyper writes head and body of a request into one buffer and flushes it
//! only after it has asked the body for its first piece; a body that fails then takes the connection down with nothing
//! sent. This holds for a new connection, a pooled one, and for hyper's own second try after a pooled connection turned
//! out dead, so no path goes around it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::port::Departure;

const WAITING: u8 = 0;
const LEFT: u8 = 1;
const CLOSED: u8 = 2;
const LATE: u8 = 3;

/// Whether a request may leave, and whether it did.
pub(super) struct Gate {
    departure: Departure,
    state: AtomicU8,
}

/// What a request's body fails with when it may not leave any more.
#[derive(Debug, thiserror::Error)]
#[error("the departure has passed")]
pub(super) struct Refused;

impl Gate {
    pub(super) fn new(departure: Departure) -> Arc<Self> {
        Arc::new(Self { departure, state: AtomicU8::new(WAITING) })
    }

    /// Completes when the departure has passed; never, when there is none.
    pub(super) async fn departure_passed(&self) {
        match self.departure.latest {
            Some(latest) => self.departure.clock.sleep_until(latest).await,
            None => std::future::pending().await,
        }
    }

    /// Closes the gate. Whether nothing had left, so that nothing ever will.
    pub(super) fn close(&self) -> bool {
        match self.state.compare_exchange(WAITING, CLOSED, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => true,
            Err(state) => state != LEFT,
        }
    }

    /// Whether the gate itself refused the request.
    pub(super) fn was_late(&self) -> bool {
        self.state.load(Ordering::SeqCst) == LATE
    }

    fn is_shut(&self) -> bool {
        matches!(self.state.load(Ordering::SeqCst), CLOSED | LATE)
    }

    /// Lets the request leave, unless it is too late or the gate is closed.
    fn pass(&self) -> bool {
        let next = if self.departure.is_over() { LATE } else { LEFT };
        match self.state.compare_exchange(WAITING, next, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => next == LEFT,
            Err(state) => state == LEFT,
        }
    }
}

/// A request body behind a gate.
pub(super) struct GatedBody {
    data: Option<Bytes>,
    gate: Arc<Gate>,
}

impl GatedBody {
    pub(super) fn new(data: Vec<u8>, gate: Arc<Gate>) -> Self {
        Self { data: Some(data.into()), gate }
    }
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = Refused;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refused>>> {
        if !self.gate.pass() {
            return Poll::Ready(Some(Err(Refused)));
        }
        Poll::Ready(self.data.take().filter(|data| !data.is_empty()).map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        // Of an empty body hyper asks this, right before it writes the head, then the length, and no more: so this is
        // where such a request leaves. Others ask for the length much earlier; that must not count as leaving.
        if self.data.as_ref().is_some_and(Bytes::is_empty) {
            self.gate.pass();
            return false;
        }
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.data {
            // An unknown length makes hyper ask for the body, which then refuses.
            Some(data) if data.is_empty() && self.gate.is_shut() => SizeHint::default(),
            data => SizeHint::with_exact(data.as_ref().map_or(0, Bytes::len) as u64),
        }
    }
}
