//! Mews: a hotel's property-management system, by its Connector API. `client` asks (`paging` page by page), `wire` is its
//! JSON, `mapping` translates into our words; `inventory` reads (`sweep` says what is due, `stays` brings the guests,
//! `catalogue` what a room is), `administration` changes tokens, `intake` understands webhooks. Nothing here moves a door.
#![doc = include_str!("mews/README.md")]

mod administration;
mod catalogue;
mod client;
mod intake;
mod inventory;
mod mapping;
mod paging;
mod stays;
mod sweep;
mod trace;
mod wire;

pub(crate) use client::{DEFAULT_BASE_URL, Mews};
