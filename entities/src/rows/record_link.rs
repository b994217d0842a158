//! What records name in lists, by the vendor's ids: people their access levels, access levels their doors.

use sea_orm::entity::prelude::*;

/// A row of `record_links`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record_links")]
pub struct Model {
    /// The record that names.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    /// The account whose vendor keeps it.
    pub account_id: Uuid,
    /// The `domain::record::RecordKind` of the record that names.
    pub kind: String,
    /// The vendor's id of what is named.
    #[sea_orm(primary_key, auto_increment = false)]
    pub target: String,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
