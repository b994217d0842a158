//! People, their credentials, access levels and schedules: authorise, check, write with all that follows at vendors in one
//! transaction, ring. Whoever does this sees the whole organization.

mod access_levels;
mod credentials;
mod identities;
mod memberships;
mod schedules;
mod users;

use std::collections::BTreeSet;

use domain::{
    access::{Denial, Role},
    clock::{Timestamp, truncate},
    ids::{DoorId, SiteId, UserId},
};
use entities::{
    StoreError, find,
    rows::user,
    store::{
        access::{Acting, Changed, Declined},
        used_keys::KeyedOrder,
    },
};

pub(crate) use access_levels::{
    Assigned, LevelGiven, NewLevel, assign_access_level, create_access_level, delete_access_level,
    unassign_access_level, update_access_level,
};
pub(crate) use credentials::{
    CredentialGiven, CredentialOrder, Window, create_credential, reissue_credential, resume_credential,
    revoke_credential, suspend_credential, update_credential,
};
pub(crate) use identities::{link_identity, unlink_identity};
pub(crate) use memberships::{remove_membership, set_membership};
pub(crate) use schedules::{NewPattern, PatternGiven, create_schedule, delete_schedule, update_schedule};
pub(crate) use users::{NewUser, UserGiven, create_user, delete_user, update_user};

use super::{
    Refusal,
    accounts::Answer,
    announce::{ring_for_credentials, ring_for_placements},
};
use crate::{auth::Session, shared::Shared};

/// As many doors as one credential or access level may have.
const MOST_DOORS: usize = 200;

/// Whether the caller may change what concerns people.
fn permit(shared: &Shared, session: &Session) -> Result<(), Refusal> {
    super::accounts::permit(shared, session, Role::Manager)
}

/// Who acts, for the writers.
fn acting<'a>(shared: &'a Shared, by: &'a str, key: Option<&'a KeyedOrder>) -> Acting<'a> {
    Acting { settling: shared.settling(), by, key, now: shared.clock.now() }
}

/// Rings for what became due, after the commit. The rows are the truth: the sweeper rings again.
async fn done<Row>(shared: &Shared, changed: Changed<Row>) -> Row {
    ring_for_placements(shared, &changed.accounts).await;
    changed.row
}

/// What a writer's reason means to the caller. `of` is the argument that names what was to be changed.
fn refusal(why: Declined, of: &'static str) -> Refusal {
    match why {
        Declined::Gone => Refusal::NotFound { field: of },
        Declined::KeyReused | Declined::Repeated(_) => Refusal::IdempotencyKeyReused,
        Declined::ValueTaken => Refusal::ValueTaken { field: of },
        Declined::CannotHold => Refusal::CannotHold { field: "doorIds" },
        Declined::Revoked => Refusal::Revoked { field: of },
        Declined::Withdrawn => Refusal::Forbidden(Denial::Withdrawn),
        Declined::SubjectTaken => {
            Refusal::InUse { field: "subject", message: "This subject is another person of yours: unlink it there." }
        }
        Declined::HasSubject => {
            Refusal::InUse { field: "issuer", message: "This person is another subject of this provider: unlink it." }
        }
        Declined::InUse => Refusal::InUse { field: of, message: "An access level uses this schedule." },
        Declined::TooMany => {
            let message = "There are as many as there may be: take one away first.".to_owned();
            Refusal::InvalidInput { field: of, message }
        }
    }
}

/// The outcome of a writer that changes something which is there.
async fn concluded<Row>(
    shared: &Shared,
    outcome: Result<Changed<Row>, Declined>,
    of: &'static str,
) -> Result<Row, Refusal> {
    match outcome {
        Ok(changed) => Ok(done(shared, changed).await),
        Err(why) => Err(refusal(why, of)),
    }
}

/// The same of a writer that changes something for many people.
async fn concluded_for_many<Row>(
    shared: &Shared,
    outcome: Result<Changed<Row>, Declined>,
    of: &'static str,
) -> Result<Row, Refusal> {
    let concluded = concluded(shared, outcome, of).await;
    if concluded.is_ok() {
        ring_for_credentials(shared).await;
    }
    concluded
}

/// A person whom the caller sees.
async fn user_for(shared: &Shared, session: &Session, id: &str) -> Answer<user::Model> {
    let absent = Refusal::NotFound { field: "userId" };
    let Ok(id) = id.parse::<UserId>() else { return Ok(Err(absent)) };
    let found = find::organizations::users_by_ids(&shared.database, &session.scope, &[id]).await?;
    Ok(found.into_iter().next().ok_or(absent))
}

/// Doors that the caller sees.
async fn doors_for(shared: &Shared, session: &Session, doors: &[String]) -> Answer<BTreeSet<DoorId>> {
    if doors.len() > MOST_DOORS {
        let message = format!("`doorIds` holds {MOST_DOORS} doors at most.");
        return Ok(Err(Refusal::InvalidInput { field: "doorIds", message }));
    }
    let absent = Refusal::NotFound { field: "doorIds" };
    let Ok(ids) = doors.iter().map(|id| id.parse()).collect::<Result<BTreeSet<DoorId>, _>>() else {
        return Ok(Err(absent));
    };
    let found = find::doors::by_ids(&shared.database, &session.scope, &Vec::from_iter(ids.iter().copied())).await?;
    Ok(if found.len() == ids.len() { Ok(ids) } else { Err(absent) })
}

/// A site that the caller sees.
async fn site_for(shared: &Shared, session: &Session, site: &str) -> Answer<SiteId> {
    let absent = Refusal::NotFound { field: "siteId" };
    let Ok(site) = site.parse::<SiteId>() else { return Ok(Err(absent)) };
    let found = find::sites::by_ids(&shared.database, &session.scope, &[site]).await?;
    Ok(if found.is_empty() { Err(absent) } else { Ok(site) })
}

/// A period as a database keeps it.
fn period(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Refusal> {
    let (from, until) = (from.map(truncate), until.map(truncate));
    match (from, until) {
        (Some(from), Some(until)) if until <= from => {
            let message = "`validUntil` must be after `validFrom`.".to_owned();
            Err(Refusal::InvalidInput { field: "validUntil", message })
        }
        period => Ok(period),
    }
}

/// What was made under the key before is there, unless it was deleted since.
fn made_before<Row>(found: Vec<Row>) -> Result<Result<Row, Refusal>, StoreError> {
    Ok(found.into_iter().next().ok_or(Refusal::IdempotencyKeyReused))
}
