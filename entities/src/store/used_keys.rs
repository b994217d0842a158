//! Writing idempotency keys (rule 4) of mutations that write no command: the same key and the same order again is the
//! same object. Commands carry their keys themselves.

use domain::{clock::Timestamp, ids::OrganizationId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set, sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{Database, StoreError, rows::used_key};

/// An order under a key.
#[derive(Debug, Clone)]
pub struct KeyedOrder {
    /// The tenant.
    pub organization: OrganizationId,
    /// The public id of the actor.
    pub requested_by: String,
    /// The caller's key.
    pub idempotency_key: String,
    /// The keyed digest (`Vault::fingerprint`) of the name of the mutation and all that was asked for.
    pub asked: Vec<u8>,
}

/// What is known of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is the first under its key.
    Nothing,
    /// It was carried out before; this row came of it.
    Done(Uuid),
    /// Something else was asked for under its key before.
    KeyReused,
}

/// What is known of an order before it is judged.
///
/// # Errors
/// The database failed.
pub async fn known(database: &Database, order: &KeyedOrder) -> Result<Known, StoreError> {
    earlier(database.read(), order).await
}

/// Uses the key for `object`, inside the transaction that writes it. Unless the answer is [`Known::Nothing`] that
/// transaction must be rolled back: somebody was faster.
///
/// # Errors
/// The database failed.
pub async fn claim(
    transaction: &DatabaseTransaction,
    order: &KeyedOrder,
    object: Uuid,
    now: Timestamp,
) -> Result<Known, StoreError> {
    let row = used_key::ActiveModel {
        organization_id: Set(order.organization.0),
        requested_by: Set(order.requested_by.clone()),
        idempotency_key: Set(order.idempotency_key.clone()),
        asked: Set(order.asked.clone()),
        object_id: Set(object),
        created_at: Set(now),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    let inserted = used_key::Entity::insert(row).on_conflict(once).exec_without_returning(transaction).await?;
    if inserted == 1 { Ok(Known::Nothing) } else { earlier(transaction, order).await }
}

async fn earlier(connection: &impl ConnectionTrait, order: &KeyedOrder) -> Result<Known, StoreError> {
    let found = used_key::Entity::find()
        .filter(used_key::Column::OrganizationId.eq(order.organization.0))
        .filter(used_key::Column::RequestedBy.eq(order.requested_by.as_str()))
        .filter(used_key::Column::IdempotencyKey.eq(order.idempotency_key.as_str()))
        .one(connection)
        .await?;
    Ok(match found {
        None => Known::Nothing,
        Some(row) if row.asked == order.asked => Known::Done(row.object_id),
        Some(_) => Known::KeyReused,
    })
}
