//! Records of erased people, by the vendor's ids: whatever their vendor tells of them later, their person is left out.

use sea_orm::entity::prelude::*;

/// A row of `erased_records`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erased_records")]
pub struct Model {
    /// The account whose vendor keeps it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    /// A `domain::record::RecordKind`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The vendor's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    /// The person.
    pub user_id: Uuid,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
