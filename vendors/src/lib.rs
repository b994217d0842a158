//! The outside world: what the product asks of vendors (`port`), how they answer when it goes wrong (`error`), the only
//! HTTP client (`http`), and one folder per vendor. `registry` is the one place that knows which vendors there are.
//! Nothing here knows the database, the queue or the public schema, and no vendor's folder knows another's.

mod bikeep;
mod credentials;
mod digest;
mod lenient;
mod lockt;
mod mews;
mod oauth;
mod parqex;
mod raixer;
#[cfg(test)]
mod testing;

pub mod error;
pub mod http;
pub mod port;
pub mod registry;
