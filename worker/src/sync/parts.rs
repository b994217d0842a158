//! Reading the parts of one account in their order: each with its own cursor, its own end and its own failure.

use std::sync::Arc;

use domain::{account::AccountState, clock::Timestamp, door::Source, ids::VendorAccountId, record::RecordKind};
use entities::{
    rows::vendor_account,
    store::{self, sync_parts::PartProgress},
    work,
};
use futures::StreamExt;
use messaging::Urgency;
use vendors::{
    error::VendorError,
    port::{Listed, PartPlan, SyncPart},
};

use super::{Extent, SyncError, Synced, Syncs};
use crate::{
    accounts::{Accounts, ConnectError, Line, pace::with_urgency},
    intake::{Taken, store_portion},
    parts::Parts,
    placements,
};

/// Reads every part that the vendor offers. The first failure is the sync's; parts that do not depend on the vendor's
/// reachability are read nevertheless.
pub(super) async fn read_all(
    syncs: &Syncs,
    account: &vendor_account::Model,
    line: Arc<Line>,
    extent: Extent,
) -> Result<Synced, SyncError> {
    let id = VendorAccountId(account.id);
    let mut line = line;
    let mut total = Read::default();
    let mut first_failure = None;
    let wanted = |plan: &&PartPlan| extent == Extent::Everything || plan.part == SyncPart::Devices;
    for plan in line.connection.inventory().parts().iter().filter(wanted) {
        let reading = Reading { parts: &syncs.parts, accounts: &syncs.accounts, account };
        let mut outcome = reading.part(&line, plan).await;
        if let Err(SyncError::Vendor(error)) = &outcome
            && let Some(mended) = syncs.accounts.mend(id, &line, &Err::<(), _>(error.clone())).await
        {
            outcome = match mended {
                Ok(renewed) => {
                    line = renewed;
                    reading.part(&line, plan).await
                }
                Err(error) => Err(error.into()),
            };
        }
        if let Err(SyncError::Vendor(error)) = &outcome
            && error.is_auth_invalid()
        {
            syncs.accounts.note(id, &account.state, &Err::<(), _>(error.clone())).await;
        }
        let error = match outcome {
            Ok(read) => {
                total.taken.devices += read.taken.devices;
                total.taken.records += read.taken.records;
                total.taken.events += read.taken.events;
                total.missing += read.missing;
                continue;
            }
            Err(SyncError::Vendor(error)) => error,
            Err(other) => return Err(other),
        };
        let said = error.to_string();
        let progress = PartProgress { error: Some(&said), ..PartProgress::default() };
        store::sync_parts::write(&syncs.parts.database, id, plan.part.as_str(), progress).await?;
        if matches!(error, VendorError::Unsupported { .. }) {
            // The vendor does not offer it (yet): no fault of anybody.
            continue;
        }
        let hopeless = matches!(
            error,
            VendorError::NotReady { .. } | VendorError::Throttled { .. } | VendorError::AuthInvalid { .. }
        );
        first_failure.get_or_insert(error);
        if hopeless {
            break;
        }
    }
    match first_failure {
        Some(error) => Err(error.into()),
        None => Ok(Synced::Complete {
            devices: total.taken.devices,
            records: total.taken.records,
            events: total.taken.events,
            missing: total.missing,
        }),
    }
}

/// Reading parts of an account, in a sync or because somebody hinted at one.
pub(crate) struct Reading<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) accounts: &'a Accounts,
    pub(crate) account: &'a vendor_account::Model,
}

/// What was read of one part.
#[derive(Default)]
pub(crate) struct Read {
    taken: Taken,
    missing: usize,
}

impl Reading<'_> {
    /// Reads a part from where it was left, and says how far it came.
    pub(crate) async fn part(&self, line: &Arc<Line>, plan: &PartPlan) -> Result<Read, SyncError> {
        let database = &self.parts.database;
        let id = VendorAccountId(self.account.id);
        let name = plan.part.as_str();
        let cursor = work::sync_part(database, id, name).await?.and_then(|row| row.cursor);
        let started_at = self.parts.clock.now();
        let mut read = Read::default();
        let mut all = cursor.is_none();
        let mut portions = line.connection.inventory().read(plan.part, cursor.as_deref(), started_at);
        loop {
            self.check_linked().await?;
            let portion = {
                let Ok(_permit) = line.bulkhead.acquire().await else { return Ok(read) };
                with_urgency(Urgency::Inventory, portions.next()).await
            };
            let Some(portion) = portion else { break };
            let refused = portion.as_ref().err().is_some_and(VendorError::is_auth_invalid);
            if !refused || line.connection.renewal().is_none() {
                self.accounts.note(id, &self.account.state, &portion).await;
            }
            let portion = portion?;
            let taken = store_portion(self.parts, self.account, &portion, Source::Sync).await?;
            read.taken.devices += taken.devices;
            read.taken.records += taken.records;
            read.taken.events += taken.events;
            read.taken.left_out += taken.left_out;
            all |= portion.complete;
            if let Some(cursor) = portion.cursor.as_deref() {
                let progress = PartProgress { cursor: Some(cursor), ..PartProgress::default() };
                store::sync_parts::write(database, id, name, progress).await?;
            }
        }
        // Of what was left out nobody knows whether it is there.
        let left_out = read.taken.left_out > 0;
        if all && !left_out {
            read.missing = self.mark_missing(id, plan, started_at).await?;
        }
        let error = left_out.then_some("Something has an id that is too long to be kept: it was left out.");
        let progress = PartProgress { synced_at: Some(self.parts.clock.now()), error, ..PartProgress::default() };
        store::sync_parts::write(database, id, name, progress).await?;
        Ok(read)
    }

    /// Nothing more is asked for an account that was unlinked meanwhile.
    async fn check_linked(&self) -> Result<(), SyncError> {
        let row = work::account(&self.parts.database, VendorAccountId(self.account.id)).await?;
        match row.map(|row| row.state()).transpose()? {
            None | Some(AccountState::Disconnected) => {
                Err(ConnectError::Unusable("The vendor account is unlinked.".to_owned()).into())
            }
            Some(_) => Ok(()),
        }
    }

    /// After a read from beginning to end: what it did not list is missing.
    async fn mark_missing(
        &self,
        account: VendorAccountId,
        plan: &PartPlan,
        started_at: Timestamp,
    ) -> Result<usize, SyncError> {
        let (database, ids, now) = (&self.parts.database, self.parts.ids.as_ref(), self.parts.clock.now());
        let mut missing = 0;
        if plan.completes.contains(&Listed::Devices) {
            missing += store::inventory::complete(database, ids, account, started_at, now).await?;
        }
        let kinds: Vec<RecordKind> = plan
            .completes
            .iter()
            .filter_map(|listed| match listed {
                Listed::Records(kind) => Some(*kind),
                Listed::Devices => None,
            })
            .collect();
        missing += store::records::complete(database, ids, account, &kinds, started_at, now).await?;
        placements::notice_missing(self.parts, account).await?;
        Ok(missing)
    }
}
