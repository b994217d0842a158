//! Writing which value is taken at which door and when (P13). Fingerprints only. Whoever takes a value locks the rows of
//! its doors first, so that of two takers at a time one sees the other.

use std::collections::BTreeSet;

use domain::{clock::Timestamp, ids::DoorId};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, LockType, OnConflict},
};
use uuid::Uuid;

use crate::{
    StoreError,
    rows::{door, taken_value},
};

/// A value that a token or credential is to have at doors.
#[derive(Debug, Clone, Copy)]
pub struct Hold<'a> {
    /// The row of the token or credential.
    pub holder: Uuid,
    /// The keyed digest of the value.
    pub fingerprint: &'a [u8],
    /// The doors that the value is to open.
    pub doors: &'a BTreeSet<DoorId>,
    /// From when on.
    pub from: Timestamp,
    /// Until when, the time before it may be used again included; for ever without.
    pub until: Option<Timestamp>,
}

/// Somebody else has the value at this door in this time. Who, nobody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// One of the doors.
    pub door: DoorId,
}

/// Takes a value at all these doors, or at none of them. What the holder has elsewhere stays as it is.
///
/// # Errors
/// The database failed.
pub async fn take(transaction: &DatabaseTransaction, hold: &Hold<'_>) -> Result<Result<(), Conflict>, StoreError> {
    lock(transaction, hold.doors).await?;
    if let Some(door) = in_conflict(transaction, hold).await?.first() {
        return Ok(Err(Conflict { door: *door }));
    }
    write(transaction, hold, hold.doors).await?;
    Ok(Ok(()))
}

/// Makes the value taken at these doors in this time, and nowhere else: what the holder had beside that (a door that was
/// left, an earlier value) is free again at `left_until`. Returns the doors where somebody else has the value: there
/// everything stays as it was.
///
/// # Errors
/// The database failed.
pub async fn move_to(
    transaction: &DatabaseTransaction,
    hold: &Hold<'_>,
    left_until: Timestamp,
) -> Result<BTreeSet<DoorId>, StoreError> {
    lock(transaction, hold.doors).await?;
    let refused = in_conflict(transaction, hold).await?;
    let granted: BTreeSet<DoorId> = hold.doors.difference(&refused).copied().collect();
    write(transaction, hold, &granted).await?;
    let kept = Condition::all()
        .add(taken_value::Column::DoorId.is_in(hold.doors.iter().map(|door| door.0)))
        .add(taken_value::Column::Fingerprint.eq(hold.fingerprint));
    shorten(transaction, hold.holder, Some(kept), left_until).await?;
    Ok(refused)
}

/// Ends what a holder has everywhere: it is free again at `until`, which is when the time before it may be used again
/// is over.
///
/// # Errors
/// The database failed.
pub async fn release(transaction: &DatabaseTransaction, holder: Uuid, until: Timestamp) -> Result<(), StoreError> {
    shorten(transaction, holder, None, until).await
}

/// In the order of their ids, so that two takers never wait for each other.
async fn lock(transaction: &DatabaseTransaction, doors: &BTreeSet<DoorId>) -> Result<(), StoreError> {
    door::Entity::find()
        .select_only()
        .column(door::Column::Id)
        .filter(door::Column::Id.is_in(doors.iter().map(|door| door.0)))
        .order_by_asc(door::Column::Id)
        // Rows that only name the door (events, commands) may be written meanwhile.
        .lock(LockType::NoKeyUpdate)
        .into_tuple::<Uuid>()
        .all(transaction)
        .await?;
    Ok(())
}

async fn in_conflict(transaction: &DatabaseTransaction, hold: &Hold<'_>) -> Result<BTreeSet<DoorId>, StoreError> {
    let mut query = taken_value::Entity::find()
        .select_only()
        .column(taken_value::Column::DoorId)
        .filter(taken_value::Column::DoorId.is_in(hold.doors.iter().map(|door| door.0)))
        .filter(taken_value::Column::Fingerprint.eq(hold.fingerprint))
        .filter(taken_value::Column::HolderId.ne(hold.holder))
        .filter(
            Condition::any()
                .add(taken_value::Column::TakenUntil.is_null())
                .add(taken_value::Column::TakenUntil.gt(hold.from)),
        );
    if let Some(until) = hold.until {
        query = query.filter(taken_value::Column::TakenFrom.lt(until));
    }
    let found: Vec<Uuid> = query.into_tuple().all(transaction).await?;
    Ok(found.into_iter().map(DoorId).collect())
}

async fn write(transaction: &DatabaseTransaction, hold: &Hold<'_>, doors: &BTreeSet<DoorId>) -> Result<(), StoreError> {
    if doors.is_empty() {
        return Ok(());
    }
    let rows = doors.iter().map(|door| taken_value::ActiveModel {
        door_id: Set(door.0),
        holder_id: Set(hold.holder),
        fingerprint: Set(hold.fingerprint.to_vec()),
        taken_from: Set(hold.from),
        taken_until: Set(hold.until),
    });
    let known = OnConflict::columns([
        taken_value::Column::DoorId,
        taken_value::Column::HolderId,
        taken_value::Column::Fingerprint,
    ])
    .update_columns([taken_value::Column::TakenFrom, taken_value::Column::TakenUntil])
    .to_owned();
    taken_value::Entity::insert_many(rows).on_conflict(known).exec_without_returning(transaction).await?;
    Ok(())
}

/// What ends earlier already stays as it is: a time that runs does not begin anew.
async fn shorten(
    transaction: &DatabaseTransaction,
    holder: Uuid,
    kept: Option<Condition>,
    until: Timestamp,
) -> Result<(), StoreError> {
    let longer =
        Condition::any().add(taken_value::Column::TakenUntil.is_null()).add(taken_value::Column::TakenUntil.gt(until));
    let mut update = taken_value::Entity::update_many()
        .col_expr(taken_value::Column::TakenUntil, Expr::value(until))
        .filter(taken_value::Column::HolderId.eq(holder))
        .filter(longer);
    if let Some(kept) = kept {
        update = update.filter(kept.not());
    }
    update.exec(transaction).await?;
    Ok(())
}
