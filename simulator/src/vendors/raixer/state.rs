//! What exists at Raixer: accounts, devices, connections; lookups and building. No HTTP and no JSON.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    campaigns::Campaign,
    doors::{Door, Sensor},
    hardware::{Alarm, AlwaysActive, Due, Port},
    history::Happened,
    phones::Phone,
    schedules::Schedule,
};

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
        [RaixerUse::Street, RaixerUse::Home, RaixerUse::Garage, RaixerUse::Other]
            .into_iter()
            .find(|usage| usage.word() == word)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            RaixerUse::Street => "street",
            RaixerUse::Home => "home",
            RaixerUse::Garage => "garage",
            RaixerUse::Other => "other",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            RaixerUse::Street => "Street",
            RaixerUse::Home => "Home",
            RaixerUse::Garage => "Garage",
            RaixerUse::Other => "Other",
        }
    }
}

/// `profile` of a connection. The reference calls it a level of control and does not say what each level may do, so the
/// simulator keeps it and enforces nothing.
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

impl RaixerProfile {
    pub(super) fn named(word: &str) -> Option<RaixerProfile> {
        match word {
            "user" => Some(RaixerProfile::User),
            "admin" => Some(RaixerProfile::Admin),
            "installer" => Some(RaixerProfile::Installer),
            _ => None,
        }
    }
}

/// The device types of the reference. They decide which variables and functions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RaixerKind {
    /// An intercom with one door port.
    OneDoor,
    /// An intercom with two door ports.
    TwoDoors,
    /// Three door ports, the third in the middle.
    Access,
    /// Switches power instead of doors.
    Power,
}

impl RaixerKind {
    pub(super) fn ports(self) -> u32 {
        match self {
            RaixerKind::OneDoor | RaixerKind::Power => 1,
            RaixerKind::TwoDoors => 2,
            RaixerKind::Access => 3,
        }
    }

    /// What the reference lists for "Intercom Two Doors and Access".
    pub(super) fn is_larger(self) -> bool {
        matches!(self, RaixerKind::TwoDoors | RaixerKind::Access)
    }
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) valid: bool,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(super) address: Option<Map<String, Value>>,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
    /// Its connections.
    pub(crate) connections: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) id: String,
    /// Absent after a deletion: the device itself is never deleted.
    pub(crate) owner: Option<usize>,
    pub(crate) kind: RaixerKind,
    pub(crate) name: String,
    pub(crate) online: bool,
    pub(super) last_heard: DateTime<Utc>,
    pub(super) powered_on: DateTime<Utc>,
    pub(crate) campaign: Option<String>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) doors: Vec<Door>,
    pub(super) sensors: Vec<Sensor>,
    pub(crate) connections: Vec<usize>,
    /// The three door ports, whether the device has them or not.
    pub(super) ports: [Port; 3],
    pub(super) offline_auto_access: bool,
    pub(super) always_active: Option<AlwaysActive>,
    pub(super) movement: bool,
    pub(super) movement_inverted: bool,
    pub(super) last_movement: Option<DateTime<Utc>>,
    /// Whether `lastMove` has told it already.
    pub(super) movement_told: bool,
    pub(super) alarm: Alarm,
    pub(super) powered: bool,
    /// The newest first.
    pub(super) history: VecDeque<Happened>,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) account: usize,
    pub(crate) device: usize,
    pub(crate) profile: RaixerProfile,
    pub(crate) disabled: bool,
    /// The device's name if absent.
    pub(super) name: Option<String>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
}

/// Everything Raixer knows.
#[derive(Debug, Default)]
pub(crate) struct Raixer {
    pub(crate) accounts: Vec<Account>,
    pub(crate) devices: Vec<Device>,
    /// Deleted ones stay, unreachable, so that indexes hold.
    pub(crate) connections: Vec<Connection>,
    pub(super) phones: Vec<Phone>,
    pub(super) campaigns: Vec<Campaign>,
    pub(super) schedules: Vec<Schedule>,
    /// What will happen by itself, by time and order of planning.
    pub(super) timeline: BTreeMap<(DateTime<Utc>, u64), Due>,
    seed: u64,
    count: u64,
    by_id: HashMap<String, usize>,
    by_user: HashMap<String, usize>,
    connections_by_id: HashMap<String, usize>,
}

/// What a builder says about a device.
#[derive(Debug)]
pub(crate) struct DeviceSeed {
    pub(crate) id: String,
    pub(crate) kind: RaixerKind,
    pub(crate) name: String,
    pub(crate) campaign: String,
    pub(crate) online: bool,
    pub(crate) since: DateTime<Utc>,
    pub(crate) doors: Vec<(String, RaixerUse)>,
}

impl Raixer {
    /// Nothing yet; the seed goes into the ids of what is created later.
    pub(crate) fn new(seed: u64) -> Raixer {
        Raixer { seed, ..Raixer::default() }
    }

    /// A number nobody had before.
    pub(super) fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// An id of ten characters, as in the samples.
    pub(super) fn fresh_id(&mut self) -> String {
        let number = self.next();
        format!("n{:03x}{number:06}", self.seed & 0xfff)
    }

    pub(crate) fn add_account(
        &mut self,
        user: String,
        password: String,
        id: String,
        name: String,
        since: DateTime<Utc>,
    ) -> usize {
        let email = format!("{user}@example.test");
        self.by_user.insert(user.clone(), self.accounts.len());
        self.accounts.push(Account {
            user,
            password,
            valid: true,
            id,
            name,
            email,
            address: None,
            created: since,
            updated: since,
            connections: Vec::new(),
        });
        self.accounts.len() - 1
    }

    pub(crate) fn add_device(&mut self, owner: usize, seed: DeviceSeed) -> usize {
        let index = self.devices.len();
        self.by_id.insert(seed.id.clone(), index);
        self.campaigns.push(Campaign::of(seed.campaign.clone(), owner, seed.name.clone(), seed.kind, seed.since));
        let doors =
            (1..).zip(seed.doors).map(|(port, (id, usage))| Door::factory(id, port, usage, seed.since)).collect();
        self.devices.push(Device {
            id: seed.id,
            owner: Some(owner),
            kind: seed.kind,
            name: seed.name,
            online: seed.online,
            last_heard: seed.since,
            powered_on: seed.since,
            campaign: Some(seed.campaign),
            created: seed.since,
            updated: seed.since,
            doors,
            sensors: Vec::new(),
            connections: Vec::new(),
            ports: Default::default(),
            offline_auto_access: false,
            always_active: None,
            movement: false,
            movement_inverted: false,
            last_movement: None,
            movement_told: true,
            alarm: Alarm::Off,
            powered: true,
            history: VecDeque::new(),
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
    ) -> usize {
        let index = self.connections.len();
        self.connections_by_id.insert(id.clone(), index);
        self.connections.push(Connection {
            id,
            account,
            device,
            profile,
            disabled: false,
            name: None,
            created: at,
            updated: at,
        });
        if let Some(account) = self.accounts.get_mut(account) {
            account.connections.push(index);
        }
        if let Some(device) = self.devices.get_mut(device) {
            device.connections.push(index);
        }
        index
    }

    /// Forgets a connection.
    pub(super) fn disconnect(&mut self, index: usize) {
        let Some(connection) = self.connections.get(index) else { return };
        self.connections_by_id.remove(&connection.id);
        if let Some(account) = self.accounts.get_mut(connection.account) {
            account.connections.retain(|kept| *kept != index);
        }
        if let Some(device) = self.devices.get_mut(connection.device) {
            device.connections.retain(|kept| *kept != index);
        }
    }

    /// Takes a device out of the records altogether, which the API's deletion does not do.
    pub(crate) fn remove_device(&mut self, id: &str) -> bool {
        let Some(index) = self.by_id.remove(id) else { return false };
        let connections = self.devices.get(index).map(|device| device.connections.clone()).unwrap_or_default();
        for connection in connections {
            self.disconnect(connection);
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

    pub(super) fn account_id(&self, account: usize) -> String {
        self.accounts.get(account).map(|account| account.id.clone()).unwrap_or_default()
    }

    pub(crate) fn device_index(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub(super) fn connection_index(&self, id: &str) -> Option<usize> {
        self.connections_by_id.get(id).copied()
    }

    /// Owners and holders of an enabled connection may use a device.
    pub(crate) fn may_use(&self, account: usize, device: usize) -> bool {
        let Some(device) = self.devices.get(device) else { return false };
        device.owner == Some(account)
            || device
                .connections
                .iter()
                .filter_map(|connection| self.connections.get(*connection))
                .any(|connection| connection.account == account && !connection.disabled)
    }
}
