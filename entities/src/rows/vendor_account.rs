//! Vendor accounts: sealed credentials at a base URL, and whether they work.

use domain::{
    account::{AccountState, Vendor},
    clock::Timestamp,
};
use sea_orm::entity::prelude::*;

use super::word;
use crate::error::StoreError;

/// A row of `vendor_accounts`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vendor_accounts")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// The site of whatever the vendor places nowhere.
    pub site_id: Uuid,
    /// A `domain::account::Vendor`.
    pub vendor: String,
    /// A name for people.
    pub name: String,
    /// Where its API is.
    pub base_url: String,
    /// Sealed by the vault for this row and column.
    pub credentials: Vec<u8>,
    /// Counts the changes of the credentials.
    pub credentials_version: i64,
    /// A `domain::account::AccountState`.
    pub state: String,
    /// Why it is in that state.
    pub state_reason: Option<String>,
    /// Since when.
    pub state_since: Timestamp,
    /// When everything was last read to its end.
    pub synced_at: Option<Timestamp>,
    /// Whom the vendor takes us for, if it says so.
    pub signed_in_as: Option<String>,
    /// The SHA-256 of the token in the account's webhook address.
    pub intake_token_hash: Option<Vec<u8>>,
    /// Since when a sync is wished for.
    pub sync_requested_at: Option<Timestamp>,
    /// Why the last sync was not complete.
    pub sync_error: Option<String>,
    /// When it was linked.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whose API it is.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn vendor(&self) -> Result<Vendor, StoreError> {
        word(Vendor::parse, "vendor_accounts", "vendor", &self.vendor)
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn state(&self) -> Result<AccountState, StoreError> {
        word(AccountState::parse, "vendor_accounts", "state", &self.state)
    }
}
