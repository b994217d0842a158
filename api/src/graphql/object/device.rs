//! A device, as the schema shows it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    clock::Timestamp,
    ids::{DeviceId, SiteId, VendorAccountId},
    record::{CredentialType, RecordDetails, RecordKind},
};
use entities::rows::{device, record};

use super::{Door, Site, VendorAccount, VendorRecord, device_details::DeviceDetails, neighbour};
use crate::{
    graphql::{
        context::Ask,
        error::ApiError,
        words::{CommandKind, DeviceHealth},
    },
    loaders::{DoorsOfDevice, RecordsOfDevice},
};

/// More records than this are not shown at once; `records` pages through all of them.
const MOST: usize = 100;

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

    /// What its vendor documents of it beyond that.
    async fn details(&self) -> Option<Result<DeviceDetails>> {
        Some(self.0.details().map(Into::into).map_err(Into::into))
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

    /// Its sensors, the first 100.
    #[graphql(complexity = "1 + 3 * child_complexity")]
    async fn sensors(&self, context: &Context<'_>) -> Option<Result<Vec<Option<VendorRecord>>>> {
        Some(self.shown(context, RecordKind::Sensor).await)
    }

    /// When its doors will listen to their bells, the first 100.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn auto_access_schedules(&self, context: &Context<'_>) -> Option<Result<Vec<Option<VendorRecord>>>> {
        Some(self.shown(context, RecordKind::AutoAccessSchedule).await)
    }

    /// Its plan at its vendor, with its price.
    async fn campaign(&self, context: &Context<'_>) -> Option<Result<VendorRecord>> {
        let campaign = async {
            let named = self.0.details()?.campaign;
            let found = self.records(context, RecordKind::Campaign).await?;
            let own = found.iter().find(|row| named.as_ref().is_none_or(|named| row.external_id == *named));
            Ok(own.cloned().map(VendorRecord::from))
        };
        campaign.await.transpose()
    }

    /// The telephone numbers that open its doors by a call, the first 100. Needs MANAGER; null for callers who do not
    /// see the whole organization.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn phones(&self, context: &Context<'_>) -> Option<Result<Vec<Option<VendorRecord>>>> {
        if !sees_people(context)? {
            return None;
        }
        let phones = async {
            let found = self.records(context, RecordKind::Credential).await?;
            let is_phone = |row: &Arc<record::Model>| {
                let phone = CredentialType::PhoneNumber;
                matches!(row.details(), Ok(RecordDetails::Credential(it)) if it.credential_type == phone)
            };
            Ok(found.into_iter().filter(is_phone).take(MOST).map(|row| Some(row.into())).collect())
        };
        Some(phones.await)
    }

    /// Who may use it, the first 100. Needs MANAGER; null for callers who do not see the whole organization.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn accesses(&self, context: &Context<'_>) -> Option<Result<Vec<Option<VendorRecord>>>> {
        if !sees_people(context)? {
            return None;
        }
        Some(self.shown(context, RecordKind::DeviceAccess).await)
    }
}

impl Device {
    /// Its records of a kind.
    ///
    /// # Errors
    /// The caller may not read them, or the database failed.
    async fn records(&self, context: &Context<'_>, kind: RecordKind) -> Result<Vec<Arc<record::Model>>> {
        let principal = &context.caller()?.session.principal;
        principal.may_read(kind, context.shared()?.clock.now()).map_err(ApiError::Forbidden)?;
        let found = context.loaders()?.load(RecordsOfDevice(DeviceId(self.0.id), kind)).await?;
        Ok(found.unwrap_or_default())
    }

    async fn shown(&self, context: &Context<'_>, kind: RecordKind) -> Result<Vec<Option<VendorRecord>>> {
        let found = self.records(context, kind).await?;
        Ok(found.into_iter().take(MOST).map(|row| Some(row.into())).collect())
    }
}

/// Whether the caller sees the whole organization, and so its people. An empty list would say that there are none.
fn sees_people(context: &Context<'_>) -> Option<bool> {
    Some(context.caller().ok()?.session.principal.limits.sees_everything())
}
