//! Writing access levels and whose they are. Whatever changes here changes what credentials of their holders open.

use std::collections::BTreeSet;

use domain::{
    clock::Timestamp,
    event::EventType,
    ids::{AccessLevelId, DoorId, OrganizationId, ScheduleId, SiteId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QuerySelect, Set,
};
use serde_json::json;

use super::{
    access::{Acting, Changed, Declined, Outcome, declined, finish, hold_person, holders_of, settle_holders},
    credentials, events, schedules,
};
use crate::{
    Database, StoreError,
    rows::{access_assignment, access_level, access_level_door, door},
};

/// A person has at most this many access levels.
const MOST: u64 = 100;

/// An access level to be made.
#[derive(Debug, Clone)]
pub struct NewAccessLevel {
    /// Its id.
    pub id: AccessLevelId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// Where all its doors are.
    pub site: SiteId,
    /// A name for people.
    pub name: String,
    /// When it counts; always without.
    pub schedule: Option<ScheduleId>,
    /// Its doors.
    pub doors: BTreeSet<DoorId>,
}

/// What is to change of an access level; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessLevelChange {
    /// Its name.
    pub name: Option<String>,
    /// When it counts; always if it holds nothing.
    pub schedule: Option<Option<ScheduleId>>,
    /// Its doors.
    pub doors: Option<BTreeSet<DoorId>>,
}

/// Makes an access level, once per key.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn create(database: &Database, acting: &Acting<'_>, new: NewAccessLevel) -> Outcome<access_level::Model> {
    let transaction = database.begin().await?;
    if let Err(why) = acting.claim(&transaction, new.id.0).await? {
        return declined(transaction, why).await;
    }
    let row = access_level::Model {
        id: new.id.0,
        organization_id: new.organization.0,
        site_id: new.site.0,
        name: new.name,
        schedule_id: new.schedule.map(|schedule| schedule.0),
        version: 1,
        created_at: acting.now,
    };
    if !fits(&transaction, &row, new.schedule, &new.doors).await? {
        return declined(transaction, Declined::Gone).await;
    }
    let active = access_level::ActiveModel::from(row.clone()).reset_all();
    access_level::Entity::insert(active).exec_without_returning(&transaction).await?;
    write_doors(&transaction, &row, &new.doors).await?;
    told(&transaction, acting, &row, "CREATED", None).await?;
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts: BTreeSet::new() }))
}

/// Changes an access level, and what its holders may open.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn update(
    database: &Database,
    acting: &Acting<'_>,
    (organization, id): (OrganizationId, AccessLevelId),
    change: AccessLevelChange,
) -> Outcome<access_level::Model> {
    let transaction = database.begin().await?;
    // A schedule is locked before the levels that use it.
    let schedule = change.schedule.flatten();
    if let Some(schedule) = schedule {
        schedules::hold(&transaction, organization, schedule).await?;
    }
    let Some(before) = hold(&transaction, organization, id).await? else {
        return declined(transaction, Declined::Gone).await;
    };
    let row = access_level::Model {
        name: change.name.unwrap_or_else(|| before.name.clone()),
        schedule_id: change.schedule.map_or(before.schedule_id, |schedule| schedule.map(|schedule| schedule.0)),
        version: before.version + 1,
        ..before
    };
    if !fits(&transaction, &row, schedule, change.doors.as_ref().unwrap_or(&BTreeSet::new())).await? {
        return declined(transaction, Declined::Gone).await;
    }
    let active = access_level::ActiveModel::from(row.clone()).reset_all();
    access_level::Entity::update_many()
        .set(access_level::ActiveModel { id: Unchanged(row.id), ..active })
        .filter(access_level::Column::Id.eq(row.id))
        .exec(&transaction)
        .await?;
    if let Some(doors) = &change.doors {
        write_doors(&transaction, &row, doors).await?;
    }
    told(&transaction, acting, &row, "CHANGED", None).await?;
    let settled = settle_holders(&transaction, acting, &[row.id]).await?;
    finish(transaction, row, settled).await
}

/// Deletes an access level, and takes it away from whoever has it.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn delete(
    database: &Database,
    acting: &Acting<'_>,
    (organization, id): (OrganizationId, AccessLevelId),
) -> Outcome<access_level::Model> {
    let transaction = database.begin().await?;
    let Some(row) = hold(&transaction, organization, id).await? else {
        return declined(transaction, Declined::Gone).await;
    };
    let holders = holders_of(&transaction, &[row.id]).await?;
    let of_level = access_assignment::Column::AccessLevelId.eq(row.id);
    access_assignment::Entity::delete_many().filter(of_level).exec(&transaction).await?;
    write_doors(&transaction, &row, &BTreeSet::new()).await?;
    access_level::Entity::delete_by_id(row.id).exec(&transaction).await?;
    told(&transaction, acting, &row, "DELETED", None).await?;
    let settled = credentials::settle_people(&transaction, acting, &holders).await?;
    finish(transaction, row, settled).await
}

/// Gives a person an access level for a time, or changes that time.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn assign(
    database: &Database,
    acting: &Acting<'_>,
    (organization, level, user): (OrganizationId, AccessLevelId, UserId),
    (from, until): (Option<Timestamp>, Option<Timestamp>),
) -> Outcome<access_assignment::Model> {
    let transaction = database.begin().await?;
    if hold_person(&transaction, organization.0, user).await?.is_none() {
        return declined(transaction, Declined::Gone).await;
    }
    let held = access_level::Entity::find_by_id(level.0)
        .filter(access_level::Column::OrganizationId.eq(organization.0))
        .lock_shared()
        .one(&transaction)
        .await?;
    let Some(level) = held else { return declined(transaction, Declined::Gone).await };
    let of_user = || access_assignment::Entity::find().filter(access_assignment::Column::UserId.eq(user.0));
    let before = of_user().filter(access_assignment::Column::AccessLevelId.eq(level.id)).one(&transaction).await?;
    let row = match before {
        Some(before) => {
            let row = access_assignment::Model { valid_from: from, valid_until: until, ..before.clone() };
            if row == before {
                transaction.rollback().await?;
                return Ok(Ok(Changed { row, accounts: BTreeSet::new() }));
            }
            let active = access_assignment::ActiveModel::from(row.clone()).reset_all();
            access_assignment::Entity::update_many()
                .set(access_assignment::ActiveModel { id: Unchanged(row.id), ..active })
                .filter(access_assignment::Column::Id.eq(row.id))
                .exec(&transaction)
                .await?;
            row
        }
        None if of_user().count(&transaction).await? >= MOST => {
            return declined(transaction, Declined::TooMany).await;
        }
        None => {
            let row = access_assignment::Model {
                id: acting.ids().next_uuid(),
                organization_id: organization.0,
                access_level_id: level.id,
                user_id: user.0,
                valid_from: from,
                valid_until: until,
                created_at: acting.now,
            };
            let active = access_assignment::ActiveModel::from(row.clone()).reset_all();
            access_assignment::Entity::insert(active).exec_without_returning(&transaction).await?;
            row
        }
    };
    told(&transaction, acting, &level, "ASSIGNED", Some(user)).await?;
    let settled = credentials::settle_people(&transaction, acting, &[user.0]).await?;
    finish(transaction, row, settled).await
}

/// Takes an access level away from a person. That they do not have it is all that counts.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn unassign(
    database: &Database,
    acting: &Acting<'_>,
    (organization, level, user): (OrganizationId, AccessLevelId, UserId),
) -> Outcome<access_level::Model> {
    let transaction = database.begin().await?;
    if hold_person(&transaction, organization.0, user).await?.is_none() {
        return declined(transaction, Declined::Gone).await;
    }
    let held = access_level::Entity::find_by_id(level.0)
        .filter(access_level::Column::OrganizationId.eq(organization.0))
        .lock_shared()
        .one(&transaction)
        .await?;
    let Some(row) = held else { return declined(transaction, Declined::Gone).await };
    let taken = access_assignment::Entity::delete_many()
        .filter(access_assignment::Column::AccessLevelId.eq(row.id))
        .filter(access_assignment::Column::UserId.eq(user.0))
        .exec(&transaction)
        .await?;
    if taken.rows_affected == 0 {
        transaction.rollback().await?;
        return Ok(Ok(Changed { row, accounts: BTreeSet::new() }));
    }
    told(&transaction, acting, &row, "UNASSIGNED", Some(user)).await?;
    let settled = credentials::settle_people(&transaction, acting, &[user.0]).await?;
    finish(transaction, row, settled).await
}

async fn hold(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    id: AccessLevelId,
) -> Result<Option<access_level::Model>, StoreError> {
    Ok(access_level::Entity::find_by_id(id.0)
        .filter(access_level::Column::OrganizationId.eq(organization.0))
        .lock_exclusive()
        .one(transaction)
        .await?)
}

/// Whether the schedule, if one is named, and all doors are there, at the site of the level.
async fn fits(
    transaction: &DatabaseTransaction,
    row: &access_level::Model,
    schedule: Option<ScheduleId>,
    doors: &BTreeSet<DoorId>,
) -> Result<bool, StoreError> {
    if let Some(schedule) = schedule {
        let held = schedules::hold(transaction, OrganizationId(row.organization_id), schedule).await?;
        if held.is_none_or(|schedule| schedule.site_id != row.site_id) {
            return Ok(false);
        }
    }
    let there = door::Entity::find()
        .filter(door::Column::OrganizationId.eq(row.organization_id))
        .filter(door::Column::SiteId.eq(row.site_id))
        .filter(door::Column::Id.is_in(doors.iter().map(|door| door.0)))
        .count(transaction)
        .await?;
    Ok(usize::try_from(there).is_ok_and(|there| there == doors.len()))
}

async fn write_doors(
    transaction: &DatabaseTransaction,
    row: &access_level::Model,
    doors: &BTreeSet<DoorId>,
) -> Result<(), StoreError> {
    access_level_door::Entity::delete_many()
        .filter(access_level_door::Column::AccessLevelId.eq(row.id))
        .exec(transaction)
        .await?;
    if doors.is_empty() {
        return Ok(());
    }
    let rows =
        doors.iter().map(|door| access_level_door::ActiveModel { access_level_id: Set(row.id), door_id: Set(door.0) });
    access_level_door::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    Ok(())
}

async fn told(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    row: &access_level::Model,
    what: &str,
    user: Option<UserId>,
) -> Result<(), StoreError> {
    let data = json!({
        "accessLevel": AccessLevelId(row.id).to_string(),
        "what": what,
        "user": user.map(|user| user.to_string()),
    });
    let event = acting.event(row.organization_id, EventType::AccessLevelChanged, data);
    events::append(transaction, acting.ids(), vec![event]).await
}
