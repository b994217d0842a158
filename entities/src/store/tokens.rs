//! Writing access tokens: issuing, changing, revoking them, and who was shown a value. What follows for locks and the PMS
//! is settled in the same transaction (`stays::settle`).

mod reveal;

use std::collections::BTreeSet;

use domain::{
    clock::Timestamp,
    event::EventType,
    ids::{AccessTokenId, DoorId, ReservationId, VendorAccountId},
    record::{ReservationState, TokenType},
    stay::{StayTimes, TokenState, Window},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set,
};
use serde_json::json;
use uuid::Uuid;

pub use reveal::{RevealLimit, revealed};

use super::{
    events::{self, NewEvent},
    placements,
    reservations::doors_of,
    stays::{self, Settled, Settling},
    taken_values::{self, Hold},
    used_keys::{self, KeyedOrder, Known},
};
use crate::{
    Database, StoreError,
    rows::{access_token, access_token_door, reservation, to_json},
};

/// A token that is to be issued.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// Its id.
    pub id: AccessTokenId,
    /// The stay that it is for.
    pub reservation: ReservationId,
    /// What its value is.
    pub token_type: TokenType,
    /// The value.
    pub value: &'a SealedValue,
    /// What was asked for in place of what follows from the stay.
    pub asked: Asked,
    /// Who asks, and under which key.
    pub order: &'a KeyedOrder,
}

/// A value as it is stored.
#[derive(Debug, Clone)]
pub struct SealedValue {
    /// Sealed by the vault for table `access_tokens`, column `sealed`, the token's id.
    pub sealed: Vec<u8>,
    /// The keyed digest.
    pub fingerprint: Vec<u8>,
}

/// What was asked for in place of what follows from the stay; what is absent follows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// From when on.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// These doors.
    pub doors: Option<BTreeSet<DoorId>>,
}

/// What is to change of a token; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct TokenChange<'a> {
    /// From when on; `Some(None)` follows the stay again.
    pub from: Option<Option<Timestamp>>,
    /// Until when; `Some(None)` follows the stay again.
    pub until: Option<Option<Timestamp>>,
    /// These doors; `Some(None)` follows the stay again.
    pub doors: Option<Option<BTreeSet<DoorId>>>,
    /// Another value.
    pub value: Option<&'a SealedValue>,
}

/// What became of an order.
#[derive(Debug, Clone)]
pub enum Written {
    /// It is written.
    Done {
        /// The token.
        token: Box<access_token::Model>,
        /// What is to be told after the commit.
        settled: Box<Settled>,
    },
    /// The same was asked for under this key before; this token came of it.
    Repeated(AccessTokenId),
    /// Something else was asked for under this key before.
    KeyReused,
    /// Somebody else has the value at one of the doors in this time. Nothing was written.
    ValueTaken,
    /// There is no such stay or token any more, or it is over.
    Over,
}

/// Issues a token: its row, its value at its doors, what is wished for at vendors, and the event, in one transaction.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn issue(
    database: &Database,
    settling: &Settling<'_>,
    new: NewToken<'_>,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let transaction = database.begin().await?;
    if let Some(known) = claimed(&transaction, new.order, new.id.0, now).await? {
        transaction.rollback().await?;
        return Ok(known);
    }
    let Some(stay) = stays::hold(&transaction, new.reservation).await? else {
        transaction.rollback().await?;
        return Ok(Written::Over);
    };
    let window = window(&stay, settling, &new.asked, now)?;
    let is_over = matches!(stay.state()?, ReservationState::Ended | ReservationState::Canceled);
    if is_over || stay.actual_end.is_some() || window.until <= now {
        transaction.rollback().await?;
        return Ok(Written::Over);
    }
    let doors = match &new.asked.doors {
        Some(doors) => doors.clone(),
        None => doors_of(&transaction, stay.id).await?,
    };
    let hold = Hold {
        holder: new.id.0,
        fingerprint: &new.value.fingerprint,
        doors: &doors,
        from: window.from,
        until: Some(window.until + settling.timing.cool_down),
    };
    if taken_values::take(&transaction, &hold).await?.is_err() {
        transaction.rollback().await?;
        return Ok(Written::ValueTaken);
    }
    let row = first_row(&new, &stay, window, now)?;
    access_token::Entity::insert(access_token::ActiveModel::from(row.clone()).reset_all())
        .exec_without_returning(&transaction)
        .await?;
    let links = doors.iter().map(|door| access_token_door::ActiveModel {
        access_token_id: Set(new.id.0),
        door_id: Set(door.0),
        leaves_at: Set(None),
    });
    if !doors.is_empty() {
        access_token_door::Entity::insert_many(links).exec_without_returning(&transaction).await?;
    }
    let told = event(&row, EventType::TokenIssued, Some(&new.order.requested_by), json!({}), now);
    events::append(&transaction, settling.ids, vec![told]).await?;
    finish(transaction, settling, new.id, new.reservation, now).await
}

fn first_row(
    new: &NewToken<'_>,
    stay: &reservation::Model,
    window: Window,
    now: Timestamp,
) -> Result<access_token::Model, StoreError> {
    Ok(access_token::Model {
        id: new.id.0,
        organization_id: stay.organization_id,
        site_id: stay.site_id,
        reservation_id: stay.id,
        token_type: new.token_type.as_str().to_owned(),
        sealed: Some(new.value.sealed.clone()),
        fingerprint: new.value.fingerprint.clone(),
        state: TokenState::Pending.as_str().to_owned(),
        asked_from: new.asked.from,
        asked_until: new.asked.until,
        asked_doors: asked_doors(new.asked.doors.as_ref())?,
        valid_from: window.from,
        valid_until: window.until,
        requested_by: new.order.requested_by.clone(),
        idempotency_key: new.order.idempotency_key.clone(),
        revoke_requested_at: None,
        revoked_at: None,
        version: 1,
        created_at: now,
    })
}

/// Changes a token in place: what is at vendors is changed there, never taken away first (rule 9).
///
/// # Errors
/// The database failed; nothing was written.
pub async fn change(
    database: &Database,
    settling: &Settling<'_>,
    token: &access_token::Model,
    change: TokenChange<'_>,
    order: &KeyedOrder,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let id = AccessTokenId(token.id);
    let transaction = database.begin().await?;
    if let Some(known) = claimed(&transaction, order, token.id, now).await? {
        transaction.rollback().await?;
        return Ok(known);
    }
    let reservation = ReservationId(token.reservation_id);
    let stay = stays::hold(&transaction, reservation).await?;
    let (Some(stay), Some(row)) = (stay, live(&transaction, id).await?) else {
        transaction.rollback().await?;
        return Ok(Written::Over);
    };
    let asked = Asked {
        from: change.from.unwrap_or(row.asked_from),
        until: change.until.unwrap_or(row.asked_until),
        doors: match change.doors {
            Some(doors) => doors,
            None => row.asked_doors()?,
        },
    };
    let window = window(&stay, settling, &asked, now)?;
    let doors = match &asked.doors {
        Some(doors) => doors.clone(),
        None => doors_of(&transaction, stay.id).await?,
    };
    let fingerprint = change.value.map_or(&row.fingerprint, |value| &value.fingerprint);
    let hold = Hold {
        holder: token.id,
        fingerprint,
        doors: &doors,
        from: window.from,
        until: Some(window.until + settling.timing.cool_down),
    };
    let refused = taken_values::move_to(&transaction, &hold, now + settling.timing.cool_down).await?;
    if window.until <= now || !refused.is_empty() {
        transaction.rollback().await?;
        return Ok(if refused.is_empty() { Written::Over } else { Written::ValueTaken });
    }
    let next = access_token::Model {
        sealed: change.value.map_or_else(|| row.sealed.clone(), |value| Some(value.sealed.clone())),
        fingerprint: fingerprint.clone(),
        asked_from: asked.from,
        asked_until: asked.until,
        asked_doors: asked_doors(asked.doors.as_ref())?,
        version: row.version + 1,
        ..row
    };
    write(&transaction, &next).await?;
    let mut accounts = BTreeSet::new();
    if change.value.is_some() {
        for placed in placements::of_holders(&transaction, &[token.id], &[]).await? {
            if placements::send_anew(&transaction, &placed, now).await?.is_some() {
                accounts.insert(VendorAccountId(placed.account_id));
            }
        }
    }
    let data = json!({ "newValue": change.value.is_some() });
    let told = event(&next, EventType::TokenChanged, Some(&order.requested_by), data, now);
    events::append(&transaction, settling.ids, vec![told]).await?;
    let mut written = finish(transaction, settling, id, reservation, now).await?;
    if let Written::Done { settled, .. } = &mut written {
        settled.accounts.append(&mut accounts);
    }
    Ok(written)
}

/// Has a token taken away everywhere, for good (rule 8). One that is being taken away already stays as it is.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn revoke(
    database: &Database,
    settling: &Settling<'_>,
    token: &access_token::Model,
    reason: Option<&str>,
    order: &KeyedOrder,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let transaction = database.begin().await?;
    if let Some(known) = claimed(&transaction, order, token.id, now).await? {
        transaction.rollback().await?;
        return Ok(known);
    }
    let reservation = ReservationId(token.reservation_id);
    stays::hold(&transaction, reservation).await?;
    if let Some(row) = live(&transaction, AccessTokenId(token.id)).await? {
        let next = access_token::Model { revoke_requested_at: Some(now), version: row.version + 1, ..row };
        write(&transaction, &next).await?;
        let data = json!({ "reason": reason });
        let told = event(&next, EventType::TokenRevocationRequested, Some(&order.requested_by), data, now);
        events::append(&transaction, settling.ids, vec![told]).await?;
    }
    finish(transaction, settling, AccessTokenId(token.id), reservation, now).await
}

/// What is known of a repeated order; `None` for one that is the first under its key.
async fn claimed(
    transaction: &DatabaseTransaction,
    order: &KeyedOrder,
    object: Uuid,
    now: Timestamp,
) -> Result<Option<Written>, StoreError> {
    Ok(match used_keys::claim(transaction, order, object, now).await? {
        Known::Nothing => None,
        Known::Done(id) => Some(Written::Repeated(AccessTokenId(id))),
        Known::KeyReused => Some(Written::KeyReused),
    })
}

async fn finish(
    transaction: DatabaseTransaction,
    settling: &Settling<'_>,
    id: AccessTokenId,
    reservation: ReservationId,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let settled = stays::settle(&transaction, settling, reservation, now).await?;
    let token = access_token::Entity::find_by_id(id.0).one(&transaction).await?;
    let (Some(settled), Some(token)) = (settled, token) else {
        transaction.rollback().await?;
        return Ok(Written::Over);
    };
    transaction.commit().await?;
    Ok(Written::Done { token: Box::new(token), settled: Box::new(settled) })
}

/// The token, unless it is taken away or to be.
async fn live(transaction: &DatabaseTransaction, id: AccessTokenId) -> Result<Option<access_token::Model>, StoreError> {
    let row = access_token::Entity::find_by_id(id.0).one(transaction).await?;
    Ok(row.filter(|row| row.revoke_requested_at.is_none() && row.revoked_at.is_none()))
}

async fn write(transaction: &DatabaseTransaction, next: &access_token::Model) -> Result<(), StoreError> {
    let active = access_token::ActiveModel::from(next.clone()).reset_all();
    access_token::Entity::update_many()
        .set(access_token::ActiveModel { id: Unchanged(next.id), ..active })
        .filter(access_token::Column::Id.eq(next.id))
        .exec(transaction)
        .await?;
    Ok(())
}

fn window(
    stay: &reservation::Model,
    settling: &Settling<'_>,
    asked: &Asked,
    now: Timestamp,
) -> Result<Window, StoreError> {
    let times = StayTimes {
        starts_at: stay.starts_at,
        ends_at: stay.ends_at,
        actual_start: stay.actual_start,
        actual_end: stay.actual_end,
    };
    Ok(times.window(stay.state()?, settling.timing, now).asked(asked.from, asked.until))
}

fn asked_doors(doors: Option<&BTreeSet<DoorId>>) -> Result<Option<sea_orm::JsonValue>, StoreError> {
    doors.map(|doors| to_json("access_tokens", "asked_doors", doors)).transpose()
}

/// At no site: whoever sees a site only need not learn who stays there.
fn event<'a>(
    token: &access_token::Model,
    event_type: EventType,
    actor: Option<&'a str>,
    more: serde_json::Value,
    now: Timestamp,
) -> NewEvent<'a> {
    let mut data = json!({
        "token": AccessTokenId(token.id).to_string(),
        "reservation": ReservationId(token.reservation_id).to_string(),
    });
    if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
        data.extend(more.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())));
    }
    NewEvent::of_organization(token.organization_id, event_type, now, actor, data)
}
