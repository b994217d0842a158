//! Idempotency keys of mutations that write no command (rule 4): what was asked for is kept as a keyed digest, because it
//! may hold a secret.

use domain::secret::Secret;
use entities::store::used_keys::KeyedOrder;
use serde_json::Value;

use super::{Refusal, send_command::check_key};
use crate::{auth::Session, shared::Shared};

/// An order under the caller's key, or under one of its own, so that every call without a key is an order of its own.
///
/// # Errors
/// The key cannot be used.
pub(crate) fn keyed(
    shared: &Shared,
    session: &Session,
    mutation: &str,
    key: Option<String>,
    asked: &Value,
) -> Result<KeyedOrder, Refusal> {
    check_key(&key)?;
    let organization = session.principal.organization;
    let asked = Secret::new(format!("{mutation} {asked}"));
    Ok(KeyedOrder {
        organization,
        requested_by: session.principal.actor.to_string(),
        idempotency_key: key.unwrap_or_else(|| shared.ids.next_uuid().to_string()),
        asked: shared.vault.fingerprint(organization.0, &asked),
    })
}
