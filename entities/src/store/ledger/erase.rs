//! Erasing what events tell of a person. What is chained of them is a salted commitment: with text and salt gone it says
//! nothing, and the ledger still verifies.

use std::collections::{BTreeSet, HashMap};

use domain::ledger::{Block, Details, Entry, Facts, MARK, SALT, commitment};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType},
};
use uuid::Uuid;

use super::FOREIGN;
use crate::{
    StoreError,
    rows::{event, ledger_block},
};

/// Events erased with one statement.
const PORTION: usize = 200;

/// Wipes the details (`data`) of these events, as a whole and for ever: what kind of event it was, when, where and by whom
/// stays. Call it in the transaction of the erasure. Doing it again changes nothing.
///
/// # Errors
/// The database failed, or a block of the ledger cannot be read.
pub async fn erase(transaction: &DatabaseTransaction, events: &[Uuid]) -> Result<(), StoreError> {
    // In the order of ids, and events before blocks: two erasures never wait for each other in a circle.
    let wanted: BTreeSet<Uuid> = events.iter().copied().collect();
    for portion in Vec::from_iter(wanted).chunks(PORTION) {
        let rows = event::Entity::find()
            .filter(event::Column::Id.is_in(portion.iter().copied()))
            .order_by_asc(event::Column::Id)
            .lock(LockType::NoKeyUpdate)
            .all(transaction)
            .await?;
        let mut chained: HashMap<(Uuid, i64), Vec<event::Model>> = HashMap::new();
        for mut row in rows.into_iter().filter(|row| !event::is_erased(&row.data)) {
            match row.block.filter(|block| *block != FOREIGN) {
                Some(block) => chained.entry((row.organization_id, block)).or_default().push(row),
                None => {
                    let mark = row.mark.as_mut().map(|mark| mark.drain(..mark.len().min(MARK)).collect());
                    write(transaction, row.id, event::erased(None), mark).await?;
                }
            }
        }
        let mut blocks: Vec<_> = chained.into_iter().collect();
        blocks.sort_unstable_by_key(|(place, _)| *place);
        for ((organization, number), rows) in blocks {
            in_block(transaction, organization, number, rows).await?;
        }
    }
    Ok(())
}

async fn in_block(
    transaction: &DatabaseTransaction,
    organization: Uuid,
    number: i64,
    rows: Vec<event::Model>,
) -> Result<(), StoreError> {
    let block =
        ledger_block::Entity::find_by_id((organization, number)).lock(LockType::NoKeyUpdate).one(transaction).await?;
    let mut entries = match &block {
        Some(block) => Block::decode(&block.entries, &block.salts)
            .map_err(|_| StoreError::unreadable("ledger_blocks", "entries", &number.to_string()))?,
        // The ledger is broken already, which is no reason to keep what has to go.
        None => Vec::new(),
    };
    for row in rows {
        let id = row.id;
        let salt = entries.iter_mut().find(|entry| entry.event == id).map(|entry| &mut entry.salt);
        let committed = match (salt, Facts::from(row).details) {
            (Some(salt), Details::Plain(text)) => {
                let hash = commitment(&text, salt);
                *salt = [0; SALT];
                Some(hash)
            }
            _ => None,
        };
        write(transaction, id, event::erased(committed), None).await?;
    }
    let salts: Vec<u8> = entries.iter().flat_map(|Entry { salt, .. }| *salt).collect();
    ledger_block::Entity::update_many()
        .col_expr(ledger_block::Column::Salts, Expr::value(salts))
        .filter(ledger_block::Column::OrganizationId.eq(organization))
        .filter(ledger_block::Column::Number.eq(number))
        .exec(transaction)
        .await?;
    Ok(())
}

async fn write(
    transaction: &DatabaseTransaction,
    id: Uuid,
    data: sea_orm::JsonValue,
    mark: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    event::Entity::update_many()
        .col_expr(event::Column::Data, Expr::value(data))
        .col_expr(event::Column::Mark, Expr::value(mark))
        .filter(event::Column::Id.eq(id))
        .exec(transaction)
        .await?;
    Ok(())
}
