//! A person's identity at an identity provider, as the schema shows it.

use std::sync::Arc;

use async_graphql::Object;
use domain::clock::Timestamp;
use entities::rows;

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Identity(pub(super) Arc<rows::identity::Model>);

/// What an identity provider calls a person: who proves to be this subject is signed in as them.
#[Object(tag = "personal")]
impl Identity {
    /// The provider, as its tokens name it (`iss`).
    async fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Its name for the person (`sub`), which it gives to nobody else.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Since when.
    async fn linked_at(&self) -> Timestamp {
        self.0.created_at
    }
}
