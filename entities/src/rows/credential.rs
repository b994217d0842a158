//! Credentials: what a person presents at a door.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

use super::word;
use crate::error::StoreError;

/// A row of `credentials`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credentials")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// A `domain::record::CredentialType`.
    pub kind: String,
    /// A name for people.
    pub label: Option<String>,
    /// The number of a card, tag or telephone; the e-mail address of a mobile key. Never a PIN.
    pub number: Option<String>,
    /// A PIN, sealed by the vault for this row and column.
    pub sealed: Option<Vec<u8>>,
    /// The keyed digest of the value, to find equal ones.
    pub fingerprint: Option<Vec<u8>>,
    /// A `domain::credential::CredentialState`.
    pub state: String,
    /// From when on; always without.
    pub valid_from: Option<Timestamp>,
    /// Until when; for ever without.
    pub valid_until: Option<Timestamp>,
    /// When it must be settled again; absent when nothing changes by itself.
    pub due_at: Option<Timestamp>,
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
    /// Its kind, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn kind(&self) -> Result<domain::record::CredentialType, StoreError> {
        word(domain::record::CredentialType::parse, "credentials", "kind", &self.kind)
    }

    /// Its state, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn state(&self) -> Result<domain::credential::CredentialState, StoreError> {
        word(domain::credential::CredentialState::parse, "credentials", "state", &self.state)
    }
}
