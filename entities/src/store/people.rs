//! Writing people: made here, changed here, erased here. People that a PMS tells of are written with their stays.

use domain::{
    erasure::ERASED,
    event::EventType,
    ids::{OrganizationId, UserId},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;

use super::{
    access::{Acting, Changed, Declined, Outcome, declined, finish, hold_person},
    credentials, erasure, events,
    identities::{self, By},
    keys,
};
use crate::{
    Database, StoreError,
    rows::{access_assignment, identity, membership, user},
};

/// A person to be made.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their id.
    pub id: UserId,
    /// Their tenant.
    pub organization: OrganizationId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Digits with the country code, without a plus.
    pub phone: Option<String>,
}

/// What is to change of a person; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// Their name.
    pub name: Option<String>,
    /// Their e-mail address; none any more if it holds nothing.
    pub email: Option<Option<String>>,
    /// Their telephone number; none any more if it holds nothing.
    pub phone: Option<Option<String>>,
}

/// Makes a person, once per key.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn create(database: &Database, acting: &Acting<'_>, new: NewPerson) -> Outcome<user::Model> {
    let transaction = database.begin().await?;
    if let Err(why) = acting.claim(&transaction, new.id.0).await? {
        return declined(transaction, why).await;
    }
    let row = user::Model {
        id: new.id.0,
        organization_id: new.organization.0,
        name_folded: new.name.to_lowercase(),
        name: new.name,
        email: new.email,
        phone: new.phone,
        account_id: None,
        external_id: None,
        erased_at: None,
        version: 1,
        created_at: acting.now,
    };
    let active = user::ActiveModel::from(row.clone()).reset_all();
    user::Entity::insert(active).exec_without_returning(&transaction).await?;
    told(&transaction, acting, &row, "CREATED").await?;
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts: Default::default() }))
}

/// Changes a person, and what vendors are told of them.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn update(
    database: &Database,
    acting: &Acting<'_>,
    (organization, id): (OrganizationId, UserId),
    change: PersonChange,
) -> Outcome<user::Model> {
    let transaction = database.begin().await?;
    let Some(before) = hold_person(&transaction, organization.0, id).await? else {
        return declined(transaction, Declined::Gone).await;
    };
    let name = change.name.unwrap_or_else(|| before.name.clone());
    let row = user::Model {
        name_folded: name.to_lowercase(),
        name,
        email: change.email.unwrap_or_else(|| before.email.clone()),
        phone: change.phone.unwrap_or_else(|| before.phone.clone()),
        ..before.clone()
    };
    if row == before {
        transaction.rollback().await?;
        return Ok(Ok(Changed { row, accounts: Default::default() }));
    }
    let row = write(&transaction, row).await?;
    if row.email != before.email {
        let by = By { ids: acting.ids(), actor: acting.by, now: acting.now };
        identities::unlink_by_email(&transaction, by, organization, &[row.id]).await?;
    }
    told(&transaction, acting, &row, "CHANGED").await?;
    let settled = credentials::settle_people(&transaction, acting, &[row.id]).await?;
    finish(transaction, row, settled).await
}

/// Erases a person: nothing personal stays in their row, their credentials are revoked, what they were assigned and
/// their right to sign in are taken away. Their stays keep the row. Whatever else tells of them is gone through: see
/// [`erasure`].
///
/// # Errors
/// The database failed; nothing was written.
pub async fn erase(
    database: &Database,
    acting: &Acting<'_>,
    (organization, id): (OrganizationId, UserId),
) -> Outcome<user::Model> {
    let transaction = database.begin().await?;
    let Some(before) = hold_person(&transaction, organization.0, id).await? else {
        return declined(transaction, Declined::Gone).await;
    };
    erasure::begin(&transaction, acting, &before).await?;
    let row = user::Model {
        name: ERASED.to_owned(),
        name_folded: ERASED.to_lowercase(),
        email: None,
        phone: None,
        erased_at: Some(acting.now),
        ..before
    };
    let row = write(&transaction, row).await?;
    access_assignment::Entity::delete_many()
        .filter(access_assignment::Column::UserId.eq(row.id))
        .exec(&transaction)
        .await?;
    membership::Entity::delete_many().filter(membership::Column::UserId.eq(row.id)).exec(&transaction).await?;
    identity::Entity::delete_many().filter(identity::Column::UserId.eq(row.id)).exec(&transaction).await?;
    keys::revoke_beyond(&transaction, acting, organization, id).await?;
    told(&transaction, acting, &row, "ERASED").await?;
    let accounts = credentials::erase_of(&transaction, acting, UserId(row.id)).await?;
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts }))
}

async fn write(transaction: &DatabaseTransaction, row: user::Model) -> Result<user::Model, StoreError> {
    let row = user::Model { version: row.version + 1, ..row };
    let active = user::ActiveModel::from(row.clone()).reset_all();
    user::Entity::update_many()
        .set(user::ActiveModel { id: Unchanged(row.id), ..active })
        .filter(user::Column::Id.eq(row.id))
        .exec(transaction)
        .await?;
    Ok(row)
}

async fn told(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    row: &user::Model,
    what: &str,
) -> Result<(), StoreError> {
    let data = json!({ "user": UserId(row.id).to_string(), "what": what });
    let event = acting.event(row.organization_id, EventType::UserChanged, data);
    events::append(transaction, acting.ids(), vec![event]).await
}
