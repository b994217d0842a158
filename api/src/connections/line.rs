//! The bytes of one connection: a client that takes nothing for long is gone, and of one that is not known yet little is
//! read. It has its place as long as the bytes flow, also when a WebSocket was made of it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::Sleep,
};

use super::Allowance;

/// How much is read at a time while little may be read.
const PIECE: usize = 4 * 1024;

pub(super) struct Line {
    socket: TcpStream,
    patience: Duration,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    allowance: Allowance,
    _place: OwnedSemaphorePermit,
}

impl Line {
    pub(super) fn new(
        socket: TcpStream,
        patience: Duration,
        allowance: Allowance,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self { socket, patience, stalled: None, allowance, _place: place }
    }

    /// What was written, or that nothing could be for too long.
    #[expect(clippy::disallowed_methods, reason = "whether a client takes what it is sent is a matter of real time")]
    fn unless_stalled(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let socket = Pin::new(&mut this.socket);
        let Some(left) = this.allowance.left() else { return socket.poll_read(context, buffer) };
        let most = left.min(PIECE).min(buffer.remaining());
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(piece.get_mut(..most).unwrap_or_default());
        ready!(socket.poll_read(context, &mut piece))?;
        this.allowance.spend(left, piece.filled().len());
        buffer.put_slice(piece.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write(context, bytes);
        this.unless_stalled(context, written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write_vectored(context, pieces);
        this.unless_stalled(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
