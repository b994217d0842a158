//! Writing what was observed of doors: merged, never overwritten (P17).

use domain::{
    clock::Timestamp,
    door::{DoorReading, DoorState, LockState, Mode, Occupancy, Position, Source},
    ids::{DoorId, IdSource},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use serde_json::json;

use super::events::{self, NewEvent};
use crate::{Database, StoreError, rows::door};

/// A door whose state changed: what a live event needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorChange {
    /// Which door.
    pub door: DoorId,
    /// Where.
    pub site: uuid::Uuid,
    /// Whose.
    pub organization: uuid::Uuid,
    /// The version of its state now.
    pub version: i64,
}

/// Takes a reading in. Returns the change if a value changed.
///
/// # Errors
/// The database failed.
pub async fn observe(
    database: &Database,
    ids: &dyn IdSource,
    id: DoorId,
    reading: &DoorReading,
    source: Source,
    now: Timestamp,
) -> Result<Option<DoorChange>, StoreError> {
    let transaction = database.begin().await?;
    let change = merge(&transaction, ids, id, reading, source, now).await?;
    transaction.commit().await?;
    Ok(change)
}

pub(crate) async fn merge(
    connection: &impl ConnectionTrait,
    ids: &dyn IdSource,
    id: DoorId,
    reading: &DoorReading,
    source: Source,
    now: Timestamp,
) -> Result<Option<DoorChange>, StoreError> {
    // On SQLite the transaction is the lock already.
    let Some(row) = door::Entity::find_by_id(id.0).lock_exclusive().one(connection).await? else { return Ok(None) };
    merge_into(connection, ids, &row, reading, source, now).await
}

/// Merges into a row that the caller has locked.
pub(crate) async fn merge_into(
    connection: &impl ConnectionTrait,
    ids: &dyn IdSource,
    row: &door::Model,
    reading: &DoorReading,
    source: Source,
    now: Timestamp,
) -> Result<Option<DoorChange>, StoreError> {
    let before = row.state()?;
    let mut state = before;
    let changed = state.merge(reading, now, source);
    if state == before {
        return Ok(None);
    }
    let version = row.state_version + i64::from(changed);
    let columns = door::ActiveModel { state_version: Set(version), ..state_columns(&state)? };
    door::Entity::update_many()
        .set(columns)
        .filter(door::Column::Id.eq(row.id))
        .filter(door::Column::StateVersion.lte(version))
        .exec(connection)
        .await?;
    if !changed {
        return Ok(None);
    }
    let occurred_at = std::cmp::min(reading.observed_at.unwrap_or(now), now);
    let data = json!({ "from": values(&before), "to": values(&state), "source": source.as_str() });
    events::append(connection, ids, vec![NewEvent::of_door(row, occurred_at, now, data)]).await?;
    Ok(Some(DoorChange { door: DoorId(row.id), site: row.site_id, organization: row.organization_id, version }))
}

fn values(state: &DoorState) -> sea_orm::JsonValue {
    json!({
        "lock": state.lock.map(|side| side.value),
        "position": state.position.map(|side| side.value),
        "mode": state.mode.map(|side| side.value),
        "occupancy": state.occupancy.map(|side| side.value),
    })
}

/// The columns that hold a state. Sides never heard of are filtered as UNKNOWN (mode: NORMAL).
pub(crate) fn state_columns(state: &DoorState) -> Result<door::ActiveModel, StoreError> {
    let json =
        serde_json::to_value(state).map_err(|error| StoreError::unreadable("doors", "state", &error.to_string()))?;
    let word = |text: &str| Set(text.to_owned());
    Ok(door::ActiveModel {
        state: Set(json),
        lock_value: word(state.lock.map_or(LockState::Unknown, |side| side.value).as_str()),
        position_value: word(state.position.map_or(Position::Unknown, |side| side.value).as_str()),
        mode_value: word(state.mode.map_or(Mode::Normal, |side| side.value).as_str()),
        occupancy_value: word(state.occupancy.map_or(Occupancy::Unknown, |side| side.value).as_str()),
        ..Default::default()
    })
}
