//! The front door: HTTP, WebSocket and the GraphQL schema. It authenticates, authorises, writes commands and rings the bell;
//! it never speaks to a vendor and holds no SQL.

mod actions;
mod app;
mod auth;
pub mod desk;
mod documents;
mod execution;
mod graphql;
mod health;
mod http;
mod loaders;
mod routes;
mod shared;
mod socket;
mod sse;
mod token;

pub use app::{Parts, Settings, router};
pub use documents::{InvalidManifest, read_manifest};
pub use graphql::sdl;
