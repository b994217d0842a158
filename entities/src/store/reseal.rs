//! Sealing anew whatever is sealed, row by row, while everybody else goes on writing. A value that was changed meanwhile
//! is left as it was written. Doing it again, or twice at once, changes nothing more.

use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Alias, Expr, Order, Query},
};
use uuid::Uuid;

use crate::{Database, StoreError};

/// Rows read at once.
const PORTION: u64 = 200;
/// What was written while we walked is found by the next walk; nobody writes that much so often.
const WALKS: usize = 10;

/// Where sealed values stand. Whoever adds a sealed column adds it here.
const COLUMNS: [Column; 8] = [
    Column::new("vault_keys", "sealed"),
    Column::new("vendor_accounts", "credentials"),
    Column { row: "account_id", is_unique: false, ..Column::new("consents", "verifier") },
    Column::new("access_tokens", "sealed"),
    Column::new("credentials", "sealed"),
    Column { version: Some("version"), ..Column::new("commands", "sealed") },
    Column::new("records", "secret"),
    Column::new("webhook_deliveries", "content"),
];

struct Column {
    table: &'static str,
    sealed: &'static str,
    /// The column with the id that it is sealed for.
    row: &'static str,
    /// Whether there is one row for each id. Where there are more there are few, and all are read at once.
    is_unique: bool,
    /// What its writers check: it counts, so that nobody writes back what they read before.
    version: Option<&'static str>,
}

impl Column {
    const fn new(table: &'static str, sealed: &'static str) -> Self {
        Self { table, sealed, row: "id", is_unique: true, version: None }
    }
}

/// Seals values anew. Implemented where the vault is.
pub trait Resealer: Send + Sync {
    /// Whether a value is sealed as new ones are.
    fn is_current(&self, sealed: &[u8]) -> bool;

    /// The value of a row and column, sealed as new ones are; `None`: it cannot be opened.
    fn reseal(&self, table: &'static str, column: &'static str, row: Uuid, sealed: &[u8]) -> Option<Vec<u8>>;
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many values were sealed anew.
    pub count: u64,
    /// The rows whose value cannot be opened with any of the keys, by table.
    pub unopenable: Vec<(&'static str, Uuid)>,
    /// Whether values that are not current were still written during the last walk: somebody seals with an older key.
    pub more: bool,
}

/// Seals everything anew that is not current, until a walk finds nothing more.
///
/// # Errors
/// The database failed. What was sealed anew before stays so.
pub async fn everything(database: &Database, resealer: &dyn Resealer) -> Result<Resealed, StoreError> {
    let mut all = Resealed::default();
    for _ in 0..WALKS {
        let mut walk = Resealed::default();
        for column in &COLUMNS {
            reseal(database, resealer, column, &mut walk).await?;
        }
        all = Resealed { count: all.count + walk.count, ..walk };
        if !all.more {
            break;
        }
    }
    Ok(all)
}

async fn reseal(
    database: &Database,
    resealer: &dyn Resealer,
    column: &Column,
    walk: &mut Resealed,
) -> Result<(), StoreError> {
    let mut after: Option<Uuid> = None;
    loop {
        let page = page(database, column, after).await?;
        after = page.last().map(|(row, _)| *row).filter(|_| column.is_unique);
        for (row, sealed) in page {
            // Empty: what stood there was wiped (an account that was unlinked).
            if sealed.is_empty() || resealer.is_current(&sealed) {
                continue;
            }
            match resealer.reseal(column.table, column.sealed, row, &sealed) {
                None => walk.unopenable.push((column.table, row)),
                Some(anew) => {
                    walk.more = true;
                    walk.count += exchange(database, column, row, sealed, anew).await?;
                }
            }
        }
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn page(database: &Database, column: &Column, after: Option<Uuid>) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    let (row, sealed) = (Alias::new(column.row), Alias::new(column.sealed));
    let mut query = Query::select();
    query
        .expr_as(Expr::col(row.clone()), Alias::new("row_id"))
        .expr_as(Expr::col(sealed.clone()), Alias::new("sealed_value"))
        .from(Alias::new(column.table))
        .and_where(Expr::col(sealed).is_not_null())
        .order_by(row.clone(), Order::Asc);
    if column.is_unique {
        query.limit(PORTION);
    }
    if let Some(after) = after {
        query.and_where(Expr::col(row).gt(after));
    }
    let rows = database.write().query_all(&query).await?;
    let read = rows.iter().map(|row| Ok((row.try_get("", "row_id")?, row.try_get("", "sealed_value")?)));
    Ok(read.collect::<Result<_, sea_orm::DbErr>>()?)
}

/// Writes it unless somebody else wrote since.
async fn exchange(
    database: &Database,
    column: &Column,
    row: Uuid,
    sealed: Vec<u8>,
    anew: Vec<u8>,
) -> Result<u64, StoreError> {
    let held = Alias::new(column.sealed);
    let mut update = Query::update();
    update
        .table(Alias::new(column.table))
        .value(held.clone(), anew)
        .and_where(Expr::col(Alias::new(column.row)).eq(row))
        .and_where(Expr::col(held).eq(sealed));
    if let Some(version) = column.version {
        update.value(Alias::new(version), Expr::col(Alias::new(version)).add(1));
    }
    Ok(database.write().execute(&update).await?.rows_affected())
}
