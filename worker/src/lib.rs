//! The hands: carries out what the rows ask for. Rings and timers only say where to look.
//! No HTTP is served and no GraphQL is spoken here; what to do is decided in `domain`, how by `vendors`.

pub mod accounts;
pub mod advance_command;
mod credentials;
pub mod drain_lane;
mod erasures;
mod intake;
mod ledger;
pub mod parts;
pub mod placements;
mod run;
mod stays;
mod steps;
mod sweeper;
pub mod sync;
mod watch;

pub use parts::{Parts, Settings};
pub use run::run;
