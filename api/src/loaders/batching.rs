//! When a DataLoader loads: as soon as the operation can go no further without it, and never by a timer. The loads of an
//! operation run inside the operation's own task, polled after it, so that whatever its resolvers ask for in one sweep is
//! one batch: deterministic, and a millisecond per level faster than waiting for latecomers.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use async_graphql::runtime::Timer;
use futures::{
    Future, FutureExt, Stream, StreamExt,
    future::BoxFuture,
    stream::FuturesUnordered,
    task::{FutureObj, Spawn, SpawnError},
};

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

/// An operation (a future or a stream) together with its loads.
pub(crate) struct Driven<T> {
    operation: T,
    loads: Loads,
    running: FuturesUnordered<Load>,
}

impl<T> Driven<T> {
    pub(crate) fn new(operation: T, loads: Loads) -> Self {
        Self { operation, loads, running: FuturesUnordered::new() }
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
        let found = Driven::new(Box::pin(two_levels), loads).await;
        assert_eq!(found[3], 2_012);
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }
}
