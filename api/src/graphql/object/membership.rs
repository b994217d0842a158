//! A membership, as the schema shows it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    clock::Timestamp,
    ids::{MembershipId, SiteId},
};
use entities::rows;

use super::{Site, neighbour};
use crate::graphql::words::Role;

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Membership(pub(super) Arc<rows::membership::Model>);

/// What a person may do who signs in: a role in the organization, or at one site of it. At a site the higher one counts.
#[Object(tag = "personal")]
impl Membership {
    /// Its id (`mbr_…`).
    async fn id(&self) -> ID {
        MembershipId(self.0.id).to_string().into()
    }

    /// The role.
    async fn role(&self) -> Result<Role> {
        Ok(self.0.role()?.into())
    }

    /// Where; null means everywhere.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id?)).await
    }

    /// When it was given.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}
