//! Memberships: the role of a user in an organization or at one site.

use domain::{access::Role, clock::Timestamp};
use sea_orm::entity::prelude::*;

use super::word;
use crate::error::StoreError;

/// A row of `memberships`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Whose role.
    pub user_id: Uuid,
    /// Where; everywhere if absent.
    pub site_id: Option<Uuid>,
    /// A `domain::access::Role`.
    pub role: String,
    /// When it was given.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The role.
    ///
    /// # Errors
    /// The stored role is unreadable.
    pub fn role(&self) -> Result<Role, StoreError> {
        word(Role::parse, "memberships", "role", &self.role)
    }
}
