//! Reading what a Bikeep account sees: its locations in one call, and the devices of a location in one call each.

use std::vec::IntoIter;

use async_trait::async_trait;
use domain::{clock::Timestamp, command::FailureCode};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::{client::Bikeep, mapping, wire};
use crate::{
    error::VendorError,
    http::{ANSWER_LIMIT, INVENTORY_LIMIT},
    port::{AccountCheck, FoundRecord, Hint, Inventory, Listed, PartPlan, Portion, RecordKind, RecordRef, SyncPart},
};

const LOCATIONS: [&str; 3] = ["location", "v1", "locations"];

impl Bikeep {
    /// The locations that count: those that the account names, or all that it sees.
    async fn locations(&self) -> Result<Vec<FoundRecord>, VendorError> {
        let list: wire::List<wire::Location> = self.get("list locations", &LOCATIONS, INVENTORY_LIMIT).await?.json()?;
        let named = &self.credentials.locations;
        let locations = list.data.into_iter().map(|location| {
            mapping::location(location).ok_or_else(|| VendorError::protocol("Bikeep listed a location without an id."))
        });
        let mut locations: Vec<_> = locations.collect::<Result<_, _>>()?;
        locations.retain(|location| named.is_empty() || named.contains(&location.external_id));
        Ok(locations)
    }

    async fn location_ids(&self) -> Result<Vec<String>, VendorError> {
        if !self.credentials.locations.is_empty() {
            return Ok(self.credentials.locations.clone());
        }
        Ok(self.locations().await?.into_iter().map(|location| location.external_id).collect())
    }

    async fn location(&self, id: &str) -> Result<Portion, VendorError> {
        let [service, version, locations] = LOCATIONS;
        let reply = gone_is_none(self.get("get location", &[service, version, locations, id], ANSWER_LIMIT).await)?;
        let Some(reply) = reply else { return Ok(Portion::default()) };
        let record = mapping::location(reply.json()?)
            .ok_or_else(|| VendorError::protocol("Bikeep answered with something that is no location."))?;
        Ok(Portion { records: vec![record], ..Portion::default() })
    }

    async fn devices_of(&self, location: &str) -> Result<Portion, VendorError> {
        let path = ["device", "v1", "locations", location, "devices"];
        let list: wire::List<wire::Device> = self.get("list devices", &path, INVENTORY_LIMIT).await?.json()?;
        let devices = list.data.iter().map(|device| {
            // Left out, it would look removed (rule 11).
            mapping::device(device, location)
                .ok_or_else(|| VendorError::protocol("Bikeep listed a device without an id."))
        });
        Ok(Portion { devices: devices.collect::<Result<_, _>>()?, ..Portion::default() })
    }

    async fn device_again(&self, id: &str) -> Result<Portion, VendorError> {
        let device = gone_is_none(self.device(id).await)?;
        let devices = device.and_then(|device| mapping::device(&device, "")).into_iter().collect();
        Ok(Portion { devices, ..Portion::default() })
    }
}

fn gone_is_none<T>(result: Result<T, VendorError>) -> Result<Option<T>, VendorError> {
    match result {
        Err(VendorError::Rejected { code: FailureCode::DeviceNotFound, .. }) => Ok(None),
        other => other.map(Some),
    }
}

#[async_trait]
impl Inventory for Bikeep {
    fn parts(&self) -> &'static [PartPlan] {
        &[
            PartPlan { part: SyncPart::Profile, completes: &[Listed::Records(RecordKind::Location)] },
            PartPlan { part: SyncPart::Devices, completes: &[Listed::Devices] },
        ]
    }

    fn read<'a>(
        &'a self,
        part: SyncPart,
        _: Option<&'a str>,
        _: Timestamp,
    ) -> BoxStream<'a, Result<Portion, VendorError>> {
        match part {
            SyncPart::Profile => {
                stream::once(async { Ok(Portion { records: self.locations().await?, ..Portion::default() }) }).boxed()
            }
            SyncPart::Devices => stream::try_unfold(None, move |pending: Option<IntoIter<String>>| async move {
                let mut pending = match pending {
                    Some(pending) => pending,
                    None => self.location_ids().await?.into_iter(),
                };
                let Some(location) = pending.next() else { return Ok(None) };
                Ok(Some((self.devices_of(&location).await?, Some(pending))))
            })
            .boxed(),
            _ => stream::once(async { Err(VendorError::unsupported("Bikeep keeps nothing of the kind.")) }).boxed(),
        }
    }

    async fn reread(&self, hint: &Hint, now: Timestamp) -> Result<Portion, VendorError> {
        match hint {
            Hint::Device(id) => self.device_again(id).await,
            Hint::Record(RecordRef { kind: RecordKind::Location, external_id }) => self.location(external_id).await,
            Hint::Record(_) => Ok(Portion::default()),
            Hint::Part(part) => {
                self.read(*part, None, now)
                    .try_fold(Portion::default(), |mut all, next| async move {
                        all.devices.extend(next.devices);
                        all.records.extend(next.records);
                        Ok(all)
                    })
                    .await
            }
        }
    }

    async fn check(&self) -> Result<AccountCheck, VendorError> {
        let locations = self.locations().await?.into_iter().map(|location| (location.external_id, location.name));
        Ok(AccountCheck { locations: locations.collect(), signed_in_as: None })
    }
}

#[cfg(test)]
mod tests;
