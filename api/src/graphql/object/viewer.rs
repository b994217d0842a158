//! The caller, as the schema shows them to themselves.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use domain::{
    access::{Actor, Limits},
    clock::Timestamp,
    command,
};
use entities::find;

use super::{ApiKey, Organization, User, neighbour};
use crate::{
    auth::Session,
    graphql::{
        context::Ask,
        words::{CommandKind, Role},
    },
};

/// See the description in the schema.
pub(crate) struct Viewer(pub(crate) Session);

/// What kind of caller it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ViewerKind {
    /// A program.
    ApiKey,
    /// A person.
    User,
}

/// The part of the organization that a caller sees.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Sight {
    /// Whether it is everything; the two lists are empty then.
    everything: bool,
    /// The sites seen with all that is in them.
    site_ids: Vec<ID>,
    /// The doors seen beside those of the sites.
    door_ids: Vec<ID>,
}

/// A role that counts at one site.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct RoleAtSite {
    /// The site.
    site_id: ID,
    /// The role.
    role: Role,
}

impl From<&Limits> for Sight {
    fn from(limits: &Limits) -> Self {
        Self {
            everything: limits.sees_everything(),
            site_ids: limits.sites.iter().flatten().map(|id| id.to_string().into()).collect(),
            door_ids: limits.doors.iter().flatten().map(|id| id.to_string().into()).collect(),
        }
    }
}

/// The caller: who asks, and what they may do.
#[Object]
impl Viewer {
    /// Whether it is a program or a person.
    async fn kind(&self) -> ViewerKind {
        match self.0.principal.actor {
            Actor::ApiKey(_) => ViewerKind::ApiKey,
            Actor::User(_) => ViewerKind::User,
        }
    }

    /// Their id (`key_…` or `user_…`): the `requestedBy` of their commands.
    async fn id(&self) -> ID {
        self.0.principal.actor.to_string().into()
    }

    /// What they may do wherever they see something.
    async fn role(&self) -> Role {
        self.0.principal.role.into()
    }

    /// Their organization.
    async fn organization(&self, context: &Context<'_>) -> Option<Result<Organization>> {
        neighbour(context, self.0.principal.organization).await
    }

    /// The person, if it is one and they see the whole organization.
    async fn user(&self, context: &Context<'_>) -> Option<Result<User>> {
        match self.0.principal.actor {
            Actor::User(id) => neighbour(context, id).await,
            Actor::ApiKey(_) => None,
        }
    }

    /// Where a person has a higher role than elsewhere.
    async fn roles_at_sites(&self) -> Vec<RoleAtSite> {
        let roles = self.0.principal.at_sites.iter();
        roles.map(|(site, role)| RoleAtSite { site_id: site.to_string().into(), role: (*role).into() }).collect()
    }

    /// Their key with its limits and what is left of it; null for a person.
    async fn api_key(&self, context: &Context<'_>) -> Result<Option<ApiKey>> {
        let Actor::ApiKey(id) = self.0.principal.actor else { return Ok(None) };
        let found = find::keys::own(&context.shared()?.database, &self.0.scope, id).await?;
        Ok(found.map(|row| Arc::new(row).into()))
    }

    /// What they see.
    async fn sees(&self) -> Sight {
        Sight::from(&self.0.principal.limits)
    }

    /// Doors that a person sees beside these, because an access token, a credential or an access level of theirs is for them
    /// now. They may open them at the times at which that counts.
    async fn own_door_ids(&self) -> Vec<ID> {
        self.0.principal.own_doors.iter().map(|id| id.to_string().into()).collect()
    }

    /// The commands they may send somewhere, where a door or device can carry them out.
    async fn allowed_command_kinds(&self, context: &Context<'_>) -> Result<Vec<CommandKind>> {
        let now = context.shared()?.clock.now();
        let all = command::CommandKind::ALL.iter().copied();
        Ok(all.filter(|kind| self.0.principal.may_send_somewhere(*kind, now).is_ok()).map(Into::into).collect())
    }

    /// From when on their key or token does not count any more; null if it does not expire.
    async fn expires_at(&self) -> Option<Timestamp> {
        self.0.principal.expires_at
    }
}
