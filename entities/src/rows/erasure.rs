//! Erasures: who was erased, and whether everything was gone through.

use domain::{clock::Timestamp, erasure::KnownAs};
use sea_orm::entity::prelude::*;

use super::json;
use crate::error::StoreError;

/// A row of `erasures`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erasures")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Their tenant.
    pub organization_id: Uuid,
    /// What is to be struck, a `domain::erasure::KnownAs`; absent once nothing is left.
    pub known_as: Option<Json>,
    /// When it was asked for.
    pub begun_at: Timestamp,
    /// When the worker must go on with it; absent once nothing is left.
    pub due_at: Option<Timestamp>,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What is to be struck.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn known_as(&self) -> Result<KnownAs, StoreError> {
        let known_as = self.known_as.as_ref();
        known_as.map_or_else(|| Ok(KnownAs::default()), |value| json("erasures", "known_as", value))
    }
}
