//! Access tokens: the codes of stays.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

use super::{json, word};
use crate::error::StoreError;

/// A row of `access_tokens`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_tokens")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where it belongs.
    pub site_id: Uuid,
    /// The stay that it is for.
    pub reservation_id: Uuid,
    /// A `domain::record::TokenType`.
    pub token_type: String,
    /// The value, sealed by the vault for this row and column; wiped once it is revoked.
    pub sealed: Option<Vec<u8>>,
    /// The keyed digest of the value, to find equal ones.
    pub fingerprint: Vec<u8>,
    /// A `domain::stay::TokenState`.
    pub state: String,
    /// From when on, if asked for; else it follows the stay.
    pub asked_from: Option<Timestamp>,
    /// Until when, if asked for; else it follows the stay.
    pub asked_until: Option<Timestamp>,
    /// The doors asked for, a list of ids; else it follows the stay.
    pub asked_doors: Option<Json>,
    /// From when on it is to open, graces included.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// The public id of the actor.
    pub requested_by: String,
    /// The caller's key, or its own id.
    pub idempotency_key: String,
    /// When it was to be taken away.
    pub revoke_requested_at: Option<Timestamp>,
    /// When it was gone everywhere.
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
    /// Its token type, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn token_type(&self) -> Result<domain::record::TokenType, StoreError> {
        word(domain::record::TokenType::parse, "access_tokens", "token_type", &self.token_type)
    }

    /// Its state, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn state(&self) -> Result<domain::stay::TokenState, StoreError> {
        word(domain::stay::TokenState::parse, "access_tokens", "state", &self.state)
    }

    /// Its asked doors, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn asked_doors(&self) -> Result<Option<std::collections::BTreeSet<domain::ids::DoorId>>, StoreError> {
        self.asked_doors.as_ref().map(|value| json("access_tokens", "asked_doors", value)).transpose()
    }
}
