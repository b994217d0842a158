//! Access levels: doors with a schedule, assigned to people.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// A row of `access_levels`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_levels")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where it belongs.
    pub site_id: Uuid,
    /// A name for people.
    pub name: String,
    /// When it counts; always without.
    pub schedule_id: Option<Uuid>,
    /// Counts its changes.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
