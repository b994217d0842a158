//! What ParqEx tells its integrators by webhook: one notification per movement of a door and linked user.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use super::state::{Cause, DoorState, Parqex};
use crate::{answer::Circumstances, vendors::Vendor};

impl Parqex {
    /// Tells every linked user with access to a door that it moved; the owner first.
    pub(crate) fn announce(
        &mut self,
        index: usize,
        state: DoorState,
        cause: Cause,
        when: DateTime<Utc>,
        at: &Circumstances<'_>,
    ) {
        let Some(door) = self.doors.get(index) else { return };
        let Some(controller) = self.controllers.get(door.controller) else { return };
        let toggled_by = self.accounts.get(cause.account);
        let owner = self.accounts.get(controller.account);
        for user in std::iter::once(controller.account).chain(controller.shared_with.iter().copied()) {
            let Some(account) = self.accounts.get(user).filter(|account| account.valid) else { continue };
            if !self.grants.is_linked(user) {
                continue;
            }
            self.next_event += 1;
            let body = json!({
                "id": format!("7C1D{:028X}", self.next_event),
                // Only door1_open is documented; the digit is the door's entity number.
                "eventType": format!("door{}_{}", door.entity, state.word().to_lowercase()),
                "toggleID": format!("A0A1{:028X}", cause.toggle),
                "doorID": door.id,
                "doorState": state,
                "channel": cause.channel,
                "deviceID": controller.id,
                "eventOccurred": when.timestamp(),
                "eventOccurredUTC": when.to_rfc3339_opts(SecondsFormat::Secs, true),
                "doorOwnerUserID": owner.map(|owner| owner.id.as_str()),
                "userThatToggled": {
                    "firstName": toggled_by.map(|user| user.first_name.as_str()),
                    "lastName": toggled_by.map(|user| user.last_name.as_str()),
                    "emailAddress": toggled_by.map(|user| user.email.as_str()),
                },
            });
            at.webhooks.fire(Vendor::Parqex, &account.email, body);
        }
    }
}
