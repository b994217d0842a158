//! What hangs on several vendor accounts at once: their locations, the parts of their syncs, records and deliveries. The keys are ids of
//! accounts that were found in scope.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_graphql::dataloader::Loader;
use domain::{
    ids::{SiteId, VendorAccountId},
    record::RecordKind,
};
use entities::{
    StoreError,
    find::{
        deliveries::{self, DeliveryFilter},
        records::{self, RecordFilter},
        vendor_accounts,
    },
    page::{Page, PageRequest},
    rows::{record, sync_part, webhook_delivery},
};

use super::{LoadError, Reader, Window, grouped, shared};

/// Locations of all accounts together whose names are told; more places than that no organization has.
const NAMED: u64 = 1_000;

/// The locations of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LocationsOfAccount(pub(crate) VendorAccountId);

/// A location of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountLocation {
    /// In the words of the vendor.
    pub(crate) location: String,
    /// A name for people, if the vendor has one.
    pub(crate) name: Option<String>,
    /// Which site it is, if somebody has said so.
    pub(crate) site: Option<SiteId>,
}

/// How far the sync of each part of an account has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SyncPartsOfAccount(pub(crate) VendorAccountId);

/// A window on the records at an account that fit a filter (whose own account is not used), or their number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RecordsOfAccount<Asked>(pub(crate) VendorAccountId, pub(crate) RecordFilter, pub(crate) Asked);

/// The same for webhook deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DeliveriesOfAccount<Asked>(pub(crate) VendorAccountId, pub(crate) DeliveryFilter, pub(crate) Asked);

impl Loader<LocationsOfAccount> for Reader {
    type Value = Vec<AccountLocation>;
    type Error = LoadError;

    async fn load(&self, keys: &[LocationsOfAccount]) -> Result<HashMap<LocationsOfAccount, Self::Value>, LoadError> {
        let ids: Vec<VendorAccountId> = keys.iter().map(|key| key.0).collect();
        let account = if let [one] = ids.as_slice() { Some(*one) } else { None };
        let filter = RecordFilter { account, kinds: vec![RecordKind::Location], ..RecordFilter::default() };
        let page = PageRequest { after: None, before: None, limit: NAMED, from_end: false, newest_first: false };
        let read = async {
            let mapped = vendor_accounts::locations(&self.database, &ids).await?;
            Ok::<_, StoreError>((mapped, records::page(&self.database, &self.scope, &filter, page).await?.rows))
        };
        let (mapped, named) = self.wave.read(read).await?;
        let mut found: HashMap<LocationsOfAccount, BTreeMap<String, AccountLocation>> =
            keys.iter().map(|key| (*key, BTreeMap::new())).collect();
        for row in named {
            if let Some(locations) = found.get_mut(&LocationsOfAccount(VendorAccountId(row.account_id))) {
                let location = row.external_id;
                let known = AccountLocation { location: location.clone(), name: Some(row.name), site: None };
                locations.insert(location, known);
            }
        }
        for row in mapped {
            let locations = found.entry(LocationsOfAccount(VendorAccountId(row.account_id))).or_default();
            let location = row.location;
            let known = AccountLocation { location: location.clone(), name: None, site: None };
            locations.entry(location).or_insert(known).site = Some(SiteId(row.site_id));
        }
        Ok(found.into_iter().map(|(key, locations)| (key, locations.into_values().collect())).collect())
    }
}

impl Loader<SyncPartsOfAccount> for Reader {
    type Value = Vec<Arc<sync_part::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[SyncPartsOfAccount]) -> Result<HashMap<SyncPartsOfAccount, Self::Value>, LoadError> {
        let ids: Vec<VendorAccountId> = keys.iter().map(|key| key.0).collect();
        let rows = self.wave.read(vendor_accounts::sync_parts(&self.database, &ids)).await?;
        Ok(grouped(rows, |row| SyncPartsOfAccount(VendorAccountId(row.account_id))))
    }
}

impl Loader<RecordsOfAccount<Window>> for Reader {
    type Value = Page<Arc<record::Model>>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[RecordsOfAccount<Window>],
    ) -> Result<HashMap<RecordsOfAccount<Window>, Self::Value>, LoadError> {
        let mut found = HashMap::new();
        for ((filter, window), accounts) in accounts_by(keys, |key| (key.0, (key.1.clone(), key.2))) {
            let read = records::pages_at_accounts(&self.database, &self.scope, &filter, &accounts, window.into());
            let pages = self.wave.read(read).await?;
            let key = |account| RecordsOfAccount(account, filter.clone(), window);
            found.extend(pages.into_iter().map(|(account, page)| (key(account), shared(page))));
        }
        Ok(found)
    }
}

impl Loader<RecordsOfAccount<()>> for Reader {
    type Value = u64;
    type Error = LoadError;

    async fn load(&self, keys: &[RecordsOfAccount<()>]) -> Result<HashMap<RecordsOfAccount<()>, u64>, LoadError> {
        let mut found = HashMap::new();
        for (filter, accounts) in accounts_by(keys, |key| (key.0, key.1.clone())) {
            let read = records::counts_at_accounts(&self.database, &self.scope, &filter, &accounts);
            let counts = self.wave.read(read).await?;
            let key = |account| RecordsOfAccount(account, filter.clone(), ());
            found.extend(counts.into_iter().map(|(account, count)| (key(account), count)));
        }
        Ok(found)
    }
}

impl Loader<DeliveriesOfAccount<Window>> for Reader {
    type Value = Page<Arc<webhook_delivery::Model>>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[DeliveriesOfAccount<Window>],
    ) -> Result<HashMap<DeliveriesOfAccount<Window>, Self::Value>, LoadError> {
        let mut found = HashMap::new();
        for ((filter, window), accounts) in accounts_by(keys, |key| (key.0, (key.1.clone(), key.2))) {
            let read = deliveries::pages_at_accounts(&self.database, &self.scope, &filter, &accounts, window.into());
            let pages = self.wave.read(read).await?;
            let key = |account| DeliveriesOfAccount(account, filter.clone(), window);
            found.extend(pages.into_iter().map(|(account, page)| (key(account), shared(page))));
        }
        Ok(found)
    }
}

impl Loader<DeliveriesOfAccount<()>> for Reader {
    type Value = u64;
    type Error = LoadError;

    async fn load(&self, keys: &[DeliveriesOfAccount<()>]) -> Result<HashMap<DeliveriesOfAccount<()>, u64>, LoadError> {
        let mut found = HashMap::new();
        for (filter, accounts) in accounts_by(keys, |key| (key.0, key.1.clone())) {
            let read = deliveries::counts_at_accounts(&self.database, &self.scope, &filter, &accounts);
            let counts = self.wave.read(read).await?;
            let key = |account| DeliveriesOfAccount(account, filter.clone(), ());
            found.extend(counts.into_iter().map(|(account, count)| (key(account), count)));
        }
        Ok(found)
    }
}

/// Sorts keys into those that ask the same of several accounts.
fn accounts_by<K, Asked: std::hash::Hash + Eq>(
    keys: &[K],
    split: impl Fn(&K) -> (VendorAccountId, Asked),
) -> HashMap<Asked, Vec<VendorAccountId>> {
    let mut sorted: HashMap<Asked, Vec<VendorAccountId>> = HashMap::new();
    for key in keys {
        let (account, asked) = split(key);
        sorted.entry(asked).or_default().push(account);
    }
    sorted
}
