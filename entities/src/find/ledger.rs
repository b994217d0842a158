//! The ledger's last checkpoint.

use domain::ledger::{Checkpoint, Signature};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};

use crate::{Database, Scope, StoreError, rows::ledger_block};

/// The last checkpoint of the caller's organization; none before the first event was chained, and none for who does not see
/// the whole organization.
///
/// # Errors
/// The database failed, or the row is not a block any more.
pub async fn checkpoint(database: &Database, scope: &Scope) -> Result<Option<(Checkpoint, Signature)>, StoreError> {
    let row = ledger_block::Entity::find()
        .filter(scope.whole_organization(ledger_block::Column::OrganizationId))
        .order_by_desc(ledger_block::Column::Number)
        .one(database.read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (block, _, signature) =
        row.block().map_err(|_| StoreError::unreadable("ledger_blocks", "entries", &row.number.to_string()))?;
    Ok(Some((block.checkpoint(), signature)))
}
