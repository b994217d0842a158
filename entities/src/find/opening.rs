//! What is known of who can open doors: everything about some doors, or about some people, in a constant number of
//! statements. What follows from it is `domain::opening`; the conditions here only leave out what cannot matter.

mod granted;
mod observed;
mod placed;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    clock::Timestamp,
    ids::{DeviceId, DoorId, RecordId, UserId, VendorAccountId},
    opening::{self, Facts, Listening, Opening, PostureFacts},
    record::{RecordDetails, RecordKind},
};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect};
use uuid::Uuid;

use self::granted::Asked;
use super::doors::with_columns;
use crate::{
    Database, Scope, StoreError,
    rows::{device, door, record, user},
};

/// Of what facts are wanted.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// Everybody's at these doors.
    Doors(&'a [Uuid]),
    /// Those of these people at every door.
    Users(&'a [Uuid]),
}

/// Facts by door.
struct Gathered(BTreeMap<DoorId, Facts>);

impl Gathered {
    fn at(&mut self, door: Uuid) -> &mut Facts {
        let door = DoorId(door);
        self.0.entry(door).or_insert_with(|| Facts::of(door))
    }
}

#[derive(FromQueryResult)]
struct DoorAndDevice {
    #[sea_orm(nested(prefix = "door_"))]
    door: door::Model,
    #[sea_orm(nested(prefix = "device_"))]
    device: device::Model,
}

/// The facts about the people who may be able to open these doors at that instant, one per door; nothing for a caller who
/// does not see the whole organization.
///
/// # Errors
/// The database failed.
pub async fn of_doors(
    database: &Database,
    scope: &Scope,
    doors: &[DoorId],
    at: Timestamp,
) -> Result<Vec<Facts>, StoreError> {
    let mut visible = with_devices(database, scope, doors).await?;
    if !scope.sees_everything() {
        visible.clear();
    }
    let ids: Vec<Uuid> = visible.iter().map(|found| found.door.id).collect();
    let mut gathered = Gathered(ids.iter().map(|id| (DoorId(*id), Facts::of(DoorId(*id)))).collect());
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let accounts: Vec<Uuid> = visible.iter().map(|found| found.device.account_id).collect();
    granted::gather(database, Of::Doors(&ids).into(), at, &mut gathered).await?;
    placed::gather(database, Of::Doors(&ids), &accounts, at, &mut gathered).await?;
    let places: Vec<Place> = visible.iter().map(Place::of).collect::<Result<_, _>>()?;
    observed::gather(database, &places, &mut gathered).await?;
    Ok(gathered.0.into_values().collect())
}

/// The facts about these people at every door that they may be able to open at that instant; nothing for a caller who does
/// not see the whole organization.
///
/// # Errors
/// The database failed.
pub async fn of_users(
    database: &Database,
    scope: &Scope,
    users: &[UserId],
    at: Timestamp,
) -> Result<Vec<Facts>, StoreError> {
    let visible: Vec<Uuid> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(scope.whole_organization(user::Column::OrganizationId))
        .filter(user::Column::Id.is_in(users.iter().map(|id| id.0)))
        .into_tuple()
        .all(database.read())
        .await?;
    let mut gathered = Gathered(BTreeMap::new());
    if visible.is_empty() {
        return Ok(Vec::new());
    }
    granted::gather(database, Of::Users(&visible).into(), at, &mut gathered).await?;
    placed::gather(database, Of::Users(&visible), &[], at, &mut gathered).await?;
    Ok(gathered.0.into_values().collect())
}

/// The path by which this person may have this door opened at that instant. Without a scope: it is asked about the caller
/// themselves, or about who sent a command.
///
/// # Errors
/// The database failed.
pub async fn own_way_in(
    database: &Database,
    user: UserId,
    door: DoorId,
    at: Timestamp,
) -> Result<Option<Opening>, StoreError> {
    let mut gathered = Gathered(BTreeMap::new());
    granted::gather(database, Asked { doors: Some(&[door.0]), users: Some(&[user.0]) }, at, &mut gathered).await?;
    Ok(gathered.0.get(&door).and_then(|facts| opening::own_way_in(facts, user, at)))
}

/// The doors that something of this person's is for at that instant, at whatever hours of the week. Without a scope: it is
/// part of a caller's.
///
/// # Errors
/// The database failed.
pub async fn own_doors(database: &Database, user: UserId, at: Timestamp) -> Result<BTreeSet<DoorId>, StoreError> {
    let mut gathered = Gathered(BTreeMap::new());
    granted::gather(database, Of::Users(&[user.0]).into(), at, &mut gathered).await?;
    Ok(gathered.0.into_keys().collect())
}

/// What is known of the postures of the visible ones of these doors.
///
/// # Errors
/// The database failed.
pub async fn postures(
    database: &Database,
    scope: &Scope,
    doors: &[DoorId],
) -> Result<HashMap<DoorId, PostureFacts>, StoreError> {
    let visible = with_devices(database, scope, doors).await?;
    let mut listening: HashMap<DeviceId, Vec<Listening>> = HashMap::new();
    let schedules = record::Entity::find()
        .filter(record::Column::DeviceId.is_in(visible.iter().map(|found| found.device.id)))
        .filter(record::Column::Kind.eq(RecordKind::AutoAccessSchedule.as_str()))
        .filter(record::Column::MissingSince.is_null())
        .all(database.read())
        .await?;
    for row in schedules {
        if let (Some(device), RecordDetails::AutoAccessSchedule(told)) = (row.device_id, row.details()?) {
            listening.entry(DeviceId(device)).or_default().push(Listening {
                record: RecordId(row.id),
                starts_at: told.starts_at,
                minutes: told.minutes,
                position: told.position,
            });
        }
    }
    let each = visible.into_iter().map(|DoorAndDevice { door, device }| {
        let details = device.details()?;
        let facts = PostureFacts {
            position: door.position,
            mode: door.state()?.mode,
            phone_access: door.phone_access()?.unwrap_or_default(),
            always_active: details.auto_access_always_active == Some(true),
            when_offline: details.offline_auto_access == Some(true),
            health: Some((device.health()?, device.health_since)),
            listening: listening.get(&DeviceId(device.id)).cloned().unwrap_or_default(),
        };
        Ok((DoorId(door.id), facts))
    });
    each.collect()
}

/// Where a vendor keeps who gets in at a door.
struct Place {
    door: DoorId,
    /// The vendor's id of the door.
    external_id: String,
    device: DeviceId,
    account: VendorAccountId,
    takes_calls: bool,
}

impl Place {
    fn of(found: &DoorAndDevice) -> Result<Self, StoreError> {
        Ok(Self {
            door: DoorId(found.door.id),
            external_id: found.door.external_id.clone(),
            device: DeviceId(found.device.id),
            account: VendorAccountId(found.device.account_id),
            takes_calls: found.door.phone_access()?.is_some_and(|access| access.enabled),
        })
    }
}

async fn with_devices(database: &Database, scope: &Scope, doors: &[DoorId]) -> Result<Vec<DoorAndDevice>, StoreError> {
    let to_device = door::Entity::belongs_to(device::Entity).from(door::Column::DeviceId).to(device::Column::Id);
    let query = door::Entity::find()
        .select_only()
        .filter(scope.doors())
        .filter(door::Column::Id.is_in(doors.iter().map(|id| id.0)))
        .join(JoinType::InnerJoin, to_device.into());
    let query = with_columns::<_, door::Entity>(query, "door_");
    let query = with_columns::<_, device::Entity>(query, "device_");
    Ok(query.into_model().all(database.read()).await?)
}
