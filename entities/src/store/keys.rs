//! Creating and revoking API keys. Only hashes get here.

use domain::{
    access::{Limits, Role},
    clock::Timestamp,
    ids::{ApiKeyId, OrganizationId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};

use crate::{Database, StoreError, rows::api_key};

/// A key about to be stored.
#[derive(Debug, Clone)]
pub struct NewKey<'a> {
    /// Its id.
    pub id: ApiKeyId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// A name for people.
    pub name: &'a str,
    /// SHA-256 of the key.
    pub secret_hash: Vec<u8>,
    /// What it may do.
    pub role: Role,
    /// What it is limited to.
    pub limits: &'a Limits,
    /// From when on it does not count.
    pub expires_at: Option<Timestamp>,
}

/// Stores a key.
///
/// # Errors
/// The database failed.
pub async fn create(database: &Database, key: NewKey<'_>, now: Timestamp) -> Result<(), StoreError> {
    let limits = serde_json::to_value(key.limits)
        .map_err(|error| StoreError::unreadable("api_keys", "limits", &error.to_string()))?;
    let row = api_key::ActiveModel {
        id: Set(key.id.0),
        organization_id: Set(key.organization.0),
        name: Set(key.name.to_owned()),
        secret_hash: Set(key.secret_hash),
        role: Set(key.role.as_str().to_owned()),
        limits: Set(limits),
        created_at: Set(now),
        expires_at: Set(key.expires_at),
        revoked_at: Set(None),
    };
    api_key::Entity::insert(row).exec_without_returning(database.write()).await?;
    Ok(())
}

/// Revokes a key. Returns whether there was one to revoke.
///
/// # Errors
/// The database failed.
pub async fn revoke(
    database: &Database,
    organization: OrganizationId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = api_key::Entity::update_many()
        .col_expr(api_key::Column::RevokedAt, Expr::value(now))
        .filter(api_key::Column::Id.eq(id.0))
        .filter(api_key::Column::OrganizationId.eq(organization.0))
        .filter(api_key::Column::RevokedAt.is_null())
        .exec(database.write())
        .await?;
    Ok(done.rows_affected == 1)
}
