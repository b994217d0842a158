//! Idempotency keys that mutations other than commands were given: what was asked for under one, and what came of it.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// A row of `used_keys`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "used_keys")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// The public id of the actor.
    #[sea_orm(primary_key, auto_increment = false)]
    pub requested_by: String,
    /// The caller's key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub idempotency_key: String,
    /// The keyed digest of what was asked for: it may hold a secret.
    pub asked: Vec<u8>,
    /// The row that was made or changed.
    pub object_id: Uuid,
    /// When it was used first.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
