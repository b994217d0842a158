//! A vendor account, as the schema shows it: never its credentials or base URL.

use std::sync::Arc;

use async_graphql::{ID, Object, Result};
use domain::{clock::Timestamp, ids::VendorAccountId};
use entities::rows::vendor_account;

use crate::graphql::words::{Vendor, VendorAccountState};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct VendorAccount(pub(super) Arc<vendor_account::Model>);

/// One set of credentials at one vendor. The credentials themselves are never shown. Seen only by callers who see the
/// whole organization.
#[Object]
impl VendorAccount {
    /// Its id (`acct_…`).
    pub(crate) async fn id(&self) -> ID {
        VendorAccountId(self.0.id).to_string().into()
    }

    /// Whose system it is at.
    async fn vendor(&self) -> Result<Vendor> {
        Ok(self.0.vendor()?.into())
    }

    /// A name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it can be used.
    async fn state(&self) -> Result<VendorAccountState> {
        Ok(self.0.state()?.into())
    }

    /// Why it is in that state, in words.
    async fn state_reason(&self) -> Option<&str> {
        self.0.state_reason.as_deref()
    }

    /// Since when it is in that state.
    async fn state_since(&self) -> Timestamp {
        self.0.state_since
    }

    /// When its inventory was last read to the end; null if never yet.
    async fn synced_at(&self) -> Option<Timestamp> {
        self.0.synced_at
    }

    /// When it was linked.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}
