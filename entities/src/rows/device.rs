//! Devices: hardware as its vendor describes it.

use std::collections::BTreeSet;

use domain::{
    clock::Timestamp,
    command::CommandKind,
    device::{DeviceDetails, Health},
};
use sea_orm::entity::prelude::*;

use super::{capabilities, json, word};
use crate::error::StoreError;

/// A row of `devices`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "devices")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where it is.
    pub site_id: Uuid,
    /// The account that reaches it.
    pub account_id: Uuid,
    /// The vendor's id of it.
    pub external_id: String,
    /// A name for people.
    pub name: String,
    /// The vendor's type.
    pub model: String,
    /// Its firmware, if told.
    pub firmware: Option<String>,
    /// A `domain::device::Health`.
    pub health: String,
    /// Since when it is so.
    pub health_since: Option<Timestamp>,
    /// Battery charge, 0 to 100.
    pub battery_percent: Option<i32>,
    /// Commands for the device itself.
    pub capabilities: Json,
    /// A `domain::device::DeviceDetails`.
    pub details: Option<Json>,
    /// When the vendor last listed it.
    pub last_seen_at: Timestamp,
    /// Since when complete inventories lack it.
    pub missing_since: Option<Timestamp>,
    /// When it was found.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// How it is.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn health(&self) -> Result<Health, StoreError> {
        word(Health::parse, "devices", "health", &self.health)
    }

    /// What else its vendor documents of it.
    ///
    /// # Errors
    /// The stored details are unreadable.
    pub fn details(&self) -> Result<DeviceDetails, StoreError> {
        self.details
            .as_ref()
            .map_or_else(|| Ok(DeviceDetails::default()), |details| json("devices", "details", details))
    }

    /// What can be asked of the device itself.
    #[must_use]
    pub fn capabilities(&self) -> BTreeSet<CommandKind> {
        capabilities(&self.capabilities)
    }
}
