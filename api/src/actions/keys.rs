//! API keys: made by who may do no less, shown once, revoked by who made them or rules over all.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::{Denial, KeyWish, Role, narrowed},
    clock::{Timestamp, truncate},
    command::CommandKind,
    ids::{ApiKeyId, DoorId, OrganizationId, SiteId},
    secret::Secret,
};
use entities::{
    StoreError, find,
    rows::api_key,
    store::{
        access::{Acting, Declined},
        keys::{self, NewKey},
    },
};
use serde_json::json;

use super::{Refusal, accounts::Answer, keyed, short_text};
use crate::{auth::Session, shared::Shared};

/// As many sites or doors as a key may be limited to.
const MOST_PLACES: usize = 500;
/// The largest number of uses.
const MOST_USES: u32 = 1_000_000;

/// A key, as a caller asks for it.
#[derive(Debug, Clone)]
pub(crate) struct KeyGiven {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) sites: Option<Vec<String>>,
    pub(crate) doors: Option<Vec<String>>,
    pub(crate) verbs: Option<BTreeSet<CommandKind>>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) max_uses: Option<i32>,
    pub(crate) idempotency_key: Option<String>,
}

/// A key that was made.
pub(crate) struct KeyMade {
    pub(crate) key: api_key::Model,
    /// The key itself, unless it was made, and shown, before.
    pub(crate) secret: Option<Secret>,
}

/// Keys that were revoked.
pub(crate) struct KeysRevoked {
    pub(crate) key: api_key::Model,
    /// Those that counted until now.
    pub(crate) revoked: Vec<ApiKeyId>,
}

/// Makes a key.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn create_key(shared: &Shared, session: &Session, given: KeyGiven) -> Answer<KeyMade> {
    let now = shared.clock.now();
    let KeyGiven { name, role, sites, doors, verbs, expires_at, max_uses, idempotency_key } = given;
    let verb_names = verbs.as_ref().map(|verbs| verbs.iter().map(|verb| verb.as_str()).collect::<Vec<_>>());
    let asked = json!([name, role.as_str(), sites, doors, verb_names, expires_at, max_uses]);
    let checked = session
        .principal
        .may_change(Role::Manager, now)
        .map_err(Refusal::Forbidden)
        .and_then(|()| keyed(shared, session, "createApiKey", idempotency_key, &asked))
        .and_then(|key| Ok((key, short_text("name", &name)?, uses(max_uses)?, expiry(expires_at, now)?)))
        .and_then(|checked| filled("commandKinds", verbs.as_ref().map(BTreeSet::len)).map(|()| checked));
    let (key, (), max_uses, expires_at) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let sites = match sites_for(shared, session, sites).await? {
        Ok(sites) => sites,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let doors = match doors_for(shared, session, doors).await? {
        Ok(doors) => doors,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let wish = KeyWish { role, sites, doors, verbs, expires_at, max_uses };
    let made = match narrowed(&session.principal, wish, now) {
        Ok(made) => made,
        Err(denial) => return Ok(Err(Refusal::Forbidden(denial))),
    };
    let secret = platform::api_key::generate();
    let new = NewKey {
        id: ApiKeyId(shared.ids.next_uuid()),
        organization: session.principal.organization,
        name: name.trim(),
        prefix: &platform::api_key::prefix(secret.expose()),
        secret_hash: platform::api_key::hash(secret.expose()),
        role: made.role,
        limits: &made.limits,
        expires_at: made.expires_at,
        max_uses: made.max_uses,
    };
    let by = session.principal.actor.to_string();
    let acting = Acting { settling: shared.settling(), by: &by, key: Some(&key), now };
    match keys::create_for(&shared.database, (&acting, &session.principal), new).await? {
        Ok(changed) => Ok(Ok(KeyMade { key: changed.row, secret: Some(secret) })),
        Err(Declined::Repeated(id)) => {
            let found = find::keys::by_ids(&shared.database, &session.scope, &[ApiKeyId(id)]).await?.pop();
            Ok(found.map(|key| KeyMade { key, secret: None }).ok_or(Refusal::IdempotencyKeyReused))
        }
        Err(Declined::Withdrawn) => Ok(Err(Refusal::Forbidden(Denial::Withdrawn))),
        Err(_) => Ok(Err(Refusal::IdempotencyKeyReused)),
    }
}

/// Revokes a key, and if wanted all that go back to it. Doing it again changes nothing.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn revoke_key(
    shared: &Shared,
    session: &Session,
    id: &str,
    with_those_made_by_it: bool,
) -> Answer<KeysRevoked> {
    let now = shared.clock.now();
    let absent = Refusal::NotFound { field: "apiKeyId" };
    let Some(row) = key_for(shared, session, id, now).await? else { return Ok(Err(absent)) };
    if let Err(denial) = session.principal.may_change(Role::Manager, now) {
        return Ok(Err(Refusal::Forbidden(denial)));
    }
    let by = session.principal.actor.to_string();
    let acting = Acting { settling: shared.settling(), by: &by, key: None, now };
    let target = (OrganizationId(row.organization_id), ApiKeyId(row.id));
    let revoked = keys::revoke_for(&shared.database, &acting, target, with_those_made_by_it).await?;
    let row = key_for(shared, session, id, now).await?.unwrap_or(row);
    Ok(Ok(KeysRevoked { key: row, revoked }))
}

/// A key that the caller sees.
async fn key_for(
    shared: &Shared,
    session: &Session,
    id: &str,
    now: Timestamp,
) -> Result<Option<api_key::Model>, StoreError> {
    let Ok(id) = id.parse::<ApiKeyId>() else { return Ok(None) };
    let found = find::keys::by_ids(&shared.database, &session.scope, &[id]).await?.pop();
    Ok(found.filter(|row| session.principal.may_see_key(row.created_by.as_deref(), now)))
}

/// The sites that a caller names: each is one that they see.
async fn sites_for(shared: &Shared, session: &Session, sites: Option<Vec<String>>) -> Answer<Option<BTreeSet<SiteId>>> {
    let Some(sites) = sites else { return Ok(Ok(None)) };
    if let Err(refusal) = filled("siteIds", Some(sites.len())) {
        return Ok(Err(refusal));
    }
    let absent = Refusal::NotFound { field: "siteIds" };
    let Ok(ids) = sites.iter().map(|id| id.parse()).collect::<Result<BTreeSet<SiteId>, _>>() else {
        return Ok(Err(absent));
    };
    let found = find::sites::by_ids(&shared.database, &session.scope, &Vec::from_iter(ids.iter().copied())).await?;
    Ok(if found.len() == ids.len() { Ok(Some(ids)) } else { Err(absent) })
}

/// The doors that a caller names, with their sites: each is one that they see.
async fn doors_for(
    shared: &Shared,
    session: &Session,
    doors: Option<Vec<String>>,
) -> Answer<Option<BTreeMap<DoorId, SiteId>>> {
    let Some(doors) = doors else { return Ok(Ok(None)) };
    if let Err(refusal) = filled("doorIds", Some(doors.len())) {
        return Ok(Err(refusal));
    }
    let absent = Refusal::NotFound { field: "doorIds" };
    let Ok(ids) = doors.iter().map(|id| id.parse()).collect::<Result<BTreeSet<DoorId>, _>>() else {
        return Ok(Err(absent));
    };
    let found = find::doors::by_ids(&shared.database, &session.scope, &Vec::from_iter(ids.iter().copied())).await?;
    let found: BTreeMap<_, _> = found.into_iter().map(|row| (DoorId(row.id), SiteId(row.site_id))).collect();
    Ok(if found.len() == ids.len() { Ok(Some(found)) } else { Err(absent) })
}

/// A list that limits a key must name something: a key that may nothing is a mistake.
fn filled(field: &'static str, length: Option<usize>) -> Result<(), Refusal> {
    match length {
        Some(length) if length == 0 || length > MOST_PLACES => {
            let message = format!("`{field}` names 1 to {MOST_PLACES}; leave it out for all that you have.");
            Err(Refusal::InvalidInput { field, message })
        }
        _ => Ok(()),
    }
}

fn uses(given: Option<i32>) -> Result<Option<u32>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    match u32::try_from(given) {
        Ok(uses) if (1..=MOST_USES).contains(&uses) => Ok(Some(uses)),
        _ => {
            let message = format!("`maxUses` is from 1 to {MOST_USES}.");
            Err(Refusal::InvalidInput { field: "maxUses", message })
        }
    }
}

fn expiry(given: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let at = given.map(truncate);
    if at.is_some_and(|at| at <= now) {
        let message = "`expiresAt` is in the past.".to_owned();
        return Err(Refusal::InvalidInput { field: "expiresAt", message });
    }
    Ok(at)
}
