//! Forgetting events that are old: whole blocks from the beginning, and a signed horizon that answers for them.

use domain::{
    clock::Timestamp,
    ids::OrganizationId,
    ledger::{Block, Fault, Hash, Horizon, Notary, Signature, Standing},
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, LockType, OnConflict},
};

use crate::{
    Database, StoreError,
    rows::{event, ledger_block, ledger_horizon},
};

/// What came of forgetting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgotten {
    /// The oldest block is gone, with so many events.
    Block(u64),
    /// There is nothing that is old enough.
    Nothing,
    /// The oldest block is not ours: whoever verifies has to see it.
    Refused(Fault),
}

/// Forgets the oldest block of an organization with its events, if it was made before this time and is not the last.
///
/// # Errors
/// The database failed; nothing is forgotten.
pub async fn forget(
    database: &Database,
    notary: &dyn Notary,
    organization: OrganizationId,
    before: Timestamp,
) -> Result<Forgotten, StoreError> {
    let transaction = database.begin().await?;
    // Of two that forget at a time the second finds the block gone.
    let oldest = ledger_block::Entity::find()
        .filter(ledger_block::Column::OrganizationId.eq(organization.0))
        .order_by_asc(ledger_block::Column::Number)
        .limit(2)
        .lock(LockType::Update)
        .all(&transaction)
        .await?;
    let (row, next) = match oldest.as_slice() {
        [row, next] if row.sealed_at < before => (row, next),
        _ => {
            transaction.rollback().await?;
            return Ok(Forgotten::Nothing);
        }
    };
    let known = ledger_horizon::Entity::find_by_id(organization.0).one(&transaction).await?;
    let block = match sound(notary, known.as_ref(), row, next) {
        Ok(block) => block,
        Err(fault) => {
            transaction.rollback().await?;
            return Ok(Forgotten::Refused(fault));
        }
    };
    let horizon = Horizon(block.checkpoint());
    write(&transaction, notary, &horizon).await?;
    event::Entity::delete_many()
        .filter(event::Column::OrganizationId.eq(organization.0))
        .filter(event::Column::Id.is_in(block.entries.iter().map(|entry| entry.event)))
        .exec(&transaction)
        .await?;
    ledger_block::Entity::delete_by_id((organization.0, block.number)).exec(&transaction).await?;
    transaction.commit().await?;
    Ok(Forgotten::Block(block.entries.len() as u64))
}

/// The block of a row, if it is what it was: the horizon must not answer for what somebody else wrote or took.
fn sound(
    notary: &dyn Notary,
    known: Option<&ledger_horizon::Model>,
    row: &ledger_block::Model,
    next: &ledger_block::Model,
) -> Result<Block, Fault> {
    let (number, sequence, before) = match known {
        Some(known) if standing(notary, known).is_ours() => (known.number, known.sequence, Hash::read(&known.hash)),
        Some(known) => return Err(Fault::HorizonAltered { sequence: known.sequence }),
        None => (0, 0, Some(Hash::NOTHING)),
    };
    let altered = Fault::BlockAltered { block: row.number, sequence: row.first_sequence };
    let Ok((block, hash, signature)) = row.block() else { return Err(altered) };
    let follows = (block.number, block.first, Some(block.previous)) == (number + 1, sequence + 1, before);
    let unchanged = block.hash() == hash && next.previous == hash.bytes() && next.number == block.number + 1;
    let signed = notary.judge(&block.checkpoint().statement(), &signature) != Standing::Forged;
    if follows && unchanged && signed { Ok(block) } else { Err(altered) }
}

/// What the signature under a horizon is worth.
fn standing(notary: &dyn Notary, row: &ledger_horizon::Model) -> Standing {
    let judge = |(horizon, signature): (Horizon, Signature)| notary.judge(&horizon.statement(), &signature);
    row.horizon().map_or(Standing::Forged, judge)
}

/// Has a horizon that is signed with another key of the settings signed with that of today.
pub(super) async fn sign_anew(
    transaction: &DatabaseTransaction,
    notary: &dyn Notary,
    organization: OrganizationId,
) -> Result<Result<(), Fault>, StoreError> {
    let Some(row) = ledger_horizon::Entity::find_by_id(organization.0).one(transaction).await? else {
        return Ok(Ok(()));
    };
    match (standing(notary, &row), row.horizon()) {
        (Standing::Current, _) => Ok(Ok(())),
        (Standing::Known, Some((horizon, _))) => {
            let signature = notary.sign(&horizon.statement());
            // Whoever forgets more meanwhile signs what they write.
            ledger_horizon::Entity::update_many()
                .col_expr(ledger_horizon::Column::PublicKey, Expr::value(signature.public_key))
                .col_expr(ledger_horizon::Column::Signature, Expr::value(signature.bytes))
                .filter(ledger_horizon::Column::OrganizationId.eq(organization.0))
                .filter(ledger_horizon::Column::Number.eq(row.number))
                .exec(transaction)
                .await?;
            Ok(Ok(()))
        }
        _ => Ok(Err(Fault::HorizonAltered { sequence: row.sequence })),
    }
}

async fn write(transaction: &DatabaseTransaction, notary: &dyn Notary, horizon: &Horizon) -> Result<(), StoreError> {
    use ledger_horizon::Column;
    let signature = notary.sign(&horizon.statement());
    let Horizon(at) = horizon;
    let row = ledger_horizon::ActiveModel {
        organization_id: Set(at.organization.0),
        number: Set(at.block),
        sequence: Set(at.sequence),
        hash: Set(at.hash.bytes().to_vec()),
        public_key: Set(signature.public_key),
        signature: Set(signature.bytes),
        sealed_at: Set(at.signed_at),
    };
    let moved = OnConflict::column(Column::OrganizationId)
        .update_columns([
            Column::Number,
            Column::Sequence,
            Column::Hash,
            Column::PublicKey,
            Column::Signature,
            Column::SealedAt,
        ])
        .to_owned();
    ledger_horizon::Entity::insert(row).on_conflict(moved).exec_without_returning(transaction).await?;
    Ok(())
}
