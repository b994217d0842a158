//! Gatehouse: one GraphQL API for every door. This package puts the rooms together into one house and one binary.

pub mod cli;
pub mod demo;
pub mod desk;
pub mod failure;
pub mod foundation;
pub mod house;
mod issuers;
pub mod keys;
pub mod ledger;
pub mod rotation;
