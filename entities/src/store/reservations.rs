//! Writing reservations: made here, changed here, or as a PMS tells of them (`import`). Whoever writes one settles it in
//! the same transaction (`stays::settle`); what follows from it for tokens and vendors is decided there.

mod guests;
mod import;

use std::collections::BTreeSet;

use domain::{
    clock::Timestamp,
    event::EventType,
    ids::{AccessTokenId, DoorId, IdSource, ReservationId},
    record::ReservationState,
    stay::{Readiness, ReadinessCode, ReadinessReason, TokenState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QuerySelect, Set, sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

pub use self::import::{Imported, import_after, import_changed};
use super::{
    events::{self, NewEvent},
    stays,
};
use crate::{
    StoreError,
    rows::{access_token, reservation, reservation_door, to_json},
};

/// A stay that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReservation {
    /// Its id.
    pub id: ReservationId,
    /// Its tenant.
    pub organization: Uuid,
    /// What it says.
    pub told: Told,
    /// The account of the PMS and the PMS's id; none for one made here.
    pub known_as: Option<(Uuid, String)>,
}

/// What a stay says: all of it that can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Where it belongs.
    pub site: Uuid,
    /// The number that people use.
    pub number: Option<String>,
    /// The guest, a row of `users`.
    pub guest: Option<Uuid>,
    /// The PMS's id of the assigned room.
    pub resource: Option<String>,
    /// Where it stands.
    pub state: ReservationState,
    /// When it is to begin.
    pub starts_at: Timestamp,
    /// When it is to end.
    pub ends_at: Timestamp,
    /// When the guest came in.
    pub actual_start: Option<Timestamp>,
    /// When the guest left.
    pub actual_end: Option<Timestamp>,
    /// Its doors.
    pub doors: BTreeSet<DoorId>,
}

impl Told {
    /// What a row and its doors say.
    ///
    /// # Errors
    /// A stored word is unknown.
    pub fn of(row: &reservation::Model, doors: BTreeSet<DoorId>) -> Result<Self, StoreError> {
        Ok(Self {
            site: row.site_id,
            number: row.number.clone(),
            guest: row.guest_id,
            resource: row.resource.clone(),
            state: row.state()?,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            actual_start: row.actual_start,
            actual_end: row.actual_end,
            doors,
        })
    }
}

/// Writes a new stay and its doors. It has to be settled.
///
/// # Errors
/// The database failed; `Conflict`: the PMS's id is known already.
pub async fn create(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    new: NewReservation,
    actor: Option<&str>,
    now: Timestamp,
) -> Result<reservation::Model, StoreError> {
    let NewReservation { id, organization, told, known_as } = new;
    let (account_id, external_id) = known_as.unzip();
    let reason = ReadinessReason { code: ReadinessCode::NoToken, message: String::new(), subject: None };
    let row = reservation::Model {
        id: id.0,
        organization_id: organization,
        site_id: told.site,
        account_id,
        external_id,
        number: told.number,
        guest_id: told.guest,
        resource: told.resource,
        state: told.state.as_str().to_owned(),
        starts_at: told.starts_at,
        ends_at: told.ends_at,
        actual_start: told.actual_start,
        actual_end: told.actual_end,
        readiness: Readiness::Pending.as_str().to_owned(),
        reasons: to_json("reservations", "reasons", &[reason])?,
        // Whoever forgets to settle it is outdone by the sweeper.
        due_at: Some(now),
        version: 1,
        changed_at: now,
        created_at: now,
    };
    let active = reservation::ActiveModel::from(row.clone()).reset_all();
    reservation::Entity::insert(active).exec_without_returning(transaction).await?;
    add_doors(transaction, row.id, &told.doors).await?;
    events::append(transaction, ids, vec![changed(&row, actor, now)]).await?;
    Ok(row)
}

/// Changes a stay that is held (`stays::hold`). Another guest than before ends the tokens of the one before, for good.
/// It has to be settled. `None`: nothing changed.
///
/// # Errors
/// The database failed.
pub async fn change(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    before: &reservation::Model,
    told: Told,
    actor: Option<&str>,
    now: Timestamp,
) -> Result<Option<reservation::Model>, StoreError> {
    let doors = doors_of(transaction, before.id).await?;
    if told == Told::of(before, doors.clone())? {
        return Ok(None);
    }
    let row = reservation::Model {
        site_id: told.site,
        number: told.number,
        guest_id: told.guest,
        resource: told.resource,
        state: told.state.as_str().to_owned(),
        starts_at: told.starts_at,
        ends_at: told.ends_at,
        actual_start: told.actual_start,
        actual_end: told.actual_end,
        due_at: Some(now),
        version: before.version + 1,
        changed_at: now,
        ..before.clone()
    };
    let active = reservation::ActiveModel::from(row.clone()).reset_all();
    reservation::Entity::update_many()
        .set(reservation::ActiveModel { id: Unchanged(row.id), ..active })
        .filter(reservation::Column::Id.eq(row.id))
        .exec(transaction)
        .await?;
    let left: Vec<Uuid> = doors.difference(&told.doors).map(|door| door.0).collect();
    if !left.is_empty() {
        reservation_door::Entity::delete_many()
            .filter(reservation_door::Column::ReservationId.eq(row.id))
            .filter(reservation_door::Column::DoorId.is_in(left))
            .exec(transaction)
            .await?;
    }
    add_doors(transaction, row.id, &told.doors.difference(&doors).copied().collect()).await?;
    let mut events = vec![changed(&row, actor, now)];
    if before.guest_id.is_some() && before.guest_id != row.guest_id {
        events.extend(end_tokens(transaction, &row, now).await?);
    }
    events::append(transaction, ids, events).await?;
    Ok(Some(row))
}

/// The doors of a stay.
///
/// # Errors
/// The database failed.
pub async fn doors_of(transaction: &DatabaseTransaction, reservation: Uuid) -> Result<BTreeSet<DoorId>, StoreError> {
    let doors: Vec<Uuid> = reservation_door::Entity::find()
        .select_only()
        .column(reservation_door::Column::DoorId)
        .filter(reservation_door::Column::ReservationId.eq(reservation))
        .into_tuple()
        .all(transaction)
        .await?;
    Ok(doors.into_iter().map(DoorId).collect())
}

async fn add_doors(
    transaction: &DatabaseTransaction,
    reservation: Uuid,
    doors: &BTreeSet<DoorId>,
) -> Result<(), StoreError> {
    if doors.is_empty() {
        return Ok(());
    }
    let rows = doors
        .iter()
        .map(|door| reservation_door::ActiveModel { reservation_id: Set(reservation), door_id: Set(door.0) });
    reservation_door::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    Ok(())
}

/// What the guest before was given must not open for anybody any more.
async fn end_tokens(
    transaction: &DatabaseTransaction,
    stay: &reservation::Model,
    now: Timestamp,
) -> Result<Vec<NewEvent<'static>>, StoreError> {
    let ended: Vec<Uuid> = access_token::Entity::find()
        .select_only()
        .column(access_token::Column::Id)
        .filter(access_token::Column::ReservationId.eq(stay.id))
        .filter(access_token::Column::State.ne(TokenState::Revoked.as_str()))
        .filter(access_token::Column::RevokeRequestedAt.is_null())
        .into_tuple()
        .all(transaction)
        .await?;
    access_token::Entity::update_many()
        .col_expr(access_token::Column::State, Expr::value(TokenState::Revoking.as_str()))
        .col_expr(access_token::Column::RevokeRequestedAt, Expr::value(now))
        .col_expr(access_token::Column::Version, Expr::col(access_token::Column::Version).add(1))
        .filter(access_token::Column::Id.is_in(ended.iter().copied()))
        .exec(transaction)
        .await?;
    let event = |token: Uuid| {
        let data = json!({
            "token": AccessTokenId(token).to_string(),
            "reservation": ReservationId(stay.id).to_string(),
        });
        stays::event(stay, EventType::TokenRevocationRequested, now, data)
    };
    Ok(ended.into_iter().map(event).collect())
}

fn changed<'a>(row: &reservation::Model, actor: Option<&'a str>, now: Timestamp) -> NewEvent<'a> {
    let data = json!({ "reservation": ReservationId(row.id).to_string(), "state": row.state });
    NewEvent { actor, ..stays::event(row, EventType::ReservationChanged, now, data) }
}
