//! Writing what a vendor keeps: records, portion by portion. Nothing is ever deleted because a list lacks it: it is
//! missing since then (rule 11). Secrets come in plain and are sealed here by whoever holds the vault.

use std::collections::HashMap;

use domain::{
    clock::Timestamp,
    event::EventType,
    ids::{IdSource, RecordId, VendorAccountId},
    record::{FoundRecord, RecordDetails, RecordKind, RecordRef},
    secret::Secret,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    erasure,
    events::{self, NewEvent},
    inventory::sites_of,
    record_links,
};
use crate::{
    Database, StoreError,
    rows::{device, record, to_json, vendor_account},
};

/// Seals the secret part of records. Implemented where the vault is.
pub trait RecordSealer: Send + Sync {
    /// Seals a secret for a row of `records`, column `secret`.
    ///
    /// # Errors
    /// The vault failed.
    fn seal(&self, row: Uuid, secret: &Secret) -> Result<Vec<u8>, StoreError>;

    /// Whether what was sealed for that row is this secret.
    fn holds(&self, row: Uuid, sealed: &[u8], secret: &Secret) -> bool;
}

/// Writes one portion of records: new ones, changed ones, and that they were seen. Returns the ids of those that are new
/// or changed.
///
/// # Errors
/// The database or the vault failed; nothing of the portion is kept.
pub async fn record(
    database: &Database,
    ids: &dyn IdSource,
    sealer: &dyn RecordSealer,
    account: &vendor_account::Model,
    portion: &[FoundRecord],
    now: Timestamp,
) -> Result<Vec<RecordId>, StoreError> {
    if portion.is_empty() {
        return Ok(Vec::new());
    }
    let transaction = database.begin().await?;
    let sites = sites_of(&transaction, account).await?;
    let devices = devices_of(&transaction, account, portion).await?;
    let mut known = known(&transaction, account, portion).await?;
    let numbers = numbers_of(&transaction, account, portion, &devices).await?;
    let erased = erasure::erased_of(&transaction, account.id, portion).await?;
    let mut changed = Vec::new();
    let mut seen = Vec::new();
    for found in portion {
        let key = (found.kind().as_str().to_owned(), found.external_id.clone());
        let impersonal = erased.contains(&key).then(|| found.clone().impersonal());
        let found = impersonal.as_ref().unwrap_or(found);
        let place = Place {
            site: match found.device.as_ref().and_then(|device| devices.get(device)) {
                Some((_, site)) => *site,
                None => sites.get(&found.location).copied().unwrap_or(account.site_id),
            },
            device: found.device.as_ref().and_then(|device| devices.get(device)).map(|(id, _)| *id),
        };
        if found.has_made_up_id()
            && let Some(same) = numbers.iter().find(|row| says_the_same(row, found, place.device))
        {
            seen.push(same.id);
            continue;
        }
        let old = known.get(&key);
        match next_row(ids, sealer, account, &place, old, found, now)? {
            None => seen.extend(old.map(|row| row.id)),
            Some(row) => {
                write(&transaction, ids, old, &row, now).await?;
                changed.push(RecordId(row.id));
                // A record may come twice in one portion: the second is a change of the first.
                known.insert(key, row);
            }
        }
    }
    if !seen.is_empty() {
        record::Entity::update_many()
            .col_expr(record::Column::LastSeenAt, Expr::value(now))
            .filter(record::Column::Id.is_in(seen))
            .exec(&transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(changed)
}

struct Place {
    site: Uuid,
    device: Option<Uuid>,
}

/// The row as it is to be; `None` when nothing changed.
fn next_row(
    ids: &dyn IdSource,
    sealer: &dyn RecordSealer,
    account: &vendor_account::Model,
    place: &Place,
    old: Option<&record::Model>,
    found: &FoundRecord,
    now: Timestamp,
) -> Result<Option<record::Model>, StoreError> {
    let id = old.map_or_else(|| ids.next_uuid(), |row| row.id);
    let told = match old {
        Some(row) => found.details.on_top_of(&row.details()?),
        None => found.details.clone(),
    };
    let details = to_json("records", "details", &told)?;
    let held = old.and_then(|row| row.secret.as_deref());
    let same_secret = match (held, &found.secret) {
        (_, None) => true,
        (Some(sealed), Some(secret)) => sealer.holds(id, sealed, secret),
        (None, Some(_)) => false,
    };
    let unchanged = old.is_some_and(|row| {
        row.details == details
            && row.name == found.name
            && row.site_id == place.site
            && row.device_id == place.device
            && row.missing_since.is_none()
            && same_secret
    });
    if unchanged {
        return Ok(None);
    }
    let secret = match &found.secret {
        Some(secret) if !same_secret => Some(sealer.seal(id, secret)?),
        _ => held.map(<[u8]>::to_vec),
    };
    Ok(Some(record::Model {
        id,
        organization_id: account.organization_id,
        site_id: place.site,
        account_id: account.id,
        device_id: place.device,
        kind: found.kind().as_str().to_owned(),
        external_id: found.external_id.clone(),
        name: found.name.clone(),
        name_folded: found.name.to_lowercase(),
        details,
        secret,
        version: old.map_or(1, |row| row.version + 1),
        changed_at: now,
        last_seen_at: now,
        missing_since: None,
        created_at: old.map_or(now, |row| row.created_at),
    }))
}

async fn write(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    old: Option<&record::Model>,
    row: &record::Model,
    now: Timestamp,
) -> Result<(), StoreError> {
    let active = record::ActiveModel::from(row.clone()).reset_all();
    let event_type = if old.is_some() {
        record::Entity::update_many()
            .set(record::ActiveModel { id: sea_orm::ActiveValue::Unchanged(row.id), ..active })
            .filter(record::Column::Id.eq(row.id))
            .exec(transaction)
            .await?;
        EventType::RecordChanged
    } else {
        record::Entity::insert(active).exec_without_returning(transaction).await?;
        EventType::RecordFound
    };
    record_links::keep(transaction, old, row).await?;
    events::append(transaction, ids, vec![of_record(row, event_type, now)]).await
}

fn of_record(row: &record::Model, event_type: EventType, now: Timestamp) -> NewEvent<'static> {
    // Whoever sees a site only need not learn that a person is known there.
    let personal = row.kind().is_ok_and(RecordKind::is_personal);
    let data = json!({ "record": RecordId(row.id).to_string(), "kind": row.kind });
    NewEvent {
        site: Some(row.site_id).filter(|_| !personal),
        device: row.device_id.filter(|_| !personal),
        account: Some(row.account_id),
        ..NewEvent::of_organization(row.organization_id, event_type, now, None, data)
    }
}

/// Ends a complete read that began at `started_at`: what it did not list of these kinds is missing since then. Returns
/// how many are newly missing.
///
/// # Errors
/// The database failed.
pub async fn complete(
    database: &Database,
    ids: &dyn IdSource,
    account: VendorAccountId,
    kinds: &[RecordKind],
    started_at: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreError> {
    if kinds.is_empty() {
        return Ok(0);
    }
    let transaction = database.begin().await?;
    let vanished = record::Entity::find()
        .filter(record::Column::AccountId.eq(account.0))
        .filter(record::Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
        .filter(record::Column::LastSeenAt.lt(started_at))
        .filter(record::Column::MissingSince.is_null())
        .all(&transaction)
        .await?;
    mark_missing(&transaction, ids, &vanished, now).await?;
    transaction.commit().await?;
    Ok(vanished.len())
}

/// Marks records missing that the vendor says are gone.
///
/// # Errors
/// The database failed.
pub async fn gone(
    database: &Database,
    ids: &dyn IdSource,
    account: VendorAccountId,
    records: &[RecordRef],
    now: Timestamp,
) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let transaction = database.begin().await?;
    for gone in records {
        let found = record::Entity::find()
            .filter(record::Column::AccountId.eq(account.0))
            .filter(record::Column::Kind.eq(gone.kind.as_str()))
            .filter(record::Column::ExternalId.eq(gone.external_id.as_str()))
            .filter(record::Column::MissingSince.is_null())
            .all(&transaction)
            .await?;
        mark_missing(&transaction, ids, &found, now).await?;
    }
    Ok(transaction.commit().await?)
}

async fn mark_missing(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    rows: &[record::Model],
    now: Timestamp,
) -> Result<(), StoreError> {
    // In pieces: SQLite takes a bounded number of parameters in one statement.
    for piece in rows.chunks(500) {
        record::Entity::update_many()
            .col_expr(record::Column::MissingSince, Expr::value(now))
            .filter(record::Column::Id.is_in(piece.iter().map(|row| row.id)))
            .exec(transaction)
            .await?;
        let events = piece.iter().map(|row| of_record(row, EventType::RecordMissing, now)).collect();
        events::append(transaction, ids, events).await?;
    }
    Ok(())
}

async fn devices_of(
    transaction: &DatabaseTransaction,
    account: &vendor_account::Model,
    portion: &[FoundRecord],
) -> Result<HashMap<String, (Uuid, Uuid)>, StoreError> {
    let named: Vec<&str> = portion.iter().filter_map(|found| found.device.as_deref()).collect();
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, Uuid, Uuid)> = device::Entity::find()
        .select_only()
        .columns([device::Column::ExternalId, device::Column::Id, device::Column::SiteId])
        .filter(device::Column::AccountId.eq(account.id))
        .filter(device::Column::ExternalId.is_in(named))
        .into_tuple()
        .all(transaction)
        .await?;
    Ok(rows.into_iter().map(|(external, id, site)| (external, (id, site))).collect())
}

/// The telephone numbers with an id of the vendor's, at devices of which a portion lists numbers without.
async fn numbers_of(
    transaction: &DatabaseTransaction,
    account: &vendor_account::Model,
    portion: &[FoundRecord],
    devices: &HashMap<String, (Uuid, Uuid)>,
) -> Result<Vec<record::Model>, StoreError> {
    let listed = portion.iter().filter(|found| found.has_made_up_id());
    let devices: Vec<Uuid> =
        listed.filter_map(|found| devices.get(found.device.as_ref()?)).map(|(device, _)| *device).collect();
    if devices.is_empty() {
        return Ok(Vec::new());
    }
    Ok(record::Entity::find()
        .filter(record::Column::AccountId.eq(account.id))
        .filter(record::Column::Kind.eq(RecordKind::Credential.as_str()))
        .filter(record::Column::DeviceId.is_in(devices))
        .filter(record::Column::MissingSince.is_null())
        .filter(record::Column::ExternalId.not_like(format!("{}%", FoundRecord::MADE_UP)))
        .all(transaction)
        .await?)
}

fn says_the_same(row: &record::Model, found: &FoundRecord, device: Option<Uuid>) -> bool {
    let number = |details: &RecordDetails| match details {
        RecordDetails::Credential(credential) => credential.number.clone(),
        _ => None,
    };
    row.device_id == device
        && row.details().is_ok_and(|known| number(&known).is_some() && number(&known) == number(&found.details))
}

async fn known(
    transaction: &DatabaseTransaction,
    account: &vendor_account::Model,
    portion: &[FoundRecord],
) -> Result<HashMap<(String, String), record::Model>, StoreError> {
    let rows = record::Entity::find()
        .filter(record::Column::AccountId.eq(account.id))
        .filter(record::Column::ExternalId.is_in(portion.iter().map(|found| found.external_id.as_str())))
        .lock_exclusive()
        .all(transaction)
        .await?;
    Ok(rows.into_iter().map(|row| ((row.kind.clone(), row.external_id.clone()), row)).collect())
}
