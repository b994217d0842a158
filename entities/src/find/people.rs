//! People. Only principals who see the whole organization find any.

use domain::ids::{AccessLevelId, UserId};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Func, LikeExpr},
};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::{access_assignment, membership, user},
};

/// Which people; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PeopleFilter {
    /// With this text in the name or e-mail address, in any case of letters.
    pub text: Option<String>,
    /// With this access level.
    pub access_level: Option<AccessLevelId>,
    /// Also those who were erased.
    pub erased_too: bool,
}

fn query(scope: &Scope, filter: &PeopleFilter) -> Select<user::Entity> {
    let mut query = user::Entity::find().filter(scope.whole_organization(user::Column::OrganizationId));
    if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
        let literal = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = || LikeExpr::new(format!("%{literal}%")).escape('\\');
        let email = Expr::expr(Func::lower(Expr::col((user::Entity, user::Column::Email))));
        let name = Expr::col((user::Entity, user::Column::NameFolded)).like(pattern());
        query = query.filter(Condition::any().add(name).add(email.like(pattern())));
    }
    if let Some(level) = filter.access_level {
        let holders = access_assignment::Entity::find()
            .select_only()
            .column(access_assignment::Column::UserId)
            .filter(access_assignment::Column::AccessLevelId.eq(level.0))
            .into_query();
        query = query.filter(user::Column::Id.in_subquery(holders));
    }
    if !filter.erased_too {
        query = query.filter(user::Column::ErasedAt.is_null());
    }
    query
}

/// A page of the visible people.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &PeopleFilter,
    request: PageRequest,
) -> Result<Page<user::Model>, StoreError> {
    page::fetch(database, query(scope, filter), user::Column::Id, request).await
}

/// How many people are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &PeopleFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// Whether a person may sign in: whether they have a role anywhere in the caller's organization.
///
/// # Errors
/// The database failed.
pub async fn may_sign_in(database: &Database, scope: &Scope, id: UserId) -> Result<bool, StoreError> {
    let roles = membership::Entity::find()
        .filter(scope.whole_organization(membership::Column::OrganizationId))
        .filter(membership::Column::UserId.eq(id.0));
    Ok(roles.count(database.read()).await? > 0)
}
