//! API keys: stored as hashes, with what they may do.

use domain::{
    access::{Actor, Principal, Role},
    clock::Timestamp,
    ids::{ApiKeyId, OrganizationId},
};
use sea_orm::entity::prelude::*;

use super::{json, word};
use crate::error::StoreError;

/// A row of `api_keys`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// A name for people.
    pub name: String,
    /// SHA-256 of the key. The key itself has 256 random bits, so a slow hash would add nothing.
    pub secret_hash: Vec<u8>,
    /// A `domain::access::Role`.
    pub role: String,
    /// `domain::access::Limits`.
    pub limits: Json,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it does not count.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Who presents this key, and what they may do.
    ///
    /// # Errors
    /// The stored role or limits are unreadable.
    pub fn principal(&self) -> Result<Principal, StoreError> {
        Ok(Principal {
            organization: OrganizationId(self.organization_id),
            actor: Actor::ApiKey(ApiKeyId(self.id)),
            role: word(Role::parse, "api_keys", "role", &self.role)?,
            limits: json("api_keys", "limits", &self.limits)?,
            expires_at: self.expires_at,
        })
    }
}
