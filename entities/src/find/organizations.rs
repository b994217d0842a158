//! Organizations and people.

use domain::ids::{OrganizationId, UserId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    Database, Scope, StoreError,
    rows::{organization, user},
};

/// The caller's own organization, if its id is among `ids`.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[OrganizationId],
) -> Result<Vec<organization::Model>, StoreError> {
    if !ids.contains(&scope.organization()) {
        return Ok(Vec::new());
    }
    Ok(organization::Entity::find_by_id(scope.organization().0).all(database.read()).await?)
}

/// The users with these ids.
///
/// # Errors
/// The database failed.
pub async fn users_by_ids(database: &Database, scope: &Scope, ids: &[UserId]) -> Result<Vec<user::Model>, StoreError> {
    Ok(user::Entity::find()
        .filter(scope.whole_organization(user::Column::OrganizationId))
        .filter(user::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
