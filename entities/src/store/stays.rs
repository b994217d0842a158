//! Settling a stay: from what is known of it, of its doors and of what is placed, to what its tokens are to open, what is
//! wished for at vendors and how ready it is. What is decided stands in `domain::stay::plan`; here it is read (`known`)
//! and written (`carry_out`).

mod carry_out;
mod known;

use std::collections::BTreeSet;

use domain::{
    clock::Timestamp,
    ids::{IdSource, ReservationId, VendorAccountId},
    stay::{self, StayTiming, TokenState},
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};

pub(super) use self::carry_out::event;
use crate::{
    Database, StoreError,
    rows::{access_token, access_token_door, alert, device, door, placement, reservation},
};

/// What settling needs beside the rows.
#[derive(Debug, Clone, Copy)]
pub struct Settling<'a> {
    /// New ids.
    pub ids: &'a dyn IdSource,
    /// How long before, after and in between.
    pub timing: &'a StayTiming,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The stay as it is now.
    pub reservation: reservation::Model,
    /// Accounts with placements that became due: ring `Job::Reconcile` for each after the commit.
    pub accounts: BTreeSet<VendorAccountId>,
    /// New or changed ones: publish them after the commit.
    pub alerts: Vec<alert::Model>,
}

/// Takes hold of a stay until the transaction ends; see [`hold_all`].
///
/// # Errors
/// The database failed.
pub async fn hold(
    transaction: &DatabaseTransaction,
    reservation: ReservationId,
) -> Result<Option<reservation::Model>, StoreError> {
    Ok(hold_all(transaction, &[reservation.0]).await?.pop())
}

/// Takes hold of stays until the transaction ends. Whoever will write stays, their tokens, placements or the values of
/// their tokens in a transaction does this first: everybody locks stays, then placements, then doors, each by their ids,
/// and nobody waits in a circle.
///
/// # Errors
/// The database failed.
pub async fn hold_all(
    transaction: &DatabaseTransaction,
    reservations: &[uuid::Uuid],
) -> Result<Vec<reservation::Model>, StoreError> {
    let held = reservation::Entity::find()
        .filter(reservation::Column::Id.is_in(reservations.iter().copied()))
        .order_by_asc(reservation::Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?;
    let tokens = access_token::Entity::find()
        .select_only()
        .column(access_token::Column::Id)
        .filter(access_token::Column::ReservationId.is_in(reservations.iter().copied()))
        .into_query();
    placement::Entity::find()
        .select_only()
        .column(placement::Column::Id)
        .filter(placement::Column::TokenId.in_subquery(tokens))
        .order_by_asc(placement::Column::Id)
        .lock_exclusive()
        .into_tuple::<uuid::Uuid>()
        .all(transaction)
        .await?;
    Ok(held)
}

/// Settles a stay: its tokens' windows, doors and states, the wishes of their placements, its readiness and its alert.
/// Settling it again changes nothing. A token whose `revoke_requested_at` is set is taken away for good; one that is taken
/// away because its stay was called off comes back with it, as long as its value is not wiped. `None`: there is no such row.
///
/// # Errors
/// The database failed.
pub async fn settle(
    transaction: &DatabaseTransaction,
    settling: &Settling<'_>,
    reservation: ReservationId,
    now: Timestamp,
) -> Result<Option<Settled>, StoreError> {
    let Some(row) = hold(transaction, reservation).await? else { return Ok(None) };
    let mut known = known::load(transaction, row).await?;
    known.ask_for_values(transaction, settling.timing, now).await?;
    let plan = stay::plan(&known.facts, settling.timing, now);
    carry_out::carry_out(transaction, settling, &known, plan, now).await.map(Some)
}

/// [`settle`] in a transaction of its own.
///
/// # Errors
/// The database failed.
pub async fn settle_one(
    database: &Database,
    settling: &Settling<'_>,
    reservation: ReservationId,
    now: Timestamp,
) -> Result<Option<Settled>, StoreError> {
    let transaction = database.begin().await?;
    let settled = settle(&transaction, settling, reservation, now).await?;
    transaction.commit().await?;
    Ok(settled)
}

/// Settles a stay that could not be settled later again: others must not wait behind it.
///
/// # Errors
/// The database failed.
pub async fn postpone(database: &Database, reservation: ReservationId, until: Timestamp) -> Result<(), StoreError> {
    reservation::Entity::update_many()
        .col_expr(reservation::Column::DueAt, Expr::value(until))
        .filter(reservation::Column::Id.eq(reservation.0))
        .exec(database.write())
        .await?;
    Ok(())
}

/// Settles every stay anew that has a token for a door of this account: what its vendor can hold has changed.
///
/// # Errors
/// The database failed.
pub async fn touch(database: &Database, account: VendorAccountId, now: Timestamp) -> Result<(), StoreError> {
    let devices = device::Entity::find()
        .select_only()
        .column(device::Column::Id)
        .filter(device::Column::AccountId.eq(account.0))
        .into_query();
    let doors = door::Entity::find()
        .select_only()
        .column(door::Column::Id)
        .filter(door::Column::DeviceId.in_subquery(devices))
        .into_query();
    let tokens = access_token_door::Entity::find()
        .select_only()
        .column(access_token_door::Column::AccessTokenId)
        .filter(access_token_door::Column::DoorId.in_subquery(doors))
        .into_query();
    let stays = access_token::Entity::find()
        .select_only()
        .column(access_token::Column::ReservationId)
        .filter(access_token::Column::State.is_in([TokenState::Pending.as_str(), TokenState::Active.as_str()]))
        .filter(access_token::Column::Id.in_subquery(tokens))
        .into_query();
    reservation::Entity::update_many()
        .col_expr(reservation::Column::DueAt, Expr::value(now))
        .filter(reservation::Column::Id.in_subquery(stays))
        .exec(database.write())
        .await?;
    Ok(())
}
