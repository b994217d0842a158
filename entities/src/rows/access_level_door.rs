//! The doors of access levels.

use sea_orm::entity::prelude::*;

/// A row of `access_level_doors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_level_doors")]
pub struct Model {
    /// The access level.
    #[sea_orm(primary_key, auto_increment = false)]
    pub access_level_id: Uuid,
    /// One of its doors.
    #[sea_orm(primary_key, auto_increment = false)]
    pub door_id: Uuid,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
