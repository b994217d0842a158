//! Records: what a vendor keeps beside devices and doors, as it was last seen.

use domain::{
    clock::Timestamp,
    record::{RecordDetails, RecordKind},
};
use sea_orm::entity::prelude::*;

use super::{json, word};
use crate::error::StoreError;

/// A row of `records`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "records")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where it belongs.
    pub site_id: Uuid,
    /// The account whose vendor keeps it.
    pub account_id: Uuid,
    /// The device that it belongs to, if it does.
    pub device_id: Option<Uuid>,
    /// A `domain::record::RecordKind`.
    pub kind: String,
    /// The vendor's id, unique among its kind in the account.
    pub external_id: String,
    /// A name for people.
    pub name: String,
    /// The name in lower case, for searching.
    pub name_folded: String,
    /// A `domain::record::RecordDetails`.
    pub details: Json,
    /// What nobody may read in it, sealed by the vault for this row and column.
    pub secret: Option<Vec<u8>>,
    /// Counts its changes.
    pub version: i64,
    /// When it last changed, by our clock.
    pub changed_at: Timestamp,
    /// When the vendor last listed it.
    pub last_seen_at: Timestamp,
    /// Since when complete lists lack it.
    pub missing_since: Option<Timestamp>,
    /// When it was found.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its kind.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn kind(&self) -> Result<RecordKind, StoreError> {
        word(RecordKind::parse, "records", "kind", &self.kind)
    }

    /// What it says.
    ///
    /// # Errors
    /// The stored details are unreadable.
    pub fn details(&self) -> Result<RecordDetails, StoreError> {
        json("records", "details", &self.details)
    }
}
