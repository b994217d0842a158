//! The simulator from outside: over HTTP, as connectors see it.
#![expect(clippy::unwrap_used, reason = "a failed expectation of a test may panic")]

mod bikeep;
mod control;
mod faults;
mod parqex;
mod raixer;
mod support;
