//! What the worker reads of stays.

use domain::{
    account::Vendor,
    clock::Timestamp,
    ids::{RecordId, ReservationId, VendorAccountId},
    record::{RecordKind, TokenType},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::{
    Database, StoreError,
    rows::{access_token, device, door, record, reservation, vendor_account},
};

/// Stays that have to be settled by `now`, the longest due first, at most `limit`.
///
/// # Errors
/// The database failed.
pub async fn due(database: &Database, now: Timestamp, limit: u64) -> Result<Vec<ReservationId>, StoreError> {
    let due: Vec<Uuid> = reservation::Entity::find()
        .select_only()
        .column(reservation::Column::Id)
        .filter(reservation::Column::DueAt.lte(now))
        .order_by_asc(reservation::Column::DueAt)
        .limit(limit)
        .into_tuple()
        .all(database.read())
        .await?;
    Ok(due.into_iter().map(ReservationId).collect())
}

/// An account, if its vendor tells of stays.
///
/// # Errors
/// The database failed.
pub async fn pms(database: &Database, account: VendorAccountId) -> Result<Option<vendor_account::Model>, StoreError> {
    let row = vendor_account::Entity::find_by_id(account.0).one(database.read()).await?;
    Ok(row.filter(|row| row.vendor == Vendor::Mews.as_str()))
}

/// Whether any of these records is an access level.
///
/// # Errors
/// The database failed.
pub async fn tell_of_levels(database: &Database, records: &[RecordId]) -> Result<bool, StoreError> {
    let found = record::Entity::find()
        .select_only()
        .column(record::Column::Id)
        .filter(record::Column::Id.is_in(records.iter().map(|id| id.0)))
        .filter(record::Column::Kind.eq(RecordKind::AccessLevel.as_str()))
        .limit(1)
        .into_tuple::<Uuid>()
        .one(database.read())
        .await?;
    Ok(found.is_some())
}

/// The keyed digests of all numbers of tags that a tenant ever issued.
///
/// # Errors
/// The database failed.
pub async fn tags(database: &Database, tenant: Uuid) -> Result<Vec<Vec<u8>>, StoreError> {
    Ok(access_token::Entity::find()
        .select_only()
        .column(access_token::Column::Fingerprint)
        .filter(access_token::Column::OrganizationId.eq(tenant))
        .filter(access_token::Column::TokenType.eq(TokenType::RfidTag.as_str()))
        .distinct()
        .into_tuple()
        .all(database.read())
        .await?)
}

/// The doors of an account that its vendor lists.
///
/// # Errors
/// The database failed.
pub async fn doors_at(database: &Database, account: VendorAccountId) -> Result<Vec<door::Model>, StoreError> {
    let devices = device::Entity::find()
        .select_only()
        .column(device::Column::Id)
        .filter(device::Column::AccountId.eq(account.0))
        .into_query();
    Ok(door::Entity::find()
        .filter(door::Column::DeviceId.in_subquery(devices))
        .filter(door::Column::MissingSince.is_null())
        .order_by_asc(door::Column::Id)
        .all(database.read())
        .await?)
}
