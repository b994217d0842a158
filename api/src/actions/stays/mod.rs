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
    store::stays::{Settled, Settling},
};
use messaging::Job;

pub(crate) use alerts::acknowledge_alert;
pub(crate) use mapping::{Mapping, map_resource};
pub(crate) use reservations::{
    GuestGiven, NewStay, StayGiven, cancel_reservation, create_reservation, update_reservation,
};
pub(crate) use reveal::{Revealed, reveal_token};
pub(crate) use tokens::{NewToken, TokenGiven, issue_token, revoke_token, update_token};

use super::{Refusal, accounts::Answer, announce::tell_of_alerts};
use crate::{auth::Session, shared::Shared};

/// As many doors as one stay, token or room may have.
const MOST_DOORS: usize = 100;

/// Whether the caller may change stays. A key that is limited to anything is made for nothing else.
fn permit(shared: &Shared, session: &Session) -> Result<(), Refusal> {
    session.principal.must_be(Role::Manager, shared.clock.now()).map_err(Refusal::Forbidden)?;
    let limits = &session.principal.limits;
    if limits.sees_everything() && limits.verbs.is_none() { Ok(()) } else { Err(Refusal::KeyLimited) }
}

fn settling(shared: &Shared) -> Settling<'_> {
    Settling { ids: shared.ids.as_ref(), timing: &shared.stay_timing }
}

/// Rings and tells after the commit. The rows are the truth: the sweeper rings again.
async fn tell(shared: &Shared, settled: &Settled) {
    for account in &settled.accounts {
        if let Err(error) = shared.queue.ring(&Job::Reconcile { account: account.0 }).await {
            tracing::warn!(%error, "the bell did not ring; the sweeper will");
        }
    }
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
