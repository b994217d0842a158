//! Scoped finders: every read on behalf of a caller. None gives what the caller's scope does not hold.

pub mod commands;
pub mod deliveries;
pub mod devices;
pub mod doors;
pub mod events;
pub mod intake;
pub mod keys;
pub mod organizations;
pub mod records;
pub mod sites;
pub mod vendor_accounts;
