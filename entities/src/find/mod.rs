//! Scoped finders: every read on behalf of a caller. None gives what the caller's scope does not hold.

pub mod access_levels;
pub mod alerts;
pub mod commands;
pub mod credentials;
pub mod deliveries;
pub mod devices;
pub mod doors;
pub mod events;
pub mod feed;
pub mod intake;
pub mod keys;
pub mod ledger;
pub mod members;
pub mod opening;
pub mod organizations;
pub mod people;
pub mod placements;
pub mod records;
pub mod reservations;
pub mod resources;
pub mod sites;
pub mod standing;
pub mod tokens;
pub mod vendor_accounts;
