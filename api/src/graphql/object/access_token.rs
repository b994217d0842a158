//! An access token, as the schema shows it: everything but its value.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    clock::Timestamp,
    ids::{AccessTokenId, ReservationId},
};
use entities::rows::access_token;

use super::{Door, Placement, Reservation, exposure::Exposure, neighbour};
use crate::{
    graphql::{
        context::Ask,
        words::{TokenState, TokenType},
    },
    loaders::{DoorsOfToken, PlacementsOfToken},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct AccessToken(pub(super) Arc<access_token::Model>);

/// A PIN or tag that was issued for a stay. Its value is sealed: `revealAccessToken` alone shows it. Seen by a MANAGER who
/// sees the whole organization.
#[Object(tag = "personal")]
impl AccessToken {
    /// Its id (`tok_…`).
    pub(crate) async fn id(&self) -> ID {
        AccessTokenId(self.0.id).to_string().into()
    }

    /// What its value is.
    async fn token_type(&self) -> Result<TokenType> {
        Ok(self.0.token_type()?.into())
    }

    /// Where it stands.
    async fn state(&self) -> Result<TokenState> {
        Ok(self.0.state()?.into())
    }

    /// From when on it is to open, the time of grace before the stay included.
    async fn valid_from(&self) -> Timestamp {
        self.0.valid_from
    }

    /// Until when it is to open, the time of grace after the stay included.
    async fn valid_until(&self) -> Timestamp {
        self.0.valid_until
    }

    /// The doors that it opens or may still open.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn doors(&self, context: &Context<'_>) -> Option<Result<Vec<Door>>> {
        let doors = async {
            let found = context.loaders()?.load(DoorsOfToken(AccessTokenId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(Door::from).collect())
        };
        Some(doors.await)
    }

    /// Where it is to be, and what is known of it there: one for each lock system, and one for the PMS that shows it.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn placements(&self, context: &Context<'_>) -> Option<Result<Vec<Placement>>> {
        let placements = async {
            let found = context.loaders()?.load(PlacementsOfToken(AccessTokenId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(Placement::from).collect())
        };
        Some(placements.await)
    }

    /// Until when it may still open at any of them.
    #[graphql(complexity = "10")]
    async fn exposure(&self, context: &Context<'_>) -> Option<Result<Exposure>> {
        let exposure = async {
            let now = context.shared()?.clock.now();
            let found = context.loaders()?.load(PlacementsOfToken(AccessTokenId(self.0.id))).await?;
            Ok(Exposure::of(found.iter().flatten().map(AsRef::as_ref), now)?)
        };
        Some(exposure.await)
    }

    /// The stay that it is for.
    async fn reservation(&self, context: &Context<'_>) -> Option<Result<Reservation>> {
        neighbour(context, ReservationId(self.0.reservation_id)).await
    }

    /// When it was to be taken away; null if it is not.
    async fn revoke_requested_at(&self) -> Option<Timestamp> {
        self.0.revoke_requested_at
    }

    /// When it was read back as gone everywhere; null if it was not yet.
    async fn revoked_at(&self) -> Option<Timestamp> {
        self.0.revoked_at
    }

    /// Who had it issued: the id of an API key or user.
    async fn requested_by(&self) -> &str {
        &self.0.requested_by
    }

    /// When it was issued.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Counts its changes.
    async fn version(&self) -> i64 {
        self.0.version
    }
}
