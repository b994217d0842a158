//! An API key, as the schema shows it: everything but the key.

use std::sync::Arc;

use async_graphql::{ID, Object, Result};
use domain::{clock::Timestamp, ids::ApiKeyId};
use entities::rows;

use super::viewer::Sight;
use crate::graphql::words::{CommandKind, Role};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct ApiKey(pub(super) Arc<rows::api_key::Model>);

/// What a program presents. Seen by who made it, by itself as `viewer.apiKey`, and by an ADMIN without limits.
#[Object]
impl ApiKey {
    /// Its id (`key_…`): the `requestedBy` of its commands.
    pub(crate) async fn id(&self) -> ID {
        ApiKeyId(self.0.id).to_string().into()
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How the key begins, to tell which one it is; null for keys of old.
    async fn prefix(&self) -> Option<&str> {
        Some(self.0.prefix.as_str()).filter(|prefix| !prefix.is_empty())
    }

    /// What it may do.
    async fn role(&self) -> Result<Role> {
        Ok(self.0.role()?.into())
    }

    /// What it sees.
    async fn sees(&self) -> Result<Sight> {
        Ok(Sight::from(&self.0.limits()?))
    }

    /// The only commands that it may send; null means whatever its role allows.
    async fn command_kinds(&self) -> Result<Option<Vec<CommandKind>>> {
        Ok(self.0.limits()?.verbs.map(|verbs| verbs.into_iter().map(Into::into).collect()))
    }

    /// How many commands it may send; null means any number. A key with a number changes nothing else.
    async fn max_uses(&self) -> Option<i64> {
        self.0.max_uses
    }

    /// How many commands it may still send; null means any number.
    async fn uses_left(&self) -> Option<i64> {
        self.0.max_uses.map(|most| (most - self.0.uses).max(0))
    }

    /// When it was presented last, to the minute; null if it never was.
    async fn last_used_at(&self) -> Option<Timestamp> {
        self.0.last_used_at
    }

    /// Who made it: the id of an API key or user; null for one of the command line.
    async fn created_by(&self) -> Option<&str> {
        self.0.created_by.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// From when on it does not count; null if it does not expire.
    async fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at
    }

    /// When it was revoked; null if it was not.
    async fn revoked_at(&self) -> Option<Timestamp> {
        self.0.revoked_at
    }
}

impl ApiKey {
    /// Who made it.
    pub(crate) fn made_by(&self) -> Option<&str> {
        self.0.created_by.as_deref()
    }
}
