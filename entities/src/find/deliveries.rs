//! Webhook deliveries.

use std::collections::HashMap;

use domain::{
    ids::{VendorAccountId, WebhookDeliveryId},
    webhook::DeliveryState,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Select};
use uuid::Uuid;

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::webhook_delivery,
};

/// Which deliveries; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DeliveryFilter {
    /// To this account.
    pub account: Option<VendorAccountId>,
    /// That stand like this.
    pub state: Option<DeliveryState>,
}

fn query(scope: &Scope, filter: &DeliveryFilter) -> Select<webhook_delivery::Entity> {
    let visible = scope.whole_organization(webhook_delivery::Column::OrganizationId);
    let mut query = webhook_delivery::Entity::find().filter(visible);
    if let Some(account) = filter.account {
        query = query.filter(webhook_delivery::Column::AccountId.eq(account.0));
    }
    if let Some(state) = filter.state {
        query = query.filter(webhook_delivery::Column::State.eq(state.as_str()));
    }
    query
}

/// A page of the visible deliveries.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &DeliveryFilter,
    request: PageRequest,
) -> Result<Page<webhook_delivery::Model>, StoreError> {
    page::fetch(database, query(scope, filter), webhook_delivery::Column::Id, request).await
}

/// How many deliveries are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &DeliveryFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The same window of the visible deliveries to each of several accounts, in one statement; an account without any is
/// left out. The filter's own account is not used.
///
/// # Errors
/// The database failed.
pub async fn pages_at_accounts(
    database: &Database,
    scope: &Scope,
    filter: &DeliveryFilter,
    accounts: &[VendorAccountId],
    request: PageRequest,
) -> Result<HashMap<VendorAccountId, Page<webhook_delivery::Model>>, StoreError> {
    let (columns, accounts) = ((webhook_delivery::Column::Id, webhook_delivery::Column::AccountId), raw(accounts));
    let of_any = DeliveryFilter { account: None, ..filter.clone() };
    let pages =
        page::fetch_each(database, query(scope, &of_any), columns, &accounts, request, |row| row.account_id).await?;
    Ok(pages.into_iter().map(|(account, page)| (VendorAccountId(account), page)).collect())
}

/// How many deliveries to each of several accounts are visible; an account without any is left out. The filter's own
/// account is not used.
///
/// # Errors
/// The database failed.
pub async fn counts_at_accounts(
    database: &Database,
    scope: &Scope,
    filter: &DeliveryFilter,
    accounts: &[VendorAccountId],
) -> Result<HashMap<VendorAccountId, u64>, StoreError> {
    let (columns, accounts) = ((webhook_delivery::Column::Id, webhook_delivery::Column::AccountId), raw(accounts));
    let of_any = DeliveryFilter { account: None, ..filter.clone() };
    let counts = page::count_each(database, query(scope, &of_any), columns, &accounts).await?;
    Ok(counts.into_iter().map(|(account, count)| (VendorAccountId(account), count)).collect())
}

fn raw(accounts: &[VendorAccountId]) -> Vec<Uuid> {
    accounts.iter().map(|account| account.0).collect()
}

/// The visible ones of these deliveries.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[WebhookDeliveryId],
) -> Result<Vec<webhook_delivery::Model>, StoreError> {
    Ok(query(scope, &DeliveryFilter::default())
        .filter(webhook_delivery::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
