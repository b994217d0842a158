//! Changes of Raixer's world, as the control asks for them. What follows from them is in `happenings`.

use serde::{Deserialize, Serialize};

use super::state::Raixer;
use crate::answer::Circumstances;

/// What happens at a Raixer device without the API. Positions are the door ports: 1 the right one, 2 the left one, 3 the one
/// in the middle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum RaixerChange {
    /// Somebody rings the bell of a door; a listening one opens.
    Bell {
        /// Device id.
        device: String,
        /// The door's port.
        position: u32,
    },
    /// Somebody calls a door by telephone; it opens for those who may call.
    PhoneCall {
        /// Device id.
        device: String,
        /// The door's port.
        position: u32,
        /// The caller's number with country code.
        number: u64,
    },
    /// Somebody takes a telephone number off a device in the app.
    PhoneRemoved {
        /// Device id.
        device: String,
        /// The number with country code.
        number: u64,
    },
    /// A door's sensor sees it open or closed.
    Door {
        /// Device id.
        device: String,
        /// The door's port.
        position: u32,
        /// Whether it is open.
        open: bool,
    },
    /// The movement sensor reads movement or none.
    Movement {
        /// Device id.
        device: String,
        /// What it reads.
        detected: bool,
    },
    /// The power is cut or restored.
    Power {
        /// Device id.
        device: String,
        /// Whether there is power.
        on: bool,
    },
    /// The main button of the device is pressed.
    Button {
        /// Device id.
        device: String,
    },
}

impl RaixerChange {
    /// The device it is about.
    pub(crate) fn subject(&self) -> &str {
        match self {
            RaixerChange::Bell { device, .. }
            | RaixerChange::PhoneCall { device, .. }
            | RaixerChange::PhoneRemoved { device, .. }
            | RaixerChange::Door { device, .. }
            | RaixerChange::Movement { device, .. }
            | RaixerChange::Power { device, .. }
            | RaixerChange::Button { device } => device,
        }
    }
}

impl Raixer {
    /// Lets something happen. None if there is no such device, or no door at the position.
    pub(crate) fn change(&mut self, change: &RaixerChange, at: &Circumstances<'_>) -> Option<()> {
        let index = self.device_index(change.subject())?;
        match change {
            RaixerChange::Bell { position, .. } => return self.bell(index, *position, at),
            RaixerChange::PhoneCall { position, number, .. } => return self.phone_call(index, *position, *number, at),
            RaixerChange::Door { position, open, .. } => return self.door_moved(index, *position, *open, at),
            RaixerChange::PhoneRemoved { number, .. } => return self.forget_phone(index, *number),
            RaixerChange::Movement { detected, .. } => self.movement(index, *detected, at),
            RaixerChange::Power { on, .. } => self.power(index, *on, at),
            RaixerChange::Button { .. } => self.button(index, at),
        }
        Some(())
    }

    /// Disables or enables the connections of an account to a device. None if it has none.
    pub(crate) fn disable(&mut self, device: &str, user: &str, disabled: bool) -> Option<()> {
        let account = self.account_named(user)?;
        let held = self.devices.get(self.device_index(device)?)?.connections.clone();
        let mut found = None;
        for index in held {
            if let Some(connection) = self.connections.get_mut(index).filter(|held| held.account == account) {
                connection.disabled = disabled;
                found = Some(());
            }
        }
        found
    }
}
