//! What makes placements due that nobody wished anything new of: an order's end, a record that changed at its vendor, an
//! account that can be used again.

use domain::{
    clock::Timestamp,
    ids::{PlacementId, RecordId, VendorAccountId},
    placement::{PlacementErrorCode, PlacementState},
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    UpdateMany,
    sea_query::{Expr, IntoCondition, SelectStatement},
};
use uuid::Uuid;

use crate::{
    Database, StoreError,
    rows::{access_token, command, placement, record, reservation},
};

/// What is said of an account that cannot be used.
const NOT_USABLE: &str = "The vendor account cannot be used: it has to be authorised again, or linked.";

/// Has the placement of a command that ended looked at, within the transaction that ends it.
///
/// # Errors
/// The database failed.
pub async fn order_ended(
    transaction: &DatabaseTransaction,
    order: &command::Model,
    now: Timestamp,
) -> Result<(), StoreError> {
    if order.requested_by.parse::<PlacementId>().is_err() {
        return Ok(());
    }
    due_now(now, placement::Column::CommandId.eq(order.id)).exec(transaction).await?;
    Ok(())
}

/// Has placements looked at whose records are new or changed at their vendor. Says whether there are any.
///
/// # Errors
/// The database failed.
pub async fn noticed(
    database: &Database,
    account: VendorAccountId,
    changed: &[RecordId],
    now: Timestamp,
) -> Result<bool, StoreError> {
    if changed.is_empty() {
        return Ok(false);
    }
    let named = record::Entity::find()
        .select_only()
        .column(record::Column::ExternalId)
        .filter(record::Column::Id.is_in(changed.iter().map(|id| id.0)))
        .into_query();
    let states = [PlacementState::Confirmed, PlacementState::Revoked].map(PlacementState::as_str);
    let these = placement::Column::AccountId
        .eq(account.0)
        .and(placement::Column::State.is_in(states))
        .and(placement::Column::ExternalId.in_subquery(named));
    let done = due_now(now, these).exec(database.write()).await?;
    Ok(done.rows_affected > 0)
}

/// Has placements looked at that were read back once and whose records are missing at their vendor since. Says whether
/// there are any.
///
/// # Errors
/// The database failed.
pub async fn noticed_missing(
    database: &Database,
    account: VendorAccountId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let missing = record::Entity::find()
        .select_only()
        .column(record::Column::ExternalId)
        .filter(record::Column::AccountId.eq(account.0))
        .filter(record::Column::MissingSince.is_not_null())
        .into_query();
    let these = placement::Column::AccountId
        .eq(account.0)
        .and(placement::Column::State.eq(PlacementState::Confirmed.as_str()))
        .and(placement::Column::ExternalId.in_subquery(missing));
    let done = due_now(now, these).exec(database.write()).await?;
    Ok(done.rows_affected > 0)
}

/// Puts what is due at an account that cannot be used off until then, and says why. The stays that learn of it are
/// settled again.
///
/// # Errors
/// The database failed.
pub async fn park(
    database: &Database,
    account: VendorAccountId,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    let code = PlacementErrorCode::AccountNotUsable.as_str();
    let is_news = placement::Column::ErrorCode.is_null().or(placement::Column::ErrorCode.ne(code));
    let told: Vec<Uuid> = placement::Entity::find()
        .select_only()
        .column(placement::Column::TokenId)
        .filter(placement::Column::AccountId.eq(account.0))
        .filter(placement::Column::DueAt.lte(now))
        .filter(placement::Column::TokenId.is_not_null())
        .filter(is_news)
        .limit(500)
        .into_tuple()
        .all(&transaction)
        .await?;
    if !told.is_empty() {
        let stays = access_token::Entity::find()
            .select_only()
            .column(access_token::Column::ReservationId)
            .filter(access_token::Column::Id.is_in(told))
            .into_query();
        reservation::Entity::update_many()
            .col_expr(reservation::Column::DueAt, Expr::value(now))
            .filter(
                reservation::Column::Id.in_subquery(
                    reservation::Entity::find()
                        .select_only()
                        .column(reservation::Column::Id)
                        .filter(reservation::Column::Id.in_subquery(stays))
                        .order_by_asc(reservation::Column::Id)
                        .lock_exclusive()
                        .into_query(),
                ),
            )
            .exec(&transaction)
            .await?;
    }
    let due = placement::Column::AccountId.eq(account.0).and(placement::Column::DueAt.lte(now));
    placement::Entity::update_many()
        .col_expr(placement::Column::DueAt, Expr::value(until))
        .col_expr(placement::Column::ErrorCode, Expr::value(code))
        .col_expr(placement::Column::ErrorMessage, Expr::value(NOT_USABLE))
        .col_expr(placement::Column::Version, Expr::col(placement::Column::Version).add(1))
        .filter(placement::Column::Id.in_subquery(locked(due)))
        .exec(&transaction)
        .await?;
    Ok(transaction.commit().await?)
}

/// Has what was put off looked at, because the account can be used again; and the takings away that wait for their next
/// try there. Says whether there is any.
///
/// # Errors
/// The database failed.
pub async fn wake(database: &Database, account: VendorAccountId, now: Timestamp) -> Result<bool, StoreError> {
    let parked = placement::Column::AccountId
        .eq(account.0)
        .and(placement::Column::ErrorCode.eq(PlacementErrorCode::AccountNotUsable.as_str()))
        .and(placement::Column::DueAt.gt(now));
    let done = due_now(now, parked).exec(database.write()).await?;
    Ok(done.rows_affected > 0)
}

/// Has these looked at. The version counts, so that who has read the row before reads it again.
fn due_now(now: Timestamp, these: impl IntoCondition) -> UpdateMany<placement::Entity> {
    placement::Entity::update_many()
        .col_expr(placement::Column::DueAt, Expr::value(now))
        .col_expr(placement::Column::Version, Expr::col(placement::Column::Version).add(1))
        .filter(placement::Column::Id.in_subquery(locked(these)))
}

/// The ids of these, locked in their order as everybody locks placements: nobody waits in a circle.
fn locked(these: impl IntoCondition) -> SelectStatement {
    placement::Entity::find()
        .select_only()
        .column(placement::Column::Id)
        .filter(these)
        .order_by_asc(placement::Column::Id)
        .lock_exclusive()
        .into_query()
}
