//! What happens to Raixer's devices without the API: bells, calls, hands, sensors, power and network. Each is told as the
//! reference lists it, in the history and to webhooks. A device that is offline acts, and tells nobody.

use super::{
    hardware::{Alarm, Order, port_mut},
    state::{Device, Raixer},
};
use crate::{
    answer::Circumstances,
    journal::{EffectKind, Place},
    vendors::Vendor,
};

impl Raixer {
    /// Tells a happening: the documented notification and action, if there are such.
    fn tell(&mut self, device: usize, event: Option<&str>, action: Option<(&str, u32)>, at: &Circumstances<'_>) {
        if !self.devices.get(device).is_some_and(|device| device.online) {
            return;
        }
        if let Some(event) = event {
            self.notify(device, event, at);
        }
        if let Some((action, port)) = action {
            self.remember(device, action, port, (None, false), at.now);
        }
    }

    fn by_hand(&self, device: usize, kind: EffectKind, at: &Circumstances<'_>) {
        self.changed(device, None, kind, None, at);
    }

    /// A device goes online or offline. Offline it may listen by itself, for as long as that lasts.
    pub(crate) fn network(&mut self, index: usize, online: bool, at: &Circumstances<'_>) {
        let Some(device) = self.devices.get_mut(index) else { return };
        if device.online == online {
            return;
        }
        (device.online, device.last_heard) = (online, at.now);
        self.notify(index, if online { "online" } else { "offline" }, at);
        let Some(device) = self.devices.get(index) else { return };
        let ports: Vec<u32> = (1..=device.kind.ports()).filter(|port| device.door_at(*port).is_some()).collect();
        for port in ports {
            let auto = self.devices.get(index).and_then(|device| device.port(port)?.auto.as_ref());
            let endless = auto.is_some_and(|auto| auto.until.is_none());
            if online && endless {
                self.end_auto_access(index, port, None, at);
            } else if !online && auto.is_none() && self.devices.get(index).is_some_and(|d| d.offline_auto_access) {
                self.start_auto_access(index, port, Order::default(), None, at);
            }
        }
    }

    /// A door's sensor sees it open or closed. Nothing happens if it was so before.
    pub(crate) fn door_moved(&mut self, index: usize, port: u32, open: bool, at: &Circumstances<'_>) -> Option<()> {
        let device = self.devices.get_mut(index)?;
        device.door_at(port)?;
        let state = port_mut(&mut device.ports, port)?;
        if std::mem::replace(&mut state.open, open) == open {
            return Some(());
        }
        self.port_effect(index, port, EffectKind::ByHand, None, at);
        let (event, action) = if open { ("door-open", "doorIsOpen") } else { ("door-closed", "doorIsClosed") };
        self.tell(index, Some(event), Some((action, port)), at);
        Some(())
    }

    /// Somebody rings at a door.
    pub(crate) fn bell(&mut self, index: usize, port: u32, at: &Circumstances<'_>) -> Option<()> {
        self.devices.get(index)?.door_at(port)?;
        self.rung(index, port, at);
        Some(())
    }

    /// Somebody calls a door by telephone. It opens if it takes calls, and the caller may call or anybody may.
    pub(crate) fn phone_call(&mut self, index: usize, port: u32, number: u64, at: &Circumstances<'_>) -> Option<()> {
        let device = self.devices.get(index)?;
        let door = device.door_at(port)?;
        let anybody = door.flag("anyCallerEnabled");
        let opens = door.flag("callingEnabled") && device.online && (anybody || self.phone_may_call(index, number));
        if opens {
            self.open_as_configured(index, port, None, at);
            self.tell(index, None, Some(("phoneCall", port)), at);
        }
        Some(())
    }

    /// The movement sensor reads movement or none; an inverted one means the opposite. Only a change is told, and only the
    /// beginning of movement sets off the alarm.
    pub(crate) fn movement(&mut self, index: usize, reading: bool, at: &Circumstances<'_>) {
        let Some(device) = self.devices.get_mut(index) else { return };
        let moving = reading != device.movement_inverted;
        if std::mem::replace(&mut device.movement, moving) == moving {
            return;
        }
        let alarmed = moving && device.online && device.alarm.sounds();
        if moving {
            (device.last_movement, device.movement_told) = (Some(at.now), false);
        }
        if alarmed {
            self.by_hand(index, EffectKind::MovementAlarm, at);
        }
        let action = moving.then_some(("movementDetected", 1));
        self.tell(index, Some(if moving { "movement-1" } else { "movement-0" }), action, at);
    }

    /// The power is cut or comes back; the device lives on its battery meanwhile.
    pub(crate) fn power(&mut self, index: usize, on: bool, at: &Circumstances<'_>) {
        let Some(device) = self.devices.get_mut(index) else { return };
        if std::mem::replace(&mut device.powered, on) != on {
            let (event, action) = if on { ("power-in", "powerIn") } else { ("power-out", "powerOut") };
            self.tell(index, Some(event), Some((action, 1)), at);
        }
    }

    /// The button on the device is pressed. Which door it opens is not documented, so it opens none here.
    pub(crate) fn button(&mut self, index: usize, at: &Circumstances<'_>) {
        self.by_hand(index, EffectKind::ByHand, at);
        self.tell(index, Some("mainButton-press"), Some(("physicalButton", 1)), at);
    }

    /// Notes a change of a device or its records in the journal.
    pub(super) fn changed(
        &self,
        device: usize,
        door: Option<&str>,
        kind: EffectKind,
        call: Option<&crate::answer::Call>,
        at: &Circumstances<'_>,
    ) {
        let device: Option<&Device> = self.devices.get(device);
        let Some(device) = device else { return };
        let place = Place { vendor: Vendor::Raixer, device: &device.id, door, position: None };
        at.journal.effect(place, kind, at.now, call.map(|call| call.sequence));
    }
}

impl Alarm {
    /// Counts a notification; false if there is none left.
    fn sounds(&mut self) -> bool {
        match self {
            Alarm::Off => false,
            Alarm::Infinite => true,
            Alarm::Left(left) => {
                *self = if *left > 1 { Alarm::Left(*left - 1) } else { Alarm::Off };
                true
            }
        }
    }
}
