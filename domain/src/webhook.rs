//! Webhook deliveries: what is kept of one, and where it stands.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text_enum;

text_enum! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// Stored, and not understood yet.
        Pending = "PENDING",
        /// Understood, and what it says is written.
        Processed = "PROCESSED",
        /// Not authentic, or nothing that the vendor is documented to send. Kept for a look.
        Rejected = "REJECTED",
    }
}

/// A delivery as it came in. Sealed before it is stored: headers may hold the vendor's key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawDelivery {
    /// Names in lower case, values as sent.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl fmt::Debug for RawDelivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RawDelivery").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}
