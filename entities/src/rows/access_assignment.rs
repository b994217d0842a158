//! Whose an access level is, and from when until when.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// A row of `access_assignments`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_assignments")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// What is assigned.
    pub access_level_id: Uuid,
    /// To whom.
    pub user_id: Uuid,
    /// From when on; always without.
    pub valid_from: Option<Timestamp>,
    /// Until when; for ever without.
    pub valid_until: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
