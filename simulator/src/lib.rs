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
mod webhooks;
mod world;

pub use change::{NothingToChange, WorldChange};
pub use clock::SimClock;
pub use coverage::CoverageRow;
pub use faults::{ActiveFault, Fault, FaultKind, ImpossibleFault};
pub use handle::{Poke, SimulatorHandle};
pub use journal::{Effect, EffectKind, Outcome, Page, RequestEntry};
pub use options::{
    BikeepHash, BikeepWebhooks, Latency, Mode, ParqexOauth, ParqexStatus, SimulatorOptions, WorldChoice,
};
pub use server::{Simulator, start};
pub use vendors::{
    Vendor,
    bikeep::{BikeepHardware, BikeepHealth, BikeepNotice, BikeepSleep, BikeepType},
    lockt::{LocktChange, LocktOverlap, LocktPresented, LocktVerdict},
    mews::{
        MewsAccountPlan, MewsBlockType, MewsChange, MewsHotelPlan, MewsIntegrationAction, MewsResourceState,
        MewsRoomPlan, MewsState, MewsStayPlan, MewsUsage,
    },
    parqex::{ParqexHardware, ParqexOauthCounts},
    raixer::{RaixerChange, RaixerKind, RaixerProfile, RaixerUse},
};
pub use webhooks::{WebhookConduct, WebhookDelivery, WebhookEntry, WebhookOutcome, WebhookTarget};
pub use world::{
    BikeepAccountPlan, BikeepCredentials, BikeepDevicePlan, BikeepLocationPlan, DemoCredentials, LocktAccountPlan,
    LocktCredentials, LocktDoorPlan, LocktFobPlan, LocktLevelPlan, LocktSchedulePlan, LocktUserPlan, MewsCredentials,
    ParqexAccountPlan, ParqexControllerPlan, ParqexCredentials, ParqexDoorPlan, RaixerAccountPlan, RaixerCredentials,
    RaixerDevicePlan, World, WorldSize,
};
