//! Schedules: weekly patterns in the zone of their site.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

use super::json;
use crate::error::StoreError;

/// A row of `schedules`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedules")]
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
    /// A `domain::schedule::Week`.
    pub week: Json,
    /// Counts its changes.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its week, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn week(&self) -> Result<domain::schedule::Week, StoreError> {
        json("schedules", "week", &self.week)
    }
}
