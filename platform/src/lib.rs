//! How a process runs: settings, log, life cycle, database pools, clock, ids, secrets, and whose tokens count.
//! The only room that reads the system's clock, its randomness and its environment; it knows no business of ours.

pub mod api_key;
pub mod clock;
pub mod database;
pub mod ids;
pub mod lifecycle;
pub mod notary;
pub mod oidc;
pub mod random;
pub mod settings;
pub mod telemetry;
pub mod vault;
