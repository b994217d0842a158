//! Creating, counting and revoking API keys. Only hashes get here.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    access::{Limits, Role},
    clock::Timestamp,
    event::EventType,
    ids::{ApiKeyId, OrganizationId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    access::{Acting, Changed, Outcome, declined},
    events,
};
use crate::{
    Database, StoreError,
    rows::{api_key, to_json},
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

/// Stores a key of the command line.
///
/// # Errors
/// The database failed.
pub async fn create(database: &Database, key: NewKey<'_>, now: Timestamp) -> Result<(), StoreError> {
    let active = api_key::ActiveModel::from(key.row(None, now)?).reset_all();
    api_key::Entity::insert(active).exec_without_returning(database.write()).await?;
    Ok(())
}

/// Stores a key that somebody made, once per idempotency key.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn create_for(database: &Database, acting: &Acting<'_>, key: NewKey<'_>) -> Outcome<api_key::Model> {
    let row = key.row(Some(acting.by), acting.now)?;
    let transaction = database.begin().await?;
    if let Err(why) = acting.claim(&transaction, row.id).await? {
        return declined(transaction, why).await;
    }
    let active = api_key::ActiveModel::from(row.clone()).reset_all();
    api_key::Entity::insert(active).exec_without_returning(&transaction).await?;
    let data = json!({ "key": ApiKeyId(row.id).to_string(), "prefix": row.prefix, "role": row.role });
    let event = acting.event(row.organization_id, EventType::ApiKeyCreated, data);
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
    let family =
        if with_those_made_by_it { family(&transaction, organization, id).await? } else { BTreeSet::from([id.0]) };
    let counting = Condition::all()
        .add(api_key::Column::OrganizationId.eq(organization.0))
        .add(api_key::Column::Id.is_in(family))
        .add(api_key::Column::RevokedAt.is_null());
    let rows = api_key::Entity::find().filter(counting.clone()).all(&transaction).await?;
    api_key::Entity::update_many()
        .col_expr(api_key::Column::RevokedAt, Expr::value(acting.now))
        .filter(counting)
        .exec(&transaction)
        .await?;
    let told = rows.iter().map(|row| {
        let data = json!({ "key": ApiKeyId(row.id).to_string(), "prefix": row.prefix });
        acting.event(organization.0, EventType::ApiKeyRevoked, data)
    });
    events::append(&transaction, acting.ids(), told.collect()).await?;
    transaction.commit().await?;
    Ok(rows.into_iter().map(|row| ApiKeyId(row.id)).collect())
}

/// A key with all that go back to it.
async fn family(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    id: ApiKeyId,
) -> Result<BTreeSet<Uuid>, StoreError> {
    let (mut all, mut newest) = (BTreeSet::from([id.0]), vec![id.0]);
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
