//! Writing what people may do who sign in: their memberships.

use std::collections::BTreeSet;

use domain::{
    access::{Principal, Role},
    event::EventType,
    ids::{MembershipId, OrganizationId, SiteId, UserId},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde_json::json;

use super::{
    access::{Acting, Changed, Declined, Outcome, declined, hold_person, still_may},
    events::{self, NewEvent},
    keys,
};
use crate::{Database, rows::membership};

/// Gives a person a role in the organization, or at one site of it, in place of the one that they have there. Keys that
/// they made and that do more than they may now are revoked.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn set_membership(
    database: &Database,
    (acting, by): (&Acting<'_>, &Principal),
    (organization, user): (OrganizationId, UserId),
    site: Option<SiteId>,
    role: Role,
) -> Outcome<membership::Model> {
    let transaction = database.begin().await?;
    if hold_person(&transaction, organization.0, user).await?.is_none() {
        return declined(transaction, Declined::Gone).await;
    }
    if !still_may(&transaction, by, acting.now).await? {
        return declined(transaction, Declined::Withdrawn).await;
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
    keys::revoke_beyond(&transaction, acting, organization, user).await?;
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts: BTreeSet::new() }))
}

/// Takes a membership away, and the keys that who had it made beyond what is left to them.
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
    let who = (OrganizationId(row.organization_id), UserId(row.user_id));
    keys::revoke_beyond(&transaction, acting, who.0, who.1).await?;
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
