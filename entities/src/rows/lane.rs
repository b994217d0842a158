//! Lanes: who works on an ordering scope at the moment.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// A row of `lanes`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lanes")]
pub struct Model {
    /// The door, device or account that orders.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The worker process that holds it.
    pub owner: Uuid,
    /// Until when.
    pub lease_until: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
