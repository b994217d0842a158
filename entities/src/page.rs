//! Keyset pages over time-ordered ids: stable while rows are inserted, the same cost at any depth.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, Iterable, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
    sea_query::{Expr, Func, Query, WindowStatement},
};
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

/// Reads the same window of the lists of several parents with one statement; a parent without any row is left out.
pub(crate) async fn fetch_each<E, Row>(
    database: &Database,
    query: Select<E>,
    (id, parent): (E::Column, E::Column),
    parents: &[Uuid],
    request: PageRequest,
    parent_of: impl Fn(&Row) -> Uuid,
) -> Result<HashMap<Uuid, Page<Row>>, StoreError>
where
    E: EntityTrait<Model = Row>,
    Row: FromQueryResult + Send + Sync + sea_orm::ModelTrait<Entity = E>,
{
    if let [only] = parents {
        let page = fetch(database, query.filter(parent.eq(*only)), id, request).await?;
        return Ok(HashMap::from([(*only, page)]));
    }
    let (after, before) = if request.newest_first {
        (request.after.map(|edge| id.lt(edge)), request.before.map(|edge| id.gt(edge)))
    } else {
        (request.after.map(|edge| id.gt(edge)), request.before.map(|edge| id.lt(edge)))
    };
    let mut query = query.filter(parent.is_in(parents.iter().copied()));
    for edge in [after, before].into_iter().flatten() {
        query = query.filter(edge);
    }
    let order = if request.newest_first == request.from_end { Order::Asc } else { Order::Desc };
    let place =
        WindowStatement::partition_by((E::default(), parent)).order_by((E::default(), id), order.clone()).to_owned();
    let numbered = query.into_query().expr_window_as(Func::cust("ROW_NUMBER"), place, "place").to_owned();
    let window = Query::select()
        .columns(E::Column::iter())
        .from_subquery(numbered, "numbered")
        .and_where(Expr::col("place").lte(request.limit + 1))
        .order_by("place", Order::Asc)
        .to_owned();
    let statement = database.read().get_database_backend().build(&window);
    let mut pages: HashMap<Uuid, Vec<Row>> = HashMap::new();
    for row in Row::find_by_statement(statement).all(database.read()).await? {
        pages.entry(parent_of(&row)).or_default().push(row);
    }
    let wanted = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let page_of = |mut rows: Vec<Row>| {
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        if request.from_end {
            rows.reverse();
            Page { rows, has_next: request.before.is_some(), has_previous: more }
        } else {
            Page { rows, has_next: more, has_previous: request.after.is_some() }
        }
    };
    Ok(pages.into_iter().map(|(parent, rows)| (parent, page_of(rows))).collect())
}

/// Counts the lists of several parents with one statement; a parent without any row is left out.
pub(crate) async fn count_each<E: EntityTrait>(
    database: &Database,
    query: Select<E>,
    (id, parent): (E::Column, E::Column),
    parents: &[Uuid],
) -> Result<HashMap<Uuid, u64>, StoreError> {
    let counts: Vec<(Uuid, i64)> = query
        .filter(parent.is_in(parents.iter().copied()))
        .select_only()
        .column(parent)
        .column_as(id.count(), "count")
        .group_by(parent)
        .into_tuple()
        .all(database.read())
        .await?;
    Ok(counts.into_iter().map(|(parent, count)| (parent, u64::try_from(count).unwrap_or_default())).collect())
}
