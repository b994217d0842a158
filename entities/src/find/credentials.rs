//! Credentials. They tell of people: only principals who see the whole organization find any.

use domain::{
    credential::CredentialState,
    ids::{CredentialId, UserId},
    record::CredentialType,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::{credential, credential_door},
};

/// Which credentials; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CredentialFilter {
    /// Of this person.
    pub user: Option<UserId>,
    /// Of this kind.
    pub kind: Option<CredentialType>,
    /// In this state.
    pub state: Option<CredentialState>,
    /// With this number.
    pub number: Option<String>,
}

fn query(scope: &Scope, filter: &CredentialFilter) -> Select<credential::Entity> {
    let mut query = credential::Entity::find().filter(scope.whole_organization(credential::Column::OrganizationId));
    if let Some(user) = filter.user {
        query = query.filter(credential::Column::UserId.eq(user.0));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(credential::Column::Kind.eq(kind.as_str()));
    }
    if let Some(state) = filter.state {
        query = query.filter(credential::Column::State.eq(state.as_str()));
    }
    if let Some(number) = &filter.number {
        query = query.filter(credential::Column::Number.eq(number.as_str()));
    }
    query
}

/// A page of the visible credentials.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &CredentialFilter,
    request: PageRequest,
) -> Result<Page<credential::Model>, StoreError> {
    page::fetch(database, query(scope, filter), credential::Column::Id, request).await
}

/// How many credentials are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &CredentialFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The visible ones of these credentials.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[CredentialId],
) -> Result<Vec<credential::Model>, StoreError> {
    Ok(query(scope, &CredentialFilter::default())
        .filter(credential::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}

/// The visible credentials of these people, oldest first.
///
/// # Errors
/// The database failed.
pub async fn by_users(
    database: &Database,
    scope: &Scope,
    users: &[UserId],
) -> Result<Vec<credential::Model>, StoreError> {
    Ok(query(scope, &CredentialFilter::default())
        .filter(credential::Column::UserId.is_in(users.iter().map(|id| id.0)))
        .order_by_asc(credential::Column::Id)
        .all(database.read())
        .await?)
}

/// The doors of those of these credentials, which the caller has found in scope, that are for certain doors.
///
/// # Errors
/// The database failed.
pub async fn doors(
    database: &Database,
    credentials: &[CredentialId],
) -> Result<Vec<credential_door::Model>, StoreError> {
    Ok(credential_door::Entity::find()
        .filter(credential_door::Column::CredentialId.is_in(credentials.iter().map(|id| id.0)))
        .order_by_asc(credential_door::Column::DoorId)
        .all(database.read())
        .await?)
}
