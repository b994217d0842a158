//! Writing what a vendor tells of events: each once, with both clocks, and what it says of a door's state merged.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{
    alert::{AlertKind, event_gap},
    clock::Timestamp,
    door::{DoorReading, Source},
    event::{EventType, FoundDoorRef, FoundEvent},
    ids::{DeviceId, DoorId, EventId, IdSource, VendorAccountId},
};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict};
use uuid::Uuid;

use super::{
    alerts::{self, NewAlert},
    doors::{self, DoorChange},
    events,
};
use crate::{
    Database, StoreError,
    rows::{alert, device, door, event, vendor_account},
};

/// What a portion of events came to.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Events that were not known.
    pub fresh: Vec<EventId>,
    /// Doors whose state changed.
    pub changes: Vec<DoorChange>,
    /// What was said of doors, also if it was known: evidence for commands that wait for some.
    pub readings: Vec<(DoorId, DoorReading)>,
    /// Alerts that were raised, because events are lost.
    pub alerts: Vec<alert::Model>,
}

/// Writes events of a vendor account, oldest first. Those that are known are left alone (rule 14).
///
/// # Errors
/// The database failed; nothing of the portion is kept.
pub async fn events(
    database: &Database,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    found: &[FoundEvent],
    source: Source,
    now: Timestamp,
) -> Result<Observed, StoreError> {
    let mut observed = Observed::default();
    if found.is_empty() {
        return Ok(observed);
    }
    let transaction = database.begin().await?;
    let mut known = known(&transaction, account, found).await?;
    let places = Places::read(&transaction, account, found).await?;
    let (mut rows, mut gaps) = (Vec::new(), BTreeMap::new());
    for told in found {
        let place = places.of(told);
        let door = place.and_then(|place| place.door);
        if let (Some(door), Some(reading)) = (door, told.reading) {
            let reading = DoorReading { observed_at: reading.observed_at.or(told.occurred_at), ..reading };
            observed.readings.push((DoorId(door), reading));
        }
        if !known.insert(told.external_id.clone()) {
            continue;
        }
        let id = ids.next_uuid();
        observed.fresh.push(EventId(id));
        if told.event_type == EventType::EventGap {
            gaps.insert(place.map(|place| place.device), place.map(|place| place.site));
        }
        let row = event::Model {
            id,
            organization_id: account.organization_id,
            // What is at nothing that we know is at no site: it may be of any, and of people.
            site_id: place.map(|place| place.site),
            device_id: place.map(|place| place.device),
            door_id: door,
            command_id: None,
            account_id: Some(account.id),
            external_id: Some(told.external_id.clone()),
            vendor_code: Some(told.vendor_code.clone()),
            event_type: told.event_type.as_str().to_owned(),
            occurred_at: told.occurred_at.unwrap_or(now),
            recorded_at: now,
            actor: None,
            data: event::told(&told.facts),
            block: None,
            mark: None,
        };
        rows.push(events::marked(ids, row));
    }
    // Another worker may have written the same since: theirs stays.
    let once = OnConflict::columns([event::Column::AccountId, event::Column::ExternalId]).do_nothing().to_owned();
    for piece in rows.chunks(200) {
        event::Entity::insert_many(piece.to_vec())
            .on_conflict(once.clone())
            .exec_without_returning(&transaction)
            .await?;
    }
    for (door, reading) in &observed.readings {
        let change = doors::merge(&transaction, ids, *door, reading, source, now).await?;
        observed.changes.extend(change);
    }
    for (device, site) in gaps {
        observed.alerts.extend(raise_gap(&transaction, ids, account, device, site, now).await?);
    }
    transaction.commit().await?;
    Ok(observed)
}

/// Tells a person that events are lost: of a device, or of the whole account.
async fn raise_gap(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    device: Option<Uuid>,
    site: Option<Uuid>,
    now: Timestamp,
) -> Result<Option<alert::Model>, StoreError> {
    let row = match device {
        Some(id) => device::Entity::find_by_id(id).one(transaction).await?,
        None => None,
    };
    let (name, subject) = match &row {
        Some(row) => (&row.name, DeviceId(row.id).to_string()),
        None => (&account.name, VendorAccountId(account.id).to_string()),
    };
    let (severity, message) = event_gap(name);
    let organization = account.organization_id;
    let new = NewAlert { organization, site, kind: AlertKind::EventGap, severity, subject, message };
    alerts::raise(transaction, ids, new, now).await
}

async fn known(
    transaction: &DatabaseTransaction,
    account: &vendor_account::Model,
    found: &[FoundEvent],
) -> Result<HashSet<String>, StoreError> {
    let rows: Vec<Option<String>> = event::Entity::find()
        .select_only()
        .column(event::Column::ExternalId)
        .filter(event::Column::AccountId.eq(account.id))
        .filter(event::Column::ExternalId.is_in(found.iter().map(|told| told.external_id.as_str())))
        .into_tuple()
        .all(transaction)
        .await?;
    Ok(rows.into_iter().flatten().collect())
}

#[derive(Clone, Copy)]
struct Place {
    site: Uuid,
    device: Uuid,
    door: Option<Uuid>,
}

/// Where the events of a portion happened, read in two statements.
struct Places {
    devices: HashMap<String, (Uuid, Uuid)>,
    doors: Vec<door::Model>,
}

impl Places {
    async fn read(
        transaction: &DatabaseTransaction,
        account: &vendor_account::Model,
        found: &[FoundEvent],
    ) -> Result<Self, StoreError> {
        let of_account =
            |query: sea_orm::Select<device::Entity>| query.filter(device::Column::AccountId.eq(account.id));
        let named: HashSet<&str> = found.iter().filter_map(|told| told.device.as_deref()).collect();
        let rows: Vec<(String, Uuid, Uuid)> = of_account(device::Entity::find())
            .select_only()
            .columns([device::Column::ExternalId, device::Column::Id, device::Column::SiteId])
            .filter(device::Column::ExternalId.is_in(named))
            .into_tuple()
            .all(transaction)
            .await?;
        let devices: HashMap<_, _> = rows.into_iter().map(|(external, id, site)| (external, (id, site))).collect();
        let (mut by_id, mut by_name) = (HashSet::new(), HashSet::new());
        for told in found {
            match &told.door {
                Some(FoundDoorRef::Id(id)) => _ = by_id.insert(id.as_str()),
                Some(FoundDoorRef::Name(name)) => _ = by_name.insert(name.as_str()),
                _ => {}
            }
        }
        let in_account = of_account(device::Entity::find()).select_only().column(device::Column::Id);
        let doors = door::Entity::find()
            .filter(door::Column::DeviceId.in_subquery(sea_orm::QueryTrait::into_query(in_account)))
            .filter(
                sea_orm::Condition::any()
                    .add(door::Column::DeviceId.is_in(devices.values().map(|(id, _)| *id)))
                    .add(door::Column::ExternalId.is_in(by_id))
                    .add(door::Column::Name.is_in(by_name)),
            )
            .all(transaction)
            .await?;
        Ok(Self { devices, doors })
    }

    fn of(&self, told: &FoundEvent) -> Option<Place> {
        let device = told.device.as_ref().and_then(|device| self.devices.get(device)).copied();
        let mut fitting = self.doors.iter().filter(|row| match &told.door {
            Some(FoundDoorRef::Id(id)) => {
                row.external_id == *id && device.is_none_or(|(device, _)| row.device_id == device)
            }
            Some(FoundDoorRef::Position(position)) => {
                row.position == *position && device.is_some_and(|(device, _)| row.device_id == device)
            }
            Some(FoundDoorRef::Name(name)) => row.name == *name,
            // A state without a door: of a device's only door.
            None => told.reading.is_some() && device.is_some_and(|(device, _)| row.device_id == device),
        });
        // Two doors of one name: nobody knows which is meant.
        let door = fitting.next().filter(|_| fitting.next().is_none());
        match (door, device) {
            (Some(door), _) => Some(Place { site: door.site_id, device: door.device_id, door: Some(door.id) }),
            (None, Some((device, site))) => Some(Place { site, device, door: None }),
            (None, None) => None,
        }
    }
}
