//! Bikeep: docks, lockers and doors of bike parking, by its Parking Device service. `client` asks, `wire` is its JSON,
//! `mapping` translates into our words. The connector's facts, quirks and inferences follow.
#![doc = include_str!("bikeep/README.md")]

mod client;
mod mapping;
mod wire;

pub(crate) use client::{Bikeep, DEFAULT_BASE_URL};
