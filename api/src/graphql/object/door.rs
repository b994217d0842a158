//! A door, as the schema shows it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    clock::Timestamp,
    ids::{DeviceId, DoorId, SiteId},
};
use entities::rows::door;

use super::{
    Device, Site,
    door_settings::{DoorSettings, PhoneAccess},
    door_state::DoorState,
    neighbour,
    opening::WhoCanOpen,
};
use crate::graphql::{
    context::Ask,
    words::{CommandKind, DoorKind},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Door(pub(super) Arc<door::Model>);

/// Anything a person or vehicle passes or opens: door, gate, garage, elevator, locker, dock.
#[Object]
impl Door {
    /// Its id (`door_…`).
    pub(crate) async fn id(&self) -> ID {
        DoorId(self.0.id).to_string().into()
    }

    /// The vendor's id of it.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// A name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What kind of passage it is.
    async fn kind(&self) -> Result<DoorKind> {
        Ok(self.0.kind()?.into())
    }

    /// Its position on the device, from 1.
    async fn position(&self) -> i32 {
        self.0.position
    }

    /// Commands it can carry out.
    async fn capabilities(&self) -> Vec<CommandKind> {
        self.0.capabilities().into_iter().map(Into::into).collect()
    }

    /// Its state, as far as it was observed.
    async fn state(&self, context: &Context<'_>) -> Option<Result<DoorState>> {
        let state = || {
            let now = context.shared()?.clock.now();
            Ok(DoorState::of(&self.0.state()?, now))
        };
        Some(state())
    }

    /// Its settings at its vendor; null where the vendor has none.
    async fn settings(&self) -> Option<Result<DoorSettings>> {
        self.0.settings().transpose().map(|settings| Ok(settings?.into()))
    }

    /// Who may open it by telephone; null where the vendor does not tell.
    async fn phone_access(&self) -> Option<Result<PhoneAccess>> {
        self.0.phone_access().transpose().map(|access| Ok(access?.into()))
    }

    /// When its vendor last listed it.
    async fn last_seen_at(&self) -> Timestamp {
        self.0.last_seen_at
    }

    /// Since when complete inventories of its vendor lack it; null while they list it.
    async fn missing_since(&self) -> Option<Timestamp> {
        self.0.missing_since
    }

    /// Who can open it, and how: people, and whatever lets anybody in.
    #[graphql(complexity = "10 + child_complexity")]
    async fn who_can_open(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At this instant; now without.")] at: Option<Timestamp>,
    ) -> Option<Result<WhoCanOpen>> {
        Some(WhoCanOpen::of(context, DoorId(self.0.id), at))
    }

    /// The device that drives it.
    async fn device(&self, context: &Context<'_>) -> Option<Result<Device>> {
        neighbour(context, DeviceId(self.0.device_id)).await
    }

    /// Where it is.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id)).await
    }
}
