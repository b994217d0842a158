//! Vendor accounts by their webhook address: without a scope, because the address is all that a vendor brings.

use domain::account::AccountState;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Database, StoreError, rows::vendor_account};

/// The account whose webhook address carries the token with this SHA-256, unless it is unlinked.
///
/// # Errors
/// The database failed.
pub async fn by_token_hash(database: &Database, hash: &[u8]) -> Result<Option<vendor_account::Model>, StoreError> {
    Ok(vendor_account::Entity::find()
        .filter(vendor_account::Column::IntakeTokenHash.eq(hash.to_vec()))
        .filter(vendor_account::Column::State.ne(AccountState::Disconnected.as_str()))
        .one(database.read())
        .await?)
}
