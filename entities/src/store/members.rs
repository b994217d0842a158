//! Writing who may sign in: memberships, and which subject of an identity provider is which person.

use std::collections::BTreeSet;

use domain::{
    access::Role,
    clock::Timestamp,
    event::EventType,
    ids::{IdSource, MembershipId, OrganizationId, SiteId, UserId},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, Set, sea_query::OnConflict};
use serde_json::json;

use super::{
    access::{Acting, Changed, Declined, Outcome, declined, hold_person},
    events::{self, NewEvent},
};
use crate::{
    Database, StoreError,
    rows::{identity, membership},
};

/// Keeps that a subject of an identity provider is this person. Returns whether that is new: of two at once, one is.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn link_identity(
    database: &Database,
    ids: &dyn IdSource,
    (organization, user): (OrganizationId, UserId),
    (issuer, subject): (&str, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let transaction = database.begin().await?;
    let row = identity::ActiveModel {
        organization_id: Set(organization.0),
        issuer: Set(issuer.to_owned()),
        subject: Set(subject.to_owned()),
        user_id: Set(user.0),
        created_at: Set(now),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    if identity::Entity::insert(row).on_conflict(once).exec_without_returning(&transaction).await? == 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    let actor = user.to_string();
    let event = NewEvent {
        organization: organization.0,
        site: None,
        device: None,
        door: None,
        command: None,
        account: None,
        event_type: EventType::IdentityLinked,
        occurred_at: now,
        recorded_at: now,
        actor: Some(&actor),
        data: json!({ "user": actor, "issuer": issuer }),
    };
    events::append(&transaction, ids, vec![event]).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Gives a person a role in the organization, or at one site of it, in place of the one that they have there.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn set_membership(
    database: &Database,
    acting: &Acting<'_>,
    (organization, user): (OrganizationId, UserId),
    site: Option<SiteId>,
    role: Role,
) -> Outcome<membership::Model> {
    let transaction = database.begin().await?;
    if hold_person(&transaction, organization.0, user).await?.is_none() {
        return declined(transaction, Declined::Gone).await;
    }
    let at = match site {
        Some(site) => membership::Column::SiteId.eq(site.0),
        None => membership::Column::SiteId.is_null(),
    };
    let mine = Condition::all()
        .add(membership::Column::OrganizationId.eq(organization.0))
        .add(membership::Column::UserId.eq(user.0))
        .add(at);
    let before = membership::Entity::find().filter(mine.clone()).one(&transaction).await?;
    let row = membership::Model {
        id: before.as_ref().map_or_else(|| acting.ids().next_uuid(), |before| before.id),
        organization_id: organization.0,
        user_id: user.0,
        site_id: site.map(|site| site.0),
        role: role.as_str().to_owned(),
        created_at: before.as_ref().map_or(acting.now, |before| before.created_at),
    };
    if before.as_ref() == Some(&row) {
        transaction.rollback().await?;
        return Ok(Ok(Changed { row, accounts: BTreeSet::new() }));
    }
    membership::Entity::delete_many().filter(mine).exec(&transaction).await?;
    let active = membership::ActiveModel::from(row.clone()).reset_all();
    membership::Entity::insert(active).exec_without_returning(&transaction).await?;
    events::append(&transaction, acting.ids(), vec![changed(acting, &row, Some(role))]).await?;
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts: BTreeSet::new() }))
}

/// Takes a membership away.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn remove_membership(
    database: &Database,
    acting: &Acting<'_>,
    row: membership::Model,
) -> Outcome<membership::Model> {
    let transaction = database.begin().await?;
    let done = membership::Entity::delete_by_id(row.id).exec(&transaction).await?;
    if done.rows_affected == 0 {
        return declined(transaction, Declined::Gone).await;
    }
    events::append(&transaction, acting.ids(), vec![changed(acting, &row, None)]).await?;
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts: BTreeSet::new() }))
}

fn changed<'a>(acting: &Acting<'a>, row: &membership::Model, role: Option<Role>) -> NewEvent<'a> {
    let data = json!({
        "membership": MembershipId(row.id).to_string(),
        "user": UserId(row.user_id).to_string(),
        "site": row.site_id.map(|site| SiteId(site).to_string()),
        "role": role.map(|role| role.as_str()),
    });
    acting.event(row.organization_id, EventType::MembershipChanged, data)
}
