//! The front door: HTTP, WebSocket and the GraphQL schema. It authenticates, authorises, writes commands and rings the bell;
//! it never speaks to a vendor and holds no SQL.

mod accept;
mod actions;
mod app;
mod auth;
mod body;
mod connections;
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
mod streams;
mod token;

pub use app::{Parts, Settings, router};
pub use connections::{ConnectionLimits, serve};
pub use documents::{InvalidManifest, read_manifest};
pub use graphql::sdl;
