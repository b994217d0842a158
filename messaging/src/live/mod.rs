//! Live events: "this row has a newer version", to whoever watches it just now. Ids and versions only, so nothing can leak
//! across tenants; a subscriber reloads under its own scope, and reloads everything when told it may have missed something.

pub mod bus;

pub(crate) mod broadcast;
pub(crate) mod redis;
