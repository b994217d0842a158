//! Writing stays that no PMS knows: made, changed and called off here. What a PMS decides is never changed here.

use std::collections::BTreeSet;

use domain::{
    clock::Timestamp,
    event::EventType,
    ids::{DoorId, OrganizationId, ReservationId, SiteId, UserId},
    record::ReservationState,
};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait};
use serde_json::json;
use uuid::Uuid;

use super::{
    events::{self, NewEvent},
    reservations::{self, NewReservation, Told},
    stays::{self, Settled, Settling},
    used_keys::{self, KeyedOrder, Known},
};
use crate::{
    Database, StoreError,
    rows::{reservation, user},
};

/// Who stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guest {
    /// Somebody who is known.
    Known(UserId),
    /// Somebody new.
    New(NewGuest),
}

/// A person who is written together with their stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGuest {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their telephone number: digits with the country code, without a plus.
    pub phone: Option<String>,
}

/// A stay that is to be made here.
#[derive(Debug, Clone)]
pub struct NewStay {
    /// Its id.
    pub id: ReservationId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// Where.
    pub site: SiteId,
    /// The number that people use.
    pub number: Option<String>,
    /// Who stays.
    pub guest: Guest,
    /// Its doors.
    pub doors: BTreeSet<DoorId>,
    /// When it is to begin.
    pub starts_at: Timestamp,
    /// When it is to end.
    pub ends_at: Timestamp,
}

/// What is to change of a stay; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct StayChange {
    /// When it is to begin.
    pub starts_at: Option<Timestamp>,
    /// When it is to end.
    pub ends_at: Option<Timestamp>,
    /// When the guest came in; `Some(None)`: not yet after all.
    pub actual_start: Option<Option<Timestamp>>,
    /// When the guest left; `Some(None)`: not yet after all.
    pub actual_end: Option<Option<Timestamp>>,
    /// Its doors.
    pub doors: Option<BTreeSet<DoorId>>,
    /// Who stays.
    pub guest: Option<Guest>,
    /// Whether it is called off.
    pub canceled: bool,
}

/// What became of an order.
#[derive(Debug, Clone)]
pub enum Written {
    /// It is written; this is to be told after the commit.
    Done(Box<Settled>),
    /// The same was asked for under this key before; this stay came of it.
    Repeated(ReservationId),
    /// Something else was asked for under this key before.
    KeyReused,
    /// There is no such stay, or it was called off before.
    Over,
}

/// Makes a stay, and its guest if somebody new stays.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn create(
    database: &Database,
    settling: &Settling<'_>,
    new: NewStay,
    order: &KeyedOrder,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let transaction = database.begin().await?;
    if let Some(known) = claimed(&transaction, order, new.id, now).await? {
        transaction.rollback().await?;
        return Ok(known);
    }
    let by = order.requested_by.as_str();
    let guest = guest(&transaction, settling, new.organization.0, new.guest, by, now).await?;
    let told = Told {
        site: new.site.0,
        number: new.number,
        guest: Some(guest),
        resource: None,
        state: ReservationState::Confirmed,
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        actual_start: None,
        actual_end: None,
        doors: new.doors,
    };
    let new = NewReservation { id: new.id, organization: new.organization.0, told, known_as: None };
    let row = reservations::create(&transaction, settling.ids, new, Some(by), now).await?;
    finish(transaction, settling, ReservationId(row.id), now).await
}

/// Changes a stay that was made here, or calls it off.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn change(
    database: &Database,
    settling: &Settling<'_>,
    id: ReservationId,
    change: StayChange,
    order: &KeyedOrder,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let transaction = database.begin().await?;
    if let Some(known) = claimed(&transaction, order, id, now).await? {
        transaction.rollback().await?;
        return Ok(known);
    }
    let held = stays::hold(&transaction, id).await?;
    let Some(row) = held.filter(|row| row.account_id.is_none() && is_changeable(row, &change)) else {
        transaction.rollback().await?;
        return Ok(Written::Over);
    };
    let before = Told::of(&row, reservations::doors_of(&transaction, row.id).await?)?;
    let by = order.requested_by.as_str();
    let guest = match change.guest {
        Some(who) => Some(guest(&transaction, settling, row.organization_id, who, by, now).await?),
        None => before.guest,
    };
    let (actual_start, actual_end) =
        (change.actual_start.unwrap_or(before.actual_start), change.actual_end.unwrap_or(before.actual_end));
    let state = match (change.canceled, actual_start, actual_end) {
        (true, ..) => ReservationState::Canceled,
        (false, _, Some(_)) => ReservationState::Ended,
        (false, Some(_), None) => ReservationState::Started,
        (false, None, None) => ReservationState::Confirmed,
    };
    let told = Told {
        guest,
        state,
        starts_at: change.starts_at.unwrap_or(before.starts_at),
        ends_at: change.ends_at.unwrap_or(before.ends_at),
        actual_start,
        actual_end,
        doors: change.doors.unwrap_or(before.doors.clone()),
        ..before
    };
    reservations::change(&transaction, settling.ids, &row, told, Some(by), now).await?;
    finish(transaction, settling, id, now).await
}

/// One that was called off may be called off again, and nothing else.
fn is_changeable(row: &reservation::Model, change: &StayChange) -> bool {
    change.canceled || row.state != ReservationState::Canceled.as_str()
}

async fn finish(
    transaction: DatabaseTransaction,
    settling: &Settling<'_>,
    id: ReservationId,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let Some(settled) = stays::settle(&transaction, settling, id, now).await? else {
        transaction.rollback().await?;
        return Ok(Written::Over);
    };
    transaction.commit().await?;
    Ok(Written::Done(Box::new(settled)))
}

async fn claimed(
    transaction: &DatabaseTransaction,
    order: &KeyedOrder,
    object: ReservationId,
    now: Timestamp,
) -> Result<Option<Written>, StoreError> {
    Ok(match used_keys::claim(transaction, order, object.0, now).await? {
        Known::Nothing => None,
        Known::Done(id) => Some(Written::Repeated(ReservationId(id))),
        Known::KeyReused => Some(Written::KeyReused),
    })
}

/// The row of the guest, written if they are new.
async fn guest(
    transaction: &DatabaseTransaction,
    settling: &Settling<'_>,
    organization: Uuid,
    guest: Guest,
    by: &str,
    now: Timestamp,
) -> Result<Uuid, StoreError> {
    let new = match guest {
        Guest::Known(id) => return Ok(id.0),
        Guest::New(new) => new,
    };
    let row = user::Model {
        id: new.id.0,
        organization_id: organization,
        name_folded: new.name.to_lowercase(),
        name: new.name,
        email: new.email,
        phone: new.phone,
        account_id: None,
        external_id: None,
        erased_at: None,
        version: 1,
        created_at: now,
    };
    user::Entity::insert(user::ActiveModel::from(row).reset_all()).exec_without_returning(transaction).await?;
    let data = json!({ "user": new.id.to_string() });
    let told = NewEvent::of_organization(organization, EventType::UserChanged, now, Some(by), data);
    events::append(transaction, settling.ids, vec![told]).await?;
    Ok(new.id.0)
}
