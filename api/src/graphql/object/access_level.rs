//! Access levels and whose they are, as the schema shows them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    clock::Timestamp,
    ids::{AccessAssignmentId, AccessLevelId, ScheduleId, SiteId, UserId},
};
use entities::rows::{access_assignment, access_level};

use super::{Door, Schedule, Site, User, neighbour};
use crate::{graphql::context::Ask, loaders::DoorsOfAccessLevel};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct AccessLevel(pub(super) Arc<access_level::Model>);

/// Doors of a site that are given together, always or by a schedule. Whoever has it opens them with their credentials;
/// `users(filter: { accessLevelId })` lists them. Not to be confused with the access levels that a vendor keeps. Seen by a
/// MANAGER who sees the whole organization.
#[Object]
impl AccessLevel {
    /// Its id (`lvl_…`).
    pub(crate) async fn id(&self) -> ID {
        AccessLevelId(self.0.id).to_string().into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The site that it belongs to, with all its doors.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id)).await
    }

    /// When it counts; null means always.
    async fn schedule(&self, context: &Context<'_>) -> Option<Result<Schedule>> {
        neighbour(context, ScheduleId(self.0.schedule_id?)).await
    }

    /// Its doors.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn doors(&self, context: &Context<'_>) -> Option<Result<Vec<Door>>> {
        let doors = async {
            let found = context.loaders()?.load(DoorsOfAccessLevel(AccessLevelId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(Door::from).collect())
        };
        Some(doors.await)
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct AccessAssignment(pub(super) Arc<access_assignment::Model>);

/// That a person has an access level, and from when until when.
#[Object(tag = "personal")]
impl AccessAssignment {
    /// Its id (`asgn_…`).
    pub(crate) async fn id(&self) -> ID {
        AccessAssignmentId(self.0.id).to_string().into()
    }

    /// What they have.
    async fn access_level(&self, context: &Context<'_>) -> Option<Result<AccessLevel>> {
        neighbour(context, AccessLevelId(self.0.access_level_id)).await
    }

    /// Who has it.
    async fn user(&self, context: &Context<'_>) -> Option<Result<User>> {
        neighbour(context, UserId(self.0.user_id)).await
    }

    /// From when on; null means always.
    async fn valid_from(&self) -> Option<Timestamp> {
        self.0.valid_from
    }

    /// Until when; null means for ever.
    async fn valid_until(&self) -> Option<Timestamp> {
        self.0.valid_until
    }

    /// When they were given it.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}
