//! What the worker reads of placements.

use domain::{clock::Timestamp, ids::VendorAccountId, placement::Desired};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Database, StoreError,
    rows::{access_token, credential, device, placement},
};

/// The placements of an account that have to be looked at by `now`: what is to be taken away first, then the longest due;
/// at most `limit`.
///
/// # Errors
/// The database failed.
pub async fn due(
    database: &Database,
    account: VendorAccountId,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<placement::Model>, StoreError> {
    let mut rows = placement::Entity::find()
        .filter(placement::Column::AccountId.eq(account.0))
        .filter(placement::Column::DueAt.lte(now))
        .filter(placement::Column::Desired.eq(Desired::Absent.as_str()))
        .order_by_asc(placement::Column::DueAt)
        .limit(limit)
        .all(database.read())
        .await?;
    let room = limit.saturating_sub(u64::try_from(rows.len()).unwrap_or(u64::MAX));
    if room > 0 {
        let others = placement::Entity::find()
            .filter(placement::Column::AccountId.eq(account.0))
            .filter(placement::Column::DueAt.lte(now))
            .filter(placement::Column::Desired.eq(Desired::Present.as_str()))
            .order_by_asc(placement::Column::DueAt)
            .limit(room)
            .all(database.read())
            .await?;
        rows.extend(others);
    }
    Ok(rows)
}

/// When the next placement of an account has to be looked at.
///
/// # Errors
/// The database failed.
pub async fn next_due(database: &Database, account: VendorAccountId) -> Result<Option<Timestamp>, StoreError> {
    Ok(placement::Entity::find()
        .select_only()
        .column(placement::Column::DueAt)
        .filter(placement::Column::AccountId.eq(account.0))
        .filter(placement::Column::DueAt.is_not_null())
        .order_by_asc(placement::Column::DueAt)
        .limit(1)
        .into_tuple()
        .one(database.read())
        .await?)
}

/// Accounts with placements that have to be looked at by `now`.
///
/// # Errors
/// The database failed.
pub async fn accounts_due(database: &Database, now: Timestamp) -> Result<Vec<VendorAccountId>, StoreError> {
    let ids: Vec<Uuid> = placement::Entity::find()
        .select_only()
        .column(placement::Column::AccountId)
        .distinct()
        .filter(placement::Column::DueAt.lte(now))
        .limit(1_000)
        .into_tuple()
        .all(database.read())
        .await?;
    Ok(ids.into_iter().map(VendorAccountId).collect())
}

/// A placement as it is now.
///
/// # Errors
/// The database failed.
pub async fn placement(database: &Database, id: Uuid) -> Result<Option<placement::Model>, StoreError> {
    Ok(placement::Entity::find_by_id(id).one(database.read()).await?)
}

/// What was to be taken away at an instant after `after` (ever, without) and up to `until`, and may still be there; the
/// longest waiting first.
///
/// # Errors
/// The database failed.
pub async fn overdue(
    database: &Database,
    after: Option<Timestamp>,
    until: Timestamp,
) -> Result<Vec<placement::Model>, StoreError> {
    let mut rows = placement::Entity::find()
        .filter(placement::Column::RevokeRequestedAt.lte(until))
        .filter(placement::Column::RevokedAt.is_null())
        .order_by_asc(placement::Column::RevokeRequestedAt);
    if let Some(after) = after {
        rows = rows.filter(placement::Column::RevokeRequestedAt.gt(after));
    }
    Ok(rows.all(database.read()).await?)
}

/// A value, sealed by the vault for its row.
#[derive(Debug, Clone)]
pub struct SealedValue {
    /// Its table; the column is `sealed`.
    pub table: &'static str,
    /// Its row.
    pub row: Uuid,
    /// The sealed value; wiped once it is revoked everywhere.
    pub sealed: Option<Vec<u8>>,
}

/// The value that is placed.
///
/// # Errors
/// The database failed.
pub async fn value(database: &Database, row: &placement::Model) -> Result<Option<SealedValue>, StoreError> {
    if let Some(id) = row.token_id {
        let token = access_token::Entity::find_by_id(id).one(database.read()).await?;
        return Ok(token.map(|token| SealedValue { table: "access_tokens", row: id, sealed: token.sealed }));
    }
    let Some(id) = row.credential_id else { return Ok(None) };
    let credential = credential::Entity::find_by_id(id).one(database.read()).await?;
    Ok(credential.map(|credential| SealedValue { table: "credentials", row: id, sealed: credential.sealed }))
}

/// The device that a placement is at, if its vendor keeps it by device.
///
/// # Errors
/// The database failed.
pub async fn device(database: &Database, row: &placement::Model) -> Result<Option<device::Model>, StoreError> {
    let Some(id) = row.device_id else { return Ok(None) };
    Ok(device::Entity::find_by_id(id).one(database.read()).await?)
}
