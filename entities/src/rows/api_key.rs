//! API keys: stored as hashes, with what they may do.

use std::collections::BTreeMap;

use domain::{
    access::{Actor, Limits, Principal, Role},
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
    /// The beginning of the key, which finds it and tells nothing; empty for keys of old.
    pub prefix: String,
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
    /// The public id of who made it; none for one of the command line.
    pub created_by: Option<String>,
    /// When it was presented last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// How many commands it may send, if they are counted.
    pub max_uses: Option<i64>,
    /// How many of them it has sent.
    pub uses: i64,
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
            role: self.role()?,
            at_sites: BTreeMap::new(),
            limits: self.limits()?,
            own_doors: std::collections::BTreeSet::new(),
            counted: self.max_uses.is_some(),
            expires_at: self.expires_at,
        })
    }

    /// What it is limited to.
    ///
    /// # Errors
    /// The stored limits are unreadable.
    pub fn limits(&self) -> Result<Limits, StoreError> {
        json("api_keys", "limits", &self.limits)
    }

    /// What it may do.
    ///
    /// # Errors
    /// The stored role is unreadable.
    pub fn role(&self) -> Result<Role, StoreError> {
        word(Role::parse, "api_keys", "role", &self.role)
    }

    /// Whether it counts at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}
