//! What exists at ParqEx: accounts, controllers, doors, history; and how a controller and its gates behave. No HTTP.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Message;
use crate::{
    answer::Circumstances,
    clock::later,
    faults::FaultKind,
    journal::{EffectKind, Place},
    options::{Mode, ParqexStatus},
    vendors::Vendor,
};

/// How many history entries are kept.
const HISTORY_KEPT: usize = 10_000;

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

    fn effect(self) -> EffectKind {
        match self {
            DoorState::Open => EffectKind::Open,
            DoorState::Closed => EffectKind::Close,
        }
    }
}

/// A gate on its way.
#[derive(Debug, Clone, Copy)]
struct Movement {
    to: DoorState,
    /// Absent in explicit mode: it arrives when poked.
    arrives: Option<DateTime<Utc>>,
    /// Whether the arrival is itself an effect, because nobody pulsed the gate.
    by_itself: bool,
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
    movement: Option<Movement>,
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
    by_token: HashMap<String, usize>,
    by_id: HashMap<String, usize>,
    /// Doors with a movement, so that settling does not look at all of them.
    moving: Vec<usize>,
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
    pub(crate) fn add_account(&mut self, token: String, id: String, first_name: String, last_name: String) -> usize {
        let email = format!("{}@example.test", first_name.to_lowercase());
        let index = self.accounts.len();
        self.by_token.insert(token.clone(), index);
        self.accounts.push(Account { token, valid: true, id, first_name, last_name, email, controllers: Vec::new() });
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
        });
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

    pub(crate) fn account(&self, token: &str) -> Option<usize> {
        let index = self.by_token.get(token).copied()?;
        self.accounts.get(index).filter(|account| account.valid).map(|_| index)
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

    /// What a controller makes of a request: it pulses only if the door is not known to be there already. A door without a
    /// sensor is pulsed open every time; closing it needs a sensor (the document says only that some request does).
    pub(crate) fn operate(
        &mut self,
        account: usize,
        door: &str,
        wanted: DoorState,
        caused_by: u64,
        at: &Circumstances<'_>,
    ) -> (Message, &'static str) {
        let Some(index) = self.door_index(door) else { return (Message::NotFound, "access point") };
        let Some(door) = self.doors.get_mut(index) else { return (Message::NotFound, "access point") };
        let Some(controller) = self.controllers.get(door.controller).filter(|controller| controller.account == account)
        else {
            return (Message::NotFound, "access point");
        };
        let hardware = door.hardware.title();
        if !controller.reachable || matches!(at.fault, Some(FaultKind::Offline)) {
            return (Message::NotFound, hardware);
        }
        if wanted == DoorState::Closed && door.hardware == ParqexHardware::Elevator {
            return (Message::NotImplemented, hardware);
        }
        if wanted == DoorState::Closed && !door.sensor {
            return (Message::SensorRequired, hardware);
        }
        if !door.sensor || door.state != wanted {
            let place = Place {
                vendor: Vendor::Parqex,
                device: &controller.id,
                door: Some(&door.id),
                position: Some(door.entity),
            };
            at.journal.effect(place, wanted.effect(), at.now, Some(caused_by));
            if door.sensor {
                let arrives = (at.mode == Mode::Auto).then(|| later(at.now, at.latency.travel));
                door.movement = Some(Movement { to: wanted, arrives, by_itself: false });
                self.note_moving(index);
            }
            self.remember(HistoryEntry { account, door: index, state: wanted, channel: "API", at: at.now });
        }
        (Message::Ok, hardware)
    }

    /// Lets every gate arrive that should have by now.
    pub(crate) fn settle(&mut self, at: &Circumstances<'_>) {
        let mut moving = std::mem::take(&mut self.moving);
        moving.retain(|index| {
            while let Some((movement, when)) = self.due(*index, at.now) {
                self.arrive(*index, movement, when, at);
            }
            self.doors.get(*index).is_some_and(|door| door.movement.is_some())
        });
        self.moving = moving;
    }

    /// Lets the gates arrive that wait to be poked, one or all. How many did.
    pub(crate) fn poke(&mut self, subject: Option<&str>, at: &Circumstances<'_>) -> usize {
        let mut moved = 0;
        for index in std::mem::take(&mut self.moving) {
            let Some(door) = self.doors.get(index) else { continue };
            let controller = self.controllers.get(door.controller).map(|controller| controller.id.as_str());
            let meant = subject.is_none_or(|id| id == door.id || Some(id) == controller);
            match door.movement {
                Some(movement) if meant => {
                    moved += 1;
                    self.arrive(index, movement, at.now, at);
                    if self.doors.get(index).is_some_and(|door| door.movement.is_some()) {
                        self.note_moving(index);
                    }
                }
                Some(_) => self.note_moving(index),
                None => {}
            }
        }
        moved
    }

    /// Somebody moved the gate by hand and the sensor saw it.
    pub(crate) fn sensed(&mut self, index: usize, state: DoorState, at: &Circumstances<'_>) {
        self.arrive(index, Movement { to: state, arrives: None, by_itself: false }, at.now, at);
    }

    fn due(&self, index: usize, now: DateTime<Utc>) -> Option<(Movement, DateTime<Utc>)> {
        let movement = self.doors.get(index)?.movement?;
        movement.arrives.filter(|arrives| *arrives <= now).map(|arrives| (movement, arrives))
    }

    fn arrive(&mut self, index: usize, movement: Movement, when: DateTime<Utc>, at: &Circumstances<'_>) {
        let Some(door) = self.doors.get_mut(index) else { return };
        door.state = movement.to;
        door.last_toggled = when;
        door.movement = None;
        let closes = door.auto_close.filter(|_| movement.to == DoorState::Open);
        if let Some(delay) = closes {
            door.movement =
                Some(Movement { to: DoorState::Closed, arrives: Some(later(when, delay)), by_itself: true });
        }
        let Some(controller) = self.controllers.get(door.controller) else { return };
        let account = controller.account;
        if movement.by_itself {
            let place = Place {
                vendor: Vendor::Parqex,
                device: &controller.id,
                door: Some(&door.id),
                position: Some(door.entity),
            };
            at.journal.effect(place, movement.to.effect(), when, None);
        }
        if closes.is_some() {
            self.note_moving(index);
        }
        self.remember(HistoryEntry { account, door: index, state: movement.to, channel: "Door Sensor", at: when });
    }

    fn note_moving(&mut self, index: usize) {
        if !self.moving.contains(&index) {
            self.moving.push(index);
        }
    }

    fn remember(&mut self, entry: HistoryEntry) {
        if self.history.len() >= HISTORY_KEPT {
            self.history.pop_front();
        }
        self.history.push_back(entry);
    }
}
