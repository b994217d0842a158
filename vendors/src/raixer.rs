//! Raixer: intercoms and gate controllers. `client` asks, `wire` is its JSON, `mapping` translates into our words.
//! The connector's facts, quirks and inferences follow.
#![doc = include_str!("raixer/README.md")]

mod client;
mod mapping;
mod wire;

pub(crate) use client::{DEFAULT_BASE_URL, Raixer};
