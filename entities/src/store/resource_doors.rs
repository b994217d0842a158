//! Which doors the rooms and beds of a PMS stand for. When that changes, the stays of the room follow.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    clock::Timestamp,
    ids::{DoorId, ReservationId, VendorAccountId},
    record::{RecordDetails, RecordKind},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set, sea_query::LockType,
};
use uuid::Uuid;

use super::{
    reservations::{self, Told},
    stays::{self, Settled, Settling},
};
use crate::{
    Database, StoreError,
    rows::{record, reservation, resource_door, vendor_account},
};

/// Makes a room stand for these doors and no others, and settles its stays that are not over. Whoever calls it has
/// checked that the doors are the operator's. What comes back has to be rung for and published after the commit.
///
/// # Errors
/// The database failed.
pub async fn set(
    transaction: &DatabaseTransaction,
    settling: &Settling<'_>,
    account: VendorAccountId,
    resource: &str,
    doors: &BTreeSet<DoorId>,
    actor: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Settled>, StoreError> {
    // One at a time for an account: two mappings of a room would become a mixture.
    vendor_account::Entity::find_by_id(account.0)
        .select_only()
        .column(vendor_account::Column::Id)
        // Rows that only name the account (placements, events) may be written meanwhile.
        .lock(LockType::NoKeyUpdate)
        .into_tuple::<Uuid>()
        .one(transaction)
        .await?;
    resource_door::Entity::delete_many()
        .filter(resource_door::Column::AccountId.eq(account.0))
        .filter(resource_door::Column::Resource.eq(resource))
        .exec(transaction)
        .await?;
    if !doors.is_empty() {
        let rows = doors.iter().map(|door| resource_door::ActiveModel {
            account_id: Set(account.0),
            resource: Set(resource.to_owned()),
            door_id: Set(door.0),
        });
        resource_door::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    }
    let stays: Vec<Uuid> = reservation::Entity::find()
        .select_only()
        .column(reservation::Column::Id)
        .filter(reservation::Column::AccountId.eq(account.0))
        .filter(reservation::Column::Resource.eq(resource))
        .filter(reservation::Column::DueAt.is_not_null().or(reservation::Column::EndsAt.gt(now)))
        .into_tuple()
        .all(transaction)
        .await?;
    let mut settled = Vec::new();
    for row in stays::hold_all(transaction, &stays).await? {
        let told = Told { doors: doors.clone(), ..Told::of(&row, BTreeSet::new())? };
        if reservations::change(transaction, settling.ids, &row, told, actor, now).await?.is_some() {
            settled.extend(stays::settle(transaction, settling, ReservationId(row.id), now).await?);
        }
    }
    Ok(settled)
}

/// Which doors each mapped room of an account stands for.
///
/// # Errors
/// The database failed.
pub async fn list(
    database: &Database,
    account: VendorAccountId,
) -> Result<BTreeMap<String, BTreeSet<DoorId>>, StoreError> {
    let rows = resource_door::Entity::find()
        .filter(resource_door::Column::AccountId.eq(account.0))
        .all(database.read())
        .await?;
    Ok(by_room(rows))
}

/// The rooms and beds in use that stand for no door, in the order of their ids.
///
/// # Errors
/// The database failed.
pub async fn unmapped(database: &Database, account: VendorAccountId) -> Result<Vec<record::Model>, StoreError> {
    let mapped = resource_door::Entity::find()
        .select_only()
        .column(resource_door::Column::Resource)
        .filter(resource_door::Column::AccountId.eq(account.0))
        .into_query();
    let rows = record::Entity::find()
        .filter(record::Column::AccountId.eq(account.0))
        .filter(record::Column::Kind.eq(RecordKind::Resource.as_str()))
        .filter(record::Column::MissingSince.is_null())
        .filter(record::Column::ExternalId.not_in_subquery(mapped))
        .order_by_asc(record::Column::Id)
        .all(database.read())
        .await?;
    let in_use = |row: &record::Model| matches!(row.details(), Ok(RecordDetails::Resource(room)) if room.active);
    Ok(rows.into_iter().filter(in_use).collect())
}

/// Which doors these rooms stand for.
pub(super) async fn of_rooms(
    connection: &impl ConnectionTrait,
    account: VendorAccountId,
    rooms: &BTreeSet<String>,
) -> Result<BTreeMap<String, BTreeSet<DoorId>>, StoreError> {
    if rooms.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = resource_door::Entity::find()
        .filter(resource_door::Column::AccountId.eq(account.0))
        .filter(resource_door::Column::Resource.is_in(rooms.iter().map(String::as_str)))
        .all(connection)
        .await?;
    Ok(by_room(rows))
}

fn by_room(rows: Vec<resource_door::Model>) -> BTreeMap<String, BTreeSet<DoorId>> {
    let mut rooms: BTreeMap<String, BTreeSet<DoorId>> = BTreeMap::new();
    for row in rows {
        rooms.entry(row.resource).or_default().insert(DoorId(row.door_id));
    }
    rooms
}
