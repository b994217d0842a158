//! A placement, as the schema shows it: what of a token or credential is to be at a vendor, and what is there.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::{
    clock::Timestamp,
    ids::{AccessTokenId, CommandId, CredentialId, DeviceId, PlacementId, VendorAccountId},
    placement::Wish,
};
use entities::rows::placement;

use super::{AccessToken, Command, Credential, Device, Door, VendorAccount, exposure::Exposure, neighbour};
use crate::{
    graphql::{
        context::Ask,
        words::{Desired, PlacementErrorCode, PlacementState},
    },
    loaders::TheseDoors,
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Placement(pub(super) Arc<placement::Model>);

/// What of a token or credential is to be at a vendor, and what is known to be there. What is read back at the vendor
/// counts, never what it answered to an order. Seen by a MANAGER who sees the whole organization.
#[Object(tag = "personal")]
impl Placement {
    /// Its id (`plc_…`).
    pub(crate) async fn id(&self) -> ID {
        PlacementId(self.0.id).to_string().into()
    }

    /// The vendor account.
    async fn vendor_account(&self, context: &Context<'_>) -> Option<Result<VendorAccount>> {
        neighbour(context, VendorAccountId(self.0.account_id)).await
    }

    /// The device, where the vendor keeps such things by device; null otherwise.
    async fn device(&self, context: &Context<'_>) -> Option<Result<Device>> {
        neighbour(context, DeviceId(self.0.device_id?)).await
    }

    /// The token that is placed; null if it is a credential.
    async fn access_token(&self, context: &Context<'_>) -> Option<Result<AccessToken>> {
        neighbour(context, AccessTokenId(self.0.token_id?)).await
    }

    /// The credential that is placed; null if it is a token.
    async fn credential(&self, context: &Context<'_>) -> Option<Result<Credential>> {
        neighbour(context, CredentialId(self.0.credential_id?)).await
    }

    /// What is wished for.
    async fn desired(&self) -> Result<Desired> {
        Ok(self.0.desired()?.into())
    }

    /// What is known.
    async fn state(&self) -> Result<PlacementState> {
        Ok(self.0.state()?.into())
    }

    /// The doors that it is to open; none for what a PMS shows.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn doors(&self, context: &Context<'_>) -> Option<Result<Vec<Door>>> {
        let doors = async {
            let named = self.0.wish()?.as_ref().map(Wish::doors).unwrap_or_default();
            let found = context.loaders()?.load(TheseDoors(named)).await?;
            Ok(found.unwrap_or_default().into_iter().map(Door::from).collect())
        };
        Some(doors.await)
    }

    /// Why it is not as it is to be; null if nothing is wrong.
    async fn error(&self) -> Result<Option<PlacementError>> {
        let Some(code) = self.0.error_code()? else { return Ok(None) };
        Ok(Some(PlacementError { code: code.into(), message: self.0.error_message.clone().unwrap_or_default() }))
    }

    /// The vendor's id of it; null while none is known.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// When it was last read back as it was to be; null if never yet.
    async fn last_confirmed_at(&self) -> Option<Timestamp> {
        self.0.last_confirmed_at
    }

    /// The last order to the vendor; null if there was none.
    async fn command(&self, context: &Context<'_>) -> Option<Result<Command>> {
        neighbour(context, CommandId(self.0.command_id?)).await
    }

    /// Until when it may still open.
    async fn exposure(&self, context: &Context<'_>) -> Result<Exposure> {
        let now = context.shared()?.clock.now();
        Ok(Exposure::of([self.0.as_ref()], now)?)
    }

    /// When it was to be taken away; null if it is not.
    async fn revoke_requested_at(&self) -> Option<Timestamp> {
        self.0.revoke_requested_at
    }

    /// When it was read back as gone; null if it was not yet.
    async fn revoked_at(&self) -> Option<Timestamp> {
        self.0.revoked_at
    }

    /// Counts its changes.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// Why a placement is not as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct PlacementError {
    /// For programs.
    code: PlacementErrorCode,
    /// For people.
    message: String,
}
