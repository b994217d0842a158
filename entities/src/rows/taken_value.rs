//! Which value is taken at which door and when. Fingerprints only.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// A row of `taken_values`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "taken_values")]
pub struct Model {
    /// The door.
    #[sea_orm(primary_key, auto_increment = false)]
    pub door_id: Uuid,
    /// The token or credential that has it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub holder_id: Uuid,
    /// The keyed digest of the value. One that was replaced keeps its row until it may be used again.
    #[sea_orm(primary_key, auto_increment = false)]
    pub fingerprint: Vec<u8>,
    /// From when on.
    pub taken_from: Timestamp,
    /// Until when, the time before it may be used again included; for ever without.
    pub taken_until: Option<Timestamp>,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
