//! Writing credentials. Whatever changes what one opens, or when, settles it in the same transaction.

mod known;
mod settle;

use std::collections::BTreeSet;

use domain::{
    clock::Timestamp,
    credential::CredentialState,
    event::EventType,
    ids::{CredentialId, DoorId, OrganizationId, UserId, VendorAccountId},
    record::CredentialType,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QuerySelect, Set,
};
use serde_json::json;
use uuid::Uuid;

use self::settle::settle_all;
pub(super) use self::settle::settle_people;
pub use self::settle::{Due, settle, settle_due, touch};
use super::{
    access::{Acting, Changed, Declined, Outcome, are_all_there, declined, hold_person},
    events,
};
use crate::{
    Database, StoreError,
    rows::{credential, credential_door, door},
};

/// A person has at most this many credentials, revoked ones left out.
const MOST: u64 = 50;

/// What is presented: a number that may be read, or a value that may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The number of a card, tag or telephone; the e-mail address of a mobile key.
    pub number: Option<String>,
    /// A PIN, sealed by the vault for table `credentials`, column `sealed`, this id.
    pub sealed: Option<Vec<u8>>,
    /// The keyed digest of number or PIN.
    pub fingerprint: Vec<u8>,
}

/// A credential to be made.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// Its id.
    pub id: CredentialId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// Whose.
    pub user: UserId,
    /// What it is.
    pub kind: CredentialType,
    /// A name for people.
    pub label: Option<String>,
    /// What is presented.
    pub presented: Presented,
    /// From when on; always without.
    pub from: Option<Timestamp>,
    /// Until when; for ever without.
    pub until: Option<Timestamp>,
    /// The doors that it is for. None: those of its holder's access levels.
    pub doors: BTreeSet<DoorId>,
}

/// What is to change of a credential; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialChange {
    /// Its name; none any more if it holds nothing.
    pub label: Option<Option<String>>,
    /// From when on; always if it holds nothing.
    pub from: Option<Option<Timestamp>>,
    /// Until when; for ever if it holds nothing.
    pub until: Option<Option<Timestamp>>,
    /// The doors that it is for; those of its holder's access levels if it holds none.
    pub doors: Option<BTreeSet<DoorId>>,
    /// Whether it is meant to open.
    pub state: Option<CredentialState>,
    /// Another number or PIN. What is at vendors is changed in place.
    pub presented: Option<Presented>,
}

/// Makes a credential, once per key.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn create(database: &Database, acting: &Acting<'_>, new: NewCredential) -> Outcome<credential::Model> {
    let transaction = database.begin().await?;
    if hold_person(&transaction, new.organization.0, new.user).await?.is_none() {
        return declined(transaction, Declined::Gone).await;
    }
    if let Err(why) = acting.claim(&transaction, new.id.0).await? {
        return declined(transaction, why).await;
    }
    let held = credential::Entity::find()
        .filter(credential::Column::UserId.eq(new.user.0))
        .filter(credential::Column::State.ne(CredentialState::Revoked.as_str()));
    if held.count(&transaction).await? >= MOST {
        return declined(transaction, Declined::TooMany).await;
    }
    let row = credential::Model {
        id: new.id.0,
        organization_id: new.organization.0,
        user_id: new.user.0,
        kind: new.kind.as_str().to_owned(),
        label: new.label,
        number: new.presented.number,
        sealed: new.presented.sealed,
        fingerprint: Some(new.presented.fingerprint),
        state: CredentialState::Active.as_str().to_owned(),
        valid_from: new.from,
        valid_until: new.until,
        due_at: None,
        version: 1,
        created_at: acting.now,
    };
    let active = credential::ActiveModel::from(row.clone()).reset_all();
    credential::Entity::insert(active).exec_without_returning(&transaction).await?;
    if !write_doors(&transaction, &row, &new.doors).await? {
        return declined(transaction, Declined::Gone).await;
    }
    told(&transaction, acting, &row, "CREATED").await?;
    finish(transaction, acting, row, None).await
}

/// Changes a credential, and what is at vendors of it.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn update(
    database: &Database,
    acting: &Acting<'_>,
    (organization, id): (OrganizationId, CredentialId),
    change: CredentialChange,
) -> Outcome<credential::Model> {
    let transaction = database.begin().await?;
    let Some(before) = hold(&transaction, organization, id).await? else {
        return declined(transaction, Declined::Gone).await;
    };
    let revokes = change.state == Some(CredentialState::Revoked);
    if before.state()? == CredentialState::Revoked {
        if revokes {
            transaction.rollback().await?;
            return Ok(Ok(Changed { row: before, accounts: BTreeSet::new() }));
        }
        return declined(transaction, Declined::Revoked).await;
    }
    let mut row = credential::Model {
        label: change.label.unwrap_or_else(|| before.label.clone()),
        valid_from: change.from.unwrap_or(before.valid_from),
        valid_until: change.until.unwrap_or(before.valid_until),
        state: change.state.map_or_else(|| before.state.clone(), |state| state.as_str().to_owned()),
        ..before.clone()
    };
    let revalued = change.presented.as_ref().filter(|new| before.fingerprint.as_ref() != Some(&new.fingerprint));
    let revalued = revalued.map(|_| before.id);
    if let (Some(new), Some(_)) = (change.presented, revalued) {
        (row.number, row.sealed, row.fingerprint) = (new.number, new.sealed, Some(new.fingerprint));
    }
    let what = match change.state {
        Some(CredentialState::Revoked) => "REVOKED",
        Some(CredentialState::Suspended) => "SUSPENDED",
        Some(CredentialState::Active) => "RESUMED",
        None if revalued.is_some() => "REISSUED",
        None => "CHANGED",
    };
    if row == before && change.doors.is_none() {
        transaction.rollback().await?;
        return Ok(Ok(Changed { row, accounts: BTreeSet::new() }));
    }
    let row = write(&transaction, acting, &before, row, what).await?;
    if let Some(doors) = &change.doors
        && !write_doors(&transaction, &row, doors).await?
    {
        return declined(transaction, Declined::Gone).await;
    }
    finish(transaction, acting, row, revalued).await
}

/// Revokes all credentials of a person who is erased: numbers and names go too, they tell of the person.
pub(super) async fn erase_of(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    user: UserId,
) -> Result<BTreeSet<VendorAccountId>, StoreError> {
    let held = credential::Entity::find().filter(credential::Column::UserId.eq(user.0)).all(transaction).await?;
    for before in &held {
        let state = CredentialState::Revoked.as_str().to_owned();
        let bare = credential::Model { label: None, number: None, state, ..before.clone() };
        write(transaction, acting, before, bare, "ERASED").await?;
    }
    let ids: Vec<Uuid> = held.iter().map(|row| row.id).collect();
    Ok(settle_all(transaction, &acting.settling, &ids, None, acting.now).await?.accounts)
}

/// Takes hold of a credential's holder first, as everybody does. The row itself may still change until it is settled.
async fn hold(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    id: CredentialId,
) -> Result<Option<credential::Model>, StoreError> {
    let find = || credential::Entity::find_by_id(id.0).filter(credential::Column::OrganizationId.eq(organization.0));
    let holder: Option<Uuid> =
        find().select_only().column(credential::Column::UserId).into_tuple().one(transaction).await?;
    let Some(holder) = holder else { return Ok(None) };
    hold_person(transaction, organization.0, UserId(holder)).await?;
    Ok(find().one(transaction).await?)
}

/// Writes a changed row. A revoked one keeps neither PIN nor digest.
async fn write(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    before: &credential::Model,
    row: credential::Model,
    what: &str,
) -> Result<credential::Model, StoreError> {
    let mut row = credential::Model { version: before.version + 1, ..row };
    if row.state()? == CredentialState::Revoked {
        (row.sealed, row.fingerprint) = (None, None);
    }
    let active = credential::ActiveModel::from(row.clone()).reset_all();
    credential::Entity::update_many()
        .set(credential::ActiveModel { id: Unchanged(row.id), ..active })
        .filter(credential::Column::Id.eq(row.id))
        .exec(transaction)
        .await?;
    told(transaction, acting, &row, what).await?;
    Ok(row)
}

async fn finish(
    transaction: DatabaseTransaction,
    acting: &Acting<'_>,
    row: credential::Model,
    revalued: Option<Uuid>,
) -> Outcome<credential::Model> {
    let settled = settle_all(&transaction, &acting.settling, &[row.id], revalued, acting.now).await?;
    if settled.value_taken {
        return declined(transaction, Declined::ValueTaken).await;
    }
    if settled.unholdable.contains(&row.id) {
        return declined(transaction, Declined::CannotHold).await;
    }
    transaction.commit().await?;
    Ok(Ok(Changed { row, accounts: settled.accounts }))
}

/// Whether all the doors are there, and written.
async fn write_doors(
    transaction: &DatabaseTransaction,
    row: &credential::Model,
    doors: &BTreeSet<DoorId>,
) -> Result<bool, StoreError> {
    credential_door::Entity::delete_many()
        .filter(credential_door::Column::CredentialId.eq(row.id))
        .exec(transaction)
        .await?;
    if doors.is_empty() {
        return Ok(true);
    }
    let wanted = doors.iter().map(|door| door.0).collect();
    let columns = (door::Column::Id, door::Column::OrganizationId);
    if !are_all_there::<door::Entity>(transaction, columns, row.organization_id, &wanted).await? {
        return Ok(false);
    }
    let rows =
        doors.iter().map(|door| credential_door::ActiveModel { credential_id: Set(row.id), door_id: Set(door.0) });
    credential_door::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    Ok(true)
}

async fn told(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    row: &credential::Model,
    what: &str,
) -> Result<(), StoreError> {
    let data = json!({
        "credential": CredentialId(row.id).to_string(),
        "user": UserId(row.user_id).to_string(),
        "what": what,
    });
    let event = acting.event(row.organization_id, EventType::CredentialChanged, data);
    events::append(transaction, acting.ids(), vec![event]).await
}
