//! Which site a vendor location belongs to.

use sea_orm::entity::prelude::*;

/// A row of `account_locations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_locations")]
pub struct Model {
    /// The vendor account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    /// The location in the words of the vendor.
    #[sea_orm(primary_key, auto_increment = false)]
    pub location: String,
    /// Our site.
    pub site_id: Uuid,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
