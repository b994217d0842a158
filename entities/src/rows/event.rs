//! Events: immutable facts with two clocks.

use domain::{clock::Timestamp, event::EventType};
use sea_orm::entity::prelude::*;

use super::word;
use crate::error::StoreError;

/// A row of `events`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where.
    pub site_id: Option<Uuid>,
    /// At which device.
    pub device_id: Option<Uuid>,
    /// At which door.
    pub door_id: Option<Uuid>,
    /// By which command.
    pub command_id: Option<Uuid>,
    /// At which vendor account, if its vendor told of it.
    pub account_id: Option<Uuid>,
    /// The vendor's id of it, unique in the account.
    pub external_id: Option<String>,
    /// What it is in the vendor's word.
    pub vendor_code: Option<String>,
    /// A `domain::event::EventType`.
    #[sea_orm(column_name = "type")]
    pub event_type: String,
    /// When it happened, by the clock of whoever saw it.
    pub occurred_at: Timestamp,
    /// When we wrote it down.
    pub recorded_at: Timestamp,
    /// Who caused it.
    pub actor: Option<String>,
    /// Details; never a secret.
    pub data: Json,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What happened.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn event_type(&self) -> Result<EventType, StoreError> {
        word(EventType::parse, "events", "type", &self.event_type)
    }
}
