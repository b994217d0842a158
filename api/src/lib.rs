//! The front door: HTTP, WebSocket and the GraphQL schema. It authenticates, authorises, writes commands and rings the bell;
//! it never speaks to a vendor and holds no SQL.

mod actions;
mod app;
mod auth;
mod execution;
mod graphql;
mod health;
mod http;
mod loaders;
mod shared;
mod socket;

pub use app::{Parts, Settings, router};
pub use graphql::sdl;
