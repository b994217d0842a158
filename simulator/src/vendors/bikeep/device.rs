//! A Bikeep device: its type, its separate states (occupancy, lock, health, sleep, hardware) and what follows from them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Device types of the reference. The last five are named there without a description: they know the administrative commands
/// only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BikeepType {
    /// Gateway of a location; has no lock, may have a camera.
    Guard,
    /// An arm around a bicycle's wheel.
    BikeDock,
    /// As a bike dock, but bookings cannot be canceled by their user.
    ScooterDock,
    /// A compartment.
    Locker,
    /// An entrance: LOCKED is its resting state, and it locks again by itself.
    BikeHouseDoor,
    /// Not described.
    BikeRent,
    /// Not described.
    ScooterRent,
    /// Not described.
    Dock,
    /// Not described.
    DockSessionless,
    /// Not described.
    Door,
}

/// `heartbeat_v2.health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BikeepHealth {
    /// Answers.
    Healthy,
    /// Answers, with difficulty.
    Unhealthy,
    /// Does not answer.
    Dead,
    /// Has not answered for long.
    LongDead,
}

/// `sleep_state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BikeepSleep {
    /// Awake, the empty string on the wire.
    #[serde(rename = "")]
    Awake,
    /// Sleeping lightly.
    #[serde(rename = "LIGHT_SLEEP")]
    Light,
    /// Sleeping deeply.
    #[serde(rename = "DEEP_SLEEP")]
    Deep,
}

/// `hardware_state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BikeepHardware {
    /// Works.
    Normal,
    /// Refuses everything.
    Disabled,
    /// Refuses to lock.
    DisabledLocking,
    /// Refuses to unlock.
    DisabledUnlocking,
    /// Fails at everything.
    Error,
    /// Does not answer.
    NotResponding,
}

/// `power_save_strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PowerSave {
    None,
    RemoteWakeup,
    LocalWakeup,
}

/// `state.value` of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Occupancy {
    Allocated,
    Locked,
    Locking,
    Unlocked,
    Unlocking,
    Booked,
}

impl Occupancy {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Occupancy::Allocated => "ALLOCATED",
            Occupancy::Locked => "LOCKED",
            Occupancy::Locking => "LOCKING",
            Occupancy::Unlocked => "UNLOCKED",
            Occupancy::Unlocking => "UNLOCKING",
            Occupancy::Booked => "BOOKED",
        }
    }
}

/// The part of a device that a failed command gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) value: Occupancy,
    pub(crate) timeout_at: Option<DateTime<Utc>>,
    pub(crate) user: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) location: usize,
    pub(crate) kind: BikeepType,
    pub(crate) alias: String,
    pub(crate) code: String,
    pub(crate) standing: Standing,
    pub(crate) changed_at: DateTime<Utc>,
    /// Whether the bolt is out, whatever the books say.
    pub(crate) bolted: bool,
    /// Absent: no health data is available.
    pub(crate) health: Option<BikeepHealth>,
    pub(crate) dead_since: Option<DateTime<Utc>>,
    pub(crate) sleep: BikeepSleep,
    pub(crate) power_save: PowerSave,
    pub(crate) hardware: BikeepHardware,
    pub(crate) camera: bool,
    /// Rises with every change of standing, so that timers of the past do nothing.
    pub(crate) generation: u64,
}

impl Device {
    /// Whether the cloud gets an answer from it.
    pub(crate) fn reachable(&self) -> bool {
        !matches!(self.health, Some(BikeepHealth::Dead | BikeepHealth::LongDead))
            && self.hardware != BikeepHardware::NotResponding
    }
}
