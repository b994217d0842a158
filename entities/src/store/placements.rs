//! Writing placements: wishes by whoever knows what is wished for (stays, credentials); progress (`progress`) and what
//! others tell of (`notice`) by the reconciler.

mod notice;
mod progress;

use domain::{
    clock::Timestamp,
    event::EventType,
    ids::{AccessTokenId, CredentialId, DeviceId, IdSource, PlacementId, VendorAccountId},
    placement::{Desired, PlacementErrorCode, PlacementProgress, PlacementState, Wish},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction,
    EntityTrait, QueryFilter,
};
use serde_json::json;
use uuid::Uuid;

pub use self::{
    notice::{noticed, noticed_missing, order_ended, park, wake},
    progress::{Progressed, exposure, order, overdue, progress, standing},
};
use super::events::NewEvent;
use crate::{
    StoreError,
    rows::{placement, to_json},
};

/// Whose value is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A stay's.
    Token(AccessTokenId),
    /// A person's.
    Credential(CredentialId),
}

/// Why nothing can be wished for: what is missing, for programs and people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// For programs.
    pub code: PlacementErrorCode,
    /// For people.
    pub message: String,
}

/// A placement that is to be.
#[derive(Debug, Clone)]
pub struct NewPlacement {
    /// Its tenant.
    pub organization: Uuid,
    /// Where it belongs.
    pub site: Uuid,
    /// The vendor account.
    pub account: VendorAccountId,
    /// The device, where the vendor keeps it by device.
    pub device: Option<DeviceId>,
    /// Whose value is placed.
    pub holder: Holder,
    /// What it is to be, or why that cannot be said.
    pub wish: Result<Wish, Obstacle>,
    /// When it is to be looked at first.
    pub due_at: Timestamp,
}

/// Writes a placement that is to be.
///
/// # Errors
/// The database failed.
pub async fn wish(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    new: NewPlacement,
    now: Timestamp,
) -> Result<placement::Model, StoreError> {
    let (token_id, credential_id) = match new.holder {
        Holder::Token(id) => (Some(id.0), None),
        Holder::Credential(id) => (None, Some(id.0)),
    };
    let (wish, obstacle) = parted(new.wish)?;
    let row = placement::Model {
        id: ids.next_uuid(),
        organization_id: new.organization,
        site_id: new.site,
        account_id: new.account.0,
        device_id: new.device.map(|device| device.0),
        token_id,
        credential_id,
        desired: Desired::Present.as_str().to_owned(),
        state: if wish.is_some() { PlacementState::Waiting } else { PlacementState::Failed }.as_str().to_owned(),
        due_at: wish.as_ref().map(|_| new.due_at),
        wish,
        wish_version: 1,
        progress: to_json("placements", "progress", &PlacementProgress::default())?,
        external_id: None,
        command_id: None,
        error_code: obstacle.as_ref().map(|obstacle| obstacle.code.as_str().to_owned()),
        error_message: obstacle.map(|obstacle| obstacle.message),
        last_confirmed_at: None,
        revoke_requested_at: None,
        revoked_at: None,
        version: 1,
        created_at: now,
    };
    let active = placement::ActiveModel::from(row.clone()).reset_all();
    placement::Entity::insert(active).exec_without_returning(transaction).await?;
    Ok(row)
}

/// Wishes for something else in the same place. Nothing is written when it is the same as before. What is at the vendor
/// already is changed there, never taken away first (rule 9); what can no longer be said stays as it is, with the reason.
///
/// # Errors
/// The database failed.
pub async fn change_wish(
    transaction: &DatabaseTransaction,
    row: &placement::Model,
    wish: Result<Wish, Obstacle>,
    due_at: Timestamp,
) -> Result<Option<placement::Model>, StoreError> {
    let (wish, obstacle) = parted(wish)?;
    let present = row.desired()? == Desired::Present;
    let code = obstacle.as_ref().map(|obstacle| obstacle.code.as_str());
    let same = match &wish {
        Some(_) => wish == row.wish,
        None => code == row.error_code.as_deref(),
    };
    if present && same {
        return Ok(None);
    }
    let next = placement::Model {
        desired: Desired::Present.as_str().to_owned(),
        wish: wish.clone().or_else(|| row.wish.clone()),
        wish_version: row.wish_version + 1,
        state: if wish.is_none() {
            PlacementState::Failed
        } else if row.progress()?.sent.is_none() {
            PlacementState::Waiting
        } else {
            PlacementState::Placing
        }
        .as_str()
        .to_owned(),
        error_code: code.map(str::to_owned),
        error_message: obstacle.map(|obstacle| obstacle.message),
        due_at: wish.map(|_| due_at),
        revoke_requested_at: None,
        revoked_at: None,
        version: row.version + 1,
        ..row.clone()
    };
    write(transaction, row, &next).await
}

/// Wishes that it were gone, from now on and for ever (rule 8).
///
/// # Errors
/// The database failed.
pub async fn withdraw(
    transaction: &DatabaseTransaction,
    row: &placement::Model,
    now: Timestamp,
) -> Result<Option<placement::Model>, StoreError> {
    if row.desired()? == Desired::Absent {
        return Ok(None);
    }
    let next = placement::Model {
        desired: Desired::Absent.as_str().to_owned(),
        wish_version: row.wish_version + 1,
        state: PlacementState::Revoking.as_str().to_owned(),
        error_code: None,
        error_message: None,
        due_at: Some(now),
        revoke_requested_at: Some(now),
        version: row.version + 1,
        ..row.clone()
    };
    write(transaction, row, &next).await
}

/// Has the same wish sent again, because the value that goes along is another one. What is not at the vendor yet is sent
/// when its time comes.
///
/// # Errors
/// The database failed.
pub async fn send_anew(
    transaction: &DatabaseTransaction,
    row: &placement::Model,
    now: Timestamp,
) -> Result<Option<placement::Model>, StoreError> {
    if row.desired()? == Desired::Absent || row.wish.is_none() || row.progress()?.sent.is_none() {
        return Ok(None);
    }
    let next = placement::Model {
        wish_version: row.wish_version + 1,
        state: PlacementState::Placing.as_str().to_owned(),
        due_at: Some(now),
        version: row.version + 1,
        ..row.clone()
    };
    write(transaction, row, &next).await
}

/// The placements of these holders.
///
/// # Errors
/// The database failed.
pub async fn of_holders(
    connection: &impl ConnectionTrait,
    tokens: &[Uuid],
    credentials: &[Uuid],
) -> Result<Vec<placement::Model>, StoreError> {
    let of_tokens = placement::Column::TokenId.is_in(tokens.iter().copied());
    let of_credentials = placement::Column::CredentialId.is_in(credentials.iter().copied());
    Ok(placement::Entity::find().filter(Condition::any().add(of_tokens).add(of_credentials)).all(connection).await?)
}

fn parted(wish: Result<Wish, Obstacle>) -> Result<(Option<sea_orm::JsonValue>, Option<Obstacle>), StoreError> {
    Ok(match wish {
        Ok(wish) => (Some(to_json("placements", "wish", &wish)?), None),
        Err(obstacle) => (None, Some(obstacle)),
    })
}

async fn write(
    transaction: &DatabaseTransaction,
    row: &placement::Model,
    next: &placement::Model,
) -> Result<Option<placement::Model>, StoreError> {
    let active = placement::ActiveModel::from(next.clone()).reset_all();
    let done = placement::Entity::update_many()
        .set(placement::ActiveModel { id: Unchanged(row.id), ..active })
        .filter(placement::Column::Id.eq(row.id))
        .filter(placement::Column::Version.eq(row.version))
        .exec(transaction)
        .await?;
    Ok((done.rows_affected == 1).then(|| next.clone()))
}

fn event(row: &placement::Model, event_type: EventType, now: Timestamp) -> NewEvent<'static> {
    let data = json!({
        "placement": PlacementId(row.id).to_string(),
        "token": row.token_id.map(|id| AccessTokenId(id).to_string()),
        "credential": row.credential_id.map(|id| CredentialId(id).to_string()),
    });
    NewEvent {
        command: row.command_id,
        account: Some(row.account_id),
        ..NewEvent::of_organization(row.organization_id, event_type, now, None, data)
    }
}
