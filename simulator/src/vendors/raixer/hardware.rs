//! What a device does with its doors: pulses, auto access, and everything that happens by itself as time passes. Who may ask
//! for it is decided elsewhere.

use chrono::{DateTime, Utc};

use super::{
    body::seconds_after,
    doors::Door,
    state::{Device, Raixer},
};
use crate::{
    answer::Circumstances,
    journal::{EffectKind, Place},
    vendors::Vendor,
};

/// A door port of a device.
#[derive(Debug, Default)]
pub(super) struct Port {
    pub(super) auto: Option<AutoAccess>,
    /// Openings by the bell since auto access was last started.
    pub(super) openings: u32,
    /// What its sensor sees.
    pub(super) open: bool,
    /// Whether its sensor reads the other way round.
    pub(super) reversed: bool,
    /// Seconds for which a further ring is not noticed.
    pub(super) wait_bells: f64,
    deaf_until: Option<DateTime<Utc>>,
}

/// A port listening to its bell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AutoAccess {
    /// Tells this start from an earlier one.
    run: u64,
    pub(super) since: DateTime<Utc>,
    /// Id of the user who started it.
    pub(super) by: String,
    /// Absent while it lasts as long as the device is offline.
    pub(super) until: Option<DateTime<Utc>>,
    most_openings: f64,
    /// Seconds from the bell to the pulse.
    wait: f64,
}

/// What starts auto access, beyond the door's own settings.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    pub(super) by: String,
    /// Absent: until the device is online again.
    pub(super) seconds: Option<f64>,
    pub(super) most_openings: Option<f64>,
    pub(super) wait: Option<f64>,
}

/// "Auto Access Always Active".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlwaysActive {
    pub(super) since: DateTime<Utc>,
    pub(super) by: String,
}

/// The movement alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alarm {
    Off,
    /// So many notifications are left.
    Left(u8),
    Infinite,
}

impl Alarm {
    /// "A maximum of 3 notifications (if parameter was 1)".
    pub(super) const ONCE: Alarm = Alarm::Left(3);
}

/// Something that will happen by itself.
#[derive(Debug)]
pub(super) enum Due {
    /// A scheduled auto access starts.
    Start { schedule: String },
    /// A run of auto access ends, if it is still that run.
    End { device: usize, port: u32, run: u64 },
    /// A door that waits before opening opens.
    Pulse { device: usize, port: u32, door: String, times: u32, caused_by: Option<u64> },
}

pub(super) fn port_mut<T>(ports: &mut [T; 3], port: u32) -> Option<&mut T> {
    usize::try_from(port).ok().and_then(|port| ports.get_mut(port.checked_sub(1)?))
}

impl Device {
    pub(super) fn port(&self, port: u32) -> Option<&Port> {
        usize::try_from(port).ok().and_then(|port| self.ports.get(port.checked_sub(1)?))
    }

    pub(super) fn door_at(&self, port: u32) -> Option<&Door> {
        self.doors.iter().find(|door| door.position() == port)
    }

    /// Whether the port listens: since when, and by whom.
    pub(super) fn listening(&self, port: u32) -> Option<(DateTime<Utc>, &str)> {
        if let (Some(always), Some(_)) = (&self.always_active, self.door_at(port)) {
            return Some((always.since, &always.by));
        }
        self.port(port)?.auto.as_ref().map(|auto| (auto.since, auto.by.as_str()))
    }

    /// Back to what it was in the factory.
    pub(super) fn forget(&mut self) {
        self.ports = Default::default();
        (self.offline_auto_access, self.always_active, self.alarm) = (false, None, Alarm::Off);
        self.movement_inverted = false;
    }
}

impl Raixer {
    /// Lets everything happen that is due, each at its own time.
    pub(crate) fn settle(&mut self, at: &Circumstances<'_>) {
        while let Some(first) = self.timeline.first_entry().filter(|first| first.key().0 <= at.now) {
            let then = Circumstances { now: first.key().0, ..*at };
            match first.remove() {
                Due::Start { schedule } => self.start_scheduled(&schedule, &then),
                Due::End { device, port, run } => {
                    let state = self.devices.get(device).and_then(|device| device.port(port));
                    if state.and_then(|port| port.auto.as_ref()).is_some_and(|auto| auto.run == run) {
                        self.end_auto_access(device, port, None, &then);
                    }
                }
                Due::Pulse { device, port, door, times, caused_by } => {
                    if self.exists(device) {
                        self.pulse(device, port, &door, times, caused_by, &then);
                    }
                }
            }
        }
    }

    /// A schedule that was deleted, or whose device is gone or offline, starts nothing.
    fn start_scheduled(&mut self, id: &str, at: &Circumstances<'_>) {
        let Some(schedule) = self.schedules.iter().find(|schedule| schedule.id == id) else { return };
        let Some(index) = self.device_of_campaign(&schedule.campaign).filter(|index| self.exists(*index)) else {
            return;
        };
        let (port, seconds) = (schedule.port, schedule.seconds());
        let by = self.devices.get(index).and_then(|device| device.owner).map(|owner| self.account_id(owner));
        let works = self.devices.get(index).is_some_and(|device| device.online && port <= device.kind.ports());
        self.remember(index, "startJobAutoAccess", port, (None, !works), at.now);
        if works {
            let order = Order { by: by.unwrap_or_default(), seconds: Some(seconds), ..Order::default() };
            self.start_auto_access(index, port, order, None, at);
        }
    }

    /// The port listens from now on; whatever it was doing before is over.
    pub(super) fn start_auto_access(
        &mut self,
        index: usize,
        port: u32,
        order: Order,
        caused_by: Option<u64>,
        at: &Circumstances<'_>,
    ) {
        let run = self.next();
        let Some(device) = self.devices.get_mut(index) else { return };
        let configured = |key: &str| device.door_at(port).map_or(0.0, |door| door.number(key));
        let most_openings = order.most_openings.unwrap_or_else(|| configured("maxOpenings"));
        let wait = order.wait.unwrap_or_else(|| configured("waitTimeFirst"));
        let until = order.seconds.map(|seconds| seconds_after(at.now, seconds));
        let auto = AutoAccess { run, since: at.now, by: order.by, until, most_openings, wait };
        let Some(state) = port_mut(&mut device.ports, port) else { return };
        (state.auto, state.openings) = (Some(auto), 0);
        if let Some(until) = until {
            self.timeline.insert((until, run), Due::End { device: index, port, run });
        }
        self.port_effect(index, port, EffectKind::AutoAccessStarted, caused_by, at);
    }

    /// Ends a port's own auto access, if it has one; what is always active stays so.
    pub(super) fn end_auto_access(
        &mut self,
        index: usize,
        port: u32,
        by: Option<(String, u64)>,
        at: &Circumstances<'_>,
    ) {
        let Some(device) = self.devices.get_mut(index) else { return };
        let online = device.online;
        if port_mut(&mut device.ports, port).and_then(|state| state.auto.take()).is_none() {
            return;
        }
        let (who, caused_by) = by.map_or((None, None), |(who, request)| (Some(who), Some(request)));
        self.port_effect(index, port, EffectKind::AutoAccessEnded, caused_by, at);
        if online {
            self.remember(index, "stopJob", port, (who, false), at.now);
        }
    }

    /// Puts off the end of a running auto access. False if it does not end by the clock.
    pub(super) fn prolong(
        &mut self,
        index: usize,
        port: u32,
        auto: &AutoAccess,
        seconds: f64,
        at: &Circumstances<'_>,
    ) -> bool {
        let Some(until) = auto.until else { return false };
        let (run, until) = (self.next(), seconds_after(until.max(at.now), seconds));
        let state = self.devices.get_mut(index).and_then(|device| port_mut(&mut device.ports, port));
        let Some(state) = state else { return false };
        state.auto = Some(AutoAccess { run, until: Some(until), ..auto.clone() });
        self.timeline.insert((until, run), Due::End { device: index, port, run });
        true
    }

    /// The bell of a door is rung. A listening port opens; after the last permitted opening it stops listening.
    pub(super) fn rung(&mut self, index: usize, port: u32, at: &Circumstances<'_>) {
        self.port_effect(index, port, EffectKind::Bell, None, at);
        let Some(device) = self.devices.get_mut(index) else { return };
        let always = device.always_active.is_some() && device.door_at(port).is_some();
        let door = device.door_at(port).map(|door| (door.id.clone(), door.number("waitTimeFirst")));
        let online = device.online;
        let Some(state) = port_mut(&mut device.ports, port) else { return };
        if state.deaf_until.is_some_and(|until| at.now < until) || (state.auto.is_none() && !always) {
            return;
        }
        state.deaf_until = (state.wait_bells > 0.0).then(|| seconds_after(at.now, state.wait_bells));
        state.openings += 1;
        let full = state.auto.as_ref().is_some_and(|auto| f64::from(state.openings) >= auto.most_openings) && !always;
        let wait = state.auto.as_ref().map(|auto| auto.wait);
        let (door, configured) = door.unwrap_or_default();
        self.open_after(index, port, &door, (1, wait.unwrap_or(configured)), None, at);
        if online {
            self.remember(index, "doorOpened", port, (None, false), at.now);
        }
        if full {
            self.end_auto_access(index, port, None, at);
        }
    }

    /// Opens as the door's settings have it: after ringing its bell, after waiting, twice.
    pub(super) fn open_as_configured(
        &mut self,
        index: usize,
        port: u32,
        caused_by: Option<u64>,
        at: &Circumstances<'_>,
    ) {
        let Some(door) = self.devices.get(index).and_then(|device| device.door_at(port)) else {
            return self.open_after(index, port, "", (1, 0.0), caused_by, at);
        };
        let pulses = (if door.flag("twoOpenings") { 2 } else { 1 }, door.number("waitTimeFirst"));
        let (id, bell_first) = (door.id.clone(), door.flag("mustCallBellFirst"));
        if bell_first {
            self.port_effect(index, port, EffectKind::Bell, caused_by, at);
        }
        self.open_after(index, port, &id, pulses, caused_by, at);
    }

    /// `pulses`: how many, and after how many seconds.
    fn open_after(
        &mut self,
        device: usize,
        port: u32,
        door: &str,
        pulses: (u32, f64),
        caused_by: Option<u64>,
        at: &Circumstances<'_>,
    ) {
        let (times, wait) = pulses;
        if wait > 0.0 {
            let key = (seconds_after(at.now, wait), self.next());
            let door = door.to_owned();
            self.timeline.insert(key, Due::Pulse { device, port, door, times, caused_by });
        } else {
            self.pulse(device, port, door, times, caused_by, at);
        }
    }

    fn pulse(&self, device: usize, port: u32, door: &str, times: u32, caused_by: Option<u64>, at: &Circumstances<'_>) {
        let Some(device) = self.devices.get(device) else { return };
        let door = (!door.is_empty()).then_some(door);
        let place = Place { vendor: Vendor::Raixer, device: &device.id, door, position: Some(port) };
        for _ in 0..times {
            at.journal.effect(place, EffectKind::Open, at.now, caused_by);
        }
    }

    /// Notes what happened at a port.
    pub(super) fn port_effect(
        &self,
        device: usize,
        port: u32,
        kind: EffectKind,
        caused_by: Option<u64>,
        at: &Circumstances<'_>,
    ) {
        let Some(device) = self.devices.get(device) else { return };
        let door = device.door_at(port).map(|door| door.id.as_str());
        let place = Place { vendor: Vendor::Raixer, device: &device.id, door, position: Some(port) };
        at.journal.effect(place, kind, at.now, caused_by);
    }
}
