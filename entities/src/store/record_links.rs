//! Keeping `record_links` equal to the lists in the records of access systems. Written with the record, by `records` only.

use std::collections::BTreeSet;

use domain::record::RecordDetails;
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::{
    StoreError,
    rows::{record, record_link},
};

/// Links that are written at once: SQLite takes a bounded number of parameters in one statement.
const PIECE: usize = 1_000;

/// Writes what a new or changed record names. `old` is the record as it was.
pub(super) async fn keep(
    transaction: &DatabaseTransaction,
    old: Option<&record::Model>,
    row: &record::Model,
) -> Result<(), StoreError> {
    let named = named_by(row)?;
    let before = old.map(named_by).transpose()?.unwrap_or_default();
    if named == before {
        return Ok(());
    }
    if !before.is_empty() {
        record_link::Entity::delete_many().filter(record_link::Column::RecordId.eq(row.id)).exec(transaction).await?;
    }
    let links: Vec<record_link::ActiveModel> = named
        .into_iter()
        .map(|target| {
            let link =
                record_link::Model { record_id: row.id, account_id: row.account_id, kind: row.kind.clone(), target };
            record_link::ActiveModel::from(link).reset_all()
        })
        .collect();
    for piece in links.chunks(PIECE) {
        record_link::Entity::insert_many(piece.iter().cloned()).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// The vendor's ids that a record names: of access levels, or of doors.
fn named_by(row: &record::Model) -> Result<BTreeSet<String>, StoreError> {
    Ok(match row.details()? {
        RecordDetails::User(user) => user.access_levels.unwrap_or_default(),
        RecordDetails::AccessLevel(level) => level.doors,
        _ => BTreeSet::new(),
    })
}
