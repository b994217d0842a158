//! Bikeep: docks, lockers and doors of bike parking, by its Parking Device service. `client` asks, `access` fetches
//! tokens, `inventory` reads, `intake` understands webhooks, `wire` is its JSON, `mapping` translates into our words.
//! The connector's facts, quirks and inferences follow.
#![doc = include_str!("bikeep/README.md")]

mod access;
mod client;
mod intake;
mod inventory;
mod mapping;
mod wire;

pub(crate) use client::{Bikeep, DEFAULT_BASE_URL};
