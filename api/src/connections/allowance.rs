//! How many more bytes are read from a connection whose caller is not known yet.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Anything, unless it is limited.
const ANYTHING: usize = usize::MAX;

/// Shared by a connection and whoever serves it.
#[derive(Debug, Clone)]
pub(crate) struct Allowance(Arc<AtomicUsize>);

impl Default for Allowance {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(ANYTHING)))
    }
}

impl Allowance {
    /// From here on at most so many bytes are read; then reading fails.
    pub(crate) fn limit(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// From here on anything is read.
    pub(crate) fn lift(&self) {
        self.0.store(ANYTHING, Ordering::Relaxed);
    }

    /// How much may still be read; `None` is anything.
    pub(super) fn left(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Relaxed)).filter(|left| *left != ANYTHING)
    }

    /// So much was read of what was [`left`](Self::left).
    pub(super) fn spend(&self, left: usize, read: usize) {
        // Lifted in between: then nothing is counted.
        let _ = self.0.compare_exchange(left, left.saturating_sub(read), Ordering::Relaxed, Ordering::Relaxed);
    }
}
