//! The doors of reservations: those assigned by hand, or those that the assigned room stands for.

use sea_orm::entity::prelude::*;

/// A row of `reservation_doors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservation_doors")]
pub struct Model {
    /// The reservation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub reservation_id: Uuid,
    /// One of its doors.
    #[sea_orm(primary_key, auto_increment = false)]
    pub door_id: Uuid,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
