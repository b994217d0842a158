//! Writing by hand which doors a room of a PMS stands for; its stays follow.

use std::collections::BTreeSet;

use domain::{
    clock::Timestamp,
    ids::{DoorId, VendorAccountId},
};

use super::{
    resource_doors,
    stays::{Settled, Settling},
};
use crate::{Database, StoreError};

/// Makes a room stand for these doors and no others, in one transaction with its stays. What comes back is to be rung for
/// and told.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn map(
    database: &Database,
    settling: &Settling<'_>,
    account: VendorAccountId,
    resource: &str,
    doors: &BTreeSet<DoorId>,
    by: &str,
    now: Timestamp,
) -> Result<Vec<Settled>, StoreError> {
    let transaction = database.begin().await?;
    let settled = resource_doors::set(&transaction, settling, account, resource, doors, Some(by), now).await?;
    transaction.commit().await?;
    Ok(settled)
}
