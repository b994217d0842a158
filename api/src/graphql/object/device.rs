//! A device, as the schema shows it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    clock::Timestamp,
    ids::{DeviceId, SiteId, VendorAccountId},
};
use entities::rows::device;

use super::{Door, Site, VendorAccount, neighbour};
use crate::{
    graphql::{
        context::Ask,
        words::{CommandKind, DeviceHealth},
    },
    loaders::DoorsOfDevice,
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Device(pub(super) Arc<device::Model>);

/// A piece of hardware that drives one or more doors.
#[Object]
impl Device {
    /// Its id (`dev_…`).
    pub(crate) async fn id(&self) -> ID {
        DeviceId(self.0.id).to_string().into()
    }

    /// The vendor's id of it.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// A name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The vendor's type of it.
    async fn model(&self) -> &str {
        &self.0.model
    }

    /// Its firmware, if the vendor tells.
    async fn firmware(&self) -> Option<&str> {
        self.0.firmware.as_deref()
    }

    /// How it is.
    async fn health(&self) -> Result<DeviceHealth> {
        Ok(self.0.health()?.into())
    }

    /// Since when it is so, by the vendor's clock, if the vendor tells.
    async fn health_since(&self) -> Option<Timestamp> {
        self.0.health_since
    }

    /// Battery charge from 0 to 100, if it has a battery.
    async fn battery_percent(&self) -> Option<i32> {
        self.0.battery_percent
    }

    /// Commands that can be asked of the device itself.
    async fn capabilities(&self) -> Vec<CommandKind> {
        self.0.capabilities().into_iter().map(Into::into).collect()
    }

    /// When its vendor last listed it.
    async fn last_seen_at(&self) -> Timestamp {
        self.0.last_seen_at
    }

    /// Since when complete inventories of its vendor lack it; null while they list it.
    async fn missing_since(&self) -> Option<Timestamp> {
        self.0.missing_since
    }

    /// Where it is.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id)).await
    }

    /// The account that reaches it; null for callers who do not see the whole organization.
    async fn vendor_account(&self, context: &Context<'_>) -> Option<Result<VendorAccount>> {
        neighbour(context, VendorAccountId(self.0.account_id)).await
    }

    /// The doors it drives that the caller sees, in the order of their positions.
    #[graphql(complexity = "1 + 3 * child_complexity")]
    async fn doors(&self, context: &Context<'_>) -> Option<Result<Vec<Option<Door>>>> {
        let doors = async {
            let found = context.loaders()?.load(DoorsOfDevice(DeviceId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(|row| Some(row.into())).collect())
        };
        Some(doors.await)
    }
}
