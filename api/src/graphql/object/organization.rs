//! The tenant, as the schema shows it.

use std::sync::Arc;

use async_graphql::{ID, Object};
use domain::{clock::Timestamp, ids::OrganizationId};
use entities::rows::organization;

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Organization(pub(super) Arc<organization::Model>);

/// A tenant. Everything belongs to exactly one organization, and a caller sees nothing of any other.
#[Object]
impl Organization {
    /// Its id (`org_…`).
    pub(crate) async fn id(&self) -> ID {
        OrganizationId(self.0.id).to_string().into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When it was created.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}
