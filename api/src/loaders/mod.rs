//! DataLoaders: one per operation, seeing what its caller's scope holds, so that a page costs the same number of
//! statements whatever its length. `by_id` loads single objects, `of_parent` what hangs on several parents at once.

mod batching;
mod by_id;
mod of_account;
mod of_parent;
mod of_person;
mod of_stay;
mod opening;
mod window;

use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
pub(crate) use batching::{Driven, Loads};
use batching::{NoDelay, Wave};
use entities::{Database, Scope, StoreError};
pub(crate) use of_account::{
    AccountLocation, DeliveriesOfAccount, LocationsOfAccount, RecordsOfAccount, SyncPartsOfAccount,
};
pub(crate) use of_parent::{DevicesAtSite, DoorsAtSite, DoorsOfDevice, RecordsOfDevice};
pub(crate) use of_person::{
    AssignmentsOfUser, CredentialsOfUser, DoorsOfAccessLevel, DoorsOfCredential, IdentitiesOfUser, MembershipsOfUser,
    PlacementsOfCredential,
};
pub(crate) use of_stay::{
    DoorsOfReservation, DoorsOfToken, MappingsOfAccount, PlacementsOfToken, ReservationsOfGuest, ResourceOfAccount,
    TheseDoors, TokensOfReservation,
};
pub(crate) use opening::{DoorsForUser, Instant, OpenersOfDoor, PosturesOfDoor, window_on};
pub(crate) use window::{Window, shared};

/// What loaders fail with: shared by everybody who waited for the same batch.
pub(crate) type LoadError = Arc<StoreError>;

/// Loads whatever the keys' types stand for. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Loaders(Arc<DataLoader<Reader, HashMapCache>>);

/// The reading end of the loaders: finders in the caller's scope.
pub(crate) struct Reader {
    pub(super) database: Database,
    pub(super) scope: Arc<Scope>,
    pub(super) wave: Wave,
}

impl Loaders {
    pub(crate) fn new(database: Database, scope: Arc<Scope>, loads: Loads, remembers: bool) -> Self {
        let loader = DataLoader::with_cache(
            Reader { database, scope, wave: Wave::default() },
            loads,
            NoDelay,
            HashMapCache::default(),
        );
        loader.enable_all_cache(remembers);
        Self(Arc::new(loader))
    }

    /// The object of a key; `None` if there is none in scope.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn load<K>(&self, key: K) -> Result<Option<<Reader as Loader<K>>::Value>, LoadError>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Reader: Loader<K, Error = LoadError>,
    {
        self.0.load_one(key).await
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.loader().database
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.0.loader().scope
    }
}

/// Rows by what they hang on, in their order.
fn grouped<K: Hash + Eq, Row>(rows: Vec<Row>, key: impl Fn(&Row) -> K) -> HashMap<K, Vec<Arc<Row>>> {
    let mut found: HashMap<K, Vec<Arc<Row>>> = HashMap::new();
    for row in rows {
        found.entry(key(&row)).or_default().push(Arc::new(row));
    }
    found
}
