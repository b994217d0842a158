//! Stays, their access tokens, the rooms that stand for doors, and alerts: authorise, write and settle in one
//! transaction, then tell. Whoever deals with stays sees the whole organization.

mod alerts;
mod mapping;
mod reservations;
mod reveal;
mod tokens;

use std::collections::BTreeSet;

use domain::{
    access::Role,
    ids::{AccessTokenId, DoorId, ReservationId, SiteId},
};
use entities::{
    StoreError, find,
    rows::{access_token, reservation},
    store::{
        stays::Settled,
        used_keys::{self, KeyedOrder, Known},
    },
};
use serde_json::Value;
use uuid::Uuid;

pub(crate) use alerts::acknowledge_alert;
pub(crate) use mapping::{Mapping, map_resource};
pub(crate) use reservations::{
    GuestGiven, NewStay, StayGiven, cancel_reservation, create_reservation, update_reservation,
};
pub(crate) use reveal::{Revealed, reveal_token};
pub(crate) use tokens::{NewToken, TokenGiven, issue_token, revoke_token, update_token};

use super::{
    Refusal,
    accounts::Answer,
    announce::{ring_for_placements, tell_of_alerts},
    denials,
    keyed::keyed,
};
use crate::{auth::Session, shared::Shared};

/// As many doors as one stay, token or room may have.
const MOST_DOORS: usize = 100;

/// Whether the caller may change stays. A key that is limited to anything is made for nothing else.
fn permit(shared: &Shared, session: &Session) -> Result<(), Refusal> {
    session.principal.may_change(Role::Manager, shared.clock.now()).map_err(Refusal::Forbidden)?;
    let limits = &session.principal.limits;
    if limits.sees_everything() && limits.verbs.is_none() { Ok(()) } else { Err(Refusal::KeyLimited) }
}

/// Rings and tells after the commit. The rows are the truth: the sweeper rings again.
async fn tell(shared: &Shared, settled: &Settled) {
    ring_for_placements(shared, &settled.accounts).await;
    tell_of_alerts(shared, &settled.alerts).await;
}

async fn reservation_for(shared: &Shared, session: &Session, id: &str) -> Answer<reservation::Model> {
    let absent = Refusal::NotFound { field: "reservationId" };
    let Ok(id) = id.parse::<ReservationId>() else { return Ok(Err(absent)) };
    let found = find::reservations::by_ids(&shared.database, &session.scope, &[id]).await?;
    Ok(found.into_iter().next().ok_or(absent))
}

async fn token_for(shared: &Shared, session: &Session, id: &str) -> Answer<access_token::Model> {
    let absent = Refusal::NotFound { field: "accessTokenId" };
    let Ok(id) = id.parse::<AccessTokenId>() else { return Ok(Err(absent)) };
    let found = find::tokens::by_ids(&shared.database, &session.scope, &[id]).await?;
    Ok(found.into_iter().next().ok_or(absent))
}

/// A row that may be changed, or one for which the same was asked before.
enum Ours<Row> {
    Now(Box<Row>, KeyedOrder),
    Before(Box<Row>),
}

/// Whether something of this kind may be changed: the caller may, it is there, and its key is not used for anything else.
async fn ours<Row, Again: Future<Output = Result<Row, StoreError>>>(
    shared: &Shared,
    session: &Session,
    (mutation, key, asked): (&str, Option<String>, &Value),
    found: impl Future<Output = Answer<Row>>,
    again: impl FnOnce(Uuid) -> Again,
) -> Answer<Ours<Row>> {
    if let Err(refusal) = permit(shared, session) {
        return Ok(Err(denials::told(shared, session, mutation, refusal).await?));
    }
    let row = match found.await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let order = match keyed(shared, session, mutation, key, asked) {
        Ok(order) => order,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(match before(shared, &order, again).await? {
        Some(known) => known.map(|row| Ours::Before(Box::new(row))),
        None => Ok(Ours::Now(Box::new(row), order)),
    })
}

/// What came of the same order before, if it was given; a refusal if something else was asked for under its key.
async fn before<Row, Again: Future<Output = Result<Row, StoreError>>>(
    shared: &Shared,
    order: &KeyedOrder,
    again: impl FnOnce(Uuid) -> Again,
) -> Result<Option<Result<Row, Refusal>>, StoreError> {
    Ok(match used_keys::known(&shared.database, order).await? {
        Known::Nothing => None,
        Known::Done(id) => Some(Ok(again(id).await?)),
        Known::KeyReused => Some(Err(Refusal::IdempotencyKeyReused)),
    })
}

/// The row of a stay that was just written or asked for before.
async fn reservation_again(
    shared: &Shared,
    session: &Session,
    id: ReservationId,
) -> Result<reservation::Model, StoreError> {
    let found = find::reservations::by_ids(&shared.database, &session.scope, &[id]).await?;
    found.into_iter().next().ok_or_else(|| vanished("reservations"))
}

/// The row of a token that was just written or asked for before.
async fn token_again(shared: &Shared, session: &Session, id: AccessTokenId) -> Result<access_token::Model, StoreError> {
    let found = find::tokens::by_ids(&shared.database, &session.scope, &[id]).await?;
    found.into_iter().next().ok_or_else(|| vanished("access_tokens"))
}

/// Neither is ever deleted.
fn vanished(table: &'static str) -> StoreError {
    StoreError::Conflict(format!("a row of {table} vanished"))
}

/// Doors that the caller sees; at this site, if one is given.
async fn doors_for(
    shared: &Shared,
    session: &Session,
    doors: &[String],
    site: Option<SiteId>,
) -> Answer<BTreeSet<DoorId>> {
    if doors.len() > MOST_DOORS {
        let message = format!("`doorIds` holds {MOST_DOORS} doors at most.");
        return Ok(Err(Refusal::InvalidInput { field: "doorIds", message }));
    }
    let absent = Refusal::NotFound { field: "doorIds" };
    let Ok(ids) = doors.iter().map(|id| id.parse()).collect::<Result<BTreeSet<DoorId>, _>>() else {
        return Ok(Err(absent));
    };
    let found = find::doors::by_ids(&shared.database, &session.scope, &Vec::from_iter(ids.iter().copied())).await?;
    if found.len() != ids.len() {
        return Ok(Err(absent));
    }
    if site.is_some_and(|site| found.iter().any(|door| door.site_id != site.0)) {
        let message = "Each of the doors has to be at the site of the stay.".to_owned();
        return Ok(Err(Refusal::InvalidInput { field: "doorIds", message }));
    }
    Ok(Ok(ids))
}
