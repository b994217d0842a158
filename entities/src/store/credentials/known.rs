//! Reading what is known of credentials before they are settled: in a constant number of statements, whatever their
//! number, and held until the transaction ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    account::Vendor,
    credential::{CredentialFacts, Grant, House, HouseDoor},
    ids::{CredentialId, DeviceId, DoorId, VendorAccountId},
    placement::{Desired, Wish},
    record::{RecordDetails, RecordKind},
    schedule::{Tz, Week},
    stay::LevelFacts,
};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    StoreError,
    rows::{
        access_assignment, access_level, access_level_door, credential, credential_door, device, door, placement,
        record, schedule, site, user, vendor_account,
    },
};

/// A credential, what it may open, and what is placed of it.
pub(super) struct Known {
    pub(super) row: credential::Model,
    pub(super) facts: CredentialFacts,
    pub(super) placements: Vec<placement::Model>,
    /// Whether it was made for certain doors.
    pub(super) is_for_doors: bool,
}

/// Where the doors are that credentials name.
#[derive(Default)]
pub(super) struct Places {
    pub(super) house: House,
    /// The sites of accounts.
    pub(super) accounts: HashMap<VendorAccountId, Uuid>,
    /// The sites of devices.
    pub(super) devices: HashMap<DeviceId, Uuid>,
}

/// Reads the credentials that are there, and holds them: placements first, as whoever writes placements does.
pub(super) async fn load(transaction: &DatabaseTransaction, ids: &[Uuid]) -> Result<(Vec<Known>, Places), StoreError> {
    let mut placements: HashMap<Uuid, Vec<placement::Model>> = HashMap::new();
    let placed = placement::Entity::find()
        .filter(placement::Column::CredentialId.is_in(ids.iter().copied()))
        .order_by_asc(placement::Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?;
    for row in placed {
        placements.entry(row.credential_id.unwrap_or_default()).or_default().push(row);
    }
    let rows = credential::Entity::find()
        .filter(credential::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(credential::Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?;
    let people: BTreeSet<Uuid> = rows.iter().map(|row| row.user_id).collect();
    let names: HashMap<Uuid, String> = user::Entity::find()
        .filter(user::Column::Id.is_in(people.iter().copied()))
        .all(transaction)
        .await?
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect();
    let direct = direct(transaction, ids).await?;
    let assigned = assigned(transaction, &people).await?;
    let mut known = Vec::new();
    for row in rows {
        let doors = direct.get(&row.id);
        let grants = match doors {
            Some(doors) => vec![Grant { doors: doors.clone(), ..Grant::default() }],
            None => assigned.get(&row.user_id).cloned().unwrap_or_default(),
        };
        let placements = placements.remove(&row.id).unwrap_or_default();
        let facts = CredentialFacts {
            id: CredentialId(row.id),
            kind: row.kind()?,
            state: row.state()?,
            number: row.number.clone(),
            holder: names.get(&row.user_id).cloned().unwrap_or_default(),
            from: row.valid_from,
            until: row.valid_until,
            grants,
            chosen: chosen(&placements)?,
        };
        known.push(Known { row, facts, placements, is_for_doors: doors.is_some() });
    }
    let named = known.iter().flat_map(|known| &known.facts.grants).flat_map(|grant| &grant.doors).copied().collect();
    let places = places(transaction, &named).await?;
    Ok((known, places))
}

/// The doors of credentials that were made for certain doors.
async fn direct(
    transaction: &DatabaseTransaction,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, BTreeSet<DoorId>>, StoreError> {
    let mut doors: HashMap<Uuid, BTreeSet<DoorId>> = HashMap::new();
    let rows = credential_door::Entity::find()
        .filter(credential_door::Column::CredentialId.is_in(ids.iter().copied()))
        .all(transaction)
        .await?;
    for row in rows {
        doors.entry(row.credential_id).or_default().insert(DoorId(row.door_id));
    }
    Ok(doors)
}

/// What the access levels of people grant.
async fn assigned(
    transaction: &DatabaseTransaction,
    people: &BTreeSet<Uuid>,
) -> Result<HashMap<Uuid, Vec<Grant>>, StoreError> {
    let assignments = access_assignment::Entity::find()
        .filter(access_assignment::Column::UserId.is_in(people.iter().copied()))
        .order_by_asc(access_assignment::Column::Id)
        .all(transaction)
        .await?;
    if assignments.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: BTreeSet<Uuid> = assignments.iter().map(|row| row.access_level_id).collect();
    let levels = access_level::Entity::find()
        .filter(access_level::Column::Id.is_in(ids.iter().copied()))
        .all(transaction)
        .await?;
    let mut doors: HashMap<Uuid, BTreeSet<DoorId>> = HashMap::new();
    let of_levels = access_level_door::Entity::find()
        .filter(access_level_door::Column::AccessLevelId.is_in(ids.iter().copied()))
        .all(transaction)
        .await?;
    for row in of_levels {
        doors.entry(row.access_level_id).or_default().insert(DoorId(row.door_id));
    }
    let schedules = schedules(transaction, &levels).await?;
    let levels: HashMap<Uuid, &access_level::Model> = levels.iter().map(|row| (row.id, row)).collect();
    let mut grants: HashMap<Uuid, Vec<Grant>> = HashMap::new();
    for row in assignments {
        let Some(level) = levels.get(&row.access_level_id) else { continue };
        grants.entry(row.user_id).or_default().push(Grant {
            doors: doors.get(&level.id).cloned().unwrap_or_default(),
            from: row.valid_from,
            until: row.valid_until,
            schedule: level.schedule_id.and_then(|schedule| schedules.get(&schedule).cloned()),
        });
    }
    Ok(grants)
}

/// The schedules of access levels, with the zones of their sites.
async fn schedules(
    transaction: &DatabaseTransaction,
    levels: &[access_level::Model],
) -> Result<HashMap<Uuid, (Week, Tz)>, StoreError> {
    let ids: BTreeSet<Uuid> = levels.iter().filter_map(|level| level.schedule_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = schedule::Entity::find().filter(schedule::Column::Id.is_in(ids)).all(transaction).await?;
    let sites: BTreeSet<Uuid> = rows.iter().map(|row| row.site_id).collect();
    let sites = site::Entity::find().filter(site::Column::Id.is_in(sites)).all(transaction).await?;
    let mut zones: HashMap<Uuid, Tz> = HashMap::new();
    for site in sites {
        let zone = site.time_zone.parse();
        let zone = zone.map_err(|_| StoreError::unreadable("sites", "time_zone", &site.time_zone))?;
        zones.insert(site.id, zone);
    }
    let mut weeks = HashMap::new();
    for row in rows {
        // A schedule whose zone is not known permits nothing.
        let week = if zones.contains_key(&row.site_id) { row.week()? } else { Week::default() };
        weeks.insert(row.id, (week, zones.get(&row.site_id).copied().unwrap_or(Tz::UTC)));
    }
    Ok(weeks)
}

/// The vendor's access levels that are wished for.
fn chosen(placements: &[placement::Model]) -> Result<BTreeMap<VendorAccountId, BTreeSet<String>>, StoreError> {
    let mut chosen = BTreeMap::new();
    for row in placements {
        if row.desired()? == Desired::Present
            && let Some(Wish::CardHolder(wish)) = row.wish()?
        {
            chosen.insert(VendorAccountId(row.account_id), wish.access_levels);
        }
    }
    Ok(chosen)
}

/// These doors, those that hang on the same devices where that matters, and the access levels of their vendors.
async fn places(transaction: &DatabaseTransaction, named: &BTreeSet<DoorId>) -> Result<Places, StoreError> {
    let mut places = Places::default();
    if named.is_empty() {
        return Ok(places);
    }
    let named = door::Column::Id.is_in(named.iter().map(|door| door.0));
    let doors = door::Entity::find().filter(named).all(transaction).await?;
    let ids: BTreeSet<Uuid> = doors.iter().map(|door| door.device_id).collect();
    let devices = device::Entity::find().filter(device::Column::Id.is_in(ids)).all(transaction).await?;
    let ids: BTreeSet<Uuid> = devices.iter().map(|device| device.account_id).collect();
    let rows = vendor_account::Entity::find().filter(vendor_account::Column::Id.is_in(ids)).all(transaction).await?;
    let mut vendors: HashMap<Uuid, Vendor> = HashMap::new();
    for row in rows {
        vendors.insert(row.id, row.vendor()?);
        places.accounts.insert(VendorAccountId(row.id), row.site_id);
    }
    let accounts = |vendor: Vendor| vendors.iter().filter(move |(_, own)| **own == vendor).map(|(id, _)| *id);
    let shared: BTreeSet<Uuid> = devices
        .iter()
        .filter(|device| vendors.get(&device.account_id) == Some(&Vendor::Raixer))
        .map(|device| device.id)
        .collect();
    let neighbours = match shared.is_empty() {
        true => Vec::new(),
        false => door::Entity::find().filter(door::Column::DeviceId.is_in(shared)).all(transaction).await?,
    };
    let devices: HashMap<Uuid, device::Model> = devices.into_iter().map(|row| (row.id, row)).collect();
    for row in doors.into_iter().chain(neighbours) {
        let Some(device) = devices.get(&row.device_id) else { continue };
        let Some(vendor) = vendors.get(&device.account_id) else { continue };
        let known = HouseDoor {
            vendor: *vendor,
            account: VendorAccountId(device.account_id),
            device: DeviceId(device.id),
            takes_calls: row.phone_access()?.map(|access| access.enabled),
            external_id: row.external_id,
        };
        places.house.doors.insert(DoorId(row.id), known);
    }
    places.devices = devices.values().map(|row| (DeviceId(row.id), row.site_id)).collect();
    let with_levels: Vec<Uuid> = accounts(Vendor::Lockt).collect();
    if !with_levels.is_empty() {
        places.house.levels = levels(transaction, with_levels).await?;
    }
    Ok(places)
}

async fn levels(
    transaction: &DatabaseTransaction,
    accounts: Vec<Uuid>,
) -> Result<BTreeMap<VendorAccountId, Vec<LevelFacts>>, StoreError> {
    let rows = record::Entity::find()
        .filter(record::Column::AccountId.is_in(accounts))
        .filter(record::Column::Kind.eq(RecordKind::AccessLevel.as_str()))
        .all(transaction)
        .await?;
    let mut levels: BTreeMap<VendorAccountId, Vec<LevelFacts>> = BTreeMap::new();
    for row in rows {
        if let RecordDetails::AccessLevel(details) = row.details()? {
            let (external_id, missing) = (row.external_id.clone(), row.missing_since.is_some());
            let level = LevelFacts { external_id, doors: details.doors, missing };
            levels.entry(VendorAccountId(row.account_id)).or_default().push(level);
        }
    }
    Ok(levels)
}
