//! The bodies of Lockt's batches, in the types of the document's samples: options and `enabled` are the words "true"
//! and "false", numbers of cards are texts, times have no zone. Every option is always said: Lockt's defaults do harm.

use domain::{
    change::{BATCH_LIMIT, FobAssignment, FobPlan, ImportOptions, UserPlan, UserSecrets},
    clock::Timestamp,
    command::FailureCode,
    secret::Secret,
};
use serde_json::{Map, Value, json};

use super::zone::{Edge, Zone};
use crate::error::VendorError;

/// One batch, ready to be sent.
pub(super) struct Batch {
    /// The body.
    pub(super) body: Vec<u8>,
    /// Its records, in order.
    pub(super) records: Vec<Key>,
    /// Whether one invalid record fails them all.
    pub(super) whole: bool,
    /// What must not be seen in any word that comes back.
    pub(super) hidden: Vec<Secret>,
}

/// By what a record of a batch is recognised in an answer.
pub(super) struct Key {
    /// The name of it in Lockt's words.
    pub(super) member: &'static str,
    /// The name of it in ours.
    pub(super) label: &'static str,
    /// Its value.
    pub(super) value: String,
}

impl Key {
    fn id_number(value: &str) -> Self {
        Self { member: "id_num", label: "idNumber", value: value.to_owned() }
    }

    fn external_id(value: &str) -> Self {
        Self { member: "id", label: "externalId", value: value.to_owned() }
    }

    fn name(value: &str) -> Self {
        Self { member: "name", label: "name", value: value.to_owned() }
    }
}

/// People to be created or updated (`POST /user`, `POST /uservalidate`).
pub(super) fn users(
    plans: &[UserPlan],
    options: ImportOptions,
    secrets: &UserSecrets,
    zone: Zone,
) -> Result<Batch, VendorError> {
    let mut hidden = Vec::new();
    let mut users = Vec::new();
    for plan in plans {
        let (from, until) = period(plan.access_from, plan.access_until, zone)?;
        let levels = plan.access_levels.iter().map(|level| Ok(json!({"id": number(level)?})));
        let secret = secrets.get(&plan.id_number);
        let held = |wanted: bool, value: Option<&String>| match (wanted, value) {
            (true, None) => Err(malformed("A person's PIN, registration key or card number is missing.")),
            (true, Some(value)) => Ok(Some(Secret::new(value.as_str()))),
            (false, _) => Ok(None),
        };
        let key = held(plan.has_credential_key, secret.and_then(|secret| secret.credential_key.as_ref()))?;
        let pin = held(plan.has_pin, secret.and_then(|secret| secret.pin.as_ref()))?;
        let card = held(plan.has_card_number, secret.and_then(|secret| secret.card_number.as_ref()))?;
        let mut user = Map::new();
        user.insert("id".to_owned(), plan.external_id.as_deref().map_or(Ok(Value::from(-1)), number)?);
        let words = [
            ("id_num", Some(&plan.id_number)),
            ("first_name", Some(&plan.first_name)),
            ("last_name", Some(&plan.last_name)),
            // What is not given is not said: an empty text would take the present one away.
            ("card_num", plan.card_number.as_ref()),
            ("email", plan.email.as_ref()),
            ("phone", plan.phone.as_ref()),
            ("access_effective", Some(&from)),
            ("access_expires", Some(&until)),
        ];
        for (name, value) in words {
            if let Some(value) = value {
                user.insert(name.to_owned(), value.as_str().into());
            }
        }
        user.insert("enabled".to_owned(), word(plan.enabled));
        user.insert("accesslevels".to_owned(), levels.collect::<Result<Vec<_>, VendorError>>()?.into());
        for (name, secret) in [("credential_key", key), ("pin", pin), ("card_num", card)] {
            if let Some(secret) = secret {
                user.insert(name.to_owned(), secret.expose().into());
                hidden.push(secret);
            }
        }
        users.push(Value::Object(user));
    }
    let body = json!({"users": users, "options": {
        "update_existing": word(options.update_existing),
        "validate_fails_batch": word(options.validate_fails_batch),
        "replace_privileges": word(options.replace_privileges),
    }});
    batch(&body, people(plans), options.validate_fails_batch, hidden)
}

/// Fobs to be created (`POST /fob`, which has no options).
pub(super) fn new_fobs(plans: &[FobPlan], zone: Zone) -> Result<Batch, VendorError> {
    let rows = plans.iter().map(|plan| {
        let (from, until) = period(plan.access_from, plan.access_until, zone)?;
        Ok(json!({
            "name": plan.name, "id_num": plan.id_number, "card_num": plan.card_number,
            "access_effective": from, "access_expires": until,
        }))
    });
    let body = json!({"fobs": rows.collect::<Result<Vec<_>, VendorError>>()?});
    batch(&body, fobs(plans), false, Vec::new())
}

/// Fobs with a new holder and period (`PUT /fob`); its ids are texts, as in the document's sample.
pub(super) fn assigned_fobs(assignments: &[FobAssignment], zone: Zone) -> Result<Batch, VendorError> {
    let rows = assignments.iter().map(|assignment| {
        let (from, until) = period(assignment.access_from, assignment.access_until, zone)?;
        Ok(json!({
            "id": assignment.fob, "user_id": assignment.user, "access_effective": from, "access_expires": until,
        }))
    });
    let body = json!({"fobs": rows.collect::<Result<Vec<_>, VendorError>>()?});
    batch(&body, held(assignments), false, Vec::new())
}

/// Doors to be created (`POST /door`): all or none.
pub(super) fn doors(names: &[String]) -> Result<Batch, VendorError> {
    let doors: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
    let body = json!({"doors": doors, "options": {"validate_fails_batch": word(true)}});
    batch(&body, named(names), true, Vec::new())
}

/// Credentials to be reissued (`POST /credential`). Its body is not documented; this is the form of the others.
pub(super) fn reissued(ids: &[String]) -> Result<Batch, VendorError> {
    let credentials = ids.iter().map(|id| Ok(json!({"id": number(id)?}))).collect::<Result<Vec<_>, VendorError>>()?;
    let body = json!({"credentials": credentials});
    batch(&body, ids.iter().map(|id| Key::external_id(id)).collect(), false, Vec::new())
}

/// What people are recognised by.
pub(super) fn people(plans: &[UserPlan]) -> Vec<Key> {
    plans.iter().map(|plan| Key::id_number(&plan.id_number)).collect()
}

/// What new fobs are recognised by.
pub(super) fn fobs(plans: &[FobPlan]) -> Vec<Key> {
    plans.iter().map(|plan| Key::id_number(&plan.id_number)).collect()
}

/// What fobs with a new holder are recognised by.
pub(super) fn held(assignments: &[FobAssignment]) -> Vec<Key> {
    assignments.iter().map(|assignment| Key::external_id(&assignment.fob)).collect()
}

/// What doors are recognised by.
pub(super) fn named(names: &[String]) -> Vec<Key> {
    names.iter().map(|name| Key::name(name)).collect()
}

fn batch(body: &Value, records: Vec<Key>, whole: bool, hidden: Vec<Secret>) -> Result<Batch, VendorError> {
    if records.is_empty() || records.len() > BATCH_LIMIT {
        return Err(malformed(format!("Lockt takes 1 to {BATCH_LIMIT} records at once.")));
    }
    Ok(Batch { body: body.to_string().into_bytes(), records, whole, hidden })
}

/// The two ends of a period in Lockt's form.
pub(super) fn period(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    zone: Zone,
) -> Result<(String, String), VendorError> {
    let (from, until) = (zone.write(from, Edge::From), zone.write(until, Edge::Until));
    // In this form the later is the greater.
    if !from.is_empty() && !until.is_empty() && from >= until {
        return Err(malformed("Nothing is left of the period in whole seconds of Lockt's clock."));
    }
    Ok((from, until))
}

/// What goes sealed beside an import.
pub(super) fn secrets(secret: Option<&Secret>) -> Result<UserSecrets, VendorError> {
    let Some(secret) = secret else { return Ok(UserSecrets::new()) };
    let read = serde_json::from_str(secret.expose());
    read.map_err(|_| malformed("The PINs, registration keys and card numbers can not be read."))
}

fn number(id: &str) -> Result<Value, VendorError> {
    let number = id.parse::<i64>().map(Value::from);
    number.map_err(|_| malformed("An id is none of Lockt's: those are whole numbers."))
}

fn word(flag: bool) -> Value {
    if flag { "true".into() } else { "false".into() }
}

/// Refused before it was sent.
fn malformed(message: impl Into<String>) -> VendorError {
    VendorError::rejected(FailureCode::Malformed, message)
}

#[cfg(test)]
mod tests;
