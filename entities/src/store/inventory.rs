//! Writing what an inventory sync found, portion by portion. Nothing is ever deleted here: what a complete inventory
//! no longer lists is marked missing (rule 11).

use std::collections::HashMap;

use domain::{
    clock::Timestamp,
    device::{FoundDevice, FoundDoor},
    door::{DoorState, Source},
    event::EventType,
    ids::{DeviceId, DoorId, IdSource, VendorAccountId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    QueryFilter, QuerySelect, Set, sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    doors::{self, DoorChange},
    events::{self, NewEvent},
};
use crate::{
    Database, StoreError,
    rows::{account_location, capability_words, device, door, to_json, vendor_account},
};

/// Writes one portion of an inventory: new devices and doors, changed descriptions, states.
/// Returns the doors whose state changed.
///
/// # Errors
/// The database failed; nothing of the portion is kept.
pub async fn record(
    database: &Database,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    portion: &[FoundDevice],
    now: Timestamp,
) -> Result<Vec<DoorChange>, StoreError> {
    let transaction = database.begin().await?;
    let sites = sites_of(&transaction, account).await?;
    let known: HashMap<String, device::Model> = device::Entity::find()
        .filter(device::Column::AccountId.eq(account.id))
        .filter(device::Column::ExternalId.is_in(portion.iter().map(|found| found.external_id.as_str())))
        .all(&transaction)
        .await?
        .into_iter()
        .map(|row| (row.external_id.clone(), row))
        .collect();
    let mut doors: HashMap<Uuid, Vec<door::Model>> = HashMap::new();
    for row in door::Entity::find()
        .filter(door::Column::DeviceId.is_in(known.values().map(|row| row.id)))
        .lock_exclusive()
        .all(&transaction)
        .await?
    {
        doors.entry(row.device_id).or_default().push(row);
    }
    let mut changes = Vec::new();
    for found in portion {
        let site = sites.get(&found.location).copied().unwrap_or(account.site_id);
        let device = write_device(&transaction, ids, account, site, known.get(&found.external_id), found, now).await?;
        let known_doors = doors.remove(&device.id).unwrap_or_default();
        changes.extend(write_doors(&transaction, ids, &device, &known_doors, &found.doors, now).await?);
    }
    transaction.commit().await?;
    Ok(changes)
}

/// Ends a complete inventory that began at `started_at`: what it did not list is missing since then.
/// Returns how many devices are newly missing.
///
/// # Errors
/// The database failed.
pub async fn complete(
    database: &Database,
    ids: &dyn IdSource,
    account: VendorAccountId,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let transaction = database.begin().await?;
    let vanished = device::Entity::find()
        .filter(device::Column::AccountId.eq(account.0))
        .filter(device::Column::LastSeenAt.lt(started_at))
        .filter(device::Column::MissingSince.is_null())
        .all(&transaction)
        .await?;
    for row in &vanished {
        device::Entity::update_many()
            .col_expr(device::Column::MissingSince, Expr::value(now))
            .filter(device::Column::Id.eq(row.id))
            .exec(&transaction)
            .await?;
    }
    let gone = vanished
        .iter()
        .map(|row| NewEvent::of_device(row, EventType::DeviceMissing, now, json!({ "lastSeenAt": row.last_seen_at })));
    events::append(&transaction, ids, gone.collect()).await?;
    let of_account = sea_orm::QueryTrait::into_query(
        device::Entity::find().select_only().column(device::Column::Id).filter(device::Column::AccountId.eq(account.0)),
    );
    door::Entity::update_many()
        .col_expr(door::Column::MissingSince, Expr::value(now))
        .filter(door::Column::DeviceId.in_subquery(of_account))
        .filter(door::Column::LastSeenAt.lt(started_at))
        .filter(door::Column::MissingSince.is_null())
        .exec(&transaction)
        .await?;
    transaction.commit().await?;
    Ok(vanished.len())
}

/// Which of an account's locations is which site.
pub(super) async fn sites_of(
    connection: &impl ConnectionTrait,
    account: &vendor_account::Model,
) -> Result<HashMap<String, Uuid>, StoreError> {
    let rows = account_location::Entity::find().filter(account_location::Column::AccountId.eq(account.id));
    Ok(rows.all(connection).await?.into_iter().map(|row| (row.location, row.site_id)).collect())
}

/// Marks a device and its doors missing that the vendor says is gone.
///
/// # Errors
/// The database failed.
pub async fn gone(
    database: &Database,
    ids: &dyn IdSource,
    account: VendorAccountId,
    external_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    let found = device::Entity::find()
        .filter(device::Column::AccountId.eq(account.0))
        .filter(device::Column::ExternalId.eq(external_id))
        .filter(device::Column::MissingSince.is_null())
        .one(&transaction)
        .await?;
    let Some(row) = found else { return Ok(transaction.rollback().await?) };
    device::Entity::update_many()
        .col_expr(device::Column::MissingSince, Expr::value(now))
        .filter(device::Column::Id.eq(row.id))
        .exec(&transaction)
        .await?;
    door::Entity::update_many()
        .col_expr(door::Column::MissingSince, Expr::value(now))
        .filter(door::Column::DeviceId.eq(row.id))
        .filter(door::Column::MissingSince.is_null())
        .exec(&transaction)
        .await?;
    let data = json!({ "lastSeenAt": row.last_seen_at });
    events::append(&transaction, ids, vec![NewEvent::of_device(&row, EventType::DeviceMissing, now, data)]).await?;
    Ok(transaction.commit().await?)
}

async fn write_device(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    site: Uuid,
    known: Option<&device::Model>,
    found: &FoundDevice,
    now: Timestamp,
) -> Result<device::Model, StoreError> {
    let row = device::Model {
        id: known.map_or_else(|| DeviceId(ids.next_uuid()).0, |row| row.id),
        organization_id: account.organization_id,
        site_id: site,
        account_id: account.id,
        external_id: found.external_id.clone(),
        name: found.name.clone(),
        model: found.model.clone(),
        firmware: found.firmware.clone(),
        health: found.health.as_str().to_owned(),
        health_since: found.health_since,
        battery_percent: found.battery_percent,
        capabilities: capability_words(&found.capabilities),
        details: Some(to_json("devices", "details", &found.details)?),
        last_seen_at: now,
        missing_since: None,
        created_at: known.map_or(now, |row| row.created_at),
    };
    let active = device::ActiveModel::from(row.clone()).reset_all();
    let Some(known) = known else {
        device::Entity::insert(active).exec_without_returning(transaction).await?;
        let data = json!({ "name": row.name, "model": row.model });
        events::append(transaction, ids, vec![NewEvent::of_device(&row, EventType::DeviceFound, now, data)]).await?;
        return Ok(row);
    };
    let active = device::ActiveModel { id: Unchanged(row.id), ..active };
    device::Entity::update_many().set(active).filter(device::Column::Id.eq(row.id)).exec(transaction).await?;
    if known.health != row.health {
        let data = json!({ "from": known.health, "to": row.health, "since": row.health_since });
        let event = NewEvent::of_device(&row, EventType::DeviceHealthChanged, now, data);
        events::append(transaction, ids, vec![event]).await?;
    }
    Ok(row)
}

async fn write_doors(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    device: &device::Model,
    known: &[door::Model],
    found: &[FoundDoor],
    now: Timestamp,
) -> Result<Vec<DoorChange>, StoreError> {
    let mut changes = Vec::new();
    for found in found {
        let Some(row) = known.iter().find(|row| row.external_id == found.external_id) else {
            insert_door(transaction, ids, device, found, now).await?;
            continue;
        };
        let columns = door::ActiveModel {
            site_id: Set(device.site_id),
            last_seen_at: Set(now),
            missing_since: Set(None),
            ..description(found)?
        };
        door::Entity::update_many().set(columns).filter(door::Column::Id.eq(row.id)).exec(transaction).await?;
        changes.extend(doors::merge_into(transaction, ids, row, &found.reading, Source::Sync, now).await?);
    }
    // A device is told with all its doors: one that it no longer has need not wait for the next sync to be missed.
    let listed = |row: &&door::Model| found.iter().any(|found| found.external_id == row.external_id);
    let gone: Vec<Uuid> =
        known.iter().filter(|row| row.missing_since.is_none() && !listed(row)).map(|row| row.id).collect();
    if !gone.is_empty() {
        door::Entity::update_many()
            .col_expr(door::Column::MissingSince, Expr::value(now))
            .filter(door::Column::Id.is_in(gone))
            .exec(transaction)
            .await?;
    }
    Ok(changes)
}

async fn insert_door(
    connection: &impl ConnectionTrait,
    ids: &dyn IdSource,
    device: &device::Model,
    found: &FoundDoor,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut state = DoorState::default();
    state.merge(&found.reading, now, Source::Sync);
    let state = doors::state_columns(&state)?;
    let row = door::ActiveModel {
        id: Set(DoorId(ids.next_uuid()).0),
        organization_id: Set(device.organization_id),
        site_id: Set(device.site_id),
        device_id: Set(device.id),
        external_id: Set(found.external_id.clone()),
        state: state.state,
        lock_value: state.lock_value,
        position_value: state.position_value,
        mode_value: state.mode_value,
        occupancy_value: state.occupancy_value,
        state_version: Set(1),
        last_seen_at: Set(now),
        missing_since: Set(None),
        created_at: Set(now),
        ..description(found)?
    };
    door::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

fn description(found: &FoundDoor) -> Result<door::ActiveModel, StoreError> {
    let settings = found.settings.as_ref().map(|settings| to_json("doors", "settings", settings)).transpose()?;
    let phone_access =
        found.phone_access.as_ref().map(|access| to_json("doors", "phone_access", access)).transpose()?;
    Ok(door::ActiveModel {
        settings: Set(settings),
        phone_access: Set(phone_access),
        name: Set(found.name.clone()),
        name_folded: Set(found.name.to_lowercase()),
        kind: Set(found.kind.as_str().to_owned()),
        position: Set(found.position),
        capabilities: Set(capability_words(&found.capabilities)),
        ..Default::default()
    })
}
