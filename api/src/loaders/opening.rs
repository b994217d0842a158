//! Who can open several doors, and what several people can open: one set of statements for all that are asked for with
//! the same instant.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{Hash, Hasher},
    sync::Arc,
};

use async_graphql::dataloader::Loader;
use domain::{
    clock::Timestamp,
    ids::{DoorId, UserId},
    opening::{self, Openable, Opener, PostureFacts},
};
use entities::{find, page::Page};
use uuid::Uuid;

use super::{LoadError, Reader, Window};

/// The instant that is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant {
    asked: Option<Timestamp>,
    now: Timestamp,
}

impl Instant {
    /// An instant, or now without one.
    pub(crate) const fn new(asked: Option<Timestamp>, now: Timestamp) -> Self {
        Self { asked, now }
    }

    /// Which it is.
    pub(crate) fn at(&self) -> Timestamp {
        self.asked.unwrap_or(self.now)
    }
}

/// Whoever asks about now in one operation asks about the same instant, so that a list is one batch.
impl PartialEq for Instant {
    fn eq(&self, other: &Self) -> bool {
        self.asked == other.asked
    }
}

impl Eq for Instant {}

impl Hash for Instant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked.hash(state);
    }
}

/// The people who can open a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OpenersOfDoor(pub(crate) DoorId, pub(crate) Instant);

/// What is known of a door that may let anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PosturesOfDoor(pub(crate) DoorId);

/// The doors that a person can open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DoorsForUser(pub(crate) UserId, pub(crate) Instant);

impl Loader<OpenersOfDoor> for Reader {
    type Value = Arc<[Arc<Opener>]>;
    type Error = LoadError;

    async fn load(&self, keys: &[OpenersOfDoor]) -> Result<HashMap<OpenersOfDoor, Self::Value>, LoadError> {
        let mut found = HashMap::new();
        for (instant, doors) in by_instant(keys.iter().map(|key| (key.1, key.0))) {
            let read = find::opening::of_doors(&self.database, &self.scope, &doors, instant.at());
            for facts in self.wave.read(read).await? {
                let openers = opening::who_can_open(&facts, instant.at());
                found.insert(OpenersOfDoor(facts.door, instant), openers.into_iter().map(Arc::new).collect());
            }
        }
        Ok(found)
    }
}

impl Loader<PosturesOfDoor> for Reader {
    type Value = Arc<PostureFacts>;
    type Error = LoadError;

    async fn load(&self, keys: &[PosturesOfDoor]) -> Result<HashMap<PosturesOfDoor, Self::Value>, LoadError> {
        let doors: Vec<DoorId> = keys.iter().map(|key| key.0).collect();
        let found = self.wave.read(find::opening::postures(&self.database, &self.scope, &doors)).await?;
        Ok(found.into_iter().map(|(door, facts)| (PosturesOfDoor(door), Arc::new(facts))).collect())
    }
}

impl Loader<DoorsForUser> for Reader {
    type Value = Arc<[Arc<Openable>]>;
    type Error = LoadError;

    async fn load(&self, keys: &[DoorsForUser]) -> Result<HashMap<DoorsForUser, Self::Value>, LoadError> {
        let mut found = HashMap::new();
        for (instant, users) in by_instant(keys.iter().map(|key| (key.1, key.0))) {
            let read = find::opening::of_users(&self.database, &self.scope, &users, instant.at());
            let facts = self.wave.read(read).await?;
            for (user, doors) in opening::what_they_can_open(&facts, instant.at()) {
                found.insert(DoorsForUser(user, instant), doors.into_iter().map(Arc::new).collect());
            }
        }
        Ok(found)
    }
}

fn by_instant<Id>(keys: impl Iterator<Item = (Instant, Id)>) -> HashMap<Instant, Vec<Id>> {
    let mut sorted: HashMap<Instant, Vec<Id>> = HashMap::new();
    for (instant, id) in keys {
        sorted.entry(instant).or_default().push(id);
    }
    sorted
}

/// A window on a list that was worked out, in the order of its keys, each there once.
pub(crate) fn window_on<Row>(rows: &[Arc<Row>], key: impl Fn(&Row) -> Uuid, window: Window) -> Page<Arc<Row>> {
    let fitting: BTreeMap<Uuid, &Arc<Row>> = rows
        .iter()
        .map(|row| (key(row), row))
        .filter(|(key, _)| window.after.is_none_or(|edge| *key > edge))
        .filter(|(key, _)| window.before.is_none_or(|edge| *key < edge))
        .collect();
    let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
    let left_out = fitting.len().saturating_sub(limit);
    let rows = fitting.into_values().cloned();
    if window.from_end {
        let rows = rows.skip(left_out).collect();
        Page { rows, has_next: window.before.is_some(), has_previous: left_out > 0 }
    } else {
        let rows = rows.take(limit).collect();
        Page { rows, has_next: left_out > 0, has_previous: window.after.is_some() }
    }
}
