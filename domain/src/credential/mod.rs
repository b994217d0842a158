//! Credentials: what a person presents at a door. What kinds there are is `record::CredentialType`; `plan` says what one
//! wishes for at vendors, `numbers` what may stand on one.

mod numbers;
mod plan;
mod spans;

use serde::{Deserialize, Serialize};

pub use self::{
    numbers::{NumberFault, checked_number, is_email},
    plan::{CredentialFacts, Grant, House, HouseDoor, Plan, Planned, can_hold, plan, reachable, two_names},
};
use crate::text_enum;

text_enum! {
    /// Whether a credential is meant to open.
    pub enum CredentialState {
        /// It is meant to.
        Active = "ACTIVE",
        /// Not now; it may be resumed.
        Suspended = "SUSPENDED",
        /// Never again.
        Revoked = "REVOKED",
    }
}
