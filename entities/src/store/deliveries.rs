//! Webhook deliveries: stored before the vendor gets its answer, processed until they are understood, replayed on wish.

use domain::{
    clock::Timestamp,
    event::EventType,
    ids::{IdSource, VendorAccountId, WebhookDeliveryId},
    webhook::DeliveryState,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};
use serde_json::json;

use super::events::{self, NewEvent};
use crate::{
    Database, StoreError,
    rows::{vendor_account, webhook_delivery},
};

/// Stores a delivery. `content` is a sealed `domain::webhook::RawDelivery`.
///
/// # Errors
/// The database failed: the vendor must be told to send it again.
pub async fn store(
    database: &Database,
    id: WebhookDeliveryId,
    account: &vendor_account::Model,
    content: Vec<u8>,
    size: usize,
    now: Timestamp,
) -> Result<webhook_delivery::Model, StoreError> {
    let row = webhook_delivery::Model {
        id: id.0,
        organization_id: account.organization_id,
        account_id: account.id,
        received_at: now,
        content,
        size: i32::try_from(size).unwrap_or(i32::MAX),
        state: DeliveryState::Pending.as_str().to_owned(),
        attempts: 0,
        note: None,
        due_at: Some(now),
        processed_at: None,
    };
    let active = webhook_delivery::ActiveModel::from(row.clone()).reset_all();
    webhook_delivery::Entity::insert(active).exec_without_returning(database.write()).await?;
    Ok(row)
}

/// Takes deliveries of an account that are due at `now`, oldest first, for `until`: nobody else has them before.
///
/// # Errors
/// The database failed.
pub async fn claim(
    database: &Database,
    account: VendorAccountId,
    now: Timestamp,
    until: Timestamp,
    limit: u64,
) -> Result<Vec<webhook_delivery::Model>, StoreError> {
    use webhook_delivery::Column::{AccountId, Attempts, DueAt, Id};
    let due = webhook_delivery::Entity::find()
        .select_only()
        .column(Id)
        .filter(AccountId.eq(account.0))
        .filter(DueAt.lte(now))
        .order_by_asc(Id)
        .limit(limit)
        .into_query();
    let mut taken = webhook_delivery::Entity::update_many()
        .col_expr(DueAt, Expr::value(until))
        .col_expr(Attempts, Expr::col(Attempts).add(1))
        .filter(Id.in_subquery(due))
        // Asked again of each row: another worker may have taken it since it was found.
        .filter(DueAt.lte(now))
        .exec_with_returning(database.write())
        .await?;
    taken.sort_by_key(|row| row.id);
    Ok(taken)
}

/// Ends the processing of deliveries with a sentence on what came of them.
///
/// # Errors
/// The database failed.
pub async fn finish(
    database: &Database,
    ids: &[WebhookDeliveryId],
    state: DeliveryState,
    note: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::State, Expr::value(state.as_str()))
        .col_expr(webhook_delivery::Column::Note, Expr::value(note))
        .col_expr(webhook_delivery::Column::DueAt, Expr::value(None::<Timestamp>))
        .col_expr(webhook_delivery::Column::ProcessedAt, Expr::value(now))
        .filter(webhook_delivery::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .exec(database.write())
        .await?;
    Ok(())
}

/// Has a claimed delivery processed later, and says why.
///
/// # Errors
/// The database failed.
pub async fn postpone(
    database: &Database,
    id: WebhookDeliveryId,
    until: Timestamp,
    why: &str,
) -> Result<(), StoreError> {
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::Note, Expr::value(why))
        .col_expr(webhook_delivery::Column::DueAt, Expr::value(until))
        .filter(webhook_delivery::Column::Id.eq(id.0))
        .filter(webhook_delivery::Column::DueAt.is_not_null())
        .exec(database.write())
        .await?;
    Ok(())
}

/// Has a stored delivery processed again, with an event.
///
/// # Errors
/// The database failed.
pub async fn replay(
    database: &Database,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    id: WebhookDeliveryId,
    by: &str,
    now: Timestamp,
) -> Result<Option<webhook_delivery::Model>, StoreError> {
    let transaction = database.begin().await?;
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::State, Expr::value(DeliveryState::Pending.as_str()))
        .col_expr(webhook_delivery::Column::DueAt, Expr::value(now))
        .filter(webhook_delivery::Column::Id.eq(id.0))
        .filter(webhook_delivery::Column::AccountId.eq(account.id))
        .exec(&transaction)
        .await?;
    let row = webhook_delivery::Entity::find_by_id(id.0).one(&transaction).await?;
    if row.is_some() {
        let data = json!({ "delivery": id.to_string() });
        let event = NewEvent::of_account(account, EventType::WebhookReplayed, now, Some(by), data);
        events::append(&transaction, ids, vec![event]).await?;
    }
    transaction.commit().await?;
    Ok(row)
}

/// Forgets deliveries that came in before `before` and are done with. Returns how many.
///
/// # Errors
/// The database failed.
pub async fn forget(database: &Database, before: Timestamp) -> Result<u64, StoreError> {
    Ok(webhook_delivery::Entity::delete_many()
        .filter(webhook_delivery::Column::ReceivedAt.lt(before))
        .filter(webhook_delivery::Column::DueAt.is_null())
        .exec(database.write())
        .await?
        .rows_affected)
}
