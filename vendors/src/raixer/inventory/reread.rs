//! Reading one thing again. What is gone is an empty portion.

use domain::{
    clock::Timestamp,
    record::{CampaignKind, FoundRecord, RecordKind},
};
use futures::TryStreamExt;

use super::{
    devices::no_id,
    records::{CAMPAIGNS, owner_in},
};
use crate::{
    error::VendorError,
    port::{Inventory, Portion, RecordRef, SyncPart},
    raixer::{client::Raixer, mapping::records, wire},
};

impl Raixer {
    /// A whole part at once. Without a cursor it goes no further back than a first read, so it leaves the cursor alone.
    pub(super) async fn reread_part(&self, part: SyncPart, now: Timestamp) -> Result<Portion, VendorError> {
        let add = |mut all: Portion, portion: Portion| async move {
            all.devices.extend(portion.devices);
            all.records.extend(portion.records);
            all.events.extend(portion.events);
            Ok(all)
        };
        self.read(part, None, now).try_fold(Portion::default(), add).await
    }

    /// A device with its doors and what they follow, its sensors, its users and its campaign. Only owned campaigns are
    /// listed, so another's would look removed at the next sync. That a campaign can not be read leaves it as it was.
    pub(super) async fn reread_device(&self, id: &str) -> Result<Portion, VendorError> {
        let known = self.known_devices().await?.into_iter().find(|known| known.id == id);
        let Some(known) = known else { return Ok(Portion::default()) };
        let own = known.access.iter().cloned().collect();
        let campaign = known.campaign().filter(|_| known.owned);
        let accesses = self.accesses_at(&known, own).await?;
        let Some(mut portion) = self.complete(known, true).await? else { return Ok(Portion::default()) };
        portion.records.extend(accesses);
        if let Some(campaign) = campaign
            && let Ok(Some((campaign, kind))) = self.campaign_by_id(&campaign).await
        {
            portion.records.extend(records::campaign(&campaign, kind, Some(id.to_owned())));
        }
        Ok(portion)
    }

    pub(super) async fn reread_record(&self, record: &RecordRef) -> Result<Portion, VendorError> {
        let id = record.external_id.as_str();
        let found = match record.kind {
            RecordKind::Credential => self.phone(id).await?,
            RecordKind::DeviceAccess => self.access(id).await?,
            RecordKind::Sensor => self.sensor(id).await?,
            RecordKind::Campaign => self.campaign(id).await?,
            RecordKind::AutoAccessSchedule => self.schedule(id).await?,
            RecordKind::Profile => return self.profile_of(id).await,
            _ => return Err(VendorError::unsupported(format!("Raixer keeps no records of kind {}.", record.kind))),
        };
        Ok(Portion { records: found.into_iter().collect(), ..Portion::default() })
    }

    async fn phone(&self, id: &str) -> Result<Option<FoundRecord>, VendorError> {
        if let Some(device) = records::device_of_phone_without_id(id) {
            let listed = self.phones_of(device).await?.unwrap_or_default();
            let mut found = listed.iter().filter_map(|phone| records::phone(phone, Some(device)));
            return Ok(found.find(|found| found.external_id == id));
        }
        let phone: Option<wire::Phone> = self.phone_by_id(id).await?;
        phone.map(|phone| records::phone(&phone, None).ok_or_else(no_id)).transpose()
    }

    /// One telephone number by the vendor's id.
    pub(in crate::raixer) async fn phone_by_id(&self, id: &str) -> Result<Option<wire::Phone>, VendorError> {
        self.record("get phone", &["authorized-phones", id]).await
    }

    /// One access, with its holder as only the list of the device's accesses tells.
    async fn access(&self, id: &str) -> Result<Option<FoundRecord>, VendorError> {
        let Some(access) = self.access_by_id(id).await? else { return Ok(None) };
        let Some(device) = access.device_id.clone() else { return Err(no_id()) };
        let listed = self.accesses_of(&device).await?.unwrap_or_default();
        let listed = listed.into_iter().find(|listed| listed.id == access.id);
        let owner = match owner_in(&access) {
            Some(owner) => Some(owner.to_owned()),
            None => self.owner_of(&device).await?,
        };
        records::access(listed.as_ref().unwrap_or(&access), owner.as_deref()).map(Some).ok_or_else(no_id)
    }

    /// One access by its id.
    pub(in crate::raixer) async fn access_by_id(&self, id: &str) -> Result<Option<wire::Access>, VendorError> {
        self.record("get access", &["connections", id]).await
    }

    /// The owner of a device.
    pub(in crate::raixer) async fn owner_of(&self, device: &str) -> Result<Option<String>, VendorError> {
        Ok(self.device_by_id(device).await?.and_then(|device| device.owner))
    }

    /// One device as it describes itself.
    pub(in crate::raixer) async fn device_by_id(&self, id: &str) -> Result<Option<wire::Device>, VendorError> {
        self.of_device("get device", &["devices", id], &[]).await
    }

    /// The doors of a device; `None` without permission.
    pub(in crate::raixer) async fn doors_of(&self, device: &str) -> Result<Option<Vec<wire::Door>>, VendorError> {
        self.of_device("list doors", &["devices", device, "doors"], &[]).await
    }

    /// The sensors of a device; `None` without permission.
    pub(in crate::raixer) async fn sensors_of(&self, device: &str) -> Result<Option<Vec<wire::Sensor>>, VendorError> {
        self.of_device("list sensors", &["devices", device, "sensors"], &[]).await
    }

    /// A sensor is told by the list of its device alone, and its id does not name the device.
    async fn sensor(&self, id: &str) -> Result<Option<FoundRecord>, VendorError> {
        for known in self.known_devices().await? {
            let sensors = self.sensors_of(&known.id).await?.unwrap_or_default();
            if let Some(sensor) = sensors.iter().find(|sensor| sensor.id.as_deref() == Some(id)) {
                return Ok(records::sensor(sensor, &known.id));
            }
        }
        Ok(None)
    }

    async fn campaign(&self, id: &str) -> Result<Option<FoundRecord>, VendorError> {
        let Some((campaign, kind)) = self.campaign_by_id(id).await? else { return Ok(None) };
        let device = self.devices_by_campaign().await?.remove(id);
        Ok(records::campaign(&campaign, kind, device))
    }

    /// One campaign by its id, which does not tell of which kind it is.
    async fn campaign_by_id(&self, id: &str) -> Result<Option<(wire::Campaign, CampaignKind)>, VendorError> {
        for (path, kind) in CAMPAIGNS {
            let campaign: Option<wire::Campaign> = self.record("get campaign", &[path, id]).await?;
            if let Some(campaign) = campaign.filter(|campaign| campaign.id.is_some()) {
                return Ok(Some((campaign, kind)));
            }
        }
        Ok(None)
    }

    async fn schedule(&self, id: &str) -> Result<Option<FoundRecord>, VendorError> {
        let Some(schedule) = self.schedule_by_id(id).await? else { return Ok(None) };
        let devices = self.devices_by_campaign().await?;
        let device = schedule.campaign_id.as_ref().and_then(|campaign| devices.get(campaign)).cloned();
        let unreadable = || VendorError::protocol("Raixer told of a schedule without an id or a readable time.");
        records::schedule(&schedule, device).map(Some).ok_or_else(unreadable)
    }

    /// One schedule by its id.
    pub(in crate::raixer) async fn schedule_by_id(&self, id: &str) -> Result<Option<wire::Schedule>, VendorError> {
        self.record("get schedule", &["schedules", id]).await
    }
}
