//! Vendor accounts.

use domain::{
    account::{AccountState, Vendor},
    ids::VendorAccountId,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::{account_location, sync_part, vendor_account},
};

/// Which accounts; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AccountFilter {
    /// At this vendor.
    pub vendor: Option<Vendor>,
    /// In this state.
    pub state: Option<AccountState>,
}

fn query(scope: &Scope, filter: &AccountFilter) -> Select<vendor_account::Entity> {
    let visible = scope.whole_organization(vendor_account::Column::OrganizationId);
    let mut query = vendor_account::Entity::find().filter(visible);
    if let Some(vendor) = filter.vendor {
        query = query.filter(vendor_account::Column::Vendor.eq(vendor.as_str()));
    }
    if let Some(state) = filter.state {
        query = query.filter(vendor_account::Column::State.eq(state.as_str()));
    }
    query
}

/// A page of the visible accounts.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &AccountFilter,
    request: PageRequest,
) -> Result<Page<vendor_account::Model>, StoreError> {
    page::fetch(database, query(scope, filter), vendor_account::Column::Id, request).await
}

/// How many accounts are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &AccountFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// A visible account.
///
/// # Errors
/// The database failed.
pub async fn one(
    database: &Database,
    scope: &Scope,
    id: VendorAccountId,
) -> Result<Option<vendor_account::Model>, StoreError> {
    let filter = AccountFilter::default();
    Ok(query(scope, &filter).filter(vendor_account::Column::Id.eq(id.0)).one(database.read()).await?)
}

/// Which locations of these accounts, which the caller has found in scope, are which site.
///
/// # Errors
/// The database failed.
pub async fn locations(
    database: &Database,
    accounts: &[VendorAccountId],
) -> Result<Vec<account_location::Model>, StoreError> {
    Ok(account_location::Entity::find()
        .filter(account_location::Column::AccountId.is_in(accounts.iter().map(|id| id.0)))
        .order_by_asc(account_location::Column::Location)
        .all(database.read())
        .await?)
}

/// How far the sync of each part of these accounts, which the caller has found in scope, has come.
///
/// # Errors
/// The database failed.
pub async fn sync_parts(
    database: &Database,
    accounts: &[VendorAccountId],
) -> Result<Vec<sync_part::Model>, StoreError> {
    Ok(sync_part::Entity::find()
        .filter(sync_part::Column::AccountId.is_in(accounts.iter().map(|id| id.0)))
        .order_by_asc(sync_part::Column::Part)
        .all(database.read())
        .await?)
}

/// The visible ones of these accounts. A principal limited to sites or doors sees none.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[VendorAccountId],
) -> Result<Vec<vendor_account::Model>, StoreError> {
    Ok(vendor_account::Entity::find()
        .filter(scope.whole_organization(vendor_account::Column::OrganizationId))
        .filter(vendor_account::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
