//! Creating, counting and revoking API keys. Only hashes get here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    access::{Actor, Limits, Principal, Role, is_within},
    clock::Timestamp,
    event::EventType,
    ids::{ApiKeyId, DoorId, IdSource, OrganizationId, SiteId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, JsonValue, QueryFilter,
    sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    access::{Acting, Changed, Declined, Outcome, declined, still_may},
    events::{self, NewEvent},
};
use crate::{
    Database, StoreError,
    find::standing,
    rows::{api_key, door, to_json},
};

/// When a key was used last is told to this accuracy: a busy caller costs no statement per request.
const LAST_USED_TO: TimeDelta = TimeDelta::minutes(1);

/// A key about to be stored.
#[derive(Debug, Clone)]
pub struct NewKey<'a> {
    /// Its id.
    pub id: ApiKeyId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// A name for people.
    pub name: &'a str,
    /// Its beginning.
    pub prefix: &'a str,
    /// SHA-256 of the key.
    pub secret_hash: Vec<u8>,
    /// What it may do.
    pub role: Role,
    /// What it is limited to.
    pub limits: &'a Limits,
    /// From when on it does not count.
    pub expires_at: Option<Timestamp>,
    /// How many commands it may send.
    pub max_uses: Option<u32>,
}

impl NewKey<'_> {
    fn row(self, created_by: Option<&str>, now: Timestamp) -> Result<api_key::Model, StoreError> {
        Ok(api_key::Model {
            id: self.id.0,
            organization_id: self.organization.0,
            name: self.name.to_owned(),
            prefix: self.prefix.to_owned(),
            secret_hash: self.secret_hash,
            role: self.role.as_str().to_owned(),
            limits: to_json("api_keys", "limits", self.limits)?,
            created_at: now,
            expires_at: self.expires_at,
            revoked_at: None,
            created_by: created_by.map(str::to_owned),
            last_used_at: None,
            max_uses: self.max_uses.map(i64::from),
            uses: 0,
        })
    }
}

/// Who makes keys without a key.
const COMMAND_LINE: &str = "command line";

/// Stores a key of the command line.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn create(
    database: &Database,
    ids: &dyn IdSource,
    key: NewKey<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = key.row(None, now)?;
    let transaction = database.begin().await?;
    let active = api_key::ActiveModel::from(row.clone()).reset_all();
    api_key::Entity::insert(active).exec_without_returning(&transaction).await?;
    let (who, data) = (Some(COMMAND_LINE), made(&row));
    let event = NewEvent::of_organization(row.organization_id, EventType::ApiKeyCreated, now, who, data);
    events::append(&transaction, ids, vec![event]).await?;
    Ok(transaction.commit().await?)
}

/// What is told of a new key.
fn made(row: &api_key::Model) -> JsonValue {
    json!({ "key": ApiKeyId(row.id).to_string(), "prefix": row.prefix, "role": row.role })
}

/// Stores a key that somebody made, once per idempotency key.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn create_for(
    database: &Database,
    (acting, by): (&Acting<'_>, &Principal),
    key: NewKey<'_>,
) -> Outcome<api_key::Model> {
    let row = key.row(Some(acting.by), acting.now)?;
    let transaction = database.begin().await?;
    if !still_may(&transaction, by, acting.now).await? {
        return declined(transaction, Declined::Withdrawn).await;
    }
    if let Err(why) = acting.claim(&transaction, row.id).await? {
        return declined(transaction, why).await;
    }
    let active = api_key::ActiveModel::from(row.clone()).reset_all();
    api_key::Entity::insert(active).exec_without_returning(&transaction).await?;
    let event = acting.event(row.organization_id, EventType::ApiKeyCreated, made(&row));
    events::append(&transaction, acting.ids(), vec![event]).await?;
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts: BTreeSet::new() }))
}

/// Revokes a key. Returns whether there was one to revoke.
///
/// # Errors
/// The database failed.
pub async fn revoke(
    database: &Database,
    organization: OrganizationId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = api_key::Entity::update_many()
        .col_expr(api_key::Column::RevokedAt, Expr::value(now))
        .filter(api_key::Column::Id.eq(id.0))
        .filter(api_key::Column::OrganizationId.eq(organization.0))
        .filter(api_key::Column::RevokedAt.is_null())
        .exec(database.write())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Revokes a key in somebody's name, and if wanted those that it made, and those that they made. Returns the keys that
/// counted until now.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn revoke_for(
    database: &Database,
    acting: &Acting<'_>,
    (organization, id): (OrganizationId, ApiKeyId),
    with_those_made_by_it: bool,
) -> Result<Vec<ApiKeyId>, StoreError> {
    let transaction = database.begin().await?;
    let root = BTreeSet::from([id.0]);
    let revoked = if with_those_made_by_it {
        revoke_families(&transaction, acting, organization, root).await?
    } else {
        revoke_these(&transaction, acting, organization, &root).await?
    };
    transaction.commit().await?;
    Ok(revoked)
}

/// Revokes the keys that a person made and that do more than the person may at present, with all that go back to them.
/// Whoever takes rights from a person calls this in the same transaction, afterwards.
///
/// # Errors
/// The database failed.
pub(super) async fn revoke_beyond(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    organization: OrganizationId,
    person: UserId,
) -> Result<(), StoreError> {
    let made = api_key::Entity::find()
        .filter(api_key::Column::OrganizationId.eq(organization.0))
        .filter(api_key::Column::CreatedBy.eq(person.to_string()))
        .filter(api_key::Column::RevokedAt.is_null())
        .all(transaction)
        .await?;
    if made.is_empty() {
        return Ok(());
    }
    let maker = standing::held(transaction, organization, Actor::User(person), acting.now).await?;
    let keys =
        made.iter().map(|row| Ok((row.id, row.role()?, row.limits()?))).collect::<Result<Vec<_>, StoreError>>()?;
    let doors: BTreeSet<Uuid> =
        keys.iter().flat_map(|(_, _, limits)| limits.doors.iter().flatten()).map(|it| it.0).collect();
    let places = door::Entity::find().filter(door::Column::Id.is_in(doors)).all(transaction).await?;
    let places: BTreeMap<DoorId, SiteId> = places.iter().map(|row| (DoorId(row.id), SiteId(row.site_id))).collect();
    let fits = |role, limits: &Limits| maker.as_ref().is_some_and(|maker| is_within(maker, role, limits, &places));
    let beyond = keys.iter().filter(|(_, role, limits)| !fits(*role, limits)).map(|(id, ..)| *id).collect();
    revoke_families(transaction, acting, organization, beyond).await.map(|_| ())
}

/// Revokes these keys and all that go back to them. A key that one of them makes meanwhile is made before it is revoked, and
/// then found by the next look, or not at all.
async fn revoke_families(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    organization: OrganizationId,
    roots: BTreeSet<Uuid>,
) -> Result<Vec<ApiKeyId>, StoreError> {
    let mut all = Vec::new();
    loop {
        let family = family(transaction, organization, roots.clone()).await?;
        let revoked = revoke_these(transaction, acting, organization, &family).await?;
        if revoked.is_empty() {
            return Ok(all);
        }
        all.extend(revoked);
    }
}

/// Revokes those of these keys that count.
async fn revoke_these(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    organization: OrganizationId,
    keys: &BTreeSet<Uuid>,
) -> Result<Vec<ApiKeyId>, StoreError> {
    let counting = Condition::all()
        .add(api_key::Column::OrganizationId.eq(organization.0))
        .add(api_key::Column::Id.is_in(keys.iter().copied()))
        .add(api_key::Column::RevokedAt.is_null());
    let rows = api_key::Entity::find().filter(counting.clone()).all(transaction).await?;
    api_key::Entity::update_many()
        .col_expr(api_key::Column::RevokedAt, Expr::value(acting.now))
        .filter(counting)
        .exec(transaction)
        .await?;
    let told = rows.iter().map(|row| {
        let data = json!({ "key": ApiKeyId(row.id).to_string(), "prefix": row.prefix });
        acting.event(organization.0, EventType::ApiKeyRevoked, data)
    });
    events::append(transaction, acting.ids(), told.collect()).await?;
    Ok(rows.into_iter().map(|row| ApiKeyId(row.id)).collect())
}

/// Keys with all that go back to them.
async fn family(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    roots: BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut newest = Vec::from_iter(roots.iter().copied());
    let mut all = roots;
    while !newest.is_empty() {
        let makers = newest.iter().map(|id| ApiKeyId(*id).to_string());
        let made = api_key::Entity::find()
            .filter(api_key::Column::OrganizationId.eq(organization.0))
            .filter(api_key::Column::CreatedBy.is_in(makers))
            .all(transaction)
            .await?;
        newest = made.into_iter().map(|row| row.id).filter(|id| all.insert(*id)).collect();
    }
    Ok(all)
}

/// Counts a use inside the transaction that carries it out. Unless this returns true, that must be rolled back: the key
/// has no uses left, or was revoked meanwhile.
///
/// # Errors
/// The database failed.
pub(super) async fn count_use(transaction: &DatabaseTransaction, id: ApiKeyId) -> Result<bool, StoreError> {
    let done = api_key::Entity::update_many()
        .col_expr(api_key::Column::Uses, Expr::col(api_key::Column::Uses).add(1))
        .filter(api_key::Column::Id.eq(id.0))
        .filter(api_key::Column::RevokedAt.is_null())
        .filter(Expr::col(api_key::Column::Uses).lt(Expr::col(api_key::Column::MaxUses)))
        .exec(transaction)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Notes that a key was presented just now, unless that is known to the minute.
///
/// # Errors
/// The database failed.
pub async fn note_use(database: &Database, row: &api_key::Model, now: Timestamp) -> Result<(), StoreError> {
    if row.last_used_at.is_some_and(|last| now - last < LAST_USED_TO) {
        return Ok(());
    }
    let earlier = api_key::Column::LastUsedAt.lt(now).or(api_key::Column::LastUsedAt.is_null());
    api_key::Entity::update_many()
        .col_expr(api_key::Column::LastUsedAt, Expr::value(now))
        .filter(api_key::Column::Id.eq(row.id))
        .filter(earlier)
        .exec(database.write())
        .await?;
    Ok(())
}
