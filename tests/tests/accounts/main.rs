//! Temporary target of one helper (T-ACCOUNTS); it goes when its tests are done.
#![expect(clippy::unwrap_used, clippy::panic, reason = "this whole crate is a test, its helpers too")]
#![allow(dead_code)]
#[path = "../../it/account_linking.rs"]
mod account_linking;
#[path = "../../it/account_linking_upkeep.rs"]
mod account_linking_upkeep;
#[path = "../../it/account_links.rs"]
mod account_links;
#[path = "../../it/oauth.rs"]
mod oauth;
#[path = "../../it/orders.rs"]
mod orders;
#[path = "../../it/oauth_refresh.rs"]
mod oauth_refresh;
#[path = "../../it/oauth_bikeep.rs"]
mod oauth_bikeep;
#[path = "../../it/account_linking_secrets.rs"]
mod account_linking_secrets;
