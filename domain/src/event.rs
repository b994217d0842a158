//! Events: the words for immutable facts. Their rows are written by `entities/store`.

use serde::{Deserialize, Serialize};

use crate::text_enum;

text_enum! {
    /// What happened.
    pub enum EventType {
        /// Somebody asked for an action.
        CommandRequested = "COMMAND_REQUESTED",
        /// A command came to its outcome.
        CommandFinished = "COMMAND_FINISHED",
        /// A value of a door's state changed.
        DoorStateChanged = "DOOR_STATE_CHANGED",
        /// The inventory sync found a new device.
        DeviceFound = "DEVICE_FOUND",
        /// A device's health changed.
        DeviceHealthChanged = "DEVICE_HEALTH_CHANGED",
        /// A complete inventory no longer lists a device.
        DeviceMissing = "DEVICE_MISSING",
        /// A vendor account's state changed.
        AccountStateChanged = "ACCOUNT_STATE_CHANGED",
    }
}
