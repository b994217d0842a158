//! Stays as a PMS tells of them: from its records into `reservations`, each settled at once. Every record may be imported
//! any number of times; one that says nothing new writes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    ids::{DoorId, RecordId, ReservationId, VendorAccountId},
    record::{RecordDetails, RecordKind, ReservationDetails, ReservationState},
};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{NewReservation, Told, change, create, guests};
use crate::{
    Database, StoreError,
    rows::{alert, record, reservation, vendor_account},
    store::{
        resource_doors,
        stays::{self, Settled, Settling},
    },
};

/// Stays that ended longer ago are not taken in.
const BACK: TimeDelta = TimeDelta::days(1);
/// Stays that begin later are not taken in yet.
const AHEAD: TimeDelta = TimeDelta::days(90);

/// What an import came to.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Stays that are new, or changed.
    pub stays: usize,
    /// Accounts with placements that became due: ring `Job::Reconcile` for each.
    pub accounts: BTreeSet<VendorAccountId>,
    /// New or changed alerts: publish them.
    pub alerts: Vec<alert::Model>,
    /// Where the next portion begins; absent at the end.
    pub next: Option<RecordId>,
}

/// Imports what these records of a PMS say of stays and guests.
///
/// # Errors
/// The database failed. What was imported before is kept.
pub async fn import_changed(
    database: &Database,
    settling: &Settling<'_>,
    account: &vendor_account::Model,
    changed: &[RecordId],
    now: Timestamp,
) -> Result<Imported, StoreError> {
    let rows = record::Entity::find()
        .filter(record::Column::Id.is_in(changed.iter().map(|id| id.0)))
        .filter(record::Column::Kind.is_in([RecordKind::User.as_str(), RecordKind::Reservation.as_str()]))
        .order_by_asc(record::Column::Id)
        .all(database.read())
        .await?;
    import(database, settling, account, rows, now).await
}

/// Imports a portion of all that is known of a PMS, in the order of the records' ids.
///
/// # Errors
/// The database failed. What was imported before is kept.
pub async fn import_after(
    database: &Database,
    settling: &Settling<'_>,
    account: &vendor_account::Model,
    after: Option<RecordId>,
    limit: u64,
    now: Timestamp,
) -> Result<Imported, StoreError> {
    let mut page = record::Entity::find()
        .filter(record::Column::AccountId.eq(account.id))
        .filter(record::Column::Kind.eq(RecordKind::Reservation.as_str()))
        .order_by_asc(record::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        page = page.filter(record::Column::Id.gt(after.0));
    }
    let rows = page.all(database.read()).await?;
    let full = u64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next = rows.last().filter(|_| full).map(|row| RecordId(row.id));
    Ok(Imported { next, ..import(database, settling, account, rows, now).await? })
}

async fn import(
    database: &Database,
    settling: &Settling<'_>,
    account: &vendor_account::Model,
    rows: Vec<record::Model>,
    now: Timestamp,
) -> Result<Imported, StoreError> {
    let mut imported = Imported::default();
    if rows.is_empty() {
        return Ok(imported);
    }
    let importing = Importing { settling, account, now };
    let mut people = BTreeSet::new();
    let mut stays = Vec::new();
    for row in rows {
        match row.details()? {
            RecordDetails::User(_) => {
                people.insert(row.external_id);
            }
            RecordDetails::Reservation(details) => {
                stays.push(Found { site: row.site_id, id: row.external_id, details })
            }
            _ => {}
        }
    }
    let known = importing.known(database, &stays).await?;
    let (known, new): (Vec<Found>, Vec<Found>) = stays.into_iter().partition(|stay| known.contains(&stay.id));
    let new = new.into_iter().filter(|stay| concerns_us(&stay.details, now)).collect();
    let of_people = importing.people(database, &people).await?;
    let mut settled = importing.create(database, new).await?;
    for stay in known {
        settled.extend(importing.follow(database, stay).await?);
    }
    for stay in of_people {
        let transaction = database.begin().await?;
        settled.extend(stays::settle(&transaction, settling, stay, now).await?);
        transaction.commit().await?;
    }
    imported.stays = settled.len();
    for one in settled {
        imported.accounts.extend(one.accounts);
        imported.alerts.extend(one.alerts);
    }
    Ok(imported)
}

/// A stay that a PMS tells of.
struct Found {
    site: Uuid,
    id: String,
    details: ReservationDetails,
}

/// Whether a stay that is not known here is worth knowing: it is not over for long, and not far off.
fn concerns_us(details: &ReservationDetails, now: Timestamp) -> bool {
    let over = matches!(details.state, ReservationState::Ended | ReservationState::Canceled);
    let still_in = details.state == ReservationState::Started && details.actual_end.is_none();
    let ended = !still_in && details.actual_end.or(details.ends_at).is_some_and(|end| end < now - BACK);
    let far_off = details.starts_at.is_some_and(|start| start > now + AHEAD);
    let unreadable = details.starts_at.is_none() || details.ends_at.is_none();
    let empty = over && unreadable;
    !ended && !far_off && !empty
}

struct Importing<'a> {
    settling: &'a Settling<'a>,
    account: &'a vendor_account::Model,
    now: Timestamp,
}

impl Importing<'_> {
    async fn known(&self, database: &Database, stays: &[Found]) -> Result<BTreeSet<String>, StoreError> {
        let known: Vec<String> = reservation::Entity::find()
            .select_only()
            .column(reservation::Column::ExternalId)
            .filter(reservation::Column::AccountId.eq(self.account.id))
            .filter(reservation::Column::ExternalId.is_in(stays.iter().map(|stay| stay.id.as_str())))
            .into_tuple()
            .all(database.read())
            .await?;
        Ok(known.into_iter().collect())
    }

    /// People who are here already are brought up to date. Returns their stays: a name stands at locks too.
    async fn people(&self, database: &Database, told: &BTreeSet<String>) -> Result<Vec<ReservationId>, StoreError> {
        if told.is_empty() {
            return Ok(Vec::new());
        }
        let transaction = database.begin().await?;
        let known = guests::known(&transaction, self.account, told).await?;
        let ids = self.settling.ids;
        let (_, changed) = guests::bring_up_to_date(&transaction, ids, self.account, &known, self.now).await?;
        let stays: Vec<Uuid> = reservation::Entity::find()
            .select_only()
            .column(reservation::Column::Id)
            .filter(reservation::Column::GuestId.is_in(changed))
            .filter(reservation::Column::DueAt.is_not_null())
            .into_tuple()
            .all(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(stays.into_iter().map(ReservationId).collect())
    }

    /// Nobody can be waiting for a stay that was not known, so all of them are one transaction.
    async fn create(&self, database: &Database, stays: Vec<Found>) -> Result<Vec<Settled>, StoreError> {
        if stays.is_empty() {
            return Ok(Vec::new());
        }
        let transaction = database.begin().await?;
        let guests: BTreeSet<String> = stays.iter().filter_map(|stay| stay.details.guest.clone()).collect();
        let ids = self.settling.ids;
        let (guests, _) = guests::bring_up_to_date(&transaction, ids, self.account, &guests, self.now).await?;
        let rooms = stays.iter().filter_map(|stay| stay.details.resource.clone()).collect();
        let doors = resource_doors::of_rooms(&transaction, VendorAccountId(self.account.id), &rooms).await?;
        let mut settled = Vec::new();
        for stay in stays {
            let told = self.told(&stay, None, &guests, &doors);
            let new = NewReservation {
                id: ReservationId(ids.next_uuid()),
                organization: self.account.organization_id,
                told,
                known_as: Some((self.account.id, stay.id)),
            };
            let row = create(&transaction, ids, new, None, self.now).await?;
            settled.extend(stays::settle(&transaction, self.settling, ReservationId(row.id), self.now).await?);
        }
        transaction.commit().await?;
        Ok(settled)
    }

    async fn follow(&self, database: &Database, stay: Found) -> Result<Option<Settled>, StoreError> {
        let (now, ids) = (self.now, self.settling.ids);
        let transaction = database.begin().await?;
        let Some(row) = self.hold(&transaction, &stay.id).await? else { return Ok(None) };
        let guest: BTreeSet<String> = stay.details.guest.iter().cloned().collect();
        let (guests, _) = guests::bring_up_to_date(&transaction, ids, self.account, &guest, now).await?;
        let rooms = stay.details.resource.iter().cloned().collect();
        let doors = resource_doors::of_rooms(&transaction, VendorAccountId(self.account.id), &rooms).await?;
        let told = self.told(&stay, Some(&row), &guests, &doors);
        if change(&transaction, ids, &row, told, None, now).await?.is_none() {
            transaction.rollback().await?;
            return Ok(None);
        }
        let settled = stays::settle(&transaction, self.settling, ReservationId(row.id), now).await?;
        transaction.commit().await?;
        Ok(settled)
    }

    async fn hold(
        &self,
        transaction: &DatabaseTransaction,
        external_id: &str,
    ) -> Result<Option<reservation::Model>, StoreError> {
        let id: Option<Uuid> = reservation::Entity::find()
            .select_only()
            .column(reservation::Column::Id)
            .filter(reservation::Column::AccountId.eq(self.account.id))
            .filter(reservation::Column::ExternalId.eq(external_id))
            .into_tuple()
            .one(transaction)
            .await?;
        match id {
            Some(id) => stays::hold(transaction, ReservationId(id)).await,
            None => Ok(None),
        }
    }

    /// What the PMS says now. What cannot be read stays as it was, and the stay is said to be unreadable: nothing is taken
    /// away because of it.
    fn told(
        &self,
        stay: &Found,
        before: Option<&reservation::Model>,
        guests: &HashMap<String, Uuid>,
        doors: &BTreeMap<String, BTreeSet<DoorId>>,
    ) -> Told {
        let details = &stay.details;
        let starts_at = details.starts_at.or(before.map(|row| row.starts_at)).or(details.actual_start);
        let ends_at = details.ends_at.or(before.map(|row| row.ends_at)).or(details.actual_end);
        let readable = details.starts_at.is_some() && details.ends_at.is_some();
        let over = matches!(details.state, ReservationState::Ended | ReservationState::Canceled);
        let starts_at = starts_at.or(ends_at).unwrap_or(self.now);
        let guest = details.guest.as_ref().and_then(|guest| guests.get(guest)).copied();
        Told {
            site: stay.site,
            number: details.number.clone(),
            // A PMS that names nobody for once has not exchanged the guest.
            guest: guest.or_else(|| before.and_then(|row| row.guest_id)),
            resource: details.resource.clone(),
            state: if readable || over { details.state } else { ReservationState::Unknown },
            starts_at,
            ends_at: ends_at.unwrap_or(starts_at),
            actual_start: details.actual_start,
            actual_end: details.actual_end,
            doors: details.resource.as_ref().and_then(|room| doors.get(room)).cloned().unwrap_or_default(),
        }
    }
}
