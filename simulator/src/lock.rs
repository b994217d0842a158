//! Locking without panics. Locks in this room are held for a few lines of arithmetic and never across an await.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, even after another thread panicked while it held the lock.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
