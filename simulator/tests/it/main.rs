//! The simulator from outside: over HTTP, as connectors see it.
#![expect(clippy::unwrap_used, reason = "a failed expectation of a test may panic")]

mod bikeep;
mod bikeep_more;
mod control;
mod faults;
mod lockt;
mod lockt_locks;
mod mews;
mod mews_stays;
mod mews_tokens;
mod parqex;
mod parqex_oauth;
mod raixer;
mod raixer_devices;
mod raixer_raw;
mod raixer_records;
mod support;
mod webhooks;
