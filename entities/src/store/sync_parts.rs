//! How far each part of an account's sync has come.

use domain::{clock::Timestamp, ids::VendorAccountId};
use sea_orm::{EntityTrait, Set, sea_query::OnConflict};

use crate::{Database, StoreError, rows::sync_part};

/// What became of a part, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartProgress<'a> {
    /// Where the next read begins; `None` leaves it.
    pub cursor: Option<&'a str>,
    /// When it was read to its end; `None` leaves it.
    pub synced_at: Option<Timestamp>,
    /// Why it was not; `None` says that all is well.
    pub error: Option<&'a str>,
}

/// Writes how far a part has come.
///
/// # Errors
/// The database failed.
pub async fn write(
    database: &Database,
    account: VendorAccountId,
    part: &str,
    progress: PartProgress<'_>,
) -> Result<(), StoreError> {
    let mut changed = vec![sync_part::Column::Error];
    if progress.cursor.is_some() {
        changed.push(sync_part::Column::Cursor);
    }
    if progress.synced_at.is_some() {
        changed.push(sync_part::Column::SyncedAt);
    }
    let row = sync_part::ActiveModel {
        account_id: Set(account.0),
        part: Set(part.to_owned()),
        cursor: Set(progress.cursor.map(str::to_owned)),
        synced_at: Set(progress.synced_at),
        error: Set(progress.error.map(str::to_owned)),
    };
    let known =
        OnConflict::columns([sync_part::Column::AccountId, sync_part::Column::Part]).update_columns(changed).to_owned();
    sync_part::Entity::insert(row).on_conflict(known).exec_without_returning(database.write()).await?;
    Ok(())
}
