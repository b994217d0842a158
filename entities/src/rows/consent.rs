//! Consents under way: a user was sent to a vendor (OAuth 2) and has not come back yet.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// A row of `consents`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consents")]
pub struct Model {
    /// The SHA-256 of the state that the browser carries.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    /// Which account it is for.
    pub account_id: Uuid,
    /// The verifier (RFC 7636), sealed by the vault for this table and column and the account.
    pub verifier: Vec<u8>,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// The public id of who asked.
    pub requested_by: String,
    /// When they did.
    pub created_at: Timestamp,
    /// From when on it counts no more.
    pub expires_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
