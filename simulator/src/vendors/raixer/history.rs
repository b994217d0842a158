//! What a device tells afterwards: the history of its connections (R17) and the notifications for webhooks. When something is
//! told is decided elsewhere.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{body::Refusal, ok, state::Raixer, wire::time};
use crate::{
    answer::{Answer, Call, Circumstances},
    vendors::Vendor,
};

/// Entries of a page.
const PAGE: usize = 10;
/// How many entries a device keeps.
const KEPT: usize = 2_000;
const PREFIX: &str = "connections.detail.history.action.";

/// An entry of a device's history.
#[derive(Debug)]
pub(super) struct Happened {
    id: String,
    action: String,
    error: bool,
    /// Who did it, if a person.
    details: Option<String>,
    at: DateTime<Utc>,
}

/// The documented suffix of a port: nothing, 2 or 3.
pub(super) fn suffix(port: u32) -> String {
    if port == 1 { String::new() } else { port.to_string() }
}

impl Raixer {
    /// Adds an entry to a device's history: the documented action with the suffix of its port.
    pub(super) fn remember(
        &mut self,
        device: usize,
        action: &str,
        port: u32,
        by: (Option<String>, bool),
        at: DateTime<Utc>,
    ) {
        let id = self.fresh_id();
        let (details, error) = by;
        if let Some(device) = self.devices.get_mut(device) {
            let action = format!("{PREFIX}{action}{}", suffix(port));
            device.history.push_front(Happened { id, action, error, details, at });
            device.history.truncate(KEPT);
        }
    }

    /// A notification of the list "Custom Client Webhooks". Its body is not documented; this is that of the device cloud
    /// underneath (vendors-extra.md 2.6). It goes to the owner, named by the user of HTTP Basic; a device without an owner
    /// tells nobody.
    pub(super) fn notify(&self, device: usize, event: &str, at: &Circumstances<'_>) {
        let Some(device) = self.devices.get(device) else { return };
        let owner = device.owner.and_then(|owner| self.accounts.get(owner));
        if let Some(owner) = owner {
            let published_at = time(at.now);
            let body = json!({ "event": event, "data": "", "coreid": device.id, "published_at": published_at });
            at.webhooks.fire(Vendor::Raixer, &owner.user, body);
        }
    }

    /// R17: pages of ten from page 0, the newest first.
    pub(super) fn list_history(&self, account: usize, call: &Call) -> Result<Answer, Refusal> {
        let connection = self.readable_connection(account, call)?;
        let page: usize = match call.query("page") {
            Some(page) => page.parse().map_err(|_| Refusal::BAD_REQUEST)?,
            None => 0,
        };
        let device = self.connections.get(connection).and_then(|connection| self.devices.get(connection.device));
        let device = device.ok_or(Refusal::NOT_FOUND)?;
        let entries = device.history.iter().skip(page.saturating_mul(PAGE)).take(PAGE).map(|entry| {
            let mut body = json!({
                "_id": entry.id,
                "deviceId": device.id,
                "action": entry.action,
                "error": entry.error,
                "created": time(entry.at),
                "updated": time(entry.at),
            });
            if let Some(details) = &entry.details {
                body["details"] = json!(details);
            }
            body
        });
        Ok(ok(&Value::Array(entries.collect())))
    }
}
