//! The front door: HTTP, WebSocket and the GraphQL schema. It authenticates, authorises, writes commands and rings the bell;
//! it never speaks to a vendor and holds no SQL.

mod actions;
mod app;
mod auth;
pub mod desk;
mod execution;
mod graphql;
mod health;
mod http;
mod loaders;
mod routes;
mod shared;
mod socket;
mod token;

pub use app::{Parts, Settings, router};
pub use graphql::sdl;
