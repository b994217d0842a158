//! API keys by their hash: the one finder without a scope, because it is what gives a caller theirs.

use domain::clock::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Database, StoreError, rows::api_key};

/// The key with this SHA-256, unless it is revoked or expired at `now`.
///
/// # Errors
/// The database failed.
pub async fn by_hash(database: &Database, hash: &[u8], now: Timestamp) -> Result<Option<api_key::Model>, StoreError> {
    let found = api_key::Entity::find()
        .filter(api_key::Column::SecretHash.eq(hash.to_vec()))
        .filter(api_key::Column::RevokedAt.is_null())
        .one(database.read())
        .await?;
    Ok(found.filter(|key| key.expires_at.is_none_or(|at| now < at)))
}
