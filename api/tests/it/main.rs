//! The front door from outside: HTTP and WebSocket against an embedded database, without a worker or a vendor.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod changes;
mod consents;
mod desk;
mod house;
mod http;
mod intake;
mod live;
mod mutations;
mod queries;
mod records;
mod sign_in;
