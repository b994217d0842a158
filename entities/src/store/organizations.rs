//! Creating organizations, sites and people.

use domain::{
    access::Role,
    clock::Timestamp,
    ids::{MembershipId, OrganizationId, SiteId, UserId},
};
use sea_orm::{EntityTrait, Set};

use crate::{
    Database, StoreError,
    rows::{membership, organization, site, user},
};

/// Creates an organization.
///
/// # Errors
/// The database failed.
pub async fn create(database: &Database, id: OrganizationId, name: &str, now: Timestamp) -> Result<(), StoreError> {
    let row = organization::ActiveModel { id: Set(id.0), name: Set(name.to_owned()), created_at: Set(now) };
    organization::Entity::insert(row).exec_without_returning(database.write()).await?;
    Ok(())
}

/// Creates a site. The caller has checked that `time_zone` is an IANA name.
///
/// # Errors
/// The database failed.
pub async fn create_site(
    database: &Database,
    organization: OrganizationId,
    id: SiteId,
    name: &str,
    time_zone: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = site::ActiveModel {
        id: Set(id.0),
        organization_id: Set(organization.0),
        name: Set(name.to_owned()),
        time_zone: Set(time_zone.to_owned()),
        created_at: Set(now),
    };
    site::Entity::insert(row).exec_without_returning(database.write()).await?;
    Ok(())
}

/// Creates a person with a role in the organization, or at one site of it.
///
/// # Errors
/// The database failed.
pub async fn create_member(
    database: &Database,
    organization: OrganizationId,
    (user, membership): (UserId, MembershipId),
    (name, email): (&str, Option<&str>),
    (role, site): (Role, Option<SiteId>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    let person = user::ActiveModel {
        id: Set(user.0),
        organization_id: Set(organization.0),
        name: Set(name.to_owned()),
        name_folded: Set(name.to_lowercase()),
        email: Set(email.map(str::to_owned)),
        phone: Set(None),
        account_id: Set(None),
        external_id: Set(None),
        erased_at: Set(None),
        version: Set(1),
        created_at: Set(now),
    };
    user::Entity::insert(person).exec_without_returning(&transaction).await?;
    let member = membership::ActiveModel {
        id: Set(membership.0),
        organization_id: Set(organization.0),
        user_id: Set(user.0),
        site_id: Set(site.map(|site| site.0)),
        role: Set(role.as_str().to_owned()),
        created_at: Set(now),
    };
    membership::Entity::insert(member).exec_without_returning(&transaction).await?;
    Ok(transaction.commit().await?)
}
