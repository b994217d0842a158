//! Records that vendors keep.

use std::collections::HashMap;

use domain::{
    ids::{DeviceId, RecordId, VendorAccountId},
    record::RecordKind,
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, LikeExpr},
};
use uuid::Uuid;

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::record,
};

/// Which records; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RecordFilter {
    /// At this account.
    pub account: Option<VendorAccountId>,
    /// Of this device.
    pub device: Option<DeviceId>,
    /// Of one of these kinds; empty means any.
    pub kinds: Vec<RecordKind>,
    /// With this vendor's id.
    pub external_id: Option<String>,
    /// With this text in the name, in any case of letters.
    pub text: Option<String>,
    /// Also those that complete lists lack.
    pub missing_too: bool,
}

fn query(scope: &Scope, filter: &RecordFilter) -> Select<record::Entity> {
    let mut query = record::Entity::find().filter(scope.records());
    if let Some(account) = filter.account {
        query = query.filter(record::Column::AccountId.eq(account.0));
    }
    if let Some(device) = filter.device {
        query = query.filter(record::Column::DeviceId.eq(device.0));
    }
    if !filter.kinds.is_empty() {
        query = query.filter(record::Column::Kind.is_in(filter.kinds.iter().map(|kind| kind.as_str())));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(record::Column::ExternalId.eq(external_id.as_str()));
    }
    if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
        let literal = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = LikeExpr::new(format!("%{literal}%")).escape('\\');
        query = query.filter(Expr::col((record::Entity, record::Column::NameFolded)).like(pattern));
    }
    if !filter.missing_too {
        query = query.filter(record::Column::MissingSince.is_null());
    }
    query
}

/// A page of the visible records.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &RecordFilter,
    request: PageRequest,
) -> Result<Page<record::Model>, StoreError> {
    page::fetch(database, query(scope, filter), record::Column::Id, request).await
}

/// How many records are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &RecordFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The same window of the visible records at each of several accounts, in one statement; an account without any is left
/// out. The filter's own account is not used.
///
/// # Errors
/// The database failed.
pub async fn pages_at_accounts(
    database: &Database,
    scope: &Scope,
    filter: &RecordFilter,
    accounts: &[VendorAccountId],
    request: PageRequest,
) -> Result<HashMap<VendorAccountId, Page<record::Model>>, StoreError> {
    let (columns, accounts) = ((record::Column::Id, record::Column::AccountId), raw(accounts));
    let of_any = RecordFilter { account: None, ..filter.clone() };
    let pages =
        page::fetch_each(database, query(scope, &of_any), columns, &accounts, request, |row| row.account_id).await?;
    Ok(pages.into_iter().map(|(account, page)| (VendorAccountId(account), page)).collect())
}

/// How many records are visible at each of several accounts; an account without any is left out. The filter's own
/// account is not used.
///
/// # Errors
/// The database failed.
pub async fn counts_at_accounts(
    database: &Database,
    scope: &Scope,
    filter: &RecordFilter,
    accounts: &[VendorAccountId],
) -> Result<HashMap<VendorAccountId, u64>, StoreError> {
    let (columns, accounts) = ((record::Column::Id, record::Column::AccountId), raw(accounts));
    let of_any = RecordFilter { account: None, ..filter.clone() };
    let counts = page::count_each(database, query(scope, &of_any), columns, &accounts).await?;
    Ok(counts.into_iter().map(|(account, count)| (VendorAccountId(account), count)).collect())
}

fn raw(accounts: &[VendorAccountId]) -> Vec<Uuid> {
    accounts.iter().map(|account| account.0).collect()
}

/// The visible ones of these records, missing ones too.
///
/// # Errors
/// The database failed.
pub async fn by_ids(database: &Database, scope: &Scope, ids: &[RecordId]) -> Result<Vec<record::Model>, StoreError> {
    Ok(record::Entity::find()
        .filter(scope.records())
        .filter(record::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}

/// The visible records of these kinds that belong to these devices, oldest first.
///
/// # Errors
/// The database failed.
pub async fn by_devices(
    database: &Database,
    scope: &Scope,
    devices: &[DeviceId],
    kinds: &[RecordKind],
) -> Result<Vec<record::Model>, StoreError> {
    let filter = RecordFilter { kinds: kinds.to_vec(), ..RecordFilter::default() };
    Ok(query(scope, &filter)
        .filter(record::Column::DeviceId.is_in(devices.iter().map(|id| id.0)))
        .order_by_asc(record::Column::Id)
        .all(database.read())
        .await?)
}
