//! What exists at Raixer: accounts, devices with doors, connections; lookups and building. No HTTP and no JSON.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `use` of a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RaixerUse {
    /// The door to the street.
    Street,
    /// The door of the flat.
    Home,
    /// A garage.
    Garage,
    /// Anything else.
    Other,
}

impl RaixerUse {
    pub(crate) fn named(word: &str) -> Option<RaixerUse> {
        match word {
            "street" => Some(RaixerUse::Street),
            "home" => Some(RaixerUse::Home),
            "garage" => Some(RaixerUse::Garage),
            "other" => Some(RaixerUse::Other),
            _ => None,
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            RaixerUse::Street => "Street",
            RaixerUse::Home => "Home",
            RaixerUse::Garage => "Garage",
            RaixerUse::Other => "Other",
        }
    }
}

/// `profile` of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RaixerProfile {
    /// May use the device.
    User,
    /// May manage the device.
    Admin,
    /// Set the device up.
    Installer,
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) valid: bool,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// Its connections.
    pub(crate) connections: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) id: String,
    pub(crate) usage: RaixerUse,
    pub(crate) name: String,
}

#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) owner: usize,
    pub(crate) name: String,
    pub(crate) online: bool,
    pub(crate) campaign: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    /// In the order of their positions.
    pub(crate) doors: Vec<Door>,
    pub(crate) connections: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) account: usize,
    pub(crate) device: usize,
    pub(crate) profile: RaixerProfile,
    pub(crate) disabled: bool,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
}

/// Everything Raixer knows.
#[derive(Debug, Default)]
pub(crate) struct Raixer {
    pub(crate) accounts: Vec<Account>,
    pub(crate) devices: Vec<Device>,
    pub(crate) connections: Vec<Connection>,
    by_id: HashMap<String, usize>,
    by_user: HashMap<String, usize>,
}

/// What a builder says about a device.
#[derive(Debug)]
pub(crate) struct DeviceSeed {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) campaign: String,
    pub(crate) online: bool,
    pub(crate) since: DateTime<Utc>,
    pub(crate) doors: Vec<(String, RaixerUse)>,
}

impl Raixer {
    pub(crate) fn add_account(&mut self, user: String, password: String, id: String, name: String) -> usize {
        let email = format!("{user}@example.test");
        self.by_user.insert(user.clone(), self.accounts.len());
        self.accounts.push(Account { user, password, valid: true, id, name, email, connections: Vec::new() });
        self.accounts.len() - 1
    }

    pub(crate) fn add_device(&mut self, owner: usize, seed: DeviceSeed) -> usize {
        let index = self.devices.len();
        self.by_id.insert(seed.id.clone(), index);
        let doors =
            seed.doors.into_iter().map(|(id, usage)| Door { id, usage, name: usage.title().to_owned() }).collect();
        self.devices.push(Device {
            id: seed.id,
            owner,
            name: seed.name,
            online: seed.online,
            campaign: seed.campaign,
            created: seed.since,
            updated: seed.since,
            doors,
            connections: Vec::new(),
        });
        index
    }

    pub(crate) fn connect(
        &mut self,
        id: String,
        account: usize,
        device: usize,
        profile: RaixerProfile,
        at: DateTime<Utc>,
    ) {
        let index = self.connections.len();
        self.connections.push(Connection { id, account, device, profile, disabled: false, created: at, updated: at });
        if let Some(account) = self.accounts.get_mut(account) {
            account.connections.push(index);
        }
        if let Some(device) = self.devices.get_mut(device) {
            device.connections.push(index);
        }
    }

    /// Takes a device away with its connections, as the vendor's deletion does.
    pub(crate) fn remove_device(&mut self, id: &str) -> bool {
        let Some(index) = self.by_id.remove(id) else { return false };
        for account in &mut self.accounts {
            account.connections.retain(|connection| {
                self.connections.get(*connection).is_some_and(|connection| connection.device != index)
            });
        }
        true
    }

    pub(crate) fn exists(&self, device: usize) -> bool {
        self.devices.get(device).is_some_and(|device| self.by_id.contains_key(&device.id))
    }

    pub(crate) fn account_named(&self, user: &str) -> Option<usize> {
        self.by_user.get(user).copied()
    }

    pub(crate) fn account(&self, user: &str, password: &str) -> Option<usize> {
        let index = self.account_named(user)?;
        self.accounts.get(index).filter(|account| account.valid && account.password == password).map(|_| index)
    }

    pub(crate) fn device_index(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Owners and holders of an enabled connection may use a device.
    pub(crate) fn may_use(&self, account: usize, device: usize) -> bool {
        let Some(device) = self.devices.get(device) else { return false };
        device.owner == account
            || device
                .connections
                .iter()
                .filter_map(|connection| self.connections.get(*connection))
                .any(|connection| connection.account == account && !connection.disabled)
    }
}
