//! Writing the ledger: chaining events into blocks after they were committed, erasing their details, forgetting old ones.
//!
//! Appending takes no part in it: an event is a row without a block, and transactions of one organization never wait for each
//! other. Whatever was committed when the sealer comes by goes into the next block, in the order of ids; what commits later,
//! however old its id, goes into a later block. So there are no gaps, and no order of commits has to be known.

mod erase;
mod forget;

use domain::{
    clock::{Timestamp, truncate},
    ids::OrganizationId,
    ledger::{Block, Entry, Facts, Fault, Hash, Notary, Standing},
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, LockType, OnConflict},
};
use uuid::Uuid;

pub use erase::erase;
pub use forget::{Forgotten, forget};

use crate::{
    Database, StoreError,
    rows::{event, ledger_block, ledger_horizon},
};

/// The most events in a block.
pub const BLOCK: u64 = 256;

/// In no block, and never to be: this house did not write it.
const FOREIGN: i64 = 0;

/// What a visit of the sealer came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// A block was written.
    Block {
        /// How many events it holds.
        events: u64,
        /// Events that this house did not write: they are in no block.
        foreign: u64,
        /// Whether there may be more to chain.
        more: bool,
    },
    /// There was nothing to chain.
    Nothing,
    /// Somebody else chained the same.
    Outrun,
    /// Nothing is chained to an end that is not ours.
    Refused(Fault),
}

/// Chains the events of an organization that are in no block yet, up to [`BLOCK`] of them. If it is to take over, it writes
/// a block also where there is nothing to chain but the last one is signed with a key that is going, and signs the horizon
/// anew if that is.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn seal(
    database: &Database,
    notary: &dyn Notary,
    organization: OrganizationId,
    take_over: bool,
    now: Timestamp,
) -> Result<Sealed, StoreError> {
    let transaction = database.begin().await?;
    // Locked, so that nobody erases details between their digest and the block.
    let rows = event::Entity::find()
        .filter(event::Column::OrganizationId.eq(organization.0))
        .filter(event::Column::Block.is_null())
        .order_by_asc(event::Column::Id)
        .limit(BLOCK)
        .lock(LockType::NoKeyUpdate)
        .all(&transaction)
        .await?;
    let more = rows.len() as u64 == BLOCK;
    let horizon = if take_over { forget::sign_anew(&transaction, notary, organization).await? } else { Ok(()) };
    let end = match (End::read(&transaction, notary, organization).await?, horizon) {
        (Ok(end), Ok(())) => end,
        (Err(fault), _) | (_, Err(fault)) => {
            transaction.rollback().await?;
            return Ok(Sealed::Refused(fault));
        }
    };
    // Also where the ledger begins: what was taken out of its blocks has no mark any more, and could have been changed.
    let (ours, foreign): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.is_ours(notary));
    let hands_over = take_over && end.known_only;
    if ours.is_empty() && foreign.is_empty() && !hands_over {
        transaction.commit().await?;
        return Ok(Sealed::Nothing);
    }
    let foreign: Vec<Uuid> = foreign.into_iter().map(|row| row.id).collect();
    place(&transaction, &foreign, FOREIGN).await?;
    let chained: Vec<Uuid> = ours.iter().map(|row| row.id).collect();
    if !ours.is_empty() || hands_over {
        let mut entries: Vec<Entry> = ours.into_iter().map(|row| entry(row, notary)).collect();
        entries.sort_unstable_by_key(|entry| entry.event);
        let block = Block {
            organization,
            number: end.number + 1,
            first: end.sequence + 1,
            sealed_at: truncate(now),
            previous: end.hash,
            entries,
        };
        if !insert(&transaction, notary, &block).await? {
            transaction.rollback().await?;
            return Ok(Sealed::Outrun);
        }
        place(&transaction, &chained, block.number).await?;
    }
    transaction.commit().await?;
    Ok(Sealed::Block { events: chained.len() as u64, foreign: foreign.len() as u64, more })
}

fn entry(row: event::Model, notary: &dyn Notary) -> Entry {
    let facts = Facts::from(row);
    let salt = notary.salt();
    Entry { event: facts.id, digest: facts.digest(&salt), salt }
}

/// False: somebody else wrote this block.
async fn insert(transaction: &DatabaseTransaction, notary: &dyn Notary, block: &Block) -> Result<bool, StoreError> {
    let checkpoint = block.checkpoint();
    let signature = notary.sign(&checkpoint.statement());
    let row = ledger_block::ActiveModel {
        organization_id: Set(block.organization.0),
        number: Set(block.number),
        first_sequence: Set(block.first),
        events: Set(checkpoint.sequence - block.first + 1),
        entries: Set(block.encoded()),
        salts: Set(block.salts()),
        previous: Set(block.previous.bytes().to_vec()),
        hash: Set(checkpoint.hash.bytes().to_vec()),
        public_key: Set(signature.public_key),
        signature: Set(signature.bytes),
        sealed_at: Set(block.sealed_at),
    };
    let once = OnConflict::columns([ledger_block::Column::OrganizationId, ledger_block::Column::Number])
        .do_nothing()
        .to_owned();
    let inserted = ledger_block::Entity::insert(row).on_conflict(once).exec_without_returning(transaction).await?;
    Ok(inserted == 1)
}

async fn place(transaction: &DatabaseTransaction, events: &[Uuid], block: i64) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    event::Entity::update_many()
        .col_expr(event::Column::Block, Expr::value(block))
        // Who takes it out of its block cannot have it chained again.
        .col_expr(event::Column::Mark, Expr::value(None::<Vec<u8>>))
        .filter(event::Column::Id.is_in(events.iter().copied()))
        .exec(transaction)
        .await?;
    Ok(())
}

/// What the next block follows on.
struct End {
    number: i64,
    sequence: i64,
    hash: Hash,
    /// Whether it is signed with another key than ours of today.
    known_only: bool,
}

impl End {
    async fn read(
        transaction: &DatabaseTransaction,
        notary: &dyn Notary,
        organization: OrganizationId,
    ) -> Result<Result<Self, Fault>, StoreError> {
        let last = ledger_block::Entity::find()
            .filter(ledger_block::Column::OrganizationId.eq(organization.0))
            .order_by_desc(ledger_block::Column::Number)
            .one(transaction)
            .await?;
        let Some(row) = last else { return Self::without_blocks(transaction, organization).await };
        let altered = Fault::BlockAltered { block: row.number, sequence: row.first_sequence };
        let Ok((block, hash, signature)) = row.block() else { return Ok(Err(altered)) };
        let checkpoint = block.checkpoint();
        let standing = notary.judge(&checkpoint.statement(), &signature);
        Ok(match standing {
            _ if checkpoint.hash != hash => Err(altered),
            Standing::Forged => Err(altered),
            Standing::Unknown => Err(Fault::SignerUnknown { block: row.number, sequence: row.first_sequence }),
            Standing::Current | Standing::Known => Ok(Self {
                number: row.number,
                sequence: checkpoint.sequence,
                hash,
                known_only: standing == Standing::Known,
            }),
        })
    }

    async fn without_blocks(
        transaction: &DatabaseTransaction,
        organization: OrganizationId,
    ) -> Result<Result<Self, Fault>, StoreError> {
        let Some(row) = ledger_horizon::Entity::find_by_id(organization.0).one(transaction).await? else {
            return Ok(Ok(Self { number: 0, sequence: 0, hash: Hash::NOTHING, known_only: false }));
        };
        // The last block is never forgotten: somebody took it.
        Ok(Err(Fault::BlockMissing { block: row.number.saturating_add(1), sequence: row.sequence.saturating_add(1) }))
    }
}
