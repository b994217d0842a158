//! Who may sign in: identities and memberships. [`identified`], [`by_email`] and [`only_organization`] have no scope,
//! because they are what gives a caller theirs.

use domain::ids::{MembershipId, OrganizationId, UserId};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, Func},
};

use crate::{
    Database, Scope, StoreError,
    rows::{identity, membership, organization, user},
};

/// The person of this subject of an identity provider. `None` if there is none.
///
/// # Errors
/// The database failed.
pub async fn identified(
    database: &Database,
    organization: OrganizationId,
    (issuer, subject): (&str, &str),
) -> Result<Option<UserId>, StoreError> {
    let users = identity::Entity::find()
        .select_only()
        .column(identity::Column::UserId)
        .filter(identity::Column::OrganizationId.eq(organization.0))
        .filter(identity::Column::Issuer.eq(issuer))
        .filter(identity::Column::Subject.eq(subject))
        .into_query();
    let found = user::Entity::find()
        .filter(user::Column::OrganizationId.eq(organization.0))
        .filter(user::Column::Id.in_subquery(users))
        .filter(user::Column::ErasedAt.is_null())
        .one(database.read())
        .await?;
    Ok(found.map(|person| UserId(person.id)))
}

/// The person with this e-mail address who is no subject of this identity provider yet: the member, if there is one among
/// them. `None` if there are several: nobody knows which one is meant.
///
/// # Errors
/// The database failed.
pub async fn by_email(
    database: &Database,
    organization: OrganizationId,
    issuer: &str,
    email: &str,
) -> Result<Option<user::Model>, StoreError> {
    let members = membership::Entity::find()
        .select_only()
        .column(membership::Column::UserId)
        .filter(membership::Column::OrganizationId.eq(organization.0))
        .into_query();
    let linked = identity::Entity::find()
        .select_only()
        .column(identity::Column::UserId)
        .filter(identity::Column::OrganizationId.eq(organization.0))
        .filter(identity::Column::Issuer.eq(issuer))
        .into_query();
    let address = Expr::expr(Func::lower(Expr::col((user::Entity, user::Column::Email))));
    let with_address = user::Entity::find()
        .filter(user::Column::OrganizationId.eq(organization.0))
        .filter(user::Column::ErasedAt.is_null())
        .filter(address.eq(email.to_lowercase()))
        .filter(user::Column::Id.not_in_subquery(linked))
        .limit(2);
    let of_members = with_address.clone().filter(user::Column::Id.in_subquery(members));
    let mut found = of_members.all(database.read()).await?;
    if found.is_empty() {
        found = with_address.all(database.read()).await?;
    }
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// The organization of an installation that has only one.
///
/// # Errors
/// The database failed.
pub async fn only_organization(database: &Database) -> Result<Option<OrganizationId>, StoreError> {
    let found = organization::Entity::find().limit(2).all(database.read()).await?;
    Ok(if let [only] = found.as_slice() { Some(OrganizationId(only.id)) } else { None })
}

/// The memberships of these people, oldest first.
///
/// # Errors
/// The database failed.
pub async fn memberships_of(
    database: &Database,
    scope: &Scope,
    users: &[UserId],
) -> Result<Vec<membership::Model>, StoreError> {
    Ok(membership::Entity::find()
        .filter(scope.whole_organization(membership::Column::OrganizationId))
        .filter(membership::Column::UserId.is_in(users.iter().map(|id| id.0)))
        .order_by_asc(membership::Column::Id)
        .all(database.read())
        .await?)
}

/// Which subjects of identity providers these people are, oldest first.
///
/// # Errors
/// The database failed.
pub async fn identities_of(
    database: &Database,
    scope: &Scope,
    users: &[UserId],
) -> Result<Vec<identity::Model>, StoreError> {
    Ok(identity::Entity::find()
        .filter(scope.whole_organization(identity::Column::OrganizationId))
        .filter(identity::Column::UserId.is_in(users.iter().map(|id| id.0)))
        .order_by_asc(identity::Column::CreatedAt)
        .order_by_asc(identity::Column::Issuer)
        .all(database.read())
        .await?)
}

/// The visible ones of these memberships.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[MembershipId],
) -> Result<Vec<membership::Model>, StoreError> {
    Ok(membership::Entity::find()
        .filter(scope.whole_organization(membership::Column::OrganizationId))
        .filter(membership::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
