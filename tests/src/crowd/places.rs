//! Sites, accounts, devices and doors of a crowd.

use std::collections::BTreeSet;

use domain::{
    account::{AccountState, Vendor},
    device::{DeviceDetails, Health, PhoneAccess},
    door::{DoorKind, DoorState, Mode, Observation, Source},
    ids::IdSource,
};
use entities::rows::{device, door, site, vendor_account};
use serde_json::json;
use uuid::Uuid;

use super::{Maker, ZONES, hour};

impl Maker {
    pub(super) fn id(&self) -> Uuid {
        self.ids.next_uuid()
    }

    pub(super) fn places(&mut self, doors: usize) {
        self.crowd.organization = self.id();
        for zone in ZONES {
            let site = site::Model {
                id: self.id(),
                organization_id: self.crowd.organization,
                name: zone.to_owned(),
                time_zone: zone.to_owned(),
                created_at: hour(0),
            };
            for vendor in [Vendor::Lockt, Vendor::Raixer] {
                let account = vendor_account::Model {
                    id: self.id(),
                    organization_id: self.crowd.organization,
                    site_id: site.id,
                    vendor: vendor.as_str().to_owned(),
                    name: format!("{vendor} in {zone}"),
                    base_url: "http://127.0.0.1:9".to_owned(),
                    credentials: Vec::new(),
                    credentials_version: 1,
                    state: AccountState::Connected.as_str().to_owned(),
                    state_reason: None,
                    state_since: hour(0),
                    synced_at: None,
                    signed_in_as: None,
                    intake_token_hash: None,
                    sync_requested_at: None,
                    sync_error: None,
                    created_at: hour(0),
                };
                self.crowd.accounts.push(account);
            }
            self.crowd.sites.push(site);
        }
        while self.crowd.doors.len() < doors {
            let account = self.crowd.doors.len() % self.crowd.accounts.len();
            let Some(account) = self.crowd.accounts.get(account).cloned() else { return };
            self.device(&account, doors);
        }
    }

    pub(super) fn device(&mut self, account: &vendor_account::Model, most: usize) {
        let is_intercom = account.vendor == Vendor::Raixer.as_str();
        let details = DeviceDetails {
            auto_access_always_active: self.dice.comes(30).then(|| self.dice.comes(30)),
            offline_auto_access: self.dice.comes(50).then(|| self.dice.comes(60)),
            ..DeviceDetails::default()
        };
        let number = self.crowd.devices.len();
        let device = device::Model {
            id: self.id(),
            organization_id: account.organization_id,
            site_id: account.site_id,
            account_id: account.id,
            external_id: format!("device-{number}"),
            name: format!("Device {number}"),
            model: "model".to_owned(),
            firmware: None,
            health: self.dice.word(Health::Healthy, &[Health::Offline, Health::Dead]).as_str().to_owned(),
            health_since: self.dice.time_or_none(),
            battery_percent: None,
            capabilities: json!([]),
            details: serde_json::to_value(details).ok().filter(|_| is_intercom),
            last_seen_at: hour(0),
            missing_since: None,
            created_at: hour(0),
        };
        let doors = if is_intercom { 1 + self.dice.roll(3) } else { 1 };
        for position in 1..=doors.min(most - self.crowd.doors.len()) {
            let mode = self.dice.word(Mode::Normal, &[Mode::AutoAccess, Mode::AlwaysActive, Mode::OfflineContingency]);
            let observed_at = self.dice.time();
            let mode = Observation { value: mode, observed_at, received_at: observed_at, source: Source::Sync };
            let state = DoorState { mode: Some(mode), ..DoorState::default() };
            let (enabled, any_caller) = (self.dice.comes(70), self.dice.comes(20));
            let phone_access = PhoneAccess { enabled, any_caller, number: None };
            let number = self.crowd.doors.len();
            let id = self.id();
            self.at_sites.entry(account.site_id).or_default().push(id);
            self.at_accounts.entry(account.id).or_default().push(id);
            self.crowd.doors.push(door::Model {
                id,
                organization_id: account.organization_id,
                site_id: account.site_id,
                device_id: device.id,
                external_id: if is_intercom { format!("door-{number}") } else { device.external_id.clone() },
                name: format!("Door {number}"),
                name_folded: format!("door {number}"),
                kind: DoorKind::Door.as_str().to_owned(),
                position: i32::try_from(position).unwrap_or(1),
                capabilities: json!([]),
                state: serde_json::to_value(state).unwrap_or_default(),
                lock_value: "UNKNOWN".to_owned(),
                position_value: "UNKNOWN".to_owned(),
                mode_value: mode.value.as_str().to_owned(),
                occupancy_value: "UNKNOWN".to_owned(),
                state_version: 1,
                settings: None,
                phone_access: serde_json::to_value(phone_access).ok().filter(|_| is_intercom),
                last_seen_at: hour(0),
                missing_since: None,
                created_at: hour(0),
            });
        }
        self.crowd.devices.push(device);
    }

    /// Some doors of a site, each once.
    pub(super) fn doors_at(&mut self, site: Uuid, most: usize) -> BTreeSet<Uuid> {
        let here = self.at_sites.get(&site).cloned().unwrap_or_default();
        (0..=self.dice.roll(most)).filter_map(|_| self.dice.one(&here).copied()).collect()
    }

    pub(super) fn a_site(&mut self) -> Uuid {
        self.dice.one(&self.crowd.sites).map(|site| site.id).unwrap_or_default()
    }
}
