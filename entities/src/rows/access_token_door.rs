//! The doors that a token opens or may still open.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// A row of `access_token_doors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_token_doors")]
pub struct Model {
    /// The token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub access_token_id: Uuid,
    /// The door.
    #[sea_orm(primary_key, auto_increment = false)]
    pub door_id: Uuid,
    /// Set once it is no longer meant to open: until when it is kept at the latest, so that nobody stands outside.
    pub leaves_at: Option<Timestamp>,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
