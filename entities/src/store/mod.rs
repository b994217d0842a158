//! The only functions that write rows, one file per subject. What belongs together is one transaction.

pub mod accounts;
pub mod commands;
pub mod doors;
mod events;
pub mod inventory;
pub mod keys;
pub mod lanes;
pub mod organizations;
