//! Placements: what of a token or credential is to be at a vendor, and what is there.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

use super::{json, word};
use crate::error::StoreError;

/// A row of `placements`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "placements")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where it belongs.
    pub site_id: Uuid,
    /// The vendor account.
    pub account_id: Uuid,
    /// The device, where the vendor keeps it by device.
    pub device_id: Option<Uuid>,
    /// The token that is placed.
    pub token_id: Option<Uuid>,
    /// The credential that is placed.
    pub credential_id: Option<Uuid>,
    /// A `domain::placement::Desired`.
    pub desired: String,
    /// A `domain::placement::Wish`; absent while it cannot be said (no access level, no capability).
    pub wish: Option<Json>,
    /// Counts the changes of the wish.
    pub wish_version: i64,
    /// A `domain::placement::PlacementState`.
    pub state: String,
    /// A `domain::placement::PlacementProgress`.
    pub progress: Json,
    /// The vendor's id of the record.
    pub external_id: Option<String>,
    /// The command under way.
    pub command_id: Option<Uuid>,
    /// A `domain::placement::PlacementErrorCode`.
    pub error_code: Option<String>,
    /// Why, for people.
    pub error_message: Option<String>,
    /// When it must be looked at; absent when nothing is to be done.
    pub due_at: Option<Timestamp>,
    /// When it was last read back as it was to be.
    pub last_confirmed_at: Option<Timestamp>,
    /// When it was to be taken away.
    pub revoke_requested_at: Option<Timestamp>,
    /// When it was read back as gone.
    pub revoked_at: Option<Timestamp>,
    /// Counts its changes.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its desired, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn desired(&self) -> Result<domain::placement::Desired, StoreError> {
        word(domain::placement::Desired::parse, "placements", "desired", &self.desired)
    }

    /// Its wish, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn wish(&self) -> Result<Option<domain::placement::Wish>, StoreError> {
        self.wish.as_ref().map(|value| json("placements", "wish", value)).transpose()
    }

    /// Its state, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn state(&self) -> Result<domain::placement::PlacementState, StoreError> {
        word(domain::placement::PlacementState::parse, "placements", "state", &self.state)
    }

    /// Its progress, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn progress(&self) -> Result<domain::placement::PlacementProgress, StoreError> {
        json("placements", "progress", &self.progress)
    }

    /// Its error code, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn error_code(&self) -> Result<Option<domain::placement::PlacementErrorCode>, StoreError> {
        self.error_code
            .as_ref()
            .map(|value| word(domain::placement::PlacementErrorCode::parse, "placements", "error_code", value))
            .transpose()
    }
}
