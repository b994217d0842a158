//! Doors: what a person or vehicle passes, and the newest observation of each side of its state.

use std::collections::BTreeSet;

use domain::{
    change::DoorSettings,
    clock::Timestamp,
    command::CommandKind,
    device::PhoneAccess,
    door::{DoorKind, DoorState},
};
use sea_orm::entity::prelude::*;

use super::{capabilities, json, word};
use crate::error::StoreError;

/// A row of `doors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "doors")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where it is.
    pub site_id: Uuid,
    /// The device that drives it.
    pub device_id: Uuid,
    /// The vendor's id of it.
    pub external_id: String,
    /// A name for people.
    pub name: String,
    /// The name in lower case, for searching.
    pub name_folded: String,
    /// A `domain::door::DoorKind`.
    pub kind: String,
    /// Its position on the device, from 1.
    pub position: i32,
    /// Commands it can carry out.
    pub capabilities: Json,
    /// A `domain::door::DoorState`.
    pub state: Json,
    /// The value of the lock side, for filters.
    pub lock_value: String,
    /// The value of the position side, for filters.
    pub position_value: String,
    /// The value of the mode side, for filters.
    pub mode_value: String,
    /// The value of the occupancy side, for filters.
    pub occupancy_value: String,
    /// Counts the changes of the state.
    pub state_version: i64,
    /// A `domain::change::DoorSettings`, where its vendor has such.
    pub settings: Option<Json>,
    /// A `domain::device::PhoneAccess`, where its vendor tells.
    pub phone_access: Option<Json>,
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
    /// What kind of passage it is.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn kind(&self) -> Result<DoorKind, StoreError> {
        word(DoorKind::parse, "doors", "kind", &self.kind)
    }

    /// What can be asked of it.
    #[must_use]
    pub fn capabilities(&self) -> BTreeSet<CommandKind> {
        capabilities(&self.capabilities)
    }

    /// Its state.
    ///
    /// # Errors
    /// The stored state is unreadable.
    pub fn state(&self) -> Result<DoorState, StoreError> {
        json("doors", "state", &self.state)
    }

    /// Its settings at the vendor.
    ///
    /// # Errors
    /// The stored settings are unreadable.
    pub fn settings(&self) -> Result<Option<DoorSettings>, StoreError> {
        self.settings.as_ref().map(|settings| json("doors", "settings", settings)).transpose()
    }

    /// Who may open it by telephone.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn phone_access(&self) -> Result<Option<PhoneAccess>, StoreError> {
        self.phone_access.as_ref().map(|access| json("doors", "phone_access", access)).transpose()
    }
}
