//! How a Bikeep command travels to the hardware and back, and what devices do by themselves: step by step, at times given by
//! the clock or when poked. Whether a command is allowed was decided before.

use chrono::{DateTime, Utc};

use super::{
    device::{BikeepHardware, BikeepSleep, BikeepType, Device, Occupancy, PowerSave, Standing},
    rules::{CommandName, Order},
    state::{Bikeep, Command, Due, Progress},
};
use crate::{
    answer::Circumstances,
    clock::later,
    faults::FaultKind,
    handle::Poke,
    journal::{EffectKind, Place},
    options::Mode,
    vendors::Vendor,
};

const TIMED_OUT: &str = "Command timed out";

impl Bikeep {
    /// Accepts an order and, in automatic mode, sends it at once unless the device sleeps.
    pub(crate) fn submit(&mut self, device: usize, order: Order, caused_by: u64, at: &Circumstances<'_>) -> String {
        let timeout_at = later(at.now, at.latency.command_timeout);
        let name = order.name;
        let Some(target) = self.devices.get_mut(device) else { return String::new() };
        let before = target.standing.clone();
        let asleep = target.sleep != BikeepSleep::Awake;
        let power_save = target.power_save;
        if matches!(name, CommandName::Lock | CommandName::Book) {
            let user = Some(order.user.clone());
            target.stand(Standing { value: Occupancy::Allocated, timeout_at: Some(timeout_at), user }, at.now);
        }
        let mut command = Command {
            device,
            order,
            progress: Progress::NotSent,
            reason: String::new(),
            timeout_at: Some(timeout_at),
            events: Vec::with_capacity(3),
            before,
            caused_by,
            stuck_in: None,
            unreachable: false,
            failing: None,
        };
        command.note("REQUEST", name.word(), at.now);
        match at.fault {
            Some(FaultKind::Offline) => command.unreachable = true,
            Some(FaultKind::CommandError { reason }) => command.failing = Some(reason.clone()),
            Some(FaultKind::CommandStuck { state }) => command.stuck_in = progress_named(state),
            _ => {}
        }
        let id = self.store(command);
        if at.mode == Mode::Auto {
            self.schedule(timeout_at, Due::CommandTimeout { command: id.clone() });
            match (asleep, power_save) {
                (false, _) => {
                    self.step(&id, at.now, false, at);
                }
                (true, PowerSave::RemoteWakeup) => {
                    self.schedule(later(at.now, at.latency.wake), Due::Step { command: id.clone() });
                }
                // Waits until somebody is there to wake the device, or until it times out.
                (true, _) => {}
            }
        }
        id
    }

    /// Lets everything happen that is due by now.
    pub(crate) fn settle(&mut self, at: &Circumstances<'_>) {
        while let Some((when, due)) = self.next_due(at.now) {
            match due {
                Due::Step { command } => {
                    self.step(&command, when, false, at);
                }
                Due::CommandTimeout { command } => self.time_out(&command, when, at),
                Due::Notices { account, notice } => self.send_notices(account, notice, at),
                Due::Outage { location, since } => self.confirm_outage(location, since, when, at),
                Due::BookingEnds { device, generation } => {
                    self.by_itself(device, generation, Occupancy::Unlocked, EffectKind::BookingEnded, when, at);
                }
                Due::Relock { device, generation } => {
                    self.by_itself(device, generation, Occupancy::Locked, EffectKind::Relock, when, at);
                }
            }
        }
    }

    /// Moves one command one state further. `poked` overrides sleep and silence of the device. Whether it moved.
    pub(crate) fn step(&mut self, id: &str, when: DateTime<Utc>, poked: bool, at: &Circumstances<'_>) -> bool {
        let Some(mut command) = self.take_command(id) else { return false };
        let moved = self.advance(&mut command, when, poked, at);
        let unfinished = !command.progress.is_terminal();
        self.put_back(id, command);
        if moved && unfinished && at.mode == Mode::Auto {
            self.schedule(later(when, at.latency.device / 2), Due::Step { command: id.to_owned() });
        }
        moved
    }

    /// Ends a command in ERROR. Whether it was unfinished.
    pub(crate) fn fail(&mut self, id: &str, reason: &str, when: DateTime<Utc>) -> bool {
        let Some(mut command) = self.take_command(id) else { return false };
        let unfinished = !command.progress.is_terminal();
        if unfinished {
            self.end_in_error(&mut command, reason, when);
        }
        self.put_back(id, command);
        unfinished
    }

    /// Steps, drains or fails the unfinished commands that are meant. How many steps were made.
    pub(crate) fn poke(&mut self, poke: &Poke, at: &Circumstances<'_>) -> usize {
        let mut steps = 0;
        for id in self.unfinished() {
            let device = self.command(&id).map(|command| self.device_id(command.device));
            let meant = poke.command.as_ref().is_none_or(|wanted| *wanted == id)
                && poke.device.as_ref().is_none_or(|wanted| Some(wanted) == device.as_ref());
            if !meant {
                continue;
            }
            if let Some(reason) = &poke.error {
                steps += usize::from(self.fail(&id, reason, at.now));
                continue;
            }
            while self.step(&id, at.now, true, at) {
                steps += 1;
                if !poke.drain {
                    break;
                }
            }
        }
        steps
    }

    /// Sends on the commands that waited for a device which woke up.
    pub(crate) fn woken(&mut self, device: usize, at: &Circumstances<'_>) {
        for id in self.unfinished() {
            let waits = |command: &Command| command.device == device && command.progress == Progress::NotSent;
            if at.mode == Mode::Auto && self.command(&id).is_some_and(waits) {
                self.step(&id, at.now, false, at);
            }
        }
    }

    fn time_out(&mut self, id: &str, when: DateTime<Utc>, at: &Circumstances<'_>) {
        let Some(command) = self.command(id) else { return };
        let (device, moved) = (command.device, moves_lock(command.order.name));
        if command.stuck_in != Some(command.progress) && self.fail(id, TIMED_OUT, when) && moved {
            self.notice_status(device, "interim_state_timed_out", when, at);
        }
    }

    fn advance(&mut self, command: &mut Command, when: DateTime<Utc>, poked: bool, at: &Circumstances<'_>) -> bool {
        if command.progress.is_terminal() || command.stuck_in == Some(command.progress) {
            return false;
        }
        let Some(device) = self.devices.get_mut(command.device) else { return false };
        match command.progress {
            Progress::NotSent => {
                if device.sleep != BikeepSleep::Awake {
                    if !poked && device.power_save == PowerSave::LocalWakeup {
                        return false;
                    }
                    device.sleep = BikeepSleep::Awake;
                }
                command.progress = Progress::Sent;
                device.begin(command, when);
            }
            Progress::Sent => {
                if !poked && (command.unreachable || !device.reachable()) {
                    return false;
                }
                command.progress = Progress::Received;
                command.note("RESPONSE", command.order.name.word(), when);
            }
            _ => match command.failing.clone().or_else(|| device.refusal(command.order.name)) {
                Some(reason) => self.end_in_error(command, &reason, when),
                None => self.succeed(command, when, at),
            },
        }
        true
    }

    fn end_in_error(&mut self, command: &mut Command, reason: &str, when: DateTime<Utc>) {
        command.progress = Progress::Error;
        command.reason = reason.to_owned();
        command.timeout_at = None;
        let Some(device) = self.devices.get_mut(command.device) else { return };
        let interim = matches!(device.standing.value, Occupancy::Allocated | Occupancy::Locking | Occupancy::Unlocking);
        if interim && moves_lock(command.order.name) {
            // What was interim before (a forced command interrupted it) falls back to what the bolt says.
            let before = match command.before.value {
                Occupancy::Allocated | Occupancy::Locking | Occupancy::Unlocking => Standing {
                    value: if device.bolted { Occupancy::Locked } else { Occupancy::Unlocked },
                    timeout_at: None,
                    user: None,
                },
                _ => command.before.clone(),
            };
            self.restand(command.device, before, when);
        }
    }

    fn succeed(&mut self, command: &mut Command, when: DateTime<Utc>, at: &Circumstances<'_>) {
        command.progress = Progress::Success;
        command.timeout_at = None;
        let order = command.order.clone();
        let Some(device) = self.devices.get_mut(command.device) else { return };
        let free = Standing { value: Occupancy::Unlocked, timeout_at: None, user: None };
        let (kind, standing) = match order.name {
            CommandName::Lock | CommandName::ForceLock => {
                device.bolted = true;
                let user =
                    if order.name == CommandName::Lock { Some(order.user) } else { device.standing.user.clone() };
                (EffectKind::Lock, Some(Standing { value: Occupancy::Locked, timeout_at: None, user }))
            }
            CommandName::Unlock | CommandName::ForceUnlock => {
                device.bolted = false;
                (EffectKind::Unlock, Some(free))
            }
            CommandName::Book => {
                let value = Occupancy::Booked;
                (EffectKind::Book, Some(Standing { value, timeout_at: order.booked_until, user: Some(order.user) }))
            }
            CommandName::CancelBooking | CommandName::ForceCancelBooking => {
                let still_booked = device.standing.value == Occupancy::Booked;
                (EffectKind::CancelBooking, still_booked.then_some(free))
            }
            CommandName::SyncDevice if order.power_cycle => (EffectKind::PowerCycle, None),
            CommandName::SyncDevice => (EffectKind::Sync, None),
            CommandName::TakePhoto => (EffectKind::Photo, None),
        };
        let place = Place { vendor: Vendor::Bikeep, device: &device.id, door: None, position: None };
        at.journal.effect(place, kind, when, Some(command.caused_by));
        let relocks = device.kind == BikeepType::BikeHouseDoor && kind == EffectKind::Unlock;
        if let Some(standing) = standing {
            command.note("STATE", standing.value.word(), when);
            self.restand(command.device, standing, when);
        }
        if relocks {
            self.relock_later(command.device, when, at);
        }
    }

    /// Somebody locks or unlocks a device at the spot; a door left unlocked locks itself as ever.
    pub(crate) fn moved_by_hand(&mut self, index: usize, locked: bool, user: Option<String>, at: &Circumstances<'_>) {
        let Some(device) = self.devices.get_mut(index) else { return };
        device.bolted = locked;
        let value = if locked { Occupancy::Locked } else { Occupancy::Unlocked };
        device.stand(Standing { value, timeout_at: None, user: user.filter(|_| locked) }, at.now);
        let place = Place { vendor: Vendor::Bikeep, device: &device.id, door: None, position: None };
        at.journal.effect(place, EffectKind::ByHand, at.now, None);
        if !locked && device.kind == BikeepType::BikeHouseDoor {
            self.relock_later(index, at.now, at);
        }
    }

    /// Starts the timer by which a bike house door locks itself.
    fn relock_later(&mut self, device: usize, when: DateTime<Utc>, at: &Circumstances<'_>) {
        let generation = self.devices.get(device).map_or(0, |device| device.generation);
        self.schedule(later(when, at.latency.relock), Due::Relock { device, generation });
    }

    /// Gives a device a new standing and starts the timer that ends a booking.
    pub(crate) fn restand(&mut self, index: usize, standing: Standing, when: DateTime<Utc>) {
        let Some(device) = self.devices.get_mut(index) else { return };
        device.stand(standing, when);
        if device.standing.value == Occupancy::Booked
            && let Some(ends) = device.standing.timeout_at
        {
            let generation = device.generation;
            self.schedule(ends, Due::BookingEnds { device: index, generation });
        }
    }

    fn by_itself(
        &mut self,
        index: usize,
        generation: u64,
        value: Occupancy,
        kind: EffectKind,
        when: DateTime<Utc>,
        at: &Circumstances<'_>,
    ) {
        let Some(device) = self.devices.get_mut(index).filter(|device| device.generation == generation) else { return };
        device.bolted = value == Occupancy::Locked;
        device.stand(Standing { value, timeout_at: None, user: None }, when);
        let place = Place { vendor: Vendor::Bikeep, device: &device.id, door: None, position: None };
        at.journal.effect(place, kind, when, None);
    }
}

impl Device {
    fn stand(&mut self, standing: Standing, when: DateTime<Utc>) {
        self.generation += 1;
        self.changed_at = when;
        self.standing = standing;
    }

    /// What the device shows from the moment a command was sent to it.
    fn begin(&mut self, command: &Command, when: DateTime<Utc>) {
        let value = match command.order.name {
            CommandName::Lock | CommandName::ForceLock => Occupancy::Locking,
            CommandName::Unlock | CommandName::ForceUnlock => Occupancy::Unlocking,
            _ => return,
        };
        let user = self.standing.user.clone();
        self.stand(Standing { value, timeout_at: command.timeout_at, user }, when);
    }

    fn refusal(&self, name: CommandName) -> Option<String> {
        let locks = matches!(name, CommandName::Lock | CommandName::ForceLock);
        let unlocks = matches!(name, CommandName::Unlock | CommandName::ForceUnlock);
        match self.hardware {
            BikeepHardware::Disabled => Some("Device is disabled".to_owned()),
            BikeepHardware::DisabledLocking if locks => Some("Locking is disabled".to_owned()),
            BikeepHardware::DisabledUnlocking if unlocks => Some("Unlocking is disabled".to_owned()),
            BikeepHardware::Error => Some("Hardware error".to_owned()),
            _ => None,
        }
    }
}

impl Command {
    /// Event names are prefix and word in capitals; the real names beyond the prefixes are not documented.
    fn note(&mut self, prefix: &str, word: &str, when: DateTime<Utc>) {
        let name = format!("{prefix}_{}", word.to_uppercase().replace('-', "_"));
        self.events.push((name, String::new(), when));
    }
}

fn moves_lock(name: CommandName) -> bool {
    matches!(
        name,
        CommandName::Lock | CommandName::Unlock | CommandName::ForceLock | CommandName::ForceUnlock | CommandName::Book
    )
}

fn progress_named(word: &str) -> Option<Progress> {
    [Progress::NotSent, Progress::Sent, Progress::Received].into_iter().find(|progress| progress.word() == word)
}
