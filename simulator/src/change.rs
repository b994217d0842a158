//! What the world does to the hardware without the API: hands, sensors, batteries, and administrators at the vendor. One change
//! at a time, each checked before anything is touched.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    answer::Circumstances,
    engine::Engine,
    journal::{EffectKind, Place},
    lock::locked,
    options::ParqexStatus,
    vendors::{
        Vendor,
        bikeep::{Bikeep, BikeepHardware, BikeepHealth, BikeepSleep},
        parqex::{DoorState, Parqex, plain_id},
        raixer::Raixer,
    },
};

/// One change of the world. Over the control API: `POST /_sim/world/<name>` with the fields as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum WorldChange {
    /// Somebody locks or unlocks a Bikeep device by hand, with a card or a key.
    BikeepByHand {
        /// Device id.
        device: String,
        /// Whether it is locked afterwards.
        locked: bool,
        /// Who occupies it when locked.
        #[serde(default)]
        user: Option<String>,
    },
    /// A Bikeep device's health changes; absent means that no health data is available.
    BikeepHealth {
        /// Device id.
        device: String,
        /// The new health.
        health: Option<BikeepHealth>,
    },
    /// A Bikeep device falls asleep or is woken at the spot.
    BikeepSleep {
        /// Device id.
        device: String,
        /// The new state; the empty word is awake.
        sleep: BikeepSleep,
    },
    /// A Bikeep device's hardware changes its state.
    BikeepHardware {
        /// Device id.
        device: String,
        /// The new state.
        hardware: BikeepHardware,
    },
    /// A Raixer device goes online or offline.
    RaixerOnline {
        /// Device id.
        device: String,
        /// Whether it is online.
        online: bool,
    },
    /// A user's connections to a Raixer device are disabled or enabled.
    RaixerConnection {
        /// Device id.
        device: String,
        /// User of HTTP Basic.
        user: String,
        /// Whether they are disabled.
        disabled: bool,
    },
    /// A ParqEx sensor sees a door open or closed.
    ParqexDoor {
        /// Door id.
        door: String,
        /// Whether it is open.
        open: bool,
    },
    /// A sensor is paired with a ParqEx door, or lost.
    ParqexSensor {
        /// Door id.
        door: String,
        /// Whether there is a sensor.
        sensor: bool,
    },
    /// A ParqEx controller is plugged in or unplugged.
    ParqexReachable {
        /// Controller id.
        device: String,
        /// Whether it can be reached.
        reachable: bool,
    },
    /// Which HTTP status ParqEx's error messages have from now on.
    ParqexStatus {
        /// The new policy.
        status: ParqexStatus,
    },
    /// A vendor revokes or restores a token or an account.
    Credential {
        /// At which vendor.
        vendor: Vendor,
        /// The token, or Raixer's user.
        credential: String,
        /// Whether it is accepted.
        valid: bool,
    },
    /// A device (a controller at ParqEx) disappears from the vendor's records.
    Removed {
        /// At which vendor.
        vendor: Vendor,
        /// Device id.
        device: String,
    },
    /// A device (a door at ParqEx) gets another name.
    Renamed {
        /// At which vendor.
        vendor: Vendor,
        /// Device id, or door id at ParqEx.
        device: String,
        /// The new name.
        name: String,
    },
}

/// Nothing in the world has this id; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NothingToChange(pub String);

impl fmt::Display for NothingToChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing here is called {}", self.0)
    }
}

impl std::error::Error for NothingToChange {}

/// Applies a change at the present moment, after everything due before it.
pub(crate) fn apply(engine: &Engine, change: WorldChange) -> Result<(), NothingToChange> {
    engine.settle();
    let at = engine.circumstances(None);
    let missing = subject(&change).to_owned();
    let done = match change {
        WorldChange::RaixerOnline { .. } | WorldChange::RaixerConnection { .. } => {
            change_raixer(&mut locked(&engine.raixer), change)
        }
        WorldChange::ParqexDoor { .. }
        | WorldChange::ParqexSensor { .. }
        | WorldChange::ParqexReachable { .. }
        | WorldChange::ParqexStatus { .. } => change_parqex(&mut locked(&engine.parqex), change, &at),
        WorldChange::Credential { vendor, credential, valid } => change_credential(engine, vendor, &credential, valid),
        WorldChange::Removed { vendor, device } => match vendor {
            Vendor::Bikeep => locked(&engine.bikeep).remove_device(&device).then_some(()),
            Vendor::Parqex => locked(&engine.parqex).remove_controller(&plain_id(&device)).then_some(()),
            Vendor::Raixer => locked(&engine.raixer).remove_device(&device).then_some(()),
        },
        WorldChange::Renamed { vendor, device, name } => rename(engine, vendor, &device, name),
        bikeep => change_bikeep(&mut locked(&engine.bikeep), bikeep, &at),
    };
    done.ok_or(NothingToChange(missing))
}

fn subject(change: &WorldChange) -> &str {
    match change {
        WorldChange::BikeepByHand { device, .. }
        | WorldChange::BikeepHealth { device, .. }
        | WorldChange::BikeepSleep { device, .. }
        | WorldChange::BikeepHardware { device, .. }
        | WorldChange::RaixerOnline { device, .. }
        | WorldChange::RaixerConnection { device, .. }
        | WorldChange::ParqexReachable { device, .. }
        | WorldChange::Removed { device, .. }
        | WorldChange::Renamed { device, .. } => device,
        WorldChange::ParqexDoor { door, .. } | WorldChange::ParqexSensor { door, .. } => door,
        WorldChange::Credential { .. } => "that credential",
        WorldChange::ParqexStatus { .. } => "that",
    }
}

fn change_bikeep(bikeep: &mut Bikeep, change: WorldChange, at: &Circumstances<'_>) -> Option<()> {
    let index = bikeep.device_index(subject(&change))?;
    match change {
        WorldChange::BikeepByHand { locked, user, .. } => bikeep.moved_by_hand(index, locked, user, at),
        WorldChange::BikeepSleep { sleep, .. } => {
            bikeep.devices.get_mut(index)?.sleep = sleep;
            if sleep == BikeepSleep::Awake {
                bikeep.woken(index, at);
            }
        }
        WorldChange::BikeepHealth { health, .. } => {
            let device = bikeep.devices.get_mut(index)?;
            device.health = health;
            let dead = matches!(health, Some(BikeepHealth::Dead | BikeepHealth::LongDead));
            device.dead_since = if dead { device.dead_since.or(Some(at.now)) } else { None };
        }
        WorldChange::BikeepHardware { hardware, .. } => bikeep.devices.get_mut(index)?.hardware = hardware,
        _ => return None,
    }
    Some(())
}

fn change_raixer(raixer: &mut Raixer, change: WorldChange) -> Option<()> {
    let device = raixer.device_index(subject(&change))?;
    match change {
        WorldChange::RaixerOnline { online, .. } => raixer.devices.get_mut(device)?.online = online,
        WorldChange::RaixerConnection { user, disabled, .. } => {
            let account = raixer.account_named(&user)?;
            let mut found = None;
            for connection in &mut raixer.connections {
                if connection.device == device && connection.account == account {
                    connection.disabled = disabled;
                    found = Some(());
                }
            }
            return found;
        }
        _ => return None,
    }
    Some(())
}

fn change_parqex(parqex: &mut Parqex, change: WorldChange, at: &Circumstances<'_>) -> Option<()> {
    match change {
        WorldChange::ParqexDoor { door, open } => {
            let index = parqex.door_index(&plain_id(&door))?;
            let door = parqex.doors.get(index)?;
            let device = parqex.controllers.get(door.controller)?;
            let place =
                Place { vendor: Vendor::Parqex, device: &device.id, door: Some(&door.id), position: Some(door.entity) };
            at.journal.effect(place, EffectKind::ByHand, at.now, None);
            parqex.sensed(index, if open { DoorState::Open } else { DoorState::Closed }, at);
        }
        WorldChange::ParqexSensor { door, sensor } => {
            let index = parqex.door_index(&plain_id(&door))?;
            parqex.doors.get_mut(index)?.sensor = sensor;
        }
        WorldChange::ParqexReachable { device, reachable } => {
            let controller = parqex.controller_mut(&plain_id(&device))?;
            if controller.reachable && !reachable {
                controller.last_contact = at.now;
            }
            controller.reachable = reachable;
        }
        WorldChange::ParqexStatus { status } => parqex.status = status,
        _ => return None,
    }
    Some(())
}

fn change_credential(engine: &Engine, vendor: Vendor, credential: &str, valid: bool) -> Option<()> {
    match vendor {
        Vendor::Bikeep => {
            locked(&engine.bikeep).accounts.iter_mut().find(|account| account.token == credential)?.valid = valid;
        }
        Vendor::Parqex => {
            locked(&engine.parqex).accounts.iter_mut().find(|account| account.token == credential)?.valid = valid;
        }
        Vendor::Raixer => {
            locked(&engine.raixer).accounts.iter_mut().find(|account| account.user == credential)?.valid = valid;
        }
    }
    Some(())
}

fn rename(engine: &Engine, vendor: Vendor, id: &str, name: String) -> Option<()> {
    match vendor {
        Vendor::Bikeep => {
            let mut bikeep = locked(&engine.bikeep);
            let index = bikeep.device_index(id)?;
            bikeep.devices.get_mut(index)?.alias = name;
        }
        Vendor::Parqex => {
            let mut parqex = locked(&engine.parqex);
            let index = parqex.door_index(&plain_id(id))?;
            parqex.doors.get_mut(index)?.name = name;
        }
        Vendor::Raixer => {
            let mut raixer = locked(&engine.raixer);
            let index = raixer.device_index(id)?;
            let device = raixer.devices.get_mut(index)?;
            device.name = name;
            device.updated = engine.clock.now();
        }
    }
    Some(())
}
