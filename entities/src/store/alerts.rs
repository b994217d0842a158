//! Writing alerts: one is open per kind and subject, until its cause is gone.

use domain::{
    alert::{AlertKind, AlertSeverity},
    clock::Timestamp,
    event::EventType,
    ids::{AlertId, IdSource},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    QueryFilter, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::events::{self, NewEvent};
use crate::{Database, StoreError, rows::alert};

/// An alert that is to be raised.
#[derive(Debug, Clone)]
pub struct NewAlert {
    /// Its tenant.
    pub organization: Uuid,
    /// Where, if it is at one place.
    pub site: Option<Uuid>,
    /// What it is about.
    pub kind: AlertKind,
    /// How soon somebody must look.
    pub severity: AlertSeverity,
    /// The public id of what it is about.
    pub subject: String,
    /// A sentence for people; never a secret.
    pub message: String,
}

/// Raises an alert, unless one of its kind and subject is open and says the same. An open one that has become more
/// severe, or says something else, is changed; a more severe one must be acknowledged anew. Returns what is new.
///
/// # Errors
/// The database failed.
pub async fn raise(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    new: NewAlert,
    now: Timestamp,
) -> Result<Option<alert::Model>, StoreError> {
    let open = open(transaction, new.organization, new.kind, &new.subject).await?;
    let row = match &open {
        Some(row) if row.severity()? >= new.severity && row.message == new.message => return Ok(None),
        Some(row) => {
            let worse = new.severity > row.severity()?;
            alert::Model {
                severity: row.severity()?.max(new.severity).as_str().to_owned(),
                message: new.message,
                acknowledged_at: row.acknowledged_at.filter(|_| !worse),
                acknowledged_by: row.acknowledged_by.clone().filter(|_| !worse),
                version: row.version + 1,
                ..row.clone()
            }
        }
        None => alert::Model {
            id: ids.next_uuid(),
            organization_id: new.organization,
            site_id: new.site,
            kind: new.kind.as_str().to_owned(),
            severity: new.severity.as_str().to_owned(),
            subject: new.subject,
            message: new.message,
            raised_at: now,
            acknowledged_at: None,
            acknowledged_by: None,
            resolved_at: None,
            version: 1,
        },
    };
    match &open {
        Some(before) if !write(transaction, before, &row).await? => return Ok(None),
        Some(_) => {}
        None => {
            let once = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
            let active = alert::ActiveModel::from(row.clone()).reset_all();
            let inserted = alert::Entity::insert(active).on_conflict(once).exec_without_returning(transaction).await?;
            if inserted == 0 {
                return Ok(None);
            }
        }
    }
    events::append(transaction, ids, vec![event(&row, None, now)]).await?;
    Ok(Some(row))
}

/// Resolves the open alert of a kind and subject, if there is one.
///
/// # Errors
/// The database failed.
pub async fn resolve(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    organization: Uuid,
    kind: AlertKind,
    subject: &str,
    now: Timestamp,
) -> Result<Option<alert::Model>, StoreError> {
    let Some(before) = open(transaction, organization, kind, subject).await? else { return Ok(None) };
    let row = alert::Model { resolved_at: Some(now), version: before.version + 1, ..before.clone() };
    if !write(transaction, &before, &row).await? {
        return Ok(None);
    }
    events::append(transaction, ids, vec![event(&row, None, now)]).await?;
    Ok(Some(row))
}

/// Writes that somebody took note of an alert; one that cannot be mended is over with that. An acknowledged or resolved
/// one stays as it is.
///
/// # Errors
/// The database failed.
pub async fn acknowledge(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    before: &alert::Model,
    by: &str,
    now: Timestamp,
) -> Result<alert::Model, StoreError> {
    if before.acknowledged_at.is_some() || before.resolved_at.is_some() {
        return Ok(before.clone());
    }
    let row = alert::Model {
        acknowledged_at: Some(now),
        acknowledged_by: Some(by.to_owned()),
        resolved_at: before.kind()?.ends_with_a_note().then_some(now),
        version: before.version + 1,
        ..before.clone()
    };
    if write(transaction, before, &row).await? {
        events::append(transaction, ids, vec![event(&row, Some(by), now)]).await?;
    }
    Ok(row)
}

/// Writes that somebody took note of the alert with this id, if there is one: see [`acknowledge`].
///
/// # Errors
/// The database failed; nothing was written.
pub async fn take_note(
    database: &Database,
    ids: &dyn IdSource,
    id: AlertId,
    by: &str,
    now: Timestamp,
) -> Result<Option<alert::Model>, StoreError> {
    let transaction = database.begin().await?;
    let Some(before) = alert::Entity::find_by_id(id.0).lock_exclusive().one(&transaction).await? else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let row = acknowledge(&transaction, ids, &before, by, now).await?;
    transaction.commit().await?;
    Ok(Some(row))
}

async fn open(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    kind: AlertKind,
    subject: &str,
) -> Result<Option<alert::Model>, StoreError> {
    Ok(alert::Entity::find()
        .filter(alert::Column::OrganizationId.eq(organization))
        .filter(alert::Column::Kind.eq(kind.as_str()))
        .filter(alert::Column::Subject.eq(subject))
        .filter(alert::Column::ResolvedAt.is_null())
        .one(connection)
        .await?)
}

async fn write(
    connection: &impl ConnectionTrait,
    before: &alert::Model,
    row: &alert::Model,
) -> Result<bool, StoreError> {
    let active = alert::ActiveModel::from(row.clone()).reset_all();
    let done = alert::Entity::update_many()
        .set(alert::ActiveModel { id: Unchanged(row.id), ..active })
        .filter(alert::Column::Id.eq(row.id))
        .filter(alert::Column::Version.eq(before.version))
        .exec(connection)
        .await?;
    Ok(done.rows_affected == 1)
}

fn event<'a>(row: &alert::Model, actor: Option<&'a str>, now: Timestamp) -> NewEvent<'a> {
    let data = json!({
        "alert": AlertId(row.id).to_string(),
        "kind": row.kind,
        "subject": row.subject,
        "resolved": row.resolved_at.is_some(),
        "acknowledged": row.acknowledged_at.is_some(),
    });
    NewEvent {
        site: row.site_id,
        ..NewEvent::of_organization(row.organization_id, EventType::AlertChanged, now, actor, data)
    }
}
