//! Whom vendors let in, as they tell: by rights to a device, by telephone, by access levels of their own.

use std::collections::HashMap;

use domain::{
    ids::{DeviceId, RecordId, VendorAccountId},
    opening::{RecordFact, RecordPath, Span},
    record::{CredentialStatus, CredentialType, RecordDetails, RecordKind},
};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, JsonValue, QueryFilter, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use super::{Gathered, Place};
use crate::{
    Database, StoreError,
    rows::{json, record, record_link},
};

/// Puts whom the vendors let in to the doors.
pub(super) async fn gather(database: &Database, places: &[Place], gathered: &mut Gathered) -> Result<(), StoreError> {
    of_devices(database, places, gathered).await?;
    of_levels(database, places, gathered).await
}

/// Whether a record (in the table of that name) is what one of our placements became, as long as that is not revoked.
fn is_ours(table: &str) -> SimpleExpr {
    Expr::cust(format!(
        "EXISTS (SELECT 1 FROM placements WHERE placements.account_id = {table}.account_id \
         AND placements.external_id = {table}.external_id AND placements.state <> 'REVOKED' \
         AND placements.wish ->> 'kind' = CASE {table}.kind WHEN 'USER' THEN 'CARD_HOLDER' \
         WHEN 'CREDENTIAL' THEN 'PHONE' ELSE {table}.kind END)"
    ))
}

#[derive(FromQueryResult)]
struct RecordOfDevice {
    id: Uuid,
    device_id: Uuid,
    details: JsonValue,
    is_ours: bool,
}

async fn of_devices(database: &Database, places: &[Place], gathered: &mut Gathered) -> Result<(), StoreError> {
    let mut at_devices: HashMap<DeviceId, Vec<&Place>> = HashMap::new();
    for place in places {
        at_devices.entry(place.device).or_default().push(place);
    }
    let found = record::Entity::find()
        .select_only()
        .columns([record::Column::Id, record::Column::DeviceId, record::Column::Details])
        .column_as(is_ours("records"), "is_ours")
        .filter(record::Column::DeviceId.is_in(at_devices.keys().map(|device| device.0)))
        .filter(record::Column::Kind.is_in([RecordKind::DeviceAccess.as_str(), RecordKind::Credential.as_str()]))
        .filter(record::Column::MissingSince.is_null());
    for row in found.into_model::<RecordOfDevice>().all(database.read()).await? {
        for place in at_devices.get(&DeviceId(row.device_id)).into_iter().flatten() {
            let details = json("records", "details", &row.details)?;
            gathered.at(place.door.0).records.extend(of_device(&row, &details, place));
        }
    }
    Ok(())
}

/// How a record of a device lets somebody in at one of its doors; cards and the like do so by access levels.
fn of_device(row: &RecordOfDevice, details: &RecordDetails, place: &Place) -> Option<RecordFact> {
    let (path, enabled, span) = match details {
        RecordDetails::DeviceAccess(access) => (RecordPath::DeviceAccess, Some(!access.disabled), Span::default()),
        RecordDetails::Credential(phone) if phone.credential_type == CredentialType::PhoneNumber => {
            let enabled = match phone.status {
                CredentialStatus::Active => Some(true),
                CredentialStatus::Suspended => Some(false),
                CredentialStatus::Claimed | CredentialStatus::Unclaimed | CredentialStatus::Unknown => None,
            };
            let path = RecordPath::Phone { door_takes_calls: place.takes_calls };
            (path, enabled, Span::new(phone.access_from, phone.access_until))
        }
        _ => return None,
    };
    Some(RecordFact { record: RecordId(row.id), path, enabled, span, mark: None, is_ours: row.is_ours })
}

#[derive(FromQueryResult)]
struct PersonWithLevel {
    account_id: Uuid,
    door: String,
    level: Uuid,
    person: Uuid,
    details: JsonValue,
    is_ours: bool,
}

async fn of_levels(database: &Database, places: &[Place], gathered: &mut Gathered) -> Result<(), StoreError> {
    let at_doors: HashMap<(VendorAccountId, &str), &Place> =
        places.iter().map(|place| ((place.account, place.external_id.as_str()), place)).collect();
    let statement = database.read().get_database_backend().build(&people_with_levels(places));
    for row in PersonWithLevel::find_by_statement(statement).all(database.read()).await? {
        let Some(place) = at_doors.get(&(VendorAccountId(row.account_id), row.door.as_str())) else { continue };
        let RecordDetails::User(user) = json("records", "details", &row.details)? else { continue };
        gathered.at(place.door.0).records.push(RecordFact {
            record: RecordId(row.person),
            path: RecordPath::AccessLevel(RecordId(row.level)),
            enabled: user.enabled,
            span: Span::new(user.access_from, user.access_until),
            mark: user.id_number,
            is_ours: row.is_ours,
        });
    }
    Ok(())
}

/// The people at the vendors who have an access level that names one of the doors.
fn people_with_levels(places: &[Place]) -> SelectStatement {
    let [of_level, level, of_person, person] = ["of_level", "level", "of_person", "person"].map(Alias::new);
    let column = |table: &Alias, column: record::Column| Expr::col((table.clone(), column));
    let link = |table: &Alias, column: record_link::Column| Expr::col((table.clone(), column));
    let accounts: Vec<Uuid> = places.iter().map(|place| place.account.0).collect();
    let doors: Vec<&str> = places.iter().map(|place| place.external_id.as_str()).collect();
    Query::select()
        .expr_as(link(&of_level, record_link::Column::AccountId), "account_id")
        .expr_as(link(&of_level, record_link::Column::Target), "door")
        .expr_as(column(&level, record::Column::Id), "level")
        .expr_as(column(&person, record::Column::Id), "person")
        .expr_as(column(&person, record::Column::Details), "details")
        .expr_as(is_ours("person"), "is_ours")
        .from_as(record_link::Entity, of_level.clone())
        .join_as(
            sea_orm::JoinType::InnerJoin,
            record::Entity,
            level.clone(),
            column(&level, record::Column::Id).equals((of_level.clone(), record_link::Column::RecordId)),
        )
        .join_as(
            sea_orm::JoinType::InnerJoin,
            record_link::Entity,
            of_person.clone(),
            link(&of_person, record_link::Column::AccountId)
                .equals((level.clone(), record::Column::AccountId))
                .and(link(&of_person, record_link::Column::Kind).eq(RecordKind::User.as_str()))
                .and(link(&of_person, record_link::Column::Target).equals((level.clone(), record::Column::ExternalId))),
        )
        .join_as(
            sea_orm::JoinType::InnerJoin,
            record::Entity,
            person.clone(),
            column(&person, record::Column::Id).equals((of_person, record_link::Column::RecordId)),
        )
        .and_where(link(&of_level, record_link::Column::AccountId).is_in(accounts))
        .and_where(link(&of_level, record_link::Column::Kind).eq(RecordKind::AccessLevel.as_str()))
        .and_where(link(&of_level, record_link::Column::Target).is_in(doors))
        .and_where(column(&level, record::Column::MissingSince).is_null())
        .and_where(column(&person, record::Column::MissingSince).is_null())
        .to_owned()
}
