//! Times in which a resource of a PMS can not be used (document 004's environment: resource blocks).

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A time in which a resource can not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceBlock {
    /// The vendor's id.
    pub external_id: String,
    /// Why, in the vendor's word (`OutOfOrder`, `InternalUse`).
    pub block_type: Option<String>,
    /// A name for people.
    pub name: Option<String>,
    /// From when on.
    pub starts_at: Option<Timestamp>,
    /// Until when.
    pub ends_at: Option<Timestamp>,
}
