//! Alerts: seen with their site; those about people by principals who see the whole organization.

use domain::{
    alert::{AlertKind, AlertSeverity},
    ids::{AlertId, SiteId},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Select};

use crate::{
    Database, Scope, StoreError,
    page::{self, Page, PageRequest},
    rows::alert,
};

/// Which alerts; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AlertFilter {
    /// Of one of these kinds; empty means any.
    pub kinds: Vec<AlertKind>,
    /// At least as severe.
    pub severity: Option<AlertSeverity>,
    /// At this site.
    pub site: Option<SiteId>,
    /// Whether somebody took note.
    pub acknowledged: Option<bool>,
    /// Also those whose cause is gone.
    pub resolved_too: bool,
}

fn query(scope: &Scope, filter: &AlertFilter) -> Select<alert::Entity> {
    let mut query = alert::Entity::find().filter(scope.alerts());
    if !filter.kinds.is_empty() {
        query = query.filter(alert::Column::Kind.is_in(filter.kinds.iter().map(|kind| kind.as_str())));
    }
    if let Some(severity) = filter.severity {
        let severe = AlertSeverity::ALL.iter().filter(|one| **one >= severity).map(|one| one.as_str());
        query = query.filter(alert::Column::Severity.is_in(severe));
    }
    if let Some(site) = filter.site {
        query = query.filter(alert::Column::SiteId.eq(site.0));
    }
    if let Some(acknowledged) = filter.acknowledged {
        let at = alert::Column::AcknowledgedAt;
        query = query.filter(if acknowledged { at.is_not_null() } else { at.is_null() });
    }
    if !filter.resolved_too {
        query = query.filter(alert::Column::ResolvedAt.is_null());
    }
    query
}

/// A page of the visible alerts.
///
/// # Errors
/// The database failed.
pub async fn page(
    database: &Database,
    scope: &Scope,
    filter: &AlertFilter,
    request: PageRequest,
) -> Result<Page<alert::Model>, StoreError> {
    page::fetch(database, query(scope, filter), alert::Column::Id, request).await
}

/// How many alerts are visible.
///
/// # Errors
/// The database failed.
pub async fn count(database: &Database, scope: &Scope, filter: &AlertFilter) -> Result<u64, StoreError> {
    Ok(query(scope, filter).count(database.read()).await?)
}

/// The visible ones of these alerts, resolved ones too.
///
/// # Errors
/// The database failed.
pub async fn by_ids(database: &Database, scope: &Scope, ids: &[AlertId]) -> Result<Vec<alert::Model>, StoreError> {
    Ok(alert::Entity::find()
        .filter(scope.alerts())
        .filter(alert::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
