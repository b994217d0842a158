//! The doors of credentials that are meant for certain doors.

use sea_orm::entity::prelude::*;

/// A row of `credential_doors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credential_doors")]
pub struct Model {
    /// The credential.
    #[sea_orm(primary_key, auto_increment = false)]
    pub credential_id: Uuid,
    /// One of its doors.
    #[sea_orm(primary_key, auto_increment = false)]
    pub door_id: Uuid,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
