//! Alerts: what a person must look at.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

use super::word;
use crate::error::StoreError;

/// A row of `alerts`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where, if it is at one place.
    pub site_id: Option<Uuid>,
    /// A `domain::alert::AlertKind`.
    pub kind: String,
    /// A `domain::alert::AlertSeverity`.
    pub severity: String,
    /// The public id of what it is about.
    pub subject: String,
    /// A sentence for people; never a secret.
    pub message: String,
    /// Since when.
    pub raised_at: Timestamp,
    /// When somebody took note.
    pub acknowledged_at: Option<Timestamp>,
    /// The public id of who did.
    pub acknowledged_by: Option<String>,
    /// When its cause was gone.
    pub resolved_at: Option<Timestamp>,
    /// Counts its changes.
    pub version: i64,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its kind, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn kind(&self) -> Result<domain::alert::AlertKind, StoreError> {
        word(domain::alert::AlertKind::parse, "alerts", "kind", &self.kind)
    }

    /// Its severity, read.
    ///
    /// # Errors
    /// The stored value is unreadable.
    pub fn severity(&self) -> Result<domain::alert::AlertSeverity, StoreError> {
        word(domain::alert::AlertSeverity::parse, "alerts", "severity", &self.severity)
    }
}
