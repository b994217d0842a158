//! The one wrapper around an apalis storage. It repairs, in order: dead-locked shutdown (the acknowledgement channel is four
//! times the batch size, so a small batch hangs with many in flight), starved heart-beats (a batch larger than the free
//! slots), lost wake-ups (see `wake`), and payloads that do not decode (apalis lets the worker die; here the handler decides).

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis::prelude::{Backend, Codec, Task, WorkerContext};
use apalis_core::backend::finalize::Durable;
use apalis_core::backend::{BackendConfig, WireFormatBackend};
use tokio::sync::Notify;

use super::wake::Wake;

/// A storage whose fetch batch can be narrowed to one after the acknowledgement channel has been made.
pub(crate) trait Narrow {
    /// From now on, fetch one job at a time.
    fn narrow(&mut self);
}

/// The batch size to open a storage with, so that its acknowledgement channel holds every job in flight.
pub(crate) fn opening_batch(concurrency: usize) -> usize {
    concurrency.div_ceil(4) + 1
}

/// A storage that fetches one job at a time, wakes reliably and never fails on a payload.
pub(crate) struct Tuned<B> {
    storage: B,
    wake: Wake,
}

impl<B> Tuned<B> {
    /// Wraps `storage`, which must have been opened with [`opening_batch`].
    pub(crate) fn new(storage: B, bell: Arc<Notify>, tick: Duration) -> Self {
        Self { storage, wake: Wake::new(bell, tick) }
    }
}

impl<B: Backend> Backend for Tuned<B> {
    type Task = B::Task;
    type Error = B::Error;

    fn poll_ready(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), B::Error>> {
        self.storage.poll_ready(cx, worker)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Option<Result<B::Task, B::Error>>> {
        self.wake.arm(cx);
        self.storage.poll_next(cx, worker)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), B::Error>> {
        self.storage.poll_close(cx, worker)
    }
}

impl<B: BackendConfig + Narrow> BackendConfig for Tuned<B> {
    type Args = Vec<u8>;
    type Id = B::Id;
    type Kind = Durable;
    type Config = B::Config;
    type Layer = B::Layer;

    fn config(&self) -> &B::Config {
        self.storage.config()
    }

    fn middleware(&mut self, worker: &mut WorkerContext) -> B::Layer {
        let layer = self.storage.middleware(worker);
        self.storage.narrow();
        layer
    }
}

impl<B: Backend<Task = Task<Vec<u8>>>> WireFormatBackend for Tuned<B> {
    type Codec = Raw;
    type Compact = Vec<u8>;

    fn codec(&self) -> &Raw {
        &Raw
    }
}

/// Hands the payload's bytes on as they are.
pub(crate) struct Raw;

impl Codec<Vec<u8>> for Raw {
    type Error = Infallible;
    type Compact = Vec<u8>;

    fn encode(&self, bytes: &Vec<u8>) -> Result<Vec<u8>, Infallible> {
        Ok(bytes.clone())
    }

    fn decode(&self, bytes: &Vec<u8>) -> Result<Vec<u8>, Infallible> {
        Ok(bytes.clone())
    }
}
