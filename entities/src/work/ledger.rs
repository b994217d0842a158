//! What the sealer looks for, and reading a whole ledger again.

use std::collections::{HashMap, HashSet};

use domain::{
    ids::{EventId, OrganizationId},
    ledger::{Audit, Fault, Hash, Notary, Report},
};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Database, StoreError,
    rows::{event, ledger_block, ledger_horizon, organization},
};

/// Blocks read at once.
const BLOCKS: u64 = 8;
/// Events read at once.
const EVENTS: u64 = 500;

/// The next organization after this one with events in no block.
///
/// # Errors
/// The database failed.
pub async fn next_unchained(
    database: &Database,
    after: Option<OrganizationId>,
) -> Result<Option<OrganizationId>, StoreError> {
    let mut query = event::Entity::find()
        .select_only()
        .column(event::Column::OrganizationId)
        .filter(event::Column::Block.is_null())
        .order_by_asc(event::Column::OrganizationId)
        .limit(1);
    if let Some(after) = after {
        query = query.filter(event::Column::OrganizationId.gt(after.0));
    }
    Ok(query.into_tuple::<Uuid>().one(database.read()).await?.map(OrganizationId))
}

/// Every organization of the installation.
///
/// # Errors
/// The database failed.
pub async fn organizations(database: &Database) -> Result<Vec<OrganizationId>, StoreError> {
    let ids = organization::Entity::find()
        .select_only()
        .column(organization::Column::Id)
        .order_by_asc(organization::Column::Id)
        .into_tuple::<Uuid>()
        .all(database.read())
        .await?;
    Ok(ids.into_iter().map(OrganizationId).collect())
}

/// A sound ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What is chained.
    pub report: Report,
    /// Events that are in no block yet.
    pub unchained: u64,
}

/// Reads the whole ledger of an organization, as it is at this moment. `kept` is a checkpoint from elsewhere that has to be
/// part of it.
///
/// # Errors
/// The database failed. What is wrong with the ledger is no error of this kind: it is the answer.
pub async fn verify(
    database: &Database,
    notary: &dyn Notary,
    organization: OrganizationId,
    kept: Option<(i64, Hash)>,
) -> Result<Result<Verified, Fault>, StoreError> {
    let snapshot = database.snapshot().await?;
    let verified = read(&snapshot, notary, organization, kept).await;
    snapshot.rollback().await?;
    verified
}

async fn read(
    snapshot: &DatabaseTransaction,
    notary: &dyn Notary,
    organization: OrganizationId,
    kept: Option<(i64, Hash)>,
) -> Result<Result<Verified, Fault>, StoreError> {
    let horizon = ledger_horizon::Entity::find_by_id(organization.0).one(snapshot).await?;
    let horizon = match horizon.map(|row| row.horizon().ok_or(row.sequence)).transpose() {
        Ok(horizon) => horizon,
        Err(sequence) => return Ok(Err(Fault::HorizonAltered { sequence })),
    };
    let begun = horizon.as_ref().map(|(horizon, signature)| (horizon, signature));
    let mut audit = match Audit::begin(notary, organization, begun, kept) {
        Ok(audit) => audit,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut after = i64::MIN;
    loop {
        let portion = ledger_block::Entity::find()
            .filter(ledger_block::Column::OrganizationId.eq(organization.0))
            .filter(ledger_block::Column::Number.gt(after))
            .order_by_asc(ledger_block::Column::Number)
            .limit(BLOCKS)
            .all(snapshot)
            .await?;
        let Some(last) = portion.last() else { break };
        after = last.number;
        for row in portion {
            let Ok((block, hash, signature)) = row.block() else {
                return Ok(Err(Fault::BlockAltered { block: row.number, sequence: row.first_sequence }));
            };
            let held = event::Entity::find()
                .filter(event::Column::Id.is_in(block.entries.iter().map(|entry| entry.event)))
                .all(snapshot)
                .await?;
            let held: HashMap<_, _> = held.into_iter().map(|row| (row.id, row.into())).collect();
            if let Err(fault) = audit.block(&block, (&hash, &signature), &held) {
                return Ok(Err(fault));
            }
        }
    }
    let report = match audit.finish() {
        Ok(report) => report,
        Err(fault) => return Ok(Err(fault)),
    };
    if let Some(event) = claiming(snapshot, organization, &report).await? {
        return Ok(Err(Fault::EventForeign { event: EventId(event) }));
    }
    Ok(match unchained(snapshot, notary, organization).await? {
        Ok(unchained) => Ok(Verified { report, unchained }),
        Err(event) => Err(Fault::EventForeign { event: EventId(event) }),
    })
}

/// The first row that says it is in a block and is not. Every one that is was read: if the numbers agree there is none.
async fn claiming(
    snapshot: &DatabaseTransaction,
    organization: OrganizationId,
    report: &Report,
) -> Result<Option<Uuid>, StoreError> {
    let claims = || {
        event::Entity::find()
            .filter(event::Column::OrganizationId.eq(organization.0))
            .filter(event::Column::Block.is_not_null())
    };
    if i64::try_from(claims().count(snapshot).await?).ok() == Some(report.events) {
        return Ok(None);
    }
    let mut after = None;
    loop {
        let mut query = claims()
            .select_only()
            .columns([event::Column::Id, event::Column::Block])
            .order_by_asc(event::Column::Id)
            .limit(EVENTS);
        if let Some(after) = after {
            query = query.filter(event::Column::Id.gt(after));
        }
        let rows: Vec<(Uuid, i64)> = query.into_tuple().all(snapshot).await?;
        let Some((last, _)) = rows.last() else { return Ok(None) };
        after = Some(*last);
        let numbers: HashSet<i64> = rows.iter().map(|(_, number)| *number).collect();
        let blocks = ledger_block::Entity::find()
            .filter(ledger_block::Column::OrganizationId.eq(organization.0))
            .filter(ledger_block::Column::Number.is_in(numbers))
            .all(snapshot)
            .await?;
        let held: HashSet<Uuid> = blocks
            .iter()
            .filter_map(|row| row.block().ok())
            .flat_map(|(block, ..)| block.entries)
            .map(|entry| entry.event)
            .collect();
        if let Some((id, _)) = rows.iter().find(|(id, _)| !held.contains(id)) {
            return Ok(Some(*id));
        }
    }
}

/// How many events wait for a block; or the first of them that this house did not write.
async fn unchained(
    snapshot: &DatabaseTransaction,
    notary: &dyn Notary,
    organization: OrganizationId,
) -> Result<Result<u64, Uuid>, StoreError> {
    let (mut count, mut after) = (0, None);
    loop {
        let mut query = event::Entity::find()
            .filter(event::Column::OrganizationId.eq(organization.0))
            .filter(event::Column::Block.is_null())
            .order_by_asc(event::Column::Id)
            .limit(EVENTS);
        if let Some(after) = after {
            query = query.filter(event::Column::Id.gt(after));
        }
        let rows = query.all(snapshot).await?;
        let Some(last) = rows.last() else { return Ok(Ok(count)) };
        after = Some(last.id);
        if let Some(foreign) = rows.iter().find(|row| !row.is_ours(notary)) {
            return Ok(Err(foreign.id));
        }
        count += rows.len() as u64;
    }
}
