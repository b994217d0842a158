//! When a DataLoader loads: as soon as the operation can go no further without it, and never by a timer. The loads of an
//! operation run inside the operation's own task, polled after it, so that whatever its resolvers ask for in one sweep is
//! one batch: deterministic, and a millisecond per level faster than waiting for latecomers. Batches that run side by side
//! end together, so that what one of them brought is never asked for again because another was slower.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_graphql::runtime::Timer;
use futures::{
    Future, FutureExt, Stream, StreamExt,
    future::BoxFuture,
    stream::FuturesUnordered,
    task::{FutureObj, Spawn, SpawnError},
};
use tracing::Span;

type Load = FutureObj<'static, ()>;

/// Takes the loads of one operation; [`Driven`] runs them.
#[derive(Clone, Default)]
pub(crate) struct Loads(Arc<Mutex<Vec<Load>>>);

impl Loads {
    fn take(&self) -> Vec<Load> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Spawn for Loads {
    fn spawn_obj(&self, load: Load) -> Result<(), SpawnError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(load);
        Ok(())
    }
}

/// The DataLoader's delay: none, because a load starts only when nobody can add to it any more.
pub(crate) struct NoDelay;

impl Timer for NoDelay {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        futures::future::ready(()).boxed()
    }
}

/// The reads of an operation that are under way at the same time.
#[derive(Clone, Default)]
pub(crate) struct Wave(Arc<Mutex<Reads>>);

#[derive(Default)]
struct Reads {
    under_way: usize,
    done: Vec<Waker>,
}

impl Wave {
    /// Reads, then waits for the reads that run beside it. Nothing is held meanwhile: the rows are read.
    pub(crate) async fn read<F: Future>(&self, read: F) -> F::Output {
        self.reads().under_way += 1;
        let one_of_them = UnderWay(self);
        // Loads of one sweep are polled in turn: once they all were, they are all counted, however quick a read is.
        let mut counted = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut counted, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        let output = read.await;
        drop(one_of_them);
        poll_fn(|cx| {
            let mut reads = self.reads();
            if reads.under_way == 0 {
                return Poll::Ready(());
            }
            reads.done.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
        output
    }

    fn reads(&self) -> MutexGuard<'_, Reads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One read; it also ends when its operation is dropped.
struct UnderWay<'a>(&'a Wave);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut reads = self.0.reads();
        reads.under_way -= 1;
        if reads.under_way == 0 {
            reads.done.drain(..).for_each(Waker::wake);
        }
    }
}

/// An operation (a future or a stream) together with its loads, inside its span.
pub(crate) struct Driven<T> {
    operation: T,
    loads: Loads,
    running: FuturesUnordered<Load>,
    span: Span,
}

impl<T> Driven<T> {
    pub(crate) fn new(operation: T, loads: Loads, span: Span) -> Self {
        Self { operation, loads, running: FuturesUnordered::new(), span }
    }

    /// Starts and polls the loads. Returns whether one came to its end, so that the operation can go on.
    fn load(&mut self, cx: &mut Context<'_>) -> bool {
        self.running.extend(self.loads.take());
        let mut ended = false;
        while let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) {
            ended = true;
        }
        ended
    }
}

impl<T: Future + Unpin> Future for Driven<T> {
    type Output = T::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Output> {
        let span = self.span.clone();
        let _inside = span.enter();
        loop {
            if let Poll::Ready(output) = self.operation.poll_unpin(cx) {
                return Poll::Ready(output);
            }
            if !self.load(cx) {
                return Poll::Pending;
            }
        }
    }
}

impl<T: Stream + Unpin> Stream for Driven<T> {
    type Item = T::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T::Item>> {
        let span = self.span.clone();
        let _inside = span.enter();
        loop {
            if let Poll::Ready(item) = self.operation.poll_next_unpin(cx) {
                return Poll::Ready(item);
            }
            if !self.load(cx) {
                return Poll::Pending;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashMap,
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};

    use super::*;

    struct Doubling(Arc<AtomicUsize>);

    impl Loader<u32> for Doubling {
        type Value = u32;
        type Error = Infallible;

        async fn load(&self, keys: &[u32]) -> Result<HashMap<u32, u32>, Infallible> {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(keys.iter().map(|key| (*key, key * 2)).collect())
        }
    }

    #[tokio::test]
    async fn whatever_is_asked_for_in_one_sweep_is_one_batch() {
        let count = Arc::new(AtomicUsize::new(0));
        let loads = Loads::default();
        let loader =
            DataLoader::with_cache(Doubling(Arc::clone(&count)), loads.clone(), NoDelay, HashMapCache::default());
        let two_levels = futures::future::join_all((0..500).map(|key| {
            let loader = &loader;
            async move {
                let double = loader.load_one(key).await.unwrap().unwrap();
                loader.load_one(double + 1_000).await.unwrap().unwrap()
            }
        }));
        let found = Driven::new(Box::pin(two_levels), loads, Span::none()).await;
        assert_eq!(found[3], 2_012);
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn reads_side_by_side_end_together() {
        let wave = Wave::default();
        let ended = AtomicUsize::new(0);
        let read = |pauses: usize| {
            let (wave, ended) = (&wave, &ended);
            async move {
                wave.read(async {
                    for _ in 0..pauses {
                        tokio::task::yield_now().await;
                    }
                    ended.fetch_add(1, Ordering::Relaxed);
                })
                .await;
                ended.load(Ordering::Relaxed)
            }
        };
        assert_eq!(futures::future::join_all([0, 3, 9].map(read)).await, [3, 3, 3]);
        // One that is given up holds nobody up.
        assert!(read(1).now_or_never().is_none());
        assert_eq!(read(2).await, 4);
    }
}
