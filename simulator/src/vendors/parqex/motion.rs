//! How a ParqEx controller judges a request and how its gates move. No HTTP and no JSON.

use chrono::{DateTime, Utc};

use super::{
    Message,
    state::{Cause, DoorState, HISTORY_KEPT, HistoryEntry, Movement, Parqex, ParqexHardware},
};
use crate::{answer::Circumstances, clock::later, faults::FaultKind, journal::Place, options::Mode, vendors::Vendor};

/// How a toggle by an application shows in history and webhooks.
const OUR_CHANNEL: &str = "API";
const SENSOR_CHANNEL: &str = "Door Sensor";

impl Parqex {
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
        let Some(controller) = self.controllers.get(door.controller) else {
            return (Message::NotFound, "access point");
        };
        if controller.account != account && !controller.shared_with.contains(&account) {
            return (Message::NotFound, "access point");
        }
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
            self.next_toggle += 1;
            let cause = Cause { toggle: self.next_toggle, channel: OUR_CHANNEL, account };
            if door.sensor {
                let arrives = (at.mode == Mode::Auto).then(|| later(at.now, at.latency.travel));
                door.movement = Some(Movement { to: wanted, arrives, by_itself: false, cause });
                self.note_moving(index);
            } else {
                // Nothing will report the movement, so the pulse is all there is to tell.
                self.announce(index, wanted, cause, at.now, at);
            }
            self.remember(HistoryEntry { account, door: index, state: wanted, channel: OUR_CHANNEL, at: at.now });
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
        let cause = self.unknown_cause(index);
        self.arrive(index, Movement { to: state, arrives: None, by_itself: false, cause }, at.now, at);
    }

    fn due(&self, index: usize, now: DateTime<Utc>) -> Option<(Movement, DateTime<Utc>)> {
        let movement = self.doors.get(index)?.movement?;
        movement.arrives.filter(|arrives| *arrives <= now).map(|arrives| (movement, arrives))
    }

    /// The cause of a movement that only the sensor knows of.
    fn unknown_cause(&mut self, index: usize) -> Cause {
        self.next_toggle += 1;
        let controller = self.doors.get(index).and_then(|door| self.controllers.get(door.controller));
        let account = controller.map_or(0, |controller| controller.account);
        Cause { toggle: self.next_toggle, channel: SENSOR_CHANNEL, account }
    }

    fn arrive(&mut self, index: usize, movement: Movement, when: DateTime<Utc>, at: &Circumstances<'_>) {
        let next = self.unknown_cause(index);
        let Some(door) = self.doors.get_mut(index) else { return };
        door.state = movement.to;
        door.last_toggled = when;
        door.movement = None;
        let closes = door.auto_close.filter(|_| movement.to == DoorState::Open);
        if let Some(delay) = closes {
            door.movement = Some(Movement {
                to: DoorState::Closed,
                arrives: Some(later(when, delay)),
                by_itself: true,
                cause: next,
            });
        }
        let Some(controller) = self.controllers.get(door.controller) else { return };
        let account = movement.cause.account;
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
        self.remember(HistoryEntry { account, door: index, state: movement.to, channel: SENSOR_CHANNEL, at: when });
        self.announce(index, movement.to, movement.cause, when, at);
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
