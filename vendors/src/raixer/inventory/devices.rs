//! Devices with their doors and sensors: owned ones from their list, shared ones from the account's accesses. What is
//! left out looks removed, so only what certainly is no longer ours is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures::stream::{self, BoxStream, StreamExt};

use crate::{
    error::VendorError,
    port::Portion,
    raixer::{
        client::Raixer,
        mapping::{self, Beside, records, values},
        wire,
    },
};

/// A device that the account owns or may use.
pub(in crate::raixer) struct Known {
    /// Its own description, or no more than its id if it is shared.
    pub(in crate::raixer) device: wire::Device,
    /// Its id.
    pub(in crate::raixer) id: String,
    /// The account's access to it.
    pub(in crate::raixer) access: Option<wire::Access>,
    /// Whether the account owns it.
    pub(in crate::raixer) owned: bool,
}

impl Known {
    /// Whether the account sees who else may use it.
    pub(in crate::raixer) fn is_managed(&self) -> bool {
        let profile = self.access.as_ref().and_then(|access| access.profile.as_deref());
        self.owned || matches!(profile, Some("ADMIN" | "INSTALLER"))
    }

    /// The vendor's id of its owner, as far as the lists tell.
    pub(in crate::raixer) fn owner(&self) -> Option<&str> {
        let embedded = || self.access.as_ref()?.device.as_ref()?.owner.as_deref();
        self.device.owner.as_deref().or_else(embedded)
    }

    /// Its campaign, as far as the lists tell.
    pub(in crate::raixer) fn campaign(&self) -> Option<String> {
        let embedded = || self.access.as_ref()?.device.as_ref().and_then(mapping::campaign_of);
        mapping::campaign_of(&self.device).or_else(embedded)
    }

    /// What it is called when an owned device is refused, which its own list contradicts.
    pub(in crate::raixer) fn refused(&self) -> Result<(), VendorError> {
        if !self.owned {
            return Ok(());
        }
        Err(VendorError::not_ready("Raixer lists a device as the account's own and refuses to tell of it."))
    }
}

/// An item without an id, which would look removed if it were left out (rule 11).
pub(super) fn no_id() -> VendorError {
    VendorError::protocol("Raixer listed something without an id.")
}

impl Raixer {
    /// Every device that is owned or shared, owned ones first, each once.
    pub(in crate::raixer) async fn known_devices(&self) -> Result<VecDeque<Known>, VendorError> {
        let owned: Vec<wire::Device> = self.own("list devices", &["devices"], &[]).await?;
        let accesses: Vec<wire::Access> = self.own("list accesses", &["connections"], &[]).await?;
        join(owned, accesses)
    }

    pub(super) fn read_devices(&self) -> BoxStream<'_, Result<Portion, VendorError>> {
        stream::try_unfold(None, move |pending: Option<VecDeque<Known>>| async move {
            let mut pending = match pending {
                Some(pending) => pending,
                None => self.known_devices().await?,
            };
            while let Some(known) = pending.pop_front() {
                if let Some(portion) = self.complete(known, false).await? {
                    return Ok(Some((portion, Some(pending))));
                }
            }
            Ok(None)
        })
        .boxed()
    }

    /// A device with its doors and sensors; `None` when it does not exist for this account any more. Its `status` costs
    /// a call to the hardware for each door, so a sync does without.
    pub(super) async fn complete(&self, known: Known, with_status: bool) -> Result<Option<Portion>, VendorError> {
        let id = known.id.as_str();
        let mut described = known.device.clone();
        if !known.owned {
            match self.device_by_id(id).await? {
                Some(device) => described = device,
                None => return Ok(None),
            }
            described.id = Some(id.to_owned());
        }
        let doors = match self.doors_of(id).await? {
            Some(doors) => doors,
            None => match embedded_doors(&known) {
                Some(doors) => doors,
                None => return known.refused().map(|()| None),
            },
        };
        let sensors = match self.sensors_of(id).await? {
            Some(sensors) => sensors,
            None => known.refused().map(|()| Vec::new())?,
        };
        let listening = if with_status { self.listening(id, &described, &doors).await } else { BTreeMap::new() };
        let beside = Beside { owned: known.owned, access: known.access.as_ref(), listening };
        let device = mapping::device(described, doors, &beside).ok_or_else(no_id)?;
        let sensors = sensors.iter().map(|sensor| records::sensor(sensor, id).ok_or_else(no_id));
        Ok(Some(Portion { devices: vec![device], records: sensors.collect::<Result<_, _>>()?, ..Portion::default() }))
    }

    /// What the doors' `status` variables say. A device that does not answer leaves it open.
    async fn listening(&self, id: &str, device: &wire::Device, doors: &[wire::Door]) -> BTreeMap<i32, bool> {
        let mut listening = BTreeMap::new();
        if device.online == Some(false) {
            return listening;
        }
        for (position, _) in mapping::positions(doors).into_iter().filter(|(_, named)| *named) {
            if let Ok(Some(status)) = self.status(id, position).await {
                listening.insert(position, status.listening);
            }
        }
        listening
    }

    /// The `status` of the door at a position; `None` where the document knows of none, or it is not readable.
    pub(in crate::raixer) async fn status(
        &self,
        device: &str,
        position: i32,
    ) -> Result<Option<values::Status>, VendorError> {
        let variable = match position {
            1 => "status",
            2 => "status2",
            _ => return Ok(None),
        };
        let path = ["devices", device, "variable", variable];
        let variable: Option<wire::Variable> = self.of_device("read status", &path, &[]).await?;
        Ok(variable.as_ref().and_then(values::status))
    }
}

/// Joins owned devices with the account's accesses. A suspended access gives none; of several at one device the first
/// that is not suspended counts.
pub(super) fn join(owned: Vec<wire::Device>, accesses: Vec<wire::Access>) -> Result<VecDeque<Known>, VendorError> {
    let mut seen = BTreeSet::new();
    let mut known = VecDeque::new();
    for device in owned {
        let id = device.id.clone().ok_or_else(no_id)?;
        let of_it = || accesses.iter().filter(|access| access.device_id.as_deref() == Some(&id));
        let access = of_it().find(|access| access.disabled != Some(true)).or_else(|| of_it().next()).cloned();
        if seen.insert(id.clone()) {
            known.push_back(Known { device, id, access, owned: true });
        }
    }
    for access in accesses.into_iter().filter(|access| access.disabled != Some(true)) {
        let id = access.device_id.clone().ok_or_else(no_id)?;
        if seen.insert(id.clone()) {
            let device = wire::Device { id: Some(id.clone()), ..wire::Device::default() };
            known.push_back(Known { device, id, access: Some(access), owned: false });
        }
    }
    Ok(known)
}

/// The doors that the access to an owned device brings along, if each has an id.
fn embedded_doors(known: &Known) -> Option<Vec<wire::Door>> {
    let doors = known.access.as_ref()?.device.as_ref()?.doors.clone()?;
    (known.owned && !doors.is_empty() && doors.iter().all(|door| door.id.is_some())).then_some(doors)
}
