//! A person, as the schema shows them.

use std::sync::Arc;

use async_graphql::{ID, Object};
use domain::{clock::Timestamp, ids::UserId};
use entities::rows::user;

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct User(pub(super) Arc<user::Model>);

/// A person. Seen only by callers who see the whole organization.
#[Object]
impl User {
    /// Their id (`user_…`).
    pub(crate) async fn id(&self) -> ID {
        UserId(self.0.id).to_string().into()
    }

    /// Their name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Their e-mail address, if known.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// When they were added.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}
