//! New identifiers: UUIDv7 with a counter, so that ids of one process are in the order of their making.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{
    clock::Clock,
    ids::{EventId, IdSource, OrganizationId},
};
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

    /// The same, with ids of events that this notary marks.
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

    fn next_event(&self, organization: OrganizationId) -> EventId {
        let id = self.next_uuid();
        EventId(self.notary.as_ref().map_or(id, |notary| notary.mark(organization, id)))
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

    #[test]
    fn marked_ids_grow_too() {
        let notary = Arc::new(Notary::new(&crate::vault::Vault::generate_key()).unwrap());
        let ids = Ids::new(Arc::new(ManualClock::default())).marked_by(Arc::clone(&notary));
        let organization = OrganizationId(ids.next_uuid());
        let made: Vec<_> = (0..1_000).map(|_| ids.next_event(organization)).collect();
        assert!(made.is_sorted());
        let ours = |id: &EventId| domain::ledger::Notary::made(notary.as_ref(), organization, id.0);
        assert!(made.iter().all(ours));
    }
}
