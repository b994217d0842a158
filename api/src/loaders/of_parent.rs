//! What hangs on several parents at once: the doors and records of devices, and pages and counts of what is at sites. Keys that ask
//! for the same window are one statement, whatever the number of sites.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_graphql::dataloader::Loader;
use domain::{
    device::Health,
    ids::{DeviceId, SiteId},
    record::RecordKind,
};
use entities::{
    find::{
        devices::{self, DeviceFilter},
        doors::{self, DoorFilter},
        records,
    },
    page::Page,
    rows::{device, door, record},
};

use super::{LoadError, Reader, Window, grouped, shared};

/// The doors of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DoorsOfDevice(pub(crate) DeviceId);

/// The records of a kind that belong to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RecordsOfDevice(pub(crate) DeviceId, pub(crate) RecordKind);

/// A window on the doors at a site that fit a filter (whose own site is not used), or their number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DoorsAtSite<Asked>(pub(crate) SiteId, pub(crate) DoorFilter, pub(crate) Asked);

/// A window on the devices at a site, or their number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DevicesAtSite<Asked>(pub(crate) SiteId, pub(crate) Option<Health>, pub(crate) Asked);

impl Loader<DoorsOfDevice> for Reader {
    type Value = Vec<Arc<door::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[DoorsOfDevice]) -> Result<HashMap<DoorsOfDevice, Self::Value>, LoadError> {
        let ids: Vec<DeviceId> = keys.iter().map(|key| key.0).collect();
        let rows = self.wave.read(doors::by_devices(&self.database, &self.scope, &ids)).await?;
        Ok(grouped(rows, |row| DoorsOfDevice(DeviceId(row.device_id))))
    }
}

impl Loader<RecordsOfDevice> for Reader {
    type Value = Vec<Arc<record::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[RecordsOfDevice]) -> Result<HashMap<RecordsOfDevice, Self::Value>, LoadError> {
        let devices: BTreeSet<DeviceId> = keys.iter().map(|key| key.0).collect();
        let kinds: BTreeSet<RecordKind> = keys.iter().map(|key| key.1).collect();
        let (devices, kinds) = (Vec::from_iter(devices), Vec::from_iter(kinds));
        let read = records::by_devices(&self.database, &self.scope, &devices, &kinds);
        let mut found: HashMap<RecordsOfDevice, Self::Value> = HashMap::new();
        for row in self.wave.read(read).await? {
            if let Some(device) = row.device_id {
                found.entry(RecordsOfDevice(DeviceId(device), row.kind()?)).or_default().push(Arc::new(row));
            }
        }
        Ok(found)
    }
}

impl Loader<DoorsAtSite<Window>> for Reader {
    type Value = Page<Arc<door::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[DoorsAtSite<Window>]) -> Result<HashMap<DoorsAtSite<Window>, Self::Value>, LoadError> {
        let mut found = HashMap::new();
        for ((filter, window), sites) in sites_by(keys, |key| (key.0, (key.1.clone(), key.2))) {
            let read = doors::pages_at_sites(&self.database, &self.scope, &filter, &sites, window.into());
            let pages = self.wave.read(read).await?;
            found.extend(
                pages.into_iter().map(|(site, page)| (DoorsAtSite(site, filter.clone(), window), shared(page))),
            );
        }
        Ok(found)
    }
}

impl Loader<DoorsAtSite<()>> for Reader {
    type Value = u64;
    type Error = LoadError;

    async fn load(&self, keys: &[DoorsAtSite<()>]) -> Result<HashMap<DoorsAtSite<()>, u64>, LoadError> {
        let mut found = HashMap::new();
        for (filter, sites) in sites_by(keys, |key| (key.0, key.1.clone())) {
            let counts = self.wave.read(doors::counts_at_sites(&self.database, &self.scope, &filter, &sites)).await?;
            found.extend(counts.into_iter().map(|(site, count)| (DoorsAtSite(site, filter.clone(), ()), count)));
        }
        Ok(found)
    }
}

impl Loader<DevicesAtSite<Window>> for Reader {
    type Value = Page<Arc<device::Model>>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[DevicesAtSite<Window>],
    ) -> Result<HashMap<DevicesAtSite<Window>, Self::Value>, LoadError> {
        let mut found = HashMap::new();
        for ((health, window), sites) in sites_by(keys, |key| (key.0, (key.1, key.2))) {
            let filter = DeviceFilter { health, ..DeviceFilter::default() };
            let read = devices::pages_at_sites(&self.database, &self.scope, &filter, &sites, window.into());
            let pages = self.wave.read(read).await?;
            found.extend(pages.into_iter().map(|(site, page)| (DevicesAtSite(site, health, window), shared(page))));
        }
        Ok(found)
    }
}

impl Loader<DevicesAtSite<()>> for Reader {
    type Value = u64;
    type Error = LoadError;

    async fn load(&self, keys: &[DevicesAtSite<()>]) -> Result<HashMap<DevicesAtSite<()>, u64>, LoadError> {
        let mut found = HashMap::new();
        for (health, sites) in sites_by(keys, |key| (key.0, key.1)) {
            let filter = DeviceFilter { health, ..DeviceFilter::default() };
            let counts = self.wave.read(devices::counts_at_sites(&self.database, &self.scope, &filter, &sites)).await?;
            found.extend(counts.into_iter().map(|(site, count)| (DevicesAtSite(site, health, ()), count)));
        }
        Ok(found)
    }
}

/// Sorts keys into those that ask the same of several sites.
fn sites_by<K, Asked: std::hash::Hash + Eq>(
    keys: &[K],
    split: impl Fn(&K) -> (SiteId, Asked),
) -> HashMap<Asked, Vec<SiteId>> {
    let mut sorted: HashMap<Asked, Vec<SiteId>> = HashMap::new();
    for key in keys {
        let (site, asked) = split(key);
        sorted.entry(asked).or_default().push(site);
    }
    sorted
}
