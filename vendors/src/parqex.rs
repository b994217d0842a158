//! ParqEx: gates, garages and doors of car parks. `client` asks, `wire` is its JSON, `mapping` translates into our words.
//! The connector's facts, quirks and inferences follow.
#![doc = include_str!("parqex/README.md")]

mod client;
mod mapping;
mod wire;

pub(crate) use client::{DEFAULT_BASE_URL, Parqex};
