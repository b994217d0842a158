//! What hangs on several vendor accounts at once: their locations and the parts of their syncs. The keys are ids of
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
        records::{self, RecordFilter},
        vendor_accounts,
    },
    page::PageRequest,
    rows::sync_part,
};

use super::{LoadError, Reader};

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
        let mut found: HashMap<SyncPartsOfAccount, Self::Value> = HashMap::new();
        for row in self.wave.read(vendor_accounts::sync_parts(&self.database, &ids)).await? {
            found.entry(SyncPartsOfAccount(VendorAccountId(row.account_id))).or_default().push(Arc::new(row));
        }
        Ok(found)
    }
}
