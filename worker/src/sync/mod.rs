//! Syncing from the vendors: what they hold becomes our devices and doors.

pub mod inventory;
