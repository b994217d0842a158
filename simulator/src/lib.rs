//! The simulator room: the vendors' APIs as their documents describe them, honest, and bad on request. It imports no room of
//! ours and shares no type with the connectors, so that each checks the other.
//!
//! `server` starts it, `pipeline` leads every request through it, `vendors` answer, `world` says what exists, `faults` what goes
//! wrong, `journal` what happened; `handle` and `control` (`/_sim`) steer it.

mod answer;
mod catalogue;
mod change;
mod clock;
mod connection;
mod control;
mod coverage;
mod engine;
mod faults;
mod handle;
mod journal;
mod lock;
mod options;
mod pipeline;
mod server;
mod vendors;
mod world;

pub use change::{NothingToChange, WorldChange};
pub use clock::SimClock;
pub use coverage::CoverageRow;
pub use faults::{ActiveFault, Fault, FaultKind, ImpossibleFault};
pub use handle::{Poke, SimulatorHandle};
pub use journal::{Effect, EffectKind, Outcome, Page, RequestEntry};
pub use options::{Latency, Mode, ParqexStatus, SimulatorOptions, WorldChoice};
pub use server::{Simulator, start};
pub use vendors::{
    Vendor,
    bikeep::{BikeepHardware, BikeepHealth, BikeepSleep, BikeepType},
    parqex::ParqexHardware,
    raixer::{RaixerProfile, RaixerUse},
};
pub use world::{
    BikeepAccountPlan, BikeepCredentials, BikeepDevicePlan, BikeepLocationPlan, DemoCredentials, ParqexAccountPlan,
    ParqexControllerPlan, ParqexCredentials, ParqexDoorPlan, RaixerAccountPlan, RaixerCredentials, RaixerDevicePlan,
    World, WorldSize,
};
