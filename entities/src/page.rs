//! Keyset pages over time-ordered ids: stable while rows are inserted, the same cost at any depth.

use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use crate::{database::Database, error::StoreError};

/// A window of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// Only what comes after this id in the order of the list.
    pub after: Option<Uuid>,
    /// Only what comes before this id in the order of the list.
    pub before: Option<Uuid>,
    /// How many at most.
    pub limit: u64,
    /// Whether the last ones of the window are wanted rather than the first.
    pub from_end: bool,
    /// Whether the list runs from new to old.
    pub newest_first: bool,
}

/// A part of a list, in the order of the list.
#[derive(Debug, Clone)]
pub struct Page<Row> {
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether more follow.
    pub has_next: bool,
    /// Whether some came before.
    pub has_previous: bool,
}

/// Reads one page with one statement.
pub(crate) async fn fetch<E, Row>(
    database: &Database,
    query: Select<E>,
    id: E::Column,
    request: PageRequest,
) -> Result<Page<Row>, StoreError>
where
    E: EntityTrait<Model = Row>,
    Row: FromQueryResult + Send + Sync + sea_orm::ModelTrait<Entity = E>,
{
    let (beyond_after, beyond_before) = if request.newest_first {
        (request.after.map(|edge| id.lt(edge)), request.before.map(|edge| id.gt(edge)))
    } else {
        (request.after.map(|edge| id.gt(edge)), request.before.map(|edge| id.lt(edge)))
    };
    let mut query = query;
    for edge in [beyond_after, beyond_before].into_iter().flatten() {
        query = query.filter(edge);
    }
    let order = if request.newest_first == request.from_end { Order::Asc } else { Order::Desc };
    let mut rows = query.order_by(id, order).limit(request.limit + 1).all(database.read()).await?;
    let wanted = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let more = rows.len() > wanted;
    rows.truncate(wanted);
    if request.from_end {
        rows.reverse();
        Ok(Page { rows, has_next: request.before.is_some(), has_previous: more })
    } else {
        Ok(Page { rows, has_next: more, has_previous: request.after.is_some() })
    }
}
