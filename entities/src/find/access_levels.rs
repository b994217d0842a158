//! Access levels, whose they are, and schedules. They tell of people: only principals who see the whole organization
//! find any.

use domain::ids::{AccessAssignmentId, AccessLevelId, ScheduleId, SiteId, UserId};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, Func, LikeExpr},
};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::{access_assignment, access_level, access_level_door, schedule},
};

/// Which access levels; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AccessLevelFilter {
    /// At this site.
    pub site: Option<SiteId>,
    /// With this schedule.
    pub schedule: Option<ScheduleId>,
    /// With this text in the name, in any case of letters.
    pub text: Option<String>,
}

/// Which schedules; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ScheduleFilter {
    /// At this site.
    pub site: Option<SiteId>,
}

fn levels(scope: &Scope, filter: &AccessLevelFilter) -> Select<access_level::Entity> {
    let visible = scope.whole_organization(access_level::Column::OrganizationId);
    let mut query = access_level::Entity::find().filter(visible);
    if let Some(site) = filter.site {
        query = query.filter(access_level::Column::SiteId.eq(site.0));
    }
    if let Some(schedule) = filter.schedule {
        query = query.filter(access_level::Column::ScheduleId.eq(schedule.0));
    }
    if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
        let literal = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = LikeExpr::new(format!("%{literal}%")).escape('\\');
        let name = Expr::expr(Func::lower(Expr::col((access_level::Entity, access_level::Column::Name))));
        query = query.filter(name.like(pattern));
    }
    query
}

fn schedules(scope: &Scope, filter: &ScheduleFilter) -> Select<schedule::Entity> {
    let query = schedule::Entity::find().filter(scope.whole_organization(schedule::Column::OrganizationId));
    match filter.site {
        Some(site) => query.filter(schedule::Column::SiteId.eq(site.0)),
        None => query,
    }
}

/// A page of the visible access levels.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &AccessLevelFilter,
    request: PageRequest,
) -> Result<Page<access_level::Model>, StoreError> {
    page::fetch(database, levels(scope, filter), access_level::Column::Id, request).await
}

/// How many access levels are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &AccessLevelFilter) -> Result<u64, StoreError> {
    Ok(levels(scope, filter).count(database.read()).await?)
}

/// The visible ones of these access levels.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[AccessLevelId],
) -> Result<Vec<access_level::Model>, StoreError> {
    Ok(levels(scope, &AccessLevelFilter::default())
        .filter(access_level::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}

/// The doors of these access levels, which the caller has found in scope.
///
/// # Errors
/// The database failed.
pub async fn doors(database: &Database, ids: &[AccessLevelId]) -> Result<Vec<access_level_door::Model>, StoreError> {
    Ok(access_level_door::Entity::find()
        .filter(access_level_door::Column::AccessLevelId.is_in(ids.iter().map(|id| id.0)))
        .order_by_asc(access_level_door::Column::DoorId)
        .all(database.read())
        .await?)
}

/// What these people are assigned, oldest first.
///
/// # Errors
/// The database failed.
pub async fn assignments_of(
    database: &Database,
    scope: &Scope,
    users: &[UserId],
) -> Result<Vec<access_assignment::Model>, StoreError> {
    Ok(access_assignment::Entity::find()
        .filter(scope.whole_organization(access_assignment::Column::OrganizationId))
        .filter(access_assignment::Column::UserId.is_in(users.iter().map(|id| id.0)))
        .order_by_asc(access_assignment::Column::Id)
        .all(database.read())
        .await?)
}

/// A page of the visible schedules.
///
/// # Errors
/// The database failed.
pub async fn schedules_page(
    database: &Database,
    scope: &Scope,
    filter: &ScheduleFilter,
    request: PageRequest,
) -> Result<Page<schedule::Model>, StoreError> {
    page::fetch(database, schedules(scope, filter), schedule::Column::Id, request).await
}

/// How many schedules are visible.
///
/// # Errors
/// The database failed.
pub async fn schedules_count(database: &Database, scope: &Scope, filter: &ScheduleFilter) -> Result<u64, StoreError> {
    Ok(schedules(scope, filter).count(database.read()).await?)
}

/// The visible ones of these schedules.
///
/// # Errors
/// The database failed.
pub async fn schedules_by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[ScheduleId],
) -> Result<Vec<schedule::Model>, StoreError> {
    Ok(schedules(scope, &ScheduleFilter::default())
        .filter(schedule::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}

/// The visible ones of these assignments.
///
/// # Errors
/// The database failed.
pub async fn assignments_by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[AccessAssignmentId],
) -> Result<Vec<access_assignment::Model>, StoreError> {
    Ok(access_assignment::Entity::find()
        .filter(scope.whole_organization(access_assignment::Column::OrganizationId))
        .filter(access_assignment::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
