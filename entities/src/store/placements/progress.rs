//! What the reconciler found or did: a row becomes a [`Standing`], and a standing a row again, with its events and alerts.

use domain::{
    alert::{AlertKind, AlertSeverity},
    clock::Timestamp,
    event::EventType,
    ids::{IdSource, PlacementId, ReservationId},
    placement::{Exposure, Finding, PlacementState, Standing},
};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{event, write};
use crate::{
    Database, StoreError,
    rows::{access_token, alert, command, placement, reservation, to_json},
    store::{
        alerts::{self, NewAlert},
        commands::{self, NewCommand},
        events,
    },
};

/// What was written.
#[derive(Debug, Clone)]
pub struct Progressed {
    /// The row as it is now.
    pub row: placement::Model,
    /// New and changed ones: publish them after the commit.
    pub alerts: Vec<alert::Model>,
    /// The stay that is to be settled because of it.
    pub reservation: Option<ReservationId>,
}

/// Where a placement stands.
///
/// # Errors
/// A stored value is unreadable.
pub fn standing(row: &placement::Model) -> Result<Standing, StoreError> {
    let error = row.error_code()?.map(|code| (code, row.error_message.clone().unwrap_or_default()));
    Ok(Standing {
        desired: row.desired()?,
        wish: row.wish()?,
        wish_version: row.wish_version,
        state: row.state()?,
        progress: row.progress()?,
        external_id: row.external_id.clone(),
        error,
        due_at: row.due_at,
        last_confirmed_at: row.last_confirmed_at,
        revoke_requested_at: row.revoke_requested_at,
        revoked_at: row.revoked_at,
    })
}

/// Until when a placement may still open.
///
/// # Errors
/// A stored value is unreadable.
pub fn exposure(row: &placement::Model, now: Timestamp) -> Result<Exposure, StoreError> {
    Ok(domain::placement::exposure(row.state()?, &row.progress()?, now))
}

/// Writes where a placement stands now, if nobody wrote in between. The stay that it belongs
/// to is settled again, and alerts are raised and resolved. `None`: somebody else wrote first; read again.
///
/// # Errors
/// The database failed.
pub async fn progress(
    database: &Database,
    ids: &dyn IdSource,
    row: &placement::Model,
    (next, finding): (&Standing, Option<Finding>),
    now: Timestamp,
) -> Result<Option<Progressed>, StoreError> {
    let transaction = database.begin().await?;
    let progressed = write_progress(&transaction, ids, row, (next, finding), row.command_id, now).await?;
    match &progressed {
        Some(_) => transaction.commit().await?,
        None => transaction.rollback().await?,
    }
    Ok(progressed)
}

/// Writes an order and that it is under way, in one transaction, if nobody wrote in between: no order is given twice.
/// `None`: somebody else wrote first; read again.
///
/// # Errors
/// The database failed.
pub async fn order(
    database: &Database,
    ids: &dyn IdSource,
    row: &placement::Model,
    next: &Standing,
    new: &NewCommand<'_>,
    now: Timestamp,
) -> Result<Option<(Progressed, command::Model)>, StoreError> {
    let transaction = database.begin().await?;
    if let Some(progressed) = write_progress(&transaction, ids, row, (next, None), Some(new.id.0), now).await?
        && let Some((command, _)) = commands::accept_within(&transaction, ids, new, now).await?
    {
        transaction.commit().await?;
        return Ok(Some((progressed, command)));
    }
    transaction.rollback().await?;
    Ok(None)
}

/// Tells that what was to be taken away may still be there.
///
/// # Errors
/// The database failed.
pub async fn overdue(
    database: &Database,
    ids: &dyn IdSource,
    row: &placement::Model,
    (severity, message): (AlertSeverity, &str),
    now: Timestamp,
) -> Result<Option<alert::Model>, StoreError> {
    let new = NewAlert {
        organization: row.organization_id,
        site: Some(row.site_id),
        kind: AlertKind::RevocationOverdue,
        severity,
        subject: PlacementId(row.id).to_string(),
        message: message.to_owned(),
    };
    let transaction = database.begin().await?;
    let raised = alerts::raise(&transaction, ids, new, now).await?;
    transaction.commit().await?;
    Ok(raised)
}

async fn write_progress(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    row: &placement::Model,
    (next, finding): (&Standing, Option<Finding>),
    command: Option<Uuid>,
    now: Timestamp,
) -> Result<Option<Progressed>, StoreError> {
    let next = placement::Model {
        state: next.state.as_str().to_owned(),
        progress: to_json("placements", "progress", &next.progress)?,
        external_id: next.external_id.clone(),
        command_id: command,
        error_code: next.error.as_ref().map(|(code, _)| code.as_str().to_owned()),
        error_message: next.error.as_ref().map(|(_, message)| message.clone()),
        due_at: next.due_at,
        last_confirmed_at: next.last_confirmed_at,
        revoke_requested_at: next.revoke_requested_at,
        revoked_at: next.revoked_at,
        version: row.version + 1,
        ..row.clone()
    };
    let is_news = next.state != row.state || next.error_code != row.error_code;
    // First the stay, then what is placed for it, as everybody locks them (`stays::hold_all`).
    let reservation = if is_news { unsettle(transaction, row, now).await? } else { None };
    let Some(row_now) = write(transaction, row, &next).await? else { return Ok(None) };
    let mut alerts: Vec<alert::Model> = Vec::new();
    if row_now.state != row.state {
        let event_type = match row_now.state()? {
            PlacementState::Confirmed => Some(EventType::PlacementConfirmed),
            PlacementState::Revoked => Some(EventType::PlacementRevoked),
            _ => None,
        };
        if let Some(event_type) = event_type {
            events::append(transaction, ids, vec![event(&row_now, event_type, now)]).await?;
            alerts.extend(resolve(transaction, ids, &row_now, now).await?);
        }
    }
    if let Some(finding) = finding {
        alerts.extend(alerts::raise(transaction, ids, of_finding(&row_now, finding), now).await?);
    }
    Ok(Some(Progressed { row: row_now, alerts, reservation }))
}

/// Has the stay of a placement settled again.
async fn unsettle(
    transaction: &DatabaseTransaction,
    row: &placement::Model,
    now: Timestamp,
) -> Result<Option<ReservationId>, StoreError> {
    let Some(token) = row.token_id else { return Ok(None) };
    let stay: Option<Uuid> = access_token::Entity::find_by_id(token)
        .select_only()
        .column(access_token::Column::ReservationId)
        .into_tuple()
        .one(transaction)
        .await?;
    let Some(stay) = stay else { return Ok(None) };
    reservation::Entity::update_many()
        .col_expr(reservation::Column::DueAt, Expr::value(now))
        .filter(reservation::Column::Id.eq(stay))
        .exec(transaction)
        .await?;
    Ok(Some(ReservationId(stay)))
}

async fn resolve(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    row: &placement::Model,
    now: Timestamp,
) -> Result<Vec<alert::Model>, StoreError> {
    let subject = PlacementId(row.id).to_string();
    let mut resolved = Vec::new();
    for kind in [AlertKind::RevocationOverdue, AlertKind::Zombie, AlertKind::Drift] {
        resolved.extend(alerts::resolve(transaction, ids, row.organization_id, kind, &subject, now).await?);
    }
    Ok(resolved)
}

fn of_finding(row: &placement::Model, finding: Finding) -> NewAlert {
    let (kind, severity, message) = match finding {
        Finding::Zombie => (
            AlertKind::Zombie,
            AlertSeverity::Critical,
            "What was taken away is at its vendor again, and may open. It is taken away once more.",
        ),
        Finding::Drift => (
            AlertKind::Drift,
            AlertSeverity::Warning,
            "What we keep at a vendor was changed or taken away there. It is put right.",
        ),
    };
    NewAlert {
        organization: row.organization_id,
        site: Some(row.site_id),
        kind,
        severity,
        subject: PlacementId(row.id).to_string(),
        message: message.to_owned(),
    }
}
