//! Rooms and beds of a PMS, and which doors they stand for.

use std::collections::HashMap;

use domain::{ids::VendorAccountId, record::RecordKind};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::{record, resource_door},
};

/// Which doors the resources of these accounts stand for. The accounts were found in scope.
///
/// # Errors
/// The database failed.
pub async fn mapped(
    database: &Database,
    accounts: &[VendorAccountId],
) -> Result<Vec<resource_door::Model>, StoreError> {
    Ok(resource_door::Entity::find()
        .filter(resource_door::Column::AccountId.is_in(accounts.iter().map(|id| id.0)))
        .order_by_asc(resource_door::Column::Resource)
        .order_by_asc(resource_door::Column::DoorId)
        .all(database.read())
        .await?)
}

/// The visible records of these resources, each named by its account and the vendor's id.
///
/// # Errors
/// The database failed.
pub async fn records(
    database: &Database,
    scope: &Scope,
    resources: &[(VendorAccountId, String)],
) -> Result<Vec<record::Model>, StoreError> {
    let mut by_account: HashMap<VendorAccountId, Vec<&str>> = HashMap::new();
    for (account, resource) in resources {
        by_account.entry(*account).or_default().push(resource);
    }
    let any = by_account.into_iter().fold(Condition::any(), |any, (account, ids)| {
        let of_account = Condition::all().add(record::Column::AccountId.eq(account.0));
        any.add(of_account.add(record::Column::ExternalId.is_in(ids)))
    });
    Ok(record::Entity::find()
        .filter(scope.records())
        .filter(record::Column::Kind.eq(RecordKind::Resource.as_str()))
        .filter(any)
        .all(database.read())
        .await?)
}

/// The resources of an account that its vendor lists and that stand for no door.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unmapped(pub VendorAccountId);

fn query(scope: &Scope, unmapped: &Unmapped) -> Select<record::Entity> {
    let mapped = resource_door::Entity::find()
        .select_only()
        .column(resource_door::Column::Resource)
        .filter(resource_door::Column::AccountId.eq(unmapped.0.0))
        .into_query();
    record::Entity::find()
        .filter(scope.records())
        .filter(record::Column::AccountId.eq(unmapped.0.0))
        .filter(record::Column::Kind.eq(RecordKind::Resource.as_str()))
        .filter(record::Column::MissingSince.is_null())
        .filter(record::Column::ExternalId.not_in_subquery(mapped))
}

/// A page of unmapped resources.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    unmapped: &Unmapped,
    request: PageRequest,
) -> Result<Page<record::Model>, StoreError> {
    page::fetch(database, query(scope, unmapped), record::Column::Id, request).await
}

/// How many resources are unmapped.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, unmapped: &Unmapped) -> Result<u64, StoreError> {
    Ok(query(scope, unmapped).count(database.read()).await?)
}
