//! Raixer: intercoms and gate controllers. `client` asks, `wire` is its JSON, `mapping` translates into our words;
//! `control` opens, `administration` changes, `inventory` reads, `intake` understands what is pushed.
//! The connector's facts, quirks and inferences follow.
#![doc = include_str!("raixer/README.md")]

mod administration;
mod client;
mod control;
mod intake;
mod inventory;
mod mapping;
#[cfg(test)]
mod testing;
mod wire;

pub(crate) use client::{DEFAULT_BASE_URL, Raixer};
