//! New identifiers: UUIDv7 with a counter, so that ids of one process are in the order of their making.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{clock::Clock, ids::IdSource, ledger::Facts};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::notary::Notary;

/// The source of ids of a process.
#[derive(Debug)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    context: Mutex<ContextV7>,
    notary: Option<Arc<Notary>>,
}

impl Ids {
    /// Ids that carry this clock's time.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, context: Mutex::new(ContextV7::new()), notary: None }
    }

    /// The same, for events that this notary marks.
    #[must_use]
    pub fn marked_by(self, notary: Arc<Notary>) -> Self {
        Self { notary: Some(notary), ..self }
    }
}

impl IdSource for Ids {
    fn next_uuid(&self) -> Uuid {
        let now = self.clock.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos()))
    }

    fn mark(&self, event: &Facts) -> Option<Vec<u8>> {
        self.notary.as_ref().map(|notary| notary.mark(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn ids_grow_even_within_one_instant() {
        let ids = Ids::new(Arc::new(ManualClock::default()));
        let made: Vec<_> = (0..10_000).map(|_| ids.next_uuid()).collect();
        assert!(made.is_sorted());
        assert!(made.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
