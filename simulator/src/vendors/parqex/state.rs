//! What exists at ParqEx: accounts, controllers, doors, history; lookups and building. How gates move is in `motion`.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    grants::Grants,
    oauth::{Application, Consent},
};
use crate::{journal::EffectKind, options::ParqexStatus};

/// How many history entries are kept.
pub(crate) const HISTORY_KEPT: usize = 10_000;

/// What a ParqEx controller drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParqexHardware {
    /// A vehicle gate.
    Gate,
    /// A garage door.
    Garage,
    /// A pedestrian door.
    PedestrianDoor,
    /// An elevator call; cannot be closed, which is answered as not implemented.
    Elevator,
}

impl ParqexHardware {
    /// Stands for `$hardware_name` in messages.
    pub(crate) fn title(self) -> &'static str {
        match self {
            ParqexHardware::Gate => "gate",
            ParqexHardware::Garage => "garage door",
            ParqexHardware::PedestrianDoor => "pedestrian door",
            ParqexHardware::Elevator => "elevator",
        }
    }
}

/// Known or requested state of a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum DoorState {
    Open,
    Closed,
}

impl DoorState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            DoorState::Open => "OPEN",
            DoorState::Closed => "CLOSED",
        }
    }

    pub(crate) fn effect(self) -> EffectKind {
        match self {
            DoorState::Open => EffectKind::Open,
            DoorState::Closed => EffectKind::Close,
        }
    }
}

/// What made a door move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause {
    /// Groups all records of one toggle.
    pub(crate) toggle: u64,
    pub(crate) channel: &'static str,
    /// Who did it; the owner, if nobody is known.
    pub(crate) account: usize,
}

/// A gate on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Movement {
    pub(crate) to: DoorState,
    /// Absent in explicit mode: it arrives when poked.
    pub(crate) arrives: Option<DateTime<Utc>>,
    /// Whether the arrival is itself an effect, because nobody pulsed the gate.
    pub(crate) by_itself: bool,
    pub(crate) cause: Cause,
}

#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) id: String,
    pub(crate) controller: usize,
    pub(crate) entity: u32,
    pub(crate) name: String,
    pub(crate) hardware: ParqexHardware,
    pub(crate) state: DoorState,
    pub(crate) sensor: bool,
    pub(crate) auto_close: Option<Duration>,
    pub(crate) last_toggled: DateTime<Utc>,
    pub(crate) movement: Option<Movement>,
}

#[derive(Debug)]
pub(crate) struct Controller {
    pub(crate) id: String,
    pub(crate) account: usize,
    pub(crate) serial: String,
    pub(crate) reachable: bool,
    /// Last contact of an unreachable controller.
    pub(crate) last_contact: DateTime<Utc>,
    pub(crate) doors: Vec<usize>,
    /// Users who were given access by the owner.
    pub(crate) shared_with: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) token: String,
    pub(crate) valid: bool,
    pub(crate) id: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) controllers: Vec<usize>,
    /// What this user calls doors, where it differs from the owner's name.
    pub(crate) names: HashMap<usize, String>,
}

/// One line of the activity log.
#[derive(Debug)]
pub(crate) struct HistoryEntry {
    pub(crate) account: usize,
    pub(crate) door: usize,
    pub(crate) state: DoorState,
    pub(crate) channel: &'static str,
    pub(crate) at: DateTime<Utc>,
}

/// Everything ParqEx knows.
#[derive(Debug, Default)]
pub(crate) struct Parqex {
    pub(crate) accounts: Vec<Account>,
    pub(crate) controllers: Vec<Controller>,
    pub(crate) doors: Vec<Door>,
    pub(crate) history: VecDeque<HistoryEntry>,
    /// Which HTTP status error messages have.
    pub(crate) status: ParqexStatus,
    pub(crate) application: Application,
    pub(crate) consent: Consent,
    pub(crate) grants: Grants,
    by_id: HashMap<String, usize>,
    /// Doors with a movement, so that settling does not look at all of them.
    pub(crate) moving: Vec<usize>,
    /// Numbers of the last toggle and of the last webhook.
    pub(crate) next_toggle: u64,
    pub(crate) next_event: u64,
}

/// What a builder says about a door.
#[derive(Debug)]
pub(crate) struct DoorSeed {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) hardware: ParqexHardware,
    pub(crate) sensor: bool,
    pub(crate) auto_close: Option<Duration>,
}

/// What a builder says about a controller.
#[derive(Debug)]
pub(crate) struct ControllerSeed {
    pub(crate) id: String,
    pub(crate) serial: String,
    pub(crate) since: DateTime<Utc>,
    pub(crate) doors: Vec<DoorSeed>,
}

/// Ids appear with and without dashes in the documents; inside they have none.
pub(crate) fn plain_id(id: &str) -> String {
    id.replace('-', "").to_lowercase()
}

impl Parqex {
    /// Nobody and nothing yet, but an application that is registered.
    pub(crate) fn registered(seed: u64) -> Parqex {
        let application = Application {
            client_id: format!("{}.api.parqex.com", 700_000 + (seed & 0xffff)),
            client_secret: format!("parqex-client-secret-{:04x}", seed & 0xffff),
            redirect_uris: Vec::new(),
        };
        Parqex { application, ..Parqex::default() }
    }

    /// Adds a user whose access token does not expire, and a refresh token for it.
    pub(crate) fn add_account(&mut self, tokens: (String, String), id: String, names: (String, String)) -> usize {
        let (first_name, last_name) = names;
        let mut email = format!("{}@example.test", first_name.to_lowercase());
        if self.account_named(&email).is_some() {
            email = format!("{}.{}@example.test", first_name.to_lowercase(), last_name.to_lowercase());
        }
        let index = self.accounts.len();
        let (token, refresh) = tokens;
        self.grants.plant(index, token.clone(), refresh);
        let (valid, controllers, names) = (true, Vec::new(), HashMap::new());
        self.accounts.push(Account { token, valid, id, first_name, last_name, email, controllers, names });
        index
    }

    pub(crate) fn add_controller(&mut self, account: usize, seed: ControllerSeed) {
        let controller = self.controllers.len();
        let mut doors = Vec::with_capacity(seed.doors.len());
        for (entity, door) in (1..).zip(seed.doors) {
            doors.push(self.doors.len());
            self.by_id.insert(door.id.clone(), self.doors.len());
            self.doors.push(Door {
                id: door.id,
                controller,
                entity,
                name: door.name,
                hardware: door.hardware,
                state: DoorState::Closed,
                sensor: door.sensor,
                auto_close: door.auto_close,
                last_toggled: seed.since,
                movement: None,
            });
        }
        if let Some(account) = self.accounts.get_mut(account) {
            account.controllers.push(controller);
        }
        self.controllers.push(Controller {
            id: seed.id,
            account,
            serial: seed.serial,
            reachable: true,
            last_contact: seed.since,
            doors,
            shared_with: Vec::new(),
        });
    }

    /// Gives another user access to a controller, or takes it away. None if it is the owner's own or does not exist.
    pub(crate) fn share(&mut self, controller: &str, with: usize, shared: bool) -> Option<()> {
        let index = self.controllers.iter().position(|known| known.id == controller)?;
        let controller = self.controllers.get_mut(index).filter(|controller| controller.account != with)?;
        let account = self.accounts.get_mut(with)?;
        controller.shared_with.retain(|user| *user != with);
        account.controllers.retain(|known| *known != index);
        if shared {
            controller.shared_with.push(with);
            account.controllers.push(index);
        }
        Some(())
    }

    /// Takes a controller with its doors away.
    pub(crate) fn remove_controller(&mut self, id: &str) -> bool {
        let Some(index) = self.controllers.iter().position(|controller| controller.id == id) else { return false };
        let Self { accounts, doors, by_id, .. } = self;
        let mut present = false;
        for account in accounts {
            let before = account.controllers.len();
            account.controllers.retain(|controller| *controller != index);
            present |= before != account.controllers.len();
        }
        by_id.retain(|_, door| doors.get(*door).is_some_and(|door| door.controller != index));
        present
    }

    /// A user by e-mail address.
    pub(crate) fn account_named(&self, email: &str) -> Option<usize> {
        self.accounts.iter().position(|account| account.email == email)
    }

    /// Whether a user owns a door's controller or was given access to it.
    pub(crate) fn may_use(&self, account: usize, door: &Door) -> bool {
        self.controllers
            .get(door.controller)
            .is_some_and(|controller| controller.account == account || controller.shared_with.contains(&account))
    }

    /// A door by its id without dashes.
    pub(crate) fn door_index(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn controller_mut(&mut self, id: &str) -> Option<&mut Controller> {
        self.controllers.iter_mut().find(|controller| controller.id == id)
    }

    pub(crate) fn subjects_of(&self, door: &str) -> Vec<String> {
        let controller = self
            .door_index(door)
            .and_then(|index| self.doors.get(index))
            .and_then(|door| self.controllers.get(door.controller))
            .map(|controller| controller.id.clone());
        std::iter::once(door.to_owned()).chain(controller).collect()
    }
}
