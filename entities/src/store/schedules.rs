//! Writing schedules. A change of one is a change for everybody whom it lets in.

use domain::{
    event::EventType,
    ids::{OrganizationId, ScheduleId, SiteId},
    schedule::Week,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    access::{Acting, Changed, Declined, Outcome, declined, finish, settle_holders},
    events,
};
use crate::{
    Database, StoreError,
    rows::{access_level, schedule, to_json},
};

/// A schedule to be made. The caller has checked the week.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    /// Its id.
    pub id: ScheduleId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// Where it belongs.
    pub site: SiteId,
    /// A name for people.
    pub name: String,
    /// The pattern.
    pub week: Week,
}

/// What is to change of a schedule; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScheduleChange {
    /// Its name.
    pub name: Option<String>,
    /// The pattern.
    pub week: Option<Week>,
}

/// Makes a schedule, once per key.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn create(database: &Database, acting: &Acting<'_>, new: NewSchedule) -> Outcome<schedule::Model> {
    let transaction = database.begin().await?;
    if let Err(why) = acting.claim(&transaction, new.id.0).await? {
        return declined(transaction, why).await;
    }
    let row = schedule::Model {
        id: new.id.0,
        organization_id: new.organization.0,
        site_id: new.site.0,
        name: new.name,
        week: to_json("schedules", "week", &new.week)?,
        version: 1,
        created_at: acting.now,
    };
    let active = schedule::ActiveModel::from(row.clone()).reset_all();
    schedule::Entity::insert(active).exec_without_returning(&transaction).await?;
    told(&transaction, acting, &row, "CREATED").await?;
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts: Default::default() }))
}

/// Changes a schedule.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn update(
    database: &Database,
    acting: &Acting<'_>,
    (organization, id): (OrganizationId, ScheduleId),
    change: ScheduleChange,
) -> Outcome<schedule::Model> {
    let transaction = database.begin().await?;
    let Some(before) = hold(&transaction, organization, id).await? else {
        return declined(transaction, Declined::Gone).await;
    };
    let week = change.week.map(|week| to_json("schedules", "week", &week)).transpose()?;
    let row = schedule::Model {
        name: change.name.unwrap_or_else(|| before.name.clone()),
        week: week.unwrap_or_else(|| before.week.clone()),
        ..before.clone()
    };
    if row == before {
        transaction.rollback().await?;
        return Ok(Ok(Changed { row, accounts: Default::default() }));
    }
    let row = schedule::Model { version: row.version + 1, ..row };
    let active = schedule::ActiveModel::from(row.clone()).reset_all();
    schedule::Entity::update_many()
        .set(schedule::ActiveModel { id: Unchanged(row.id), ..active })
        .filter(schedule::Column::Id.eq(row.id))
        .exec(&transaction)
        .await?;
    told(&transaction, acting, &row, "CHANGED").await?;
    let levels: Vec<Uuid> = access_level::Entity::find()
        .select_only()
        .column(access_level::Column::Id)
        .filter(access_level::Column::ScheduleId.eq(row.id))
        .order_by_asc(access_level::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(&transaction)
        .await?;
    let settled = settle_holders(&transaction, acting, &levels).await?;
    finish(transaction, row, settled).await
}

/// Deletes a schedule that no access level uses.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn delete(
    database: &Database,
    acting: &Acting<'_>,
    (organization, id): (OrganizationId, ScheduleId),
) -> Outcome<schedule::Model> {
    let transaction = database.begin().await?;
    let Some(row) = hold(&transaction, organization, id).await? else {
        return declined(transaction, Declined::Gone).await;
    };
    let users = access_level::Entity::find().filter(access_level::Column::ScheduleId.eq(row.id));
    if users.count(&transaction).await? > 0 {
        return declined(transaction, Declined::InUse).await;
    }
    schedule::Entity::delete_by_id(row.id).exec(&transaction).await?;
    told(&transaction, acting, &row, "DELETED").await?;
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts: Default::default() }))
}

/// Takes hold of a schedule until the transaction ends.
pub(super) async fn hold(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    id: ScheduleId,
) -> Result<Option<schedule::Model>, StoreError> {
    Ok(schedule::Entity::find_by_id(id.0)
        .filter(schedule::Column::OrganizationId.eq(organization.0))
        .lock_exclusive()
        .one(transaction)
        .await?)
}

async fn told(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    row: &schedule::Model,
    what: &str,
) -> Result<(), StoreError> {
    let data = json!({ "schedule": ScheduleId(row.id).to_string(), "what": what });
    let event = acting.event(row.organization_id, EventType::ScheduleChanged, data);
    events::append(transaction, acting.ids(), vec![event]).await
}
