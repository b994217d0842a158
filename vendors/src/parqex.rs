//! ParqEx: gates, garages and doors of car parks. `client` asks, `access` gets and renews the user's tokens, `inventory`
//! reads, `intake` understands webhooks, `wire` is its JSON, `mapping` and `history` translate into our words.
//! The connector's facts, quirks and inferences follow.
#![doc = include_str!("parqex/README.md")]

mod access;
mod client;
mod history;
mod intake;
mod inventory;
mod mapping;
mod wire;

pub(crate) use access::{consent, exchange};
pub(crate) use client::{DEFAULT_BASE_URL, Parqex};
