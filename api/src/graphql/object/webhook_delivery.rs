//! A webhook delivery, as the schema shows it: where it stands, never what it holds.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    access::{Denial, Principal, Role},
    clock::Timestamp,
    ids::{VendorAccountId, WebhookDeliveryId},
};
use entities::rows::webhook_delivery;

use super::{VendorAccount, neighbour};
use crate::graphql::words::WebhookDeliveryState;

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct WebhookDelivery(pub(super) Arc<webhook_delivery::Model>);

/// Whether a caller may look at webhook deliveries.
///
/// # Errors
/// The reason why not.
pub(crate) fn may_see_deliveries(principal: &Principal, now: Timestamp) -> Result<(), Denial> {
    principal.must_be(Role::Admin, now)
}

/// One delivery of a vendor's to a webhook address. Its content is sealed and never shown. Seen by ADMINs only.
#[Object]
impl WebhookDelivery {
    /// Its id (`whd_…`).
    pub(crate) async fn id(&self) -> ID {
        WebhookDeliveryId(self.0.id).to_string().into()
    }

    /// The account whose webhook address it came to.
    async fn vendor_account(&self, context: &Context<'_>) -> Option<Result<VendorAccount>> {
        neighbour(context, VendorAccountId(self.0.account_id)).await
    }

    /// Where it stands.
    async fn state(&self) -> Result<WebhookDeliveryState> {
        Ok(self.0.state()?.into())
    }

    /// When it came in.
    async fn received_at(&self) -> Timestamp {
        self.0.received_at
    }

    /// The size of its body, in bytes.
    async fn size(&self) -> i32 {
        self.0.size
    }

    /// How often its processing began.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// What came of it, in a sentence.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// When it was last processed to its end.
    async fn processed_at(&self) -> Option<Timestamp> {
        self.0.processed_at
    }
}
