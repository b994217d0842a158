//! Which doors a room or bed of a PMS stands for.

use sea_orm::entity::prelude::*;

/// A row of `resource_doors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resource_doors")]
pub struct Model {
    /// The account of the PMS.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    /// The PMS's id of the resource.
    #[sea_orm(primary_key, auto_increment = false)]
    pub resource: String,
    /// One of its doors.
    #[sea_orm(primary_key, auto_increment = false)]
    pub door_id: Uuid,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
