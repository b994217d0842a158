//! The caller, as the schema shows them to themselves.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use domain::{access::Actor, clock::Timestamp, command};

use super::{Organization, User, neighbour};
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

    /// What they may do.
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

    /// What they see.
    async fn sees(&self) -> Sight {
        let limits = &self.0.principal.limits;
        Sight {
            everything: limits.sees_everything(),
            site_ids: limits.sites.iter().flatten().map(|id| id.to_string().into()).collect(),
            door_ids: limits.doors.iter().flatten().map(|id| id.to_string().into()).collect(),
        }
    }

    /// The commands they may send, where a door or device can carry them out.
    async fn allowed_command_kinds(&self, context: &Context<'_>) -> Result<Vec<CommandKind>> {
        let now = context.shared()?.clock.now();
        let all = command::CommandKind::ALL.iter().copied();
        Ok(all.filter(|kind| self.0.principal.may_send(*kind, now).is_ok()).map(Into::into).collect())
    }

    /// From when on their key does not count any more; null if it does not expire.
    async fn expires_at(&self) -> Option<Timestamp> {
        self.0.principal.expires_at
    }
}
