//! How many WebSockets and event streams each caller has open, so that one key or person does not take them all.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use domain::access::Actor;

/// What is open, by whose it is.
pub(crate) struct Streams {
    most: usize,
    open: Mutex<HashMap<Actor, usize>>,
}

impl Streams {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default() }
    }

    /// A place for one more; `None` if the caller has as many as they may.
    pub(crate) fn enter(self: &Arc<Self>, whose: Actor) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(whose).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { streams: Arc::clone(self), whose })
    }
}

/// One open stream. Dropping it makes room for another.
pub(crate) struct Place {
    streams: Arc<Streams>,
    whose: Actor,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = open.entry(self.whose) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{ApiKeyId, UserId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn places_are_each_callers_own_and_come_back() {
        let streams = Arc::new(Streams::new(2));
        let key = Actor::ApiKey(ApiKeyId(Uuid::nil()));
        let first = streams.enter(key).unwrap();
        let _second = streams.enter(key).unwrap();
        assert!(streams.enter(key).is_none());
        let person = streams.enter(Actor::User(UserId(Uuid::nil())));
        assert!(person.is_some(), "somebody else");
        drop((first, person));
        assert!(streams.enter(key).is_some());
        assert_eq!(streams.open.lock().unwrap().len(), 1, "nothing is remembered of who has none");
    }
}
