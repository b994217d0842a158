//! Users: people.

use domain::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// A row of `users`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// The name of the person.
    pub name: String,
    /// The name in lower case, for searching.
    pub name_folded: String,
    /// The e-mail address of the person.
    pub email: Option<String>,
    /// The telephone number: digits with the country code, without a plus.
    pub phone: Option<String>,
    /// The account of the PMS that told of the person; none for one made here.
    pub account_id: Option<Uuid>,
    /// The PMS's id of the person.
    pub external_id: Option<String>,
    /// When the person was erased: the row stays, nothing personal does.
    pub erased_at: Option<Timestamp>,
    /// Counts its changes.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
