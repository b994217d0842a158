//! Placements. They tell of people: only principals who see the whole organization find any.

use domain::ids::{AccessTokenId, CredentialId, PlacementId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::{Database, Scope, StoreError, rows::placement};

fn query(scope: &Scope) -> Select<placement::Entity> {
    placement::Entity::find().filter(scope.whole_organization(placement::Column::OrganizationId))
}

/// The visible ones of these placements.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[PlacementId],
) -> Result<Vec<placement::Model>, StoreError> {
    Ok(query(scope).filter(placement::Column::Id.is_in(ids.iter().map(|id| id.0))).all(database.read()).await?)
}

/// The visible placements of these tokens, oldest first.
///
/// # Errors
/// The database failed.
pub async fn by_tokens(
    database: &Database,
    scope: &Scope,
    tokens: &[AccessTokenId],
) -> Result<Vec<placement::Model>, StoreError> {
    Ok(query(scope)
        .filter(placement::Column::TokenId.is_in(tokens.iter().map(|id| id.0)))
        .order_by_asc(placement::Column::Id)
        .all(database.read())
        .await?)
}

/// The visible placements of these credentials, oldest first.
///
/// # Errors
/// The database failed.
pub async fn by_credentials(
    database: &Database,
    scope: &Scope,
    credentials: &[CredentialId],
) -> Result<Vec<placement::Model>, StoreError> {
    Ok(query(scope)
        .filter(placement::Column::CredentialId.is_in(credentials.iter().map(|id| id.0)))
        .order_by_asc(placement::Column::Id)
        .all(database.read())
        .await?)
}
