//! What somebody may do at present, by their key's row or their memberships. No scope: this is what gives a caller theirs.

use domain::{
    access::{Actor, Principal, of_memberships},
    clock::Timestamp,
    ids::{OrganizationId, SiteId, UserId},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use crate::{
    Database, StoreError,
    rows::{api_key, membership, user},
};

/// The rights of a key or person; `None` for one that has none any more. Doors that are a person's own are not among them.
///
/// # Errors
/// The database failed.
pub async fn of(
    database: &Database,
    organization: OrganizationId,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Principal>, StoreError> {
    read(database.read(), organization, actor, now, false).await
}

/// The same inside a transaction. Whoever takes rights away waits until it ends, or has done so before.
pub(crate) async fn held(
    transaction: &impl ConnectionTrait,
    organization: OrganizationId,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Principal>, StoreError> {
    read(transaction, organization, actor, now, true).await
}

async fn read(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    actor: Actor,
    now: Timestamp,
    held: bool,
) -> Result<Option<Principal>, StoreError> {
    match actor {
        Actor::ApiKey(id) => {
            let rows = api_key::Entity::find_by_id(id.0).filter(api_key::Column::OrganizationId.eq(organization.0));
            let row = locked(rows, held).one(connection).await?.filter(|row| row.is_valid(now));
            row.map(|row| row.principal()).transpose()
        }
        Actor::User(id) => of_person(connection, organization, id, held).await,
    }
}

async fn of_person(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    id: UserId,
    held: bool,
) -> Result<Option<Principal>, StoreError> {
    let alive = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Id.eq(id.0))
        .filter(user::Column::ErasedAt.is_null());
    let memberships = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(organization.0))
        .filter(membership::Column::UserId.in_subquery(alive.into_query()));
    let memberships = locked(memberships, held).all(connection).await?;
    let roles = memberships.iter().map(|row| Ok((row.site_id.map(SiteId), row.role()?)));
    let may = of_memberships(&roles.collect::<Result<Vec<_>, StoreError>>()?);
    Ok(may.map(|may| may.principal(organization, id)))
}

fn locked<E: EntityTrait>(rows: Select<E>, held: bool) -> Select<E> {
    if held { rows.lock_shared() } else { rows }
}
