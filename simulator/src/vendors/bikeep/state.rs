//! What exists at Bikeep: accounts, locations, commands, timers; lookups and building. No rule and no JSON.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

use chrono::{DateTime, Utc};

use super::{
    device::{BikeepHardware, BikeepHealth, BikeepSleep, BikeepType, Device, Occupancy, PowerSave, Standing},
    notices::{BikeepNotice, Notices},
    rules::Order,
    tokens::{Client, Tokens},
    whitelists::Whitelist,
};

/// How many commands can still be asked for.
const COMMANDS_KEPT: usize = 200_000;

#[derive(Debug)]
pub(crate) struct Location {
    pub(crate) id: String,
    pub(crate) account: usize,
    /// The code people see on the spot.
    pub(crate) code: String,
    /// What people call it.
    pub(crate) label: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) devices: Vec<usize>,
    /// Since when none of its devices is online.
    pub(crate) offline_since: Option<DateTime<Utc>>,
    pub(crate) whitelist: Whitelist,
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) token: String,
    pub(crate) valid: bool,
    pub(crate) client: Client,
    /// The user whom the token stands for.
    pub(crate) user: String,
    /// Whether the administrative commands are permitted.
    pub(crate) admin: bool,
    /// Whether it may lock and unlock in the name of others.
    pub(crate) act_on_behalf_of: bool,
}

/// `state.value` of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    NotSent,
    Sent,
    Received,
    Success,
    Error,
}

impl Progress {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Progress::NotSent => "NOT_SENT",
            Progress::Sent => "SENT",
            Progress::Received => "RECEIVED",
            Progress::Success => "SUCCESS",
            Progress::Error => "ERROR",
        }
    }

    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, Progress::Success | Progress::Error)
    }
}

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) device: usize,
    pub(crate) order: Order,
    pub(crate) progress: Progress,
    pub(crate) reason: String,
    pub(crate) timeout_at: Option<DateTime<Utc>>,
    /// Name, value, time.
    pub(crate) events: Vec<(String, String, DateTime<Utc>)>,
    /// What the device returns to if the command fails.
    pub(crate) before: Standing,
    pub(crate) caused_by: u64,
    /// Faults of this one command.
    pub(crate) stuck_in: Option<Progress>,
    pub(crate) unreachable: bool,
    pub(crate) failing: Option<String>,
}

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Step {
        command: String,
    },
    CommandTimeout {
        command: String,
    },
    BookingEnds {
        device: usize,
        generation: u64,
    },
    Relock {
        device: usize,
        generation: u64,
    },
    /// A window of aggregation ends.
    Notices {
        account: usize,
        notice: BikeepNotice,
    },
    /// A location has been offline for long, if it still is.
    Outage {
        location: usize,
        since: DateTime<Utc>,
    },
}

/// Everything Bikeep knows.
#[derive(Debug, Default)]
pub(crate) struct Bikeep {
    pub(crate) accounts: Vec<Account>,
    pub(crate) locations: Vec<Location>,
    pub(crate) devices: Vec<Device>,
    pub(crate) tokens: Tokens,
    pub(crate) notices: Notices,
    by_id: HashMap<String, usize>,
    commands: HashMap<String, Command>,
    order: VecDeque<String>,
    timers: BinaryHeap<Reverse<(DateTime<Utc>, u64, Due)>>,
    next_timer: u64,
    next_command: u64,
    /// Milliseconds at start, part of command ids, so that they differ from those of an earlier run.
    pub(crate) born: u64,
}

/// What a builder says about a device.
#[derive(Debug)]
pub(crate) struct DeviceSeed {
    pub(crate) id: String,
    pub(crate) kind: BikeepType,
    pub(crate) alias: String,
    pub(crate) code: String,
    pub(crate) camera: bool,
    pub(crate) power_save: PowerSave,
    pub(crate) has_health: bool,
    /// User who parked here.
    pub(crate) parked: Option<String>,
    pub(crate) since: DateTime<Utc>,
}

impl Bikeep {
    pub(crate) fn add_account(&mut self, account: Account) -> usize {
        self.accounts.push(account);
        self.accounts.len() - 1
    }

    pub(crate) fn add_location(&mut self, location: Location) -> usize {
        self.locations.push(location);
        self.locations.len() - 1
    }

    pub(crate) fn add_device(&mut self, location: usize, seed: DeviceSeed) {
        let index = self.devices.len();
        let locked = seed.parked.is_some() || seed.kind == BikeepType::BikeHouseDoor;
        let value = if locked { Occupancy::Locked } else { Occupancy::Unlocked };
        if let Some(location) = self.locations.get_mut(location) {
            location.devices.push(index);
        }
        self.by_id.insert(seed.id.clone(), index);
        self.devices.push(Device {
            id: seed.id,
            location,
            kind: seed.kind,
            alias: seed.alias,
            code: seed.code,
            standing: Standing { value, timeout_at: None, user: seed.parked },
            changed_at: seed.since,
            bolted: locked,
            health: seed.has_health.then_some(BikeepHealth::Healthy),
            dead_since: None,
            sleep: if seed.power_save == PowerSave::None { BikeepSleep::Awake } else { BikeepSleep::Deep },
            power_save: seed.power_save,
            hardware: BikeepHardware::Normal,
            camera: seed.camera,
            generation: 0,
        });
    }

    /// Takes a device away; commands and timers of the past keep their index.
    pub(crate) fn remove_device(&mut self, id: &str) -> bool {
        let Some(index) = self.by_id.remove(id) else { return false };
        for location in &mut self.locations {
            location.devices.retain(|device| *device != index);
        }
        true
    }

    /// Whose access token this is, if it is good now.
    pub(crate) fn account(&self, token: &str, now: DateTime<Utc>) -> Option<usize> {
        let planted = self.accounts.iter().position(|account| account.token == token);
        let found = planted.or_else(|| self.tokens.account(token, now))?;
        self.accounts.get(found).filter(|account| account.valid).map(|_| found)
    }

    pub(crate) fn location(&self, id: &str) -> Option<&Location> {
        self.locations.iter().find(|location| location.id == id)
    }

    pub(crate) fn device_index(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn device_id(&self, index: usize) -> String {
        self.devices.get(index).map(|device| device.id.clone()).unwrap_or_default()
    }

    pub(crate) fn account_of(&self, device: usize) -> Option<usize> {
        let device = self.devices.get(device)?;
        self.locations.get(device.location).map(|location| location.account)
    }

    pub(crate) fn command(&self, id: &str) -> Option<&Command> {
        self.commands.get(id)
    }

    /// Takes a command out to work on it together with its device; [`Bikeep::put_back`] returns it.
    pub(crate) fn take_command(&mut self, id: &str) -> Option<Command> {
        self.commands.remove(id)
    }

    pub(crate) fn put_back(&mut self, id: &str, command: Command) {
        self.commands.insert(id.to_owned(), command);
    }

    /// Ids of unfinished commands, oldest first.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        let live = |id: &&String| self.commands.get(*id).is_some_and(|command| !command.progress.is_terminal());
        self.order.iter().filter(live).cloned().collect()
    }

    pub(crate) fn store(&mut self, command: Command) -> String {
        self.next_command += 1;
        let id = uuid::Builder::from_u128(u128::from(self.born) << 80 | u128::from(self.next_command))
            .with_version(uuid::Version::Random)
            .with_variant(uuid::Variant::RFC4122)
            .into_uuid()
            .to_string();
        if self.order.len() >= COMMANDS_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.commands.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.commands.insert(id.clone(), command);
        id
    }

    pub(crate) fn schedule(&mut self, at: DateTime<Utc>, due: Due) {
        self.next_timer += 1;
        self.timers.push(Reverse((at, self.next_timer, due)));
    }

    /// The next timer that has run out.
    pub(crate) fn next_due(&mut self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, Due)> {
        if self.timers.peek().is_none_or(|Reverse((at, _, _))| *at > now) {
            return None;
        }
        self.timers.pop().map(|Reverse((at, _, due))| (at, due))
    }
}
