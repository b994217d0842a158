//! The lists of records: accesses, telephone numbers, campaigns, schedules, the account's own user.

use std::collections::{BTreeMap, VecDeque};

use domain::record::{CampaignKind, FoundRecord};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::Value;

use super::{Known, devices::no_id};
use crate::{
    error::VendorError,
    port::Portion,
    raixer::{client::Raixer, mapping::records, wire},
};

/// Where campaigns are kept, by what they are for.
pub(super) const CAMPAIGNS: [(&str, CampaignKind); 2] =
    [("intercom-campaigns", CampaignKind::Intercom), ("power-campaigns", CampaignKind::Power)];

fn portion(records: Vec<FoundRecord>) -> Portion {
    Portion { records, ..Portion::default() }
}

/// What each device of a sync is still asked for.
struct Pending {
    /// The account's own accesses by device, until they are told.
    own: BTreeMap<String, Vec<wire::Access>>,
    devices: VecDeque<Known>,
    /// Whether every telephone number so far came with an id.
    with_ids: bool,
    ended: bool,
}

impl Raixer {
    /// The account's own accesses, and everybody's at the devices that it manages, device by device.
    pub(super) fn read_accesses(&self) -> BoxStream<'_, Result<Portion, VendorError>> {
        stream::try_unfold(None, move |pending: Option<Pending>| async move {
            let mut pending = match pending {
                Some(pending) => pending,
                None => self.pending_accesses().await?,
            };
            if let Some(known) = pending.devices.pop_front() {
                let own = pending.own.remove(&known.id).unwrap_or_default();
                return Ok(Some((portion(self.accesses_at(&known, own).await?), Some(pending))));
            }
            if pending.ended {
                return Ok(None);
            }
            pending.ended = true;
            // At devices that are no longer known, for example by a suspended access.
            let left = std::mem::take(&mut pending.own).into_values().flatten();
            let left: Option<Vec<_>> = left.map(|access| records::access(&access, owner_in(&access))).collect();
            Ok(Some((portion(left.ok_or_else(no_id)?), Some(pending))))
        })
        .boxed()
    }

    async fn pending_accesses(&self) -> Result<Pending, VendorError> {
        let owned: Vec<wire::Device> = self.own("list devices", &["devices"], &[]).await?;
        let ordered: Vec<Vec<wire::Access>> =
            self.own("list accesses in order", &["connections", "ordered"], &[]).await?;
        let accesses: Vec<wire::Access> = ordered.into_iter().flatten().collect();
        let mut own: BTreeMap<String, Vec<wire::Access>> = BTreeMap::new();
        for access in &accesses {
            let device = access.device_id.clone().ok_or_else(no_id)?;
            own.entry(device).or_default().push(access.clone());
        }
        let devices = super::devices::join(owned, accesses)?;
        Ok(Pending { own, devices, with_ids: true, ended: false })
    }

    /// Everybody's accesses at a device. Each is told once, with all that the two lists know of it.
    pub(super) async fn accesses_at(
        &self,
        known: &Known,
        own: Vec<wire::Access>,
    ) -> Result<Vec<FoundRecord>, VendorError> {
        let mut accesses = Vec::new();
        if known.is_managed() {
            match self.accesses_of(&known.id).await? {
                Some(listed) => accesses = listed,
                None => known.refused()?,
            }
        }
        for access in own {
            if !accesses.iter().any(|listed| listed.id.is_some() && listed.id == access.id) {
                accesses.push(access);
            }
        }
        let records: Option<Vec<_>> =
            accesses.iter().map(|access| records::access(access, known.owner().or(owner_in(access)))).collect();
        records.ok_or_else(no_id)
    }

    /// The list of a device's accesses; `None` without permission.
    pub(in crate::raixer) async fn accesses_of(&self, device: &str) -> Result<Option<Vec<wire::Access>>, VendorError> {
        let path = ["connections", "by", "device", device];
        let listed: Option<Vec<wire::Access>> = self.of_device("list accesses of device", &path, &[]).await?;
        Ok(listed.map(|listed| {
            let at = |access: wire::Access| wire::Access {
                device_id: access.device_id.clone().or_else(|| Some(device.to_owned())),
                ..access
            };
            listed.into_iter().map(at).collect()
        }))
    }

    /// The telephone numbers of the devices that the account manages, device by device. Numbers that are told without
    /// an id can not be compared with what is known: then nothing is concluded from what the lists do not hold.
    pub(super) fn read_phones(&self) -> BoxStream<'_, Result<Portion, VendorError>> {
        stream::try_unfold(None, move |pending: Option<Pending>| async move {
            let mut pending = match pending {
                Some(pending) => pending,
                None => {
                    let devices = self.known_devices().await?;
                    Pending { own: BTreeMap::new(), devices, with_ids: true, ended: false }
                }
            };
            while let Some(known) = pending.devices.pop_front() {
                if !known.is_managed() {
                    continue;
                }
                let Some(listed) = self.phones_of(&known.id).await? else {
                    known.refused()?;
                    continue;
                };
                pending.with_ids &= listed.iter().all(|phone| phone.id.is_some());
                let phones: Option<Vec<_>> =
                    listed.iter().map(|phone| records::phone(phone, Some(&known.id))).collect();
                return Ok(Some((portion(phones.ok_or_else(no_id)?), Some(pending))));
            }
            if pending.with_ids {
                return Ok(None);
            }
            Err(VendorError::unsupported(
                "Raixer lists telephone numbers without their ids: a number that is no longer listed is not noticed.",
            ))
        })
        .boxed()
    }

    /// The list of a device's telephone numbers; `None` without permission.
    pub(in crate::raixer) async fn phones_of(&self, device: &str) -> Result<Option<Vec<wire::Phone>>, VendorError> {
        let path = ["authorized-phones", "device", device];
        let listed: Option<Vec<Value>> = self.of_device("list phones", &path, &[]).await?;
        let Some(listed) = listed else { return Ok(None) };
        let phones: Option<Vec<_>> = listed.into_iter().map(records::listed_phone).collect();
        phones.map(Some).ok_or_else(no_id)
    }

    /// Every campaign, with the device that is in it: a campaign itself does not name it.
    pub(super) fn read_campaigns(&self) -> BoxStream<'_, Result<Portion, VendorError>> {
        let lists = VecDeque::from(CAMPAIGNS);
        stream::try_unfold((lists, None), move |(mut lists, devices)| async move {
            let Some((path, kind)) = lists.pop_front() else { return Ok(None) };
            let devices = match devices {
                Some(devices) => devices,
                None => self.devices_by_campaign().await?,
            };
            let listed: Vec<wire::Campaign> = self.own("list campaigns", &[path], &[]).await?;
            let of_it = |campaign: &wire::Campaign| devices.get(campaign.id.as_ref()?).cloned();
            let found: Option<Vec<_>> =
                listed.iter().map(|campaign| records::campaign(campaign, kind, of_it(campaign))).collect();
            Ok(Some((portion(found.ok_or_else(no_id)?), (lists, Some(devices)))))
        })
        .boxed()
    }

    /// Every schedule, with the device whose campaign it belongs to. One without a readable time breaks the read off
    /// after the others are told, so that it does not look removed.
    pub(super) fn read_schedules(&self) -> BoxStream<'_, Result<Portion, VendorError>> {
        stream::try_unfold(Some(true), move |go_on: Option<bool>| async move {
            match go_on {
                None => Ok(None),
                Some(false) => Err(VendorError::protocol("Raixer listed a schedule without a readable time.")),
                Some(true) => {
                    let devices = self.devices_by_campaign().await?;
                    let listed: Vec<wire::Schedule> = self.own("list schedules", &["schedules"], &[]).await?;
                    let mut found = Vec::new();
                    for schedule in &listed {
                        if schedule.id.is_none() {
                            return Err(no_id());
                        }
                        let device = schedule.campaign_id.as_ref().and_then(|campaign| devices.get(campaign));
                        found.extend(records::schedule(schedule, device.cloned()));
                    }
                    let all = found.len() == listed.len();
                    Ok(Some((portion(found), if all { None } else { Some(false) })))
                }
            }
        })
        .boxed()
    }

    /// Which device is in which campaign.
    pub(in crate::raixer) async fn devices_by_campaign(&self) -> Result<BTreeMap<String, String>, VendorError> {
        let known = self.known_devices().await?;
        Ok(known.into_iter().filter_map(|known| Some((known.campaign()?, known.id))).collect())
    }

    pub(super) async fn read_profile(&self) -> Result<Portion, VendorError> {
        let Some(user) = self.own_user().await? else {
            return Err(VendorError::unsupported(
                "Raixer tells the account's user only by its devices and accesses, and there are none.",
            ));
        };
        self.profile_of(&user).await
    }

    /// The profile of a user; nothing when there is no such user.
    pub(super) async fn profile_of(&self, user: &str) -> Result<Portion, VendorError> {
        let Some(user) = self.user(user).await? else { return Ok(Portion::default()) };
        records::profile(&user).map(|record| portion(vec![record])).ok_or_else(no_id)
    }

    /// The user of an id.
    pub(in crate::raixer) async fn user(&self, id: &str) -> Result<Option<wire::User>, VendorError> {
        self.record("get user", &["users", id]).await
    }

    /// The account's own user: who owns the devices of its list, and the accesses of its list.
    pub(in crate::raixer) async fn own_user(&self) -> Result<Option<String>, VendorError> {
        let owned: Vec<wire::Device> = self.own("list devices", &["devices"], &[]).await?;
        if let Some(owner) = owned.into_iter().find_map(|device| device.owner) {
            return Ok(Some(owner));
        }
        let accesses: Vec<wire::Access> = self.own("list accesses", &["connections"], &[]).await?;
        Ok(accesses.into_iter().find_map(|access| access.owner))
    }
}

/// The device's owner as an access tells it.
pub(super) fn owner_in(access: &wire::Access) -> Option<&str> {
    access.device.as_ref().and_then(|device| device.owner.as_deref())
}
