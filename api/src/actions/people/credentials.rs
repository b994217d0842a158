//! Making and changing credentials. PINs come in plain, are sealed at once and shown to nobody.

use std::collections::BTreeSet;

use domain::{
    clock::Timestamp,
    credential::{CredentialState, checked_number},
    ids::{CredentialId, DoorId, OrganizationId, UserId},
    pin::PinPolicy,
    record::CredentialType,
    secret::Secret,
};
use entities::{
    StoreError, find,
    rows::credential,
    store::{
        access::Declined,
        credentials::{self, CredentialChange, NewCredential, Presented},
    },
};
use platform::vault::Place;
use serde_json::json;

use super::{acting, concluded, done, doors_for, made_before, period, permit, refusal, user_for};
use crate::{
    actions::{Refusal, accounts::Answer, denials, keyed, short_text},
    auth::Session,
    shared::Shared,
};

/// A credential, as a caller says it.
#[derive(Debug, Clone)]
pub(crate) struct CredentialOrder {
    pub(crate) user: String,
    pub(crate) kind: CredentialType,
    pub(crate) label: Option<String>,
    pub(crate) number: Option<String>,
    pub(crate) value: Option<Secret>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) doors: Vec<String>,
    pub(crate) idempotency_key: Option<String>,
}

/// The ends of a time that are to change: not where they are absent, to none where they hold nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    pub(crate) from: Option<Option<Timestamp>>,
    pub(crate) until: Option<Option<Timestamp>>,
}

/// What is to change of a credential.
#[derive(Debug, Clone)]
pub(crate) struct CredentialGiven {
    pub(crate) credential: String,
    pub(crate) label: Option<Option<String>>,
    pub(crate) window: Window,
    pub(crate) doors: Option<Vec<String>>,
}

/// Makes a credential.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn create_credential(
    shared: &Shared,
    session: &Session,
    order: CredentialOrder,
) -> Answer<credential::Model> {
    let asked = json!([
        order.user,
        order.kind.as_str(),
        order.label,
        order.number,
        order.value.as_ref().map(Secret::expose),
        order.from,
        order.until,
        order.doors,
    ]);
    let checked = permit(shared, session)
        .and_then(|()| keyed(shared, session, "createCredential", order.idempotency_key, &asked))
        .and_then(|key| Ok((key, label(order.label)?, period(order.from, order.until)?)));
    let (key, label, (from, until)) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Err(denials::told(shared, session, "createCredential", refusal).await?)),
    };
    let holder = match user_for(shared, session, &order.user).await? {
        Ok(row) if row.erased_at.is_none() => row,
        Ok(_) => return Ok(Err(Refusal::NotFound { field: "userId" })),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let doors = match doors_for(shared, session, &order.doors).await? {
        Ok(doors) => doors,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let id = CredentialId(shared.ids.next_uuid());
    // The vendor's app knows the person by this address, unless another is given.
    let number = match order.kind {
        CredentialType::MobileKey => order.number.or(holder.email),
        CredentialType::PhoneNumber => order.number.or(holder.phone),
        _ => order.number,
    };
    let presented = match present(shared, session, id, order.kind, number, order.value.as_ref())? {
        Ok(presented) => presented,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let new = NewCredential {
        id,
        organization: session.principal.organization,
        user: UserId(holder.id),
        kind: order.kind,
        label,
        presented,
        from,
        until,
        doors,
    };
    let by = session.principal.actor.to_string();
    match credentials::create(&shared.database, &acting(shared, &by, Some(&key)), new).await? {
        Ok(changed) => Ok(Ok(done(shared, changed).await)),
        Err(Declined::Repeated(id)) => {
            made_before(find::credentials::by_ids(&shared.database, &session.scope, &[CredentialId(id)]).await?)
        }
        Err(why @ Declined::ValueTaken) => Ok(Err(refusal(why, argument(order.kind)))),
        Err(why) => Ok(Err(refusal(why, "userId"))),
    }
}

/// Changes the name, time or doors of a credential.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn update_credential(
    shared: &Shared,
    session: &Session,
    given: CredentialGiven,
) -> Answer<credential::Model> {
    let row = match credential_for(shared, session, &given.credential).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let doors: Option<BTreeSet<DoorId>> = match &given.doors {
        Some(doors) => match doors_for(shared, session, doors).await? {
            Ok(doors) => Some(doors),
            Err(refusal) => return Ok(Err(refusal)),
        },
        None => None,
    };
    let Window { from, until } = given.window;
    let checked = period(from.unwrap_or(row.valid_from), until.unwrap_or(row.valid_until));
    let checked = checked.and_then(|period| Ok((period, given.label.map(label).transpose()?)));
    let ((valid_from, valid_until), label) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let change = CredentialChange {
        label,
        from: from.map(|_| valid_from),
        until: until.map(|_| valid_until),
        doors,
        ..CredentialChange::default()
    };
    write(shared, session, &row, change, "credentialId").await
}

/// Stops a credential for now.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn suspend_credential(shared: &Shared, session: &Session, id: &str) -> Answer<credential::Model> {
    bring_to(shared, session, id, CredentialState::Suspended).await
}

/// Lets a stopped credential open again.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn resume_credential(shared: &Shared, session: &Session, id: &str) -> Answer<credential::Model> {
    bring_to(shared, session, id, CredentialState::Active).await
}

/// Takes a credential away for ever.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn revoke_credential(shared: &Shared, session: &Session, id: &str) -> Answer<credential::Model> {
    bring_to(shared, session, id, CredentialState::Revoked).await
}

/// Gives a credential another number or PIN: what is at vendors is changed in place.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn reissue_credential(
    shared: &Shared,
    session: &Session,
    id: &str,
    number: Option<String>,
    value: Option<Secret>,
) -> Answer<credential::Model> {
    let row = match credential_for(shared, session, id).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let kind = row.kind()?;
    let presented = match present(shared, session, CredentialId(row.id), kind, number, value.as_ref())? {
        Ok(presented) => presented,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let change = CredentialChange { presented: Some(presented), ..CredentialChange::default() };
    write(shared, session, &row, change, argument(kind)).await
}

async fn bring_to(shared: &Shared, session: &Session, id: &str, state: CredentialState) -> Answer<credential::Model> {
    match credential_for(shared, session, id).await? {
        Ok(row) => {
            let change = CredentialChange { state: Some(state), ..CredentialChange::default() };
            write(shared, session, &row, change, "credentialId").await
        }
        Err(refusal) => Ok(Err(refusal)),
    }
}

async fn write(
    shared: &Shared,
    session: &Session,
    row: &credential::Model,
    change: CredentialChange,
    value: &'static str,
) -> Answer<credential::Model> {
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(row.organization_id), CredentialId(row.id));
    let outcome = credentials::update(&shared.database, &acting(shared, &by, None), target, change).await?;
    let of = if outcome.as_ref().is_err_and(|why| *why == Declined::ValueTaken) { value } else { "credentialId" };
    Ok(concluded(shared, outcome, of).await)
}

/// A credential that the caller sees and may change.
async fn credential_for(shared: &Shared, session: &Session, id: &str) -> Answer<credential::Model> {
    if let Err(refusal) = permit(shared, session) {
        return Ok(Err(denials::told(shared, session, "updateCredential", refusal).await?));
    }
    let absent = Refusal::NotFound { field: "credentialId" };
    let Ok(id) = id.parse::<CredentialId>() else { return Ok(Err(absent)) };
    let found = find::credentials::by_ids(&shared.database, &session.scope, &[id]).await?;
    Ok(found.into_iter().next().ok_or(absent))
}

/// What is presented, checked and sealed.
fn present(
    shared: &Shared,
    session: &Session,
    id: CredentialId,
    kind: CredentialType,
    number: Option<String>,
    value: Option<&Secret>,
) -> Result<Result<Presented, Refusal>, StoreError> {
    let wrong = |field, message: String| Ok(Err(Refusal::InvalidInput { field, message }));
    let fingerprint = |value: &Secret| shared.vault.fingerprint(session.principal.organization.0, value);
    if kind != CredentialType::PinCode {
        if value.is_some() {
            return wrong("value", "`value` is for a PIN; anything else has a `number`.".to_owned());
        }
        return match checked_number(kind, number.as_deref().unwrap_or_default()) {
            Ok(number) => {
                let fingerprint = fingerprint(&Secret::new(number.as_str()));
                Ok(Ok(Presented { number: Some(number), sealed: None, fingerprint }))
            }
            Err(fault) => wrong("number", fault.to_string()),
        };
    }
    let (None, Some(pin)) = (&number, value) else {
        return wrong("value", "A PIN is given as `value`, and has no `number`.".to_owned());
    };
    // Which doors it will be for may change; every keypad that there is must take it.
    let policy = PinPolicy::common(domain::account::Vendor::ALL.iter().copied());
    if let Some(Err(fault)) = policy.map(|policy| policy.check(pin)) {
        return wrong("value", fault.to_string());
    }
    let place = Place { table: "credentials", column: "sealed", row: id.0 };
    let sealed = shared.vault.seal(pin, place).map_err(|error| StoreError::Unsealable(error.to_string()))?;
    Ok(Ok(Presented { number: None, sealed: Some(sealed), fingerprint: fingerprint(pin) }))
}

/// The argument that holds what is presented.
const fn argument(kind: CredentialType) -> &'static str {
    if matches!(kind, CredentialType::PinCode) { "value" } else { "number" }
}

fn label(text: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    short_text("label", &text)?;
    Ok(Some(text.trim().to_owned()))
}
