//! Leases of lanes: one worker process at a time sends the commands of an ordering scope (rule 5).
//! On SQLite they live in memory. A lease is a courtesy that keeps order; what protects a command is the version check of its own row.

use std::sync::PoisonError;

use chrono::TimeDelta;
use domain::{clock::Timestamp, lane::LaneId};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, Set,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

use crate::{Database, StoreError, rows::lane};

/// Takes a lane until `until` if nobody holds it at `now`. Returns whether it was taken.
///
/// # Errors
/// The database failed.
pub async fn lease(
    database: &Database,
    id: LaneId,
    owner: Uuid,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    if let Some(leases) = database.leases() {
        let mut leases = leases.lock().unwrap_or_else(PoisonError::into_inner);
        let free = leases.get(&id).is_none_or(|(_, held_until)| *held_until <= now);
        if free {
            leases.insert(id, (owner, until));
        }
        return Ok(free);
    }
    let row = lane::ActiveModel { id: Set(id), owner: Set(owner), lease_until: Set(until) };
    let free = OnConflict::column(lane::Column::Id)
        .update_columns([lane::Column::Owner, lane::Column::LeaseUntil])
        .action_and_where(Expr::col((lane::Entity, lane::Column::LeaseUntil)).lte(now))
        .to_owned();
    let taken = lane::Entity::insert(row).on_conflict(free).exec_without_returning(database.write()).await?;
    Ok(taken == 1)
}

/// Extends every lease of `owner` that still holds at `now`.
///
/// # Errors
/// The database failed.
pub async fn renew(database: &Database, owner: Uuid, now: Timestamp, until: Timestamp) -> Result<(), StoreError> {
    if let Some(leases) = database.leases() {
        let mut leases = leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases
            .values_mut()
            .filter(|(by, held_until)| *by == owner && *held_until > now)
            .for_each(|held| held.1 = until);
        return Ok(());
    }
    lane::Entity::update_many()
        .col_expr(lane::Column::LeaseUntil, Expr::value(until))
        .filter(lane::Column::Owner.eq(owner))
        .filter(lane::Column::LeaseUntil.gt(now))
        .exec(database.write())
        .await?;
    Ok(())
}

/// Gives a lane back at `now`, if `owner` still holds it.
///
/// # Errors
/// The database failed.
pub async fn release(database: &Database, id: LaneId, owner: Uuid, now: Timestamp) -> Result<(), StoreError> {
    if let Some(leases) = database.leases() {
        let mut leases = leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.get(&id).is_some_and(|(by, _)| *by == owner) {
            leases.remove(&id);
        }
        return Ok(());
    }
    lane::Entity::update_many()
        // Well before now: the clock of whoever takes it next may be behind ours.
        .col_expr(lane::Column::LeaseUntil, Expr::value(now - TimeDelta::days(1)))
        .filter(lane::Column::Id.eq(id))
        .filter(lane::Column::Owner.eq(owner))
        .exec(database.write())
        .await?;
    Ok(())
}
