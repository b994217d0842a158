//! Keys that the vault keeps for the whole house, sealed. Each is made once, whoever asks for it first.

use domain::clock::Timestamp;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use crate::{Database, StoreError, rows::vault_key};

/// The name of the key of fingerprints.
pub const FINGERPRINTS: &str = "fingerprints";

/// The key of a name, if there is one.
///
/// # Errors
/// The database failed.
pub async fn find(database: &Database, name: &str) -> Result<Option<vault_key::Model>, StoreError> {
    Ok(vault_key::Entity::find().filter(vault_key::Column::Name.eq(name)).one(database.write()).await?)
}

/// Keeps a key, sealed for table `vault_keys`, column `sealed`, this id, unless there is one of that name. Returns the one
/// that is kept.
///
/// # Errors
/// The database failed.
pub async fn keep(
    database: &Database,
    id: Uuid,
    name: &str,
    sealed: Vec<u8>,
    now: Timestamp,
) -> Result<vault_key::Model, StoreError> {
    let row = vault_key::Model { id, name: name.to_owned(), sealed, created_at: now };
    let once = OnConflict::new().do_nothing().to_owned();
    vault_key::Entity::insert(vault_key::ActiveModel::from(row.clone()).reset_all())
        .on_conflict(once)
        .exec_without_returning(database.write())
        .await?;
    Ok(find(database, name).await?.unwrap_or(row))
}
