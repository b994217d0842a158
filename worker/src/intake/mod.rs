//! Taking in what vendors tell, by whatever way it came: devices, records and events into their rows, what they prove
//! of commands, and what is to be read again. `deliveries` processes webhooks.

pub(crate) mod deliveries;
mod evidence;
mod hidden;
mod sealer;
mod storable;

use std::{collections::HashSet, sync::Arc};

use domain::{
    door::Source,
    ids::{RecordId, VendorAccountId},
    record::{FoundRecord, RecordKind, RecordRef},
};
use entities::{StoreError, rows::vendor_account, store, work};
use messaging::Urgency;
use vendors::{
    error::VendorError,
    port::{Hint, Portion, SyncPart},
};

pub(crate) use self::{evidence::proof, sealer::VaultSealer};
use crate::{
    accounts::{Accounts, Line, pace::with_urgency},
    advance_command::live_door,
    parts::Parts,
    placements, stays,
    sync::{SyncError, parts::Reading},
    watch,
};

/// Devices and records written in one transaction: on SQLite everybody else waits for it.
const CHUNK: usize = 50;

/// What a vendor told beside an answer.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// What it keeps now.
    pub(crate) found: Portion,
    /// Records that are gone.
    pub(crate) gone: Vec<RecordRef>,
    /// What is to be read again.
    pub(crate) hints: Vec<Hint>,
}

impl News {
    /// Whether nothing was told.
    pub(crate) fn is_empty(&self) -> bool {
        let Portion { devices, records, events, .. } = &self.found;
        let found = devices.len() + records.len() + events.len();
        found + self.gone.len() + self.hints.len() == 0
    }
}

/// Why something could not be taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vendor could not be asked for what it hinted at.
    #[error(transparent)]
    Vendor(#[from] VendorError),
}

/// What a portion came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Devices that were listed.
    pub(crate) devices: usize,
    /// Records that are new or changed.
    pub(crate) records: usize,
    /// Events that were not known.
    pub(crate) events: usize,
    /// Devices and records that can not be kept, because their ids are too long to be any.
    pub(crate) left_out: usize,
}

/// Writes one portion and tells whoever listens.
pub(crate) async fn store_portion(
    parts: &Parts,
    account: &vendor_account::Model,
    portion: &Portion,
    source: Source,
) -> Result<Taken, StoreError> {
    let (database, ids) = (&parts.database, parts.ids.as_ref());
    let devices: Vec<_> = portion.devices.iter().filter_map(storable::device).collect();
    let left_out = storable::left_out(portion);
    if left_out > 0 {
        tracing::warn!(account = %VendorAccountId(account.id), left_out, "a vendor gives ids that are too long to be kept");
    }
    let mut taken = Taken { devices: devices.len(), left_out, ..Taken::default() };
    for chunk in devices.chunks(CHUNK) {
        let changes = store::inventory::record(database, ids, account, chunk, parts.clock.now()).await?;
        parts.tell(&changes.iter().map(live_door).collect::<Vec<_>>()).await;
    }
    let changed = store_records(parts, account, &portion.records).await?;
    taken.records += changed.len();
    placements::notice(parts, VendorAccountId(account.id), &changed).await?;
    let keyed = |event| storable::keyed(event, &parts.vault, account.organization_id);
    let mut events: Vec<_> = portion.events.iter().map(storable::event).map(keyed).collect();
    hidden::events_without_tags(parts, account, &mut events).await?;
    for chunk in events.chunks(CHUNK) {
        let observed = store::observed::events(database, ids, account, chunk, source, parts.clock.now()).await?;
        taken.events += observed.fresh.len();
        parts.tell(&observed.changes.iter().map(live_door).collect::<Vec<_>>()).await;
        watch::tell(parts, &observed.alerts).await;
        evidence::settle(parts, &observed.readings).await?;
    }
    Ok(taken)
}

/// Writes records, and what stays learn from them. Returns those that are new or changed. Whoever reads what is placed at
/// a vendor concludes by itself what that means for it; all others write by [`store_portion`].
pub(crate) async fn store_records(
    parts: &Parts,
    account: &vendor_account::Model,
    records: &[FoundRecord],
) -> Result<Vec<RecordId>, StoreError> {
    let sealer = VaultSealer::new(&parts.vault);
    let records: Vec<_> = records.iter().filter_map(storable::record).collect();
    let records = hidden::without_tags(parts, account, &records).await?;
    let mut all = Vec::new();
    for chunk in records.chunks(CHUNK) {
        let (database, ids, now) = (&parts.database, parts.ids.as_ref(), parts.clock.now());
        let changed = store::records::record(database, ids, &sealer, account, chunk, now).await?;
        stays::take_in(parts, account, &changed).await?;
        all.extend(changed);
    }
    Ok(all)
}

/// Takes news in, and reads again what they hint at, each thing once.
pub(crate) async fn take_in(
    parts: &Parts,
    accounts: &Accounts,
    to: &Arc<Line>,
    account: VendorAccountId,
    news: News,
) -> Result<(), IntakeError> {
    if news.is_empty() {
        return Ok(());
    }
    let News { found, gone, hints } = news;
    let Some(row) = work::account(&parts.database, account).await? else { return Ok(()) };
    store::records::gone(&parts.database, parts.ids.as_ref(), account, &gone, parts.clock.now()).await?;
    if !gone.is_empty() {
        placements::notice_missing(parts, account).await?;
    }
    store_portion(parts, &row, &found, Source::Command).await?;
    follow_hints(parts, accounts, to, &row, hints).await
}

/// Reads again what was hinted at, each thing once.
pub(crate) async fn follow_hints(
    parts: &Parts,
    accounts: &Accounts,
    to: &Arc<Line>,
    account: &vendor_account::Model,
    hints: Vec<Hint>,
) -> Result<(), IntakeError> {
    let mut read = HashSet::new();
    for hint in hints {
        if !read.insert(hint.clone()) {
            continue;
        }
        match &hint {
            Hint::Part(part) => read_part(parts, accounts, to, account, *part).await?,
            Hint::Device(_) => reread(parts, to, account, &hint).await?,
            Hint::Record(named) => {
                let id = VendorAccountId(account.id);
                // A vendor tells of every person it knows; only those who stay or hold something concern us.
                if named.kind != RecordKind::User || work::knows_record(&parts.database, id, named).await? {
                    reread(parts, to, account, &hint).await?;
                }
            }
        }
    }
    Ok(())
}

async fn read_part(
    parts: &Parts,
    accounts: &Accounts,
    to: &Arc<Line>,
    account: &vendor_account::Model,
    part: SyncPart,
) -> Result<(), IntakeError> {
    let plans = to.connection.inventory().parts();
    let Some(plan) = plans.iter().find(|plan| plan.part == part) else { return Ok(()) };
    match (Reading { parts, accounts, account }).part(to, plan).await {
        Ok(_) | Err(SyncError::Vendor(VendorError::Unsupported { .. })) => Ok(()),
        Err(SyncError::Vendor(error)) => Err(error.into()),
        Err(SyncError::Store(error)) => Err(error.into()),
        Err(SyncError::Connect(error)) => {
            tracing::warn!(%error, "a part that was hinted at could not be read; the next sync will");
            Ok(())
        }
    }
}

async fn reread(
    parts: &Parts,
    to: &Arc<Line>,
    account: &vendor_account::Model,
    hint: &Hint,
) -> Result<(), IntakeError> {
    let portion = {
        let Ok(_permit) = to.bulkhead.acquire().await else { return Ok(()) };
        match with_urgency(Urgency::Confirm, to.connection.inventory().reread(hint, parts.clock.now())).await {
            // It will not be told however often it is asked; the other hints must not wait for it.
            Err(error @ (VendorError::Rejected { .. } | VendorError::Unsupported { .. })) => {
                tracing::info!(%error, "what a vendor hinted at can not be read");
                return Ok(());
            }
            read => read?,
        }
    };
    let (database, ids, now) = (&parts.database, parts.ids.as_ref(), parts.clock.now());
    let id = VendorAccountId(account.id);
    match hint {
        Hint::Device(device) if portion.devices.is_empty() => {
            store::inventory::gone(database, ids, id, device, now).await?;
        }
        Hint::Record(named) if portion.records.is_empty() => {
            store::records::gone(database, ids, id, std::slice::from_ref(named), now).await?;
            placements::notice_missing(parts, id).await?;
        }
        _ => {}
    }
    store_portion(parts, account, &portion, Source::Poll).await?;
    Ok(())
}
