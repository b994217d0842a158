//! What hangs on several stays, tokens, guests or accounts at once: doors, tokens, placements, and what resources stand
//! for. The keys are ids of what was found in scope.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use async_graphql::dataloader::Loader;
use domain::ids::{AccessTokenId, DoorId, ReservationId, UserId, VendorAccountId};
use entities::{
    StoreError,
    find::{
        doors, placements,
        reservations::{self, ReservationFilter},
        resources, tokens,
    },
    page::Page,
    rows::{access_token, door, placement, record, reservation},
};

use super::{LoadError, Reader, Window, grouped, shared};

/// The doors of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DoorsOfReservation(pub(crate) ReservationId);

/// The doors that a token opens or may still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DoorsOfToken(pub(crate) AccessTokenId);

/// Doors that something names by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TheseDoors(pub(crate) BTreeSet<DoorId>);

/// The tokens of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokensOfReservation(pub(crate) ReservationId);

/// The placements of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlacementsOfToken(pub(crate) AccessTokenId);

/// A window on the stays of a guest that fit a filter, or their number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ReservationsOfGuest<Asked>(pub(crate) UserId, pub(crate) ReservationFilter, pub(crate) Asked);

/// What the resources of an account stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MappingsOfAccount(pub(crate) VendorAccountId);

/// A resource by the vendor's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ResourceOfAccount(pub(crate) VendorAccountId, pub(crate) String);

type Doors = Vec<Arc<door::Model>>;

impl Reader {
    /// The visible ones of the doors that each key names.
    pub(super) async fn named_doors<K: std::hash::Hash + Eq>(
        &self,
        named: Vec<(K, DoorId)>,
    ) -> Result<HashMap<K, Doors>, StoreError> {
        let ids: BTreeSet<DoorId> = named.iter().map(|(_, door)| *door).collect();
        let rows = doors::by_ids(&self.database, &self.scope, &Vec::from_iter(ids)).await?;
        let rows: HashMap<DoorId, Arc<door::Model>> =
            rows.into_iter().map(|row| (DoorId(row.id), Arc::new(row))).collect();
        let mut found: HashMap<K, Doors> = HashMap::new();
        for (key, door) in named {
            if let Some(row) = rows.get(&door) {
                found.entry(key).or_default().push(Arc::clone(row));
            }
        }
        Ok(found)
    }
}

impl Loader<DoorsOfReservation> for Reader {
    type Value = Doors;
    type Error = LoadError;

    async fn load(&self, keys: &[DoorsOfReservation]) -> Result<HashMap<DoorsOfReservation, Doors>, LoadError> {
        let ids: Vec<ReservationId> = keys.iter().map(|key| key.0).collect();
        let read = async {
            let links = reservations::doors(&self.database, &ids).await?;
            let key = |id| DoorsOfReservation(ReservationId(id));
            let named = links.into_iter().map(|link| (key(link.reservation_id), DoorId(link.door_id))).collect();
            self.named_doors(named).await
        };
        Ok(self.wave.read(read).await?)
    }
}

impl Loader<DoorsOfToken> for Reader {
    type Value = Doors;
    type Error = LoadError;

    async fn load(&self, keys: &[DoorsOfToken]) -> Result<HashMap<DoorsOfToken, Doors>, LoadError> {
        let ids: Vec<AccessTokenId> = keys.iter().map(|key| key.0).collect();
        let read = async {
            let links = tokens::doors(&self.database, &ids).await?;
            let key = |id| DoorsOfToken(AccessTokenId(id));
            let named = links.into_iter().map(|link| (key(link.access_token_id), DoorId(link.door_id))).collect();
            self.named_doors(named).await
        };
        Ok(self.wave.read(read).await?)
    }
}

impl Loader<TheseDoors> for Reader {
    type Value = Doors;
    type Error = LoadError;

    async fn load(&self, keys: &[TheseDoors]) -> Result<HashMap<TheseDoors, Doors>, LoadError> {
        let named = keys.iter().flat_map(|key| key.0.iter().map(|door| (key.clone(), *door))).collect();
        Ok(self.wave.read(self.named_doors(named)).await?)
    }
}

impl Loader<TokensOfReservation> for Reader {
    type Value = Vec<Arc<access_token::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[TokensOfReservation]) -> Result<HashMap<TokensOfReservation, Self::Value>, LoadError> {
        let ids: Vec<ReservationId> = keys.iter().map(|key| key.0).collect();
        let rows = self.wave.read(tokens::by_reservations(&self.database, &self.scope, &ids)).await?;
        Ok(grouped(rows, |row| TokensOfReservation(ReservationId(row.reservation_id))))
    }
}

impl Loader<PlacementsOfToken> for Reader {
    type Value = Vec<Arc<placement::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[PlacementsOfToken]) -> Result<HashMap<PlacementsOfToken, Self::Value>, LoadError> {
        let ids: Vec<AccessTokenId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<PlacementsOfToken, Self::Value> = HashMap::new();
        for row in self.wave.read(placements::by_tokens(&self.database, &self.scope, &ids)).await? {
            if let Some(token) = row.token_id {
                found.entry(PlacementsOfToken(AccessTokenId(token))).or_default().push(Arc::new(row));
            }
        }
        Ok(found)
    }
}

impl Loader<ReservationsOfGuest<Window>> for Reader {
    type Value = Page<Arc<reservation::Model>>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ReservationsOfGuest<Window>],
    ) -> Result<HashMap<ReservationsOfGuest<Window>, Self::Value>, LoadError> {
        let mut found = HashMap::new();
        for ((filter, window), guests) in guests_by(keys, |key| (key.0, (key.1.clone(), key.2))) {
            let read = reservations::pages_of_guests(&self.database, &self.scope, &filter, &guests, window.into());
            let pages = self.wave.read(read).await?;
            let key = |guest| ReservationsOfGuest(guest, filter.clone(), window);
            found.extend(pages.into_iter().map(|(guest, page)| (key(guest), shared(page))));
        }
        Ok(found)
    }
}

impl Loader<ReservationsOfGuest<()>> for Reader {
    type Value = u64;
    type Error = LoadError;

    async fn load(&self, keys: &[ReservationsOfGuest<()>]) -> Result<HashMap<ReservationsOfGuest<()>, u64>, LoadError> {
        let mut found = HashMap::new();
        for (filter, guests) in guests_by(keys, |key| (key.0, key.1.clone())) {
            let read = reservations::counts_of_guests(&self.database, &self.scope, &filter, &guests);
            let counts = self.wave.read(read).await?;
            let key = |guest| ReservationsOfGuest(guest, filter.clone(), ());
            found.extend(counts.into_iter().map(|(guest, count)| (key(guest), count)));
        }
        Ok(found)
    }
}

impl Loader<MappingsOfAccount> for Reader {
    type Value = BTreeMap<String, BTreeSet<DoorId>>;
    type Error = LoadError;

    async fn load(&self, keys: &[MappingsOfAccount]) -> Result<HashMap<MappingsOfAccount, Self::Value>, LoadError> {
        let ids: Vec<VendorAccountId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<MappingsOfAccount, Self::Value> = HashMap::new();
        for row in self.wave.read(resources::mapped(&self.database, &ids)).await? {
            let of_account = found.entry(MappingsOfAccount(VendorAccountId(row.account_id))).or_default();
            of_account.entry(row.resource).or_default().insert(DoorId(row.door_id));
        }
        Ok(found)
    }
}

impl Loader<ResourceOfAccount> for Reader {
    type Value = Arc<record::Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[ResourceOfAccount]) -> Result<HashMap<ResourceOfAccount, Self::Value>, LoadError> {
        let asked: Vec<(VendorAccountId, String)> = keys.iter().map(|key| (key.0, key.1.clone())).collect();
        let found = self.wave.read(resources::records(&self.database, &self.scope, &asked)).await?;
        let key = |row: &record::Model| ResourceOfAccount(VendorAccountId(row.account_id), row.external_id.clone());
        Ok(found.into_iter().map(|row| (key(&row), Arc::new(row))).collect())
    }
}

/// Sorts keys into those that ask the same of several guests.
fn guests_by<K, Asked: std::hash::Hash + Eq>(
    keys: &[K],
    split: impl Fn(&K) -> (UserId, Asked),
) -> HashMap<Asked, Vec<UserId>> {
    let mut sorted: HashMap<Asked, Vec<UserId>> = HashMap::new();
    for key in keys {
        let (guest, asked) = split(key);
        sorted.entry(asked).or_default().push(guest);
    }
    sorted
}
