//! Vendors and the state of our accounts with them.

use serde::{Deserialize, Serialize};

use crate::text_enum;

text_enum! {
    /// A system that Gatehouse speaks with.
    pub enum Vendor {
        /// Intercoms.
        Raixer = "RAIXER",
        /// Parking gates.
        Parqex = "PARQEX",
        /// Card locks.
        Lockt = "LOCKT",
        /// Bike docks and lockers.
        Bikeep = "BIKEEP",
        /// A hotel's property-management system.
        Mews = "MEWS",
    }
}

text_enum! {
    /// Whether a vendor account can be used.
    pub enum AccountState {
        /// The last exchange went well.
        Connected = "CONNECTED",
        /// The vendor fails or is out of reach; work is retried.
        Degraded = "DEGRADED",
        /// The vendor refuses our credentials; a person must act.
        ReauthRequired = "REAUTH_REQUIRED",
        /// Unlinked: nothing is sent any more.
        Disconnected = "DISCONNECTED",
    }
}
