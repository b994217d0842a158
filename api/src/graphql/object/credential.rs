//! A credential, as the schema shows it: never a PIN.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    access::{Denial, Principal},
    clock::Timestamp,
    ids::{CredentialId, UserId},
};
use entities::rows::credential;

use super::{Door, Placement, User, neighbour};
use crate::{
    graphql::{
        context::Ask,
        words::{CredentialState, CredentialType},
    },
    loaders::{DoorsOfCredential, PlacementsOfCredential},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Credential(pub(super) Arc<credential::Model>);

/// Whether a caller may look at people, and at what they hold and are assigned.
///
/// # Errors
/// The reason why not.
pub(crate) fn may_see_people(principal: &Principal, now: Timestamp) -> Result<(), Denial> {
    principal.may_see_people(now)
}

/// What a person presents at a door, with its copies at vendors. A PIN is sealed and never shown. Seen by a MANAGER who
/// sees the whole organization.
#[Object(tag = "personal")]
impl Credential {
    /// Its id (`cred_…`).
    pub(crate) async fn id(&self) -> ID {
        CredentialId(self.0.id).to_string().into()
    }

    /// What it is.
    async fn kind(&self) -> Result<CredentialType> {
        Ok(self.0.kind()?.into())
    }

    /// A name for people.
    async fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// The number of a card, tag or telephone, or the e-mail address of a mobile key; null for a PIN.
    async fn number(&self) -> Option<&str> {
        self.0.number.as_deref()
    }

    /// Whether it is meant to open.
    async fn state(&self) -> Result<CredentialState> {
        Ok(self.0.state()?.into())
    }

    /// From when on it opens; null means always.
    async fn valid_from(&self) -> Option<Timestamp> {
        self.0.valid_from
    }

    /// Until when; null means for ever.
    async fn valid_until(&self) -> Option<Timestamp> {
        self.0.valid_until
    }

    /// Whose it is.
    async fn user(&self, context: &Context<'_>) -> Option<Result<User>> {
        neighbour(context, UserId(self.0.user_id)).await
    }

    /// The doors that it was made for. None: it opens those of its holder's access levels.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn doors(&self, context: &Context<'_>) -> Option<Result<Vec<Door>>> {
        let doors = async {
            let found = context.loaders()?.load(DoorsOfCredential(CredentialId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(Door::from).collect())
        };
        Some(doors.await)
    }

    /// Where it is to be, and what is known of it there: one for each lock system or device, and one for the doors of a
    /// vendor that cannot hold it, with the reason.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn placements(&self, context: &Context<'_>) -> Option<Result<Vec<Placement>>> {
        let placements = async {
            let found = context.loaders()?.load(PlacementsOfCredential(CredentialId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(Placement::from).collect())
        };
        Some(placements.await)
    }

    /// Counts its changes.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}
