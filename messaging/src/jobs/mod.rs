//! The doorbell: an at-least-once "go and look at this lane", carried by apalis, with no content, order, retry or result.
//! Correctness lives in the rows; a ring that is lost is rung again by the sweeper.

pub mod payloads;
pub mod queue;
pub mod workers;

mod guard;
mod naming;
mod redis_scripts;
mod sqlite_storage;
mod transport;
mod tuned;
mod wake;

pub(crate) mod redis;
pub(crate) mod sqlite;
