//! How far each part of an account's sync has come.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// A row of `sync_parts`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_parts")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    /// Which part, in the connector's word.
    #[sea_orm(primary_key, auto_increment = false)]
    pub part: String,
    /// Where the next read begins, in the connector's words.
    pub cursor: Option<String>,
    /// When it was last read to its end.
    pub synced_at: Option<Timestamp>,
    /// Why it was not, the last time.
    pub error: Option<String>,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
