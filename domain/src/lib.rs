//! The pure core: identifiers, access rules, door state and the command state machine.
//! Nothing here waits, talks or stores: no tokio, no SQL, no HTTP. Every decision is a function of its arguments.

mod text_enum;

pub mod access;
pub mod account;
pub mod address;
pub mod alert;
pub mod change;
pub mod clock;
pub mod command;
pub mod credential;
pub mod device;
pub mod door;
pub mod erasure;
pub mod event;
pub mod ids;
pub mod lane;
pub mod ledger;
pub mod opening;
pub mod pin;
pub mod placement;
pub mod record;
pub mod schedule;
pub mod secret;
pub mod stay;
pub mod webhook;
