//! Webhook deliveries: kept as they came in, sealed, until they are understood and for a while after.

use domain::{clock::Timestamp, webhook::DeliveryState};
use sea_orm::entity::prelude::*;

use super::word;
use crate::error::StoreError;

/// A row of `webhook_deliveries`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_deliveries")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Whose intake it came in by.
    pub account_id: Uuid,
    /// When.
    pub received_at: Timestamp,
    /// Headers and raw body (`domain::webhook::RawDelivery`), sealed by the vault for this row and column.
    pub content: Vec<u8>,
    /// The size of the body, in bytes.
    pub size: i32,
    /// A `domain::webhook::DeliveryState`.
    pub state: String,
    /// How often its processing began.
    pub attempts: i32,
    /// What came of it, in a sentence.
    pub note: Option<String>,
    /// When the worker must look at it next.
    pub due_at: Option<Timestamp>,
    /// When it was last processed to its end.
    pub processed_at: Option<Timestamp>,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Where it stands.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn state(&self) -> Result<DeliveryState, StoreError> {
        word(DeliveryState::parse, "webhook_deliveries", "state", &self.state)
    }
}
