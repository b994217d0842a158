//! Reading what an account holds, part by part. `devices` and `records` list, `history` tells what happened, `reread`
//! reads one thing again.

mod devices;
mod history;
mod records;
mod reread;

use async_trait::async_trait;
use domain::{clock::Timestamp, record::RecordKind};
use futures::stream::{self, BoxStream, StreamExt};

pub(super) use self::devices::Known;
use super::{client::Raixer, wire};
use crate::{
    error::VendorError,
    port::{AccountCheck, Hint, Inventory, Listed, PartPlan, Portion, SyncPart},
};

const PARTS: [PartPlan; 7] = [
    PartPlan { part: SyncPart::Devices, completes: &[Listed::Devices, Listed::Records(RecordKind::Sensor)] },
    PartPlan { part: SyncPart::DeviceAccess, completes: &[Listed::Records(RecordKind::DeviceAccess)] },
    PartPlan { part: SyncPart::Credentials, completes: &[Listed::Records(RecordKind::Credential)] },
    PartPlan { part: SyncPart::Campaigns, completes: &[Listed::Records(RecordKind::Campaign)] },
    PartPlan { part: SyncPart::AutoAccessSchedules, completes: &[Listed::Records(RecordKind::AutoAccessSchedule)] },
    PartPlan { part: SyncPart::Profile, completes: &[Listed::Records(RecordKind::Profile)] },
    PartPlan { part: SyncPart::Events, completes: &[] },
];

#[async_trait]
impl Inventory for Raixer {
    fn parts(&self) -> &'static [PartPlan] {
        &PARTS
    }

    fn read<'a>(
        &'a self,
        part: SyncPart,
        cursor: Option<&'a str>,
        now: Timestamp,
    ) -> BoxStream<'a, Result<Portion, VendorError>> {
        match part {
            SyncPart::Devices => self.read_devices(),
            SyncPart::DeviceAccess => self.read_accesses(),
            SyncPart::Credentials => self.read_phones(),
            SyncPart::Campaigns => self.read_campaigns(),
            SyncPart::AutoAccessSchedules => self.read_schedules(),
            SyncPart::Profile => stream::once(self.read_profile()).boxed(),
            SyncPart::Events => self.read_history(cursor, now),
            SyncPart::Users
            | SyncPart::AccessLevels
            | SyncPart::Resources
            | SyncPart::Reservations
            | SyncPart::AccessTokens => {
                let error = VendorError::unsupported(format!("Raixer has nothing of the part {part}."));
                stream::once(async move { Err(error) }).boxed()
            }
        }
    }

    async fn reread(&self, hint: &Hint, now: Timestamp) -> Result<Portion, VendorError> {
        match hint {
            Hint::Part(part) => self.reread_part(*part, now).await,
            Hint::Device(id) => self.reread_device(id).await,
            Hint::Record(record) => self.reread_record(record).await,
        }
    }

    async fn check(&self) -> Result<AccountCheck, VendorError> {
        let owned: Vec<wire::Device> = self.own("list devices", &["devices"], &[]).await?;
        let signed_in_as = owned.into_iter().find_map(|device| device.owner);
        Ok(AccountCheck { locations: Vec::new(), signed_in_as })
    }
}

#[cfg(test)]
mod tests;
