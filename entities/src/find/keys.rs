//! API keys. [`presented`] is one of the two finders without a scope (the other is in `members`), because it is what
//! gives a caller theirs.

use domain::ids::ApiKeyId;
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, Select};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::api_key,
};

/// Which keys; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct KeyFilter {
    /// Made by this actor, by its public id.
    pub made_by: Option<String>,
    /// Also those that were revoked.
    pub revoked_too: bool,
}

/// The keys that a presented one may be, by its prefix or its SHA-256: which of them it is, and whether that one counts,
/// is for the caller to look at.
///
/// # Errors
/// The database failed.
pub async fn presented(database: &Database, prefix: &str, hash: &[u8]) -> Result<Vec<api_key::Model>, StoreError> {
    let by_prefix = api_key::Column::Prefix.eq(prefix);
    let any = Condition::any().add(by_prefix).add(api_key::Column::SecretHash.eq(hash.to_vec()));
    Ok(api_key::Entity::find().filter(any).all(database.read()).await?)
}

fn query(scope: &Scope, filter: &KeyFilter) -> Select<api_key::Entity> {
    let mut query = api_key::Entity::find().filter(scope.keys());
    if let Some(maker) = &filter.made_by {
        query = query.filter(api_key::Column::CreatedBy.eq(maker.as_str()));
    }
    if !filter.revoked_too {
        query = query.filter(api_key::Column::RevokedAt.is_null());
    }
    query
}

/// A page of the visible keys.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &KeyFilter,
    request: PageRequest,
) -> Result<Page<api_key::Model>, StoreError> {
    page::fetch(database, query(scope, filter), api_key::Column::Id, request).await
}

/// How many keys are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &KeyFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The visible ones of these keys.
///
/// # Errors
/// The database failed.
pub async fn by_ids(database: &Database, scope: &Scope, ids: &[ApiKeyId]) -> Result<Vec<api_key::Model>, StoreError> {
    Ok(query(scope, &KeyFilter { made_by: None, revoked_too: true })
        .filter(api_key::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}

/// The caller's own key, whatever else they see.
///
/// # Errors
/// The database failed.
pub async fn own(database: &Database, scope: &Scope, id: ApiKeyId) -> Result<Option<api_key::Model>, StoreError> {
    Ok(api_key::Entity::find_by_id(id.0)
        .filter(api_key::Column::OrganizationId.eq(scope.organization().0))
        .one(database.read())
        .await?)
}
