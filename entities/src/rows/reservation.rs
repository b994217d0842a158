//! Reservations: stays, known to a PMS or made here.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

use super::{json, word};
use crate::error::StoreError;

/// A row of `reservations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservations")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where it belongs.
    pub site_id: Uuid,
    /// The account of the PMS; none for one made here.
    pub account_id: Option<Uuid>,
    /// The PMS's id.
    pub external_id: Option<String>,
    /// The number that people use.
    pub number: Option<String>,
    /// The guest, a row of `users`.
    pub guest_id: Option<Uuid>,
    /// The PMS's id of the assigned room.
    pub resource: Option<String>,
    /// A `domain::record::ReservationState`.
    pub state: String,
    /// When the stay is to begin.
    pub starts_at: Timestamp,
    /// When it is to end.
    pub ends_at: Timestamp,
    /// When the guest came in.
    pub actual_start: Option<Timestamp>,
    /// When the guest left.
    pub actual_end: Option<Timestamp>,
    /// A `domain::stay::Readiness`.
    pub readiness: String,
    /// A list of `domain::stay::ReadinessReason`.
    pub reasons: Json,
    /// When it must be settled again; absent when nothing will change by itself.
    pub due_at: Option<Timestamp>,
    /// Counts its changes.
    pub version: i64,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its state, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn state(&self) -> Result<domain::record::ReservationState, StoreError> {
        word(domain::record::ReservationState::parse, "reservations", "state", &self.state)
    }

    /// Its readiness, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn readiness(&self) -> Result<domain::stay::Readiness, StoreError> {
        word(domain::stay::Readiness::parse, "reservations", "readiness", &self.readiness)
    }

    /// Its reasons, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn reasons(&self) -> Result<Vec<domain::stay::ReadinessReason>, StoreError> {
        json("reservations", "reasons", &self.reasons)
    }
}
