//! An alert, as the schema shows it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    access::{Denial, Principal, Role},
    alert,
    clock::Timestamp,
    ids::{AlertId, SiteId},
};
use entities::rows::alert as row;

use super::{Site, neighbour};
use crate::graphql::{
    node::{self, Node},
    words::{AlertKind, AlertSeverity},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Alert(pub(super) Arc<row::Model>);

/// Whether a caller may look at alerts of a kind. Those that tell of people need MANAGER.
///
/// # Errors
/// The reason why not.
pub(crate) fn may_see_alerts(principal: &Principal, kind: alert::AlertKind, now: Timestamp) -> Result<(), Denial> {
    principal.must_be(if kind.is_personal() { Role::Manager } else { Role::Viewer }, now)
}

/// The kinds that a caller may read.
pub(crate) fn readable_alerts(principal: &Principal, now: Timestamp) -> Vec<alert::AlertKind> {
    alert::AlertKind::ALL.iter().copied().filter(|kind| may_see_alerts(principal, *kind, now).is_ok()).collect()
}

impl Alert {
    /// Whether a caller may read it. One that may not is as good as absent.
    pub(crate) fn is_readable(&self, principal: &Principal, now: Timestamp) -> bool {
        self.0.kind().is_ok_and(|kind| may_see_alerts(principal, kind, now).is_ok())
    }
}

/// What a person must look at. One is open per kind and subject; it is resolved when its cause is gone. Those that tell of
/// people are seen by a MANAGER who sees the whole organization.
#[Object]
impl Alert {
    /// Its id (`alrt_…`).
    pub(crate) async fn id(&self) -> ID {
        AlertId(self.0.id).to_string().into()
    }

    /// What it is about.
    async fn kind(&self) -> Result<AlertKind> {
        Ok(self.0.kind()?.into())
    }

    /// How soon somebody must look.
    async fn severity(&self) -> Result<AlertSeverity> {
        Ok(self.0.severity()?.into())
    }

    /// For people.
    async fn message(&self) -> &str {
        &self.0.message
    }

    /// The id of what it is about.
    async fn subject_id(&self) -> ID {
        ID(self.0.subject.clone())
    }

    /// What it is about; null if the caller does not see it.
    async fn subject(&self, context: &Context<'_>) -> Option<Result<Node>> {
        node::find(context, &ID(self.0.subject.clone())).await
    }

    /// Where; null if it is at no one place.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id?)).await
    }

    /// Since when.
    async fn raised_at(&self) -> Timestamp {
        self.0.raised_at
    }

    /// When somebody took note; null if nobody did yet.
    async fn acknowledged_at(&self) -> Option<Timestamp> {
        self.0.acknowledged_at
    }

    /// Who did: the id of an API key or user.
    async fn acknowledged_by(&self) -> Option<&str> {
        self.0.acknowledged_by.as_deref()
    }

    /// When its cause was gone; null while it is open.
    async fn resolved_at(&self) -> Option<Timestamp> {
        self.0.resolved_at
    }

    /// Counts its changes.
    async fn version(&self) -> i64 {
        self.0.version
    }
}
