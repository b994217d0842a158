//! Lockt SecureAccess: card locks, their people, cards and fobs. `client` asks, `inventory` and `events` read what is
//! kept, `administration` changes it (`orders` are its bodies, `batch` judges the answers, `wishes` compares), `wire` is
//! Lockt's JSON, `mapping` translates it, `zone` knows its times without a zone. Facts, quirks and inferences follow.
#![doc = include_str!("lockt/README.md")]

mod administration;
mod batch;
mod client;
mod disabling;
mod events;
mod inventory;
mod mapping;
mod orders;
mod wire;
mod wishes;
mod zone;

pub(crate) use client::{DEFAULT_BASE_URL, Lockt};
