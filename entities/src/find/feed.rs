//! The feed: events as they became visible, to be read on from any place with no gap and no repetition.
//!
//! Ids and numbers do not say what a reader has seen: on PostgreSQL a transaction that commits late brings events that are
//! older than what was read meanwhile. A place is therefore a snapshot, the transactions that were over when the reader
//! looked, and what comes next is whatever a newer snapshot sees and that one did not, in the order of writing. Whatever a
//! transaction has seen of an object is in the same portion or an earlier one, and was written before: so the events of an
//! object keep their order. Nobody waits for a transaction that takes long. SQLite writes one transaction after the other:
//! there the last event is place enough.

mod place;

use std::collections::HashMap;

use chrono::TimeDelta;
use domain::clock::Timestamp;
use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

pub use self::place::Place;
use self::place::{Snapshot, Told};
use super::events::{self, EventFilter};
use crate::{Database, Scope, StoreError, rows::event};

/// A database that was copied to another server brings numbers of transactions that are ahead there, and would be new once
/// that server has come so far. Nothing that is new was written down as long ago as this.
const LONGEST_TRANSACTION: TimeDelta = TimeDelta::days(2);

/// Events after a place.
#[derive(Debug, Clone)]
pub struct Portion {
    /// Each with the place right after it.
    pub events: Vec<(event::Model, Place)>,
    /// The place after all that was looked at.
    pub place: Place,
    /// Whether there is more already.
    pub more: bool,
}

/// The place after everything that is visible now.
///
/// # Errors
/// The database failed.
pub async fn now(database: &Database, scope: &Scope) -> Result<Place, StoreError> {
    Ok(Place(match database.read().get_database_backend() {
        DbBackend::Postgres => {
            let Standing { snapshot, history } = standing(database).await?;
            Told::Seen { history, before: snapshot, within: None }
        }
        _ => Told::UpTo(newest(database, scope).await?.map(|(id, _)| id)),
    }))
}

/// Up to `limit` visible events after `place`, which somebody was given at `since`. `None`: the place is none of this
/// database's, or what came after it is not kept any more.
///
/// # Errors
/// The database failed.
pub async fn after(
    database: &Database,
    scope: &Scope,
    filter: &EventFilter,
    (place, since): (&Place, Timestamp),
    limit: u64,
) -> Result<Option<Portion>, StoreError> {
    match (&place.0, database.read().get_database_backend()) {
        (Told::Seen { history, before, within }, DbBackend::Postgres) => {
            let now = standing(database).await?;
            let latest = within.as_ref().map_or(before, |(until, _)| until);
            if *history != now.history || latest.next > now.snapshot.next {
                return Ok(None);
            }
            let (until, turn) = within.clone().unwrap_or_else(|| (now.snapshot.clone(), i64::MIN));
            let there = Stretch { history: now.history, before, until: &until, turn };
            let mut portion = there.read(database, scope, filter, since - LONGEST_TRANSACTION, limit).await?;
            portion.more |= until != now.snapshot;
            Ok(Some(portion))
        }
        (Told::UpTo(last), DbBackend::Sqlite) => rows_after(database, scope, filter, *last, limit).await,
        _ => Ok(None),
    }
}

/// What PostgreSQL sees now.
struct Standing {
    snapshot: Snapshot,
    history: u64,
}

#[derive(FromQueryResult)]
struct StandingRow {
    snapshot: String,
    system: i64,
    timeline: i32,
}

async fn standing(database: &Database) -> Result<Standing, StoreError> {
    // A server that was set back to an earlier moment counts its transactions again, on another timeline.
    let asked = Query::select()
        .expr_as(Expr::cust("CAST(pg_current_snapshot() AS TEXT)"), "snapshot")
        .expr_as(Expr::cust("(SELECT system_identifier FROM pg_control_system())"), "system")
        .expr_as(Expr::cust("(SELECT timeline_id FROM pg_control_checkpoint())"), "timeline")
        .to_owned();
    let statement = database.read().get_database_backend().build(&asked);
    let row = StandingRow::find_by_statement(statement).one(database.read()).await?;
    let unreadable = |text: &str| StoreError::unreadable("pg_current_snapshot()", "snapshot", text);
    let row = row.ok_or_else(|| unreadable(""))?;
    let snapshot = Snapshot::parse(&row.snapshot).ok_or_else(|| unreadable(&row.snapshot))?;
    let history = row.system.cast_unsigned().rotate_left(16) ^ u64::from(row.timeline.cast_unsigned());
    Ok(Standing { snapshot, history })
}

/// What `until` sees and `before` did not, after a turn.
struct Stretch<'a> {
    history: u64,
    before: &'a Snapshot,
    until: &'a Snapshot,
    turn: i64,
}

impl Stretch<'_> {
    async fn read(
        &self,
        database: &Database,
        scope: &Scope,
        filter: &EventFilter,
        recorded_since: Timestamp,
        limit: u64,
    ) -> Result<Portion, StoreError> {
        if self.before == self.until {
            return Ok(Portion { events: Vec::new(), place: self.end(), more: false });
        }
        let sees = |sql, snapshot: &Snapshot| Expr::cust_with_values(sql, [snapshot.to_string()]);
        let found = events::query(scope, filter)
            .select_only()
            .column(event::Column::Id)
            .column_as(Expr::cust("written"), "written")
            .filter(event::Column::RecordedAt.gte(recorded_since))
            .filter(Expr::cust_with_values("written_in >= CAST($1 AS XID8)", [self.before.oldest.to_string()]))
            .filter(sees("NOT pg_visible_in_snapshot(written_in, CAST($1 AS PG_SNAPSHOT))", self.before))
            .filter(sees("pg_visible_in_snapshot(written_in, CAST($1 AS PG_SNAPSHOT))", self.until))
            .filter(Expr::cust("written").gt(self.turn))
            .order_by(Expr::cust("written"), Order::Asc)
            .limit(limit + 1)
            .into_tuple::<(Uuid, i64)>()
            .all(database.read())
            .await?;
        let place = |(id, turn)| {
            let within = Some((self.until.clone(), turn));
            (id, Place(Told::Seen { history: self.history, before: self.before.clone(), within }))
        };
        fill(database, found.into_iter().map(place).collect(), limit, self.end()).await
    }

    fn end(&self) -> Place {
        Place(Told::Seen { history: self.history, before: self.until.clone(), within: None })
    }
}

/// The organization's newest event and the number of its row.
async fn newest(database: &Database, scope: &Scope) -> Result<Option<(Uuid, i64)>, StoreError> {
    Ok(numbered(scope).order_by(Expr::cust("rowid"), Order::Desc).into_tuple().one(database.read()).await?)
}

fn numbered(scope: &Scope) -> sea_orm::Select<event::Entity> {
    event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .column_as(Expr::cust("rowid"), "written")
        .filter(event::Column::OrganizationId.eq(scope.organization().0))
}

async fn rows_after(
    database: &Database,
    scope: &Scope,
    filter: &EventFilter,
    last: Option<Uuid>,
    limit: u64,
) -> Result<Option<Portion>, StoreError> {
    let from = match last {
        None => 0,
        Some(id) => {
            let row = numbered(scope).filter(event::Column::Id.eq(id)).into_tuple::<(Uuid, i64)>();
            match row.one(database.read()).await? {
                Some((_, row)) => row,
                None => return Ok(None),
            }
        }
    };
    // The end first: what is written from now on is for the next portion.
    let Some((newest, to)) = newest(database, scope).await? else {
        return Ok(Some(Portion { events: Vec::new(), place: Place(Told::UpTo(None)), more: false }));
    };
    let found = events::query(scope, filter)
        .select_only()
        .column(event::Column::Id)
        .filter(Expr::cust("rowid").gt(from))
        .filter(Expr::cust("rowid").lte(to))
        .order_by(Expr::cust("rowid"), Order::Asc)
        .limit(limit + 1)
        .into_tuple::<Uuid>()
        .all(database.read())
        .await?;
    let places = found.into_iter().map(|id| (id, Place(Told::UpTo(Some(id))))).collect();
    fill(database, places, limit, Place(Told::UpTo(Some(newest)))).await.map(Some)
}

/// The events themselves. The last one of all leads to the end.
async fn fill(
    database: &Database,
    mut found: Vec<(Uuid, Place)>,
    limit: u64,
    end: Place,
) -> Result<Portion, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    match found.last_mut() {
        Some((_, place)) if !more => *place = end.clone(),
        _ => {}
    }
    let place = found.last().map_or(end, |(_, place)| place.clone());
    let mut events = Vec::new();
    if !found.is_empty() {
        let ids = event::Column::Id.is_in(found.iter().map(|(id, _)| *id));
        let rows = event::Entity::find().filter(ids).all(database.read()).await?;
        let mut rows: HashMap<Uuid, event::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
        events.extend(found.into_iter().filter_map(|(id, place)| Some((rows.remove(&id)?, place))));
    }
    Ok(Portion { events, place, more })
}
