//! Records in a change: callers name them by our ids, vendors know them by theirs. Here the one becomes the other, in
//! scope and of the right kind.

use std::collections::{BTreeSet, HashMap};

use domain::{
    change::{AccessHolder, Change},
    ids::RecordId,
    record::{CredentialType, RecordDetails, RecordKind},
};
use entities::{StoreError, find, rows::record};

use super::{Refusal, place::Place};
use crate::{auth::Session, shared::Shared};

/// More records than this are not named at once.
const MOST: usize = 10_000;

/// A place in a change where a record is named.
struct Reference<'a> {
    /// The argument.
    field: &'static str,
    /// What it has to be.
    kind: RecordKind,
    /// What it has to be, for a credential.
    credential: Option<CredentialType>,
    /// Our id; the vendor's later.
    name: &'a mut String,
}

/// Puts the vendor's ids in the place of ours.
///
/// # Errors
/// The database failed.
pub(super) async fn resolve(
    shared: &Shared,
    session: &Session,
    place: &Place,
    change: &mut Change,
) -> Result<Result<(), Refusal>, StoreError> {
    let references = references(change);
    let Some(first) = references.first().map(|reference| reference.field) else { return Ok(Ok(())) };
    if references.len() > MOST {
        let message = format!("At most {MOST} records can be named at once.");
        return Ok(Err(Refusal::InvalidInput { field: first, message }));
    }
    let ids: BTreeSet<RecordId> = references.iter().filter_map(|reference| reference.name.parse().ok()).collect();
    let ids: Vec<RecordId> = ids.into_iter().collect();
    let found = find::records::by_ids(&shared.database, &session.scope, &ids).await?;
    let found: HashMap<RecordId, record::Model> = found.into_iter().map(|row| (RecordId(row.id), row)).collect();
    for reference in references {
        let field = reference.field;
        let row = reference.name.parse().ok().and_then(|id: RecordId| found.get(&id));
        let Some(row) = row else { return Ok(Err(Refusal::NotFound { field })) };
        if !is_of_kind(row, &reference)? {
            return Ok(Err(Refusal::NotFound { field }));
        }
        if let Some(message) = stranger(row, reference.kind, place) {
            return Ok(Err(Refusal::InvalidInput { field, message: message.to_owned() }));
        }
        reference.name.clone_from(&row.external_id);
    }
    Ok(Ok(()))
}

fn is_of_kind(row: &record::Model, reference: &Reference<'_>) -> Result<bool, StoreError> {
    Ok(row.kind()? == reference.kind
        && match (reference.credential, row.details()?) {
            (Some(wanted), RecordDetails::Credential(details)) => details.credential_type == wanted,
            (wanted, _) => wanted.is_none(),
        })
}

/// Why a record has nothing to do with the place of an order.
fn stranger(row: &record::Model, kind: RecordKind, place: &Place) -> Option<&'static str> {
    if row.account_id != place.account.id {
        return Some("It belongs to another vendor account.");
    }
    let device = place.device.as_ref()?;
    match row.device_id {
        Some(own) if own == device.id => None,
        // A vendor may not tell whose it is (document 001 hangs schedules on campaigns).
        None if kind == RecordKind::AutoAccessSchedule => None,
        _ => Some("It belongs to another device."),
    }
}

/// Every place in a change where a record is named.
fn references(change: &mut Change) -> Vec<Reference<'_>> {
    let one = |field, kind, name| vec![Reference { field, kind, credential: None, name }];
    match change {
        Change::UpdateSensor { sensor, .. } | Change::DeleteSensor { sensor } => {
            one("sensorId", RecordKind::Sensor, sensor)
        }
        Change::SuspendPhone { phone } | Change::ResumePhone { phone } | Change::RemovePhone { phone } => {
            let credential = Some(CredentialType::PhoneNumber);
            vec![Reference { field: "phoneId", kind: RecordKind::Credential, credential, name: phone }]
        }
        Change::ChangeDeviceAccess { holder: AccessHolder::Record(access), .. }
        | Change::SuspendDeviceAccess { holder: AccessHolder::Record(access) }
        | Change::ResumeDeviceAccess { holder: AccessHolder::Record(access) }
        | Change::RevokeDeviceAccess { holder: AccessHolder::Record(access) } => {
            one("holder", RecordKind::DeviceAccess, access)
        }
        Change::UpdateAutoAccessSchedule { schedule, .. } | Change::DeleteAutoAccessSchedule { schedule } => {
            one("scheduleId", RecordKind::AutoAccessSchedule, schedule)
        }
        Change::ImportUsers { users, .. } => {
            let named = |kind, name| Reference { field: "users", kind, credential: None, name };
            let of_user = users.iter_mut().flat_map(|user| {
                let own = user.external_id.iter_mut().map(move |name| named(RecordKind::User, name));
                own.chain(user.access_levels.iter_mut().map(move |name| named(RecordKind::AccessLevel, name)))
            });
            of_user.collect()
        }
        Change::AssignFobs { assignments } => {
            let of_fob = assignments.iter_mut().flat_map(|assignment| {
                let fob = Reference {
                    field: "assignments",
                    kind: RecordKind::Credential,
                    credential: Some(CredentialType::Fob),
                    name: &mut assignment.fob,
                };
                let name = &mut assignment.user;
                [fob, Reference { field: "assignments", kind: RecordKind::User, credential: None, name }]
            });
            of_fob.collect()
        }
        Change::ReissueCredentials { credentials } => {
            let named =
                |name| Reference { field: "credentialIds", kind: RecordKind::Credential, credential: None, name };
            credentials.iter_mut().map(named).collect()
        }
        Change::AddPmsAccessToken(plan) => {
            let mut named = one("reservationId", RecordKind::Reservation, &mut plan.reservation);
            named.extend(plan.resource.iter_mut().flat_map(|name| one("resourceId", RecordKind::Resource, name)));
            named
        }
        Change::UpdatePmsAccessToken { token, .. } | Change::DeletePmsAccessToken { token } => {
            one("accessTokenId", RecordKind::AccessToken, token)
        }
        _ => Vec::new(),
    }
}
