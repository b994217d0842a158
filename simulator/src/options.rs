//! How a simulator is started: address, seed, mode, latencies, clock, world. No behaviour.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    clock::SimClock,
    world::{World, WorldSize},
};

/// Whether things progress by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Commands and gates progress as the clock passes.
    #[default]
    Auto,
    /// A command or a moving gate stays where it is until poked, and no command times out. Bookings still end and doors
    /// still relock by the clock. Raixer's calls, which answer only when done, are done at once.
    Explicit,
}

/// How long things take. `answer` and the part of `device` a client waits for are network time and pass in real time even
/// under a manual clock, because clients measure them with theirs; everything else follows the simulator's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency {
    /// From the end of the vendor's work to its answer.
    pub answer: Duration,
    /// From the vendor's cloud to the hardware having acted.
    pub device: Duration,
    /// A ParqEx gate from the pulse to its new sensor state.
    pub travel: Duration,
    /// A remotely wakeable Bikeep device from the command to being awake.
    pub wake: Duration,
    /// A bike house door from unlocked to locked again.
    pub relock: Duration,
    /// How long a Bikeep command may stay unfinished.
    pub command_timeout: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        Latency {
            answer: Duration::from_millis(20),
            device: Duration::from_millis(60),
            travel: Duration::from_millis(80),
            wake: Duration::from_millis(200),
            relock: Duration::from_secs(5),
            command_timeout: Duration::from_secs(30),
        }
    }
}

impl Latency {
    /// No waiting on the network or for hardware; relock and command time-out as in the default.
    #[must_use]
    pub fn none() -> Self {
        Latency {
            answer: Duration::ZERO,
            device: Duration::ZERO,
            travel: Duration::ZERO,
            wake: Duration::ZERO,
            ..Latency::default()
        }
    }
}

/// Which world to serve.
#[derive(Debug, Default)]
pub enum WorldChoice {
    /// About forty doors, a hotel with card locks and one with reservations ([`World::demo`]).
    #[default]
    Demo,
    /// Any number of devices ([`World::sized`]).
    Sized(WorldSize),
    /// A world built by the caller.
    Explicit(Box<World>),
}

/// Which HTTP status ParqEx gives the documented error messages. The document shows the bodies, not the statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParqexStatus {
    /// 200 for every variant, so that only the text tells success from failure.
    #[default]
    AlwaysOk,
    /// The code the text names (404 for the one that names none).
    AsMessage,
}

/// What ParqEx's document leaves open about tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParqexOauth {
    /// How long an access token lives, by the simulator's clock. Those of the world's credentials live forever.
    pub expires_in: Duration,
    /// Whether a refresh ends the access token before it, which otherwise lives to its end. The refresh token always dies.
    pub old_access_dies: bool,
}

impl Default for ParqexOauth {
    fn default() -> Self {
        ParqexOauth { expires_in: Duration::from_secs(3600), old_access_dies: false }
    }
}

/// How Bikeep's webhooks are hashed; the document says only that a seed takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BikeepHash {
    /// SHA-256 of the seed and then `data`.
    #[default]
    Sha256,
    /// HMAC-SHA256 of `data`, keyed with the seed.
    HmacSha256,
}

/// What Bikeep's document leaves open about webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BikeepWebhooks {
    /// How they are hashed.
    pub hash: BikeepHash,
    /// Whether what was collected is sent as one webhook whose `data` is a list, instead of one webhook each.
    pub as_list: bool,
}

/// How to start a simulator.
#[derive(Debug)]
pub struct SimulatorOptions {
    /// Where to listen; port 0 picks a free one.
    pub address: SocketAddr,
    /// Decides ids and initial states of [`WorldChoice::Demo`] and [`WorldChoice::Sized`].
    pub seed: u64,
    /// Whether things progress by themselves.
    pub mode: Mode,
    /// How long things take.
    pub latency: Latency,
    /// The simulator's idea of now.
    pub clock: SimClock,
    /// What exists.
    pub world: WorldChoice,
    /// How ParqEx reports documented failures.
    pub parqex_status: ParqexStatus,
    /// Whether Lockt's endpoints marked as pending release are there; an account's plan can take them away from it alone.
    pub lockt_pending: bool,
    /// How long ParqEx's tokens live.
    pub parqex_oauth: ParqexOauth,
    /// How Bikeep's webhooks look.
    pub bikeep_webhooks: BikeepWebhooks,
}

impl Default for SimulatorOptions {
    /// The demo world on a free port of the loopback address, progressing by itself.
    fn default() -> Self {
        SimulatorOptions {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            mode: Mode::Auto,
            latency: Latency::default(),
            clock: SimClock::system(),
            world: WorldChoice::Demo,
            parqex_status: ParqexStatus::AlwaysOk,
            lockt_pending: true,
            parqex_oauth: ParqexOauth::default(),
            bikeep_webhooks: BikeepWebhooks::default(),
        }
    }
}
