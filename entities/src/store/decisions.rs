//! Writing decisions on physical actions: what is told of one that was allowed (with the event of its command), and the event
//! of one that was not.

use domain::{
    clock::Timestamp,
    command::{Action, Grounds},
    event::EventType,
    ids::{IdSource, OrganizationId},
    opening::Reason,
};
use sea_orm::JsonValue;
use serde_json::json;
use uuid::Uuid;

use super::events::{self, NewEvent};
use crate::{Database, StoreError};

/// What somebody asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// Where, if it is known; no site is that of a whole account.
    pub site: Option<Uuid>,
    /// At which device.
    pub device: Option<Uuid>,
    /// At which door.
    pub door: Option<Uuid>,
    /// At which vendor account, if it was asked of the account itself.
    pub account: Option<Uuid>,
    /// The kind of a command, or the name of a mutation.
    pub what: &'a str,
    /// The grounds that were given.
    pub grounds: Grounds,
}

/// A refusal for want of rights.
#[derive(Debug, Clone)]
pub struct Denied<'a> {
    /// The tenant.
    pub organization: OrganizationId,
    /// Of what.
    pub asked: Asked<'a>,
    /// Who asked.
    pub actor: &'a str,
    /// What they presented, as people may read it.
    pub credential: &'a str,
    /// Why not.
    pub why: &'a str,
    /// The same refusals since the last one that was written.
    pub untold: u32,
}

/// Writes that somebody was refused something because they may not have it.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn deny(
    database: &Database,
    ids: &dyn IdSource,
    denied: Denied<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let asked = denied.asked;
    let mut data = told(asked.what, Some(denied.credential), &asked.grounds);
    if let Some(data) = data.as_object_mut() {
        data.insert("why".to_owned(), json!(denied.why));
        if denied.untold > 0 {
            data.insert("untold".to_owned(), json!(denied.untold));
        }
    }
    let event = NewEvent {
        site: asked.site,
        device: asked.device,
        door: asked.door,
        account: asked.account,
        ..NewEvent::of_organization(denied.organization.0, EventType::CommandDenied, now, Some(denied.actor), data)
    };
    events::append(database.write(), ids, vec![event]).await
}

/// What is told of a command that was allowed.
pub(super) fn allowed(action: &Action, credential: Option<&str>, own_way_in: Option<Reason>) -> JsonValue {
    let mut data = told(action.kind().as_str(), credential, &action.grounds());
    if let (Some(data), Some(reason)) = (data.as_object_mut(), own_way_in) {
        data.insert("ownRight".to_owned(), json!(reason.as_str()));
    }
    data
}

fn told(what: &str, credential: Option<&str>, grounds: &Grounds) -> JsonValue {
    let all = [
        ("kind", Some(what)),
        ("credential", credential),
        ("onBehalfOf", grounds.on_behalf_of.as_deref()),
        ("reason", grounds.reason.map(domain::command::ForceReason::as_str)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), JsonValue::from(value?)))).collect()
}
