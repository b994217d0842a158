//! The only functions that write rows, one file per subject. What belongs together is one transaction.

pub mod accounts;
pub mod commands;
pub mod consents;
pub mod deliveries;
pub mod doors;
mod events;
pub mod inventory;
pub mod keys;
pub mod lanes;
pub mod observed;
pub mod organizations;
pub mod records;
pub mod sync_parts;
