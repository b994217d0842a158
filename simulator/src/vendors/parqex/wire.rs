//! ParqEx's answers as JSON, every documented field, with its naive times (UTC). Reads the state, changes nothing.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::{
    plain_error, plain_id,
    state::{Controller, Door, HistoryEntry, Parqex},
};
use crate::{
    answer::{Answer, Call, Circumstances},
    faults::FaultKind,
};

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The one shape of all toggle answers.
pub(crate) fn toggle_answer(status: u16, message: &str, now: DateTime<Utc>) -> Answer {
    Answer::json(status, &json!({ "success": true, "timestamp": now.timestamp_millis(), "message": message }))
}

fn enveloped(data: &Value, at: &Circumstances<'_>) -> Answer {
    Answer::json(200, &json!({ "success": true, "timestamp": at.now.timestamp_millis(), "data": data }))
}

impl Parqex {
    pub(crate) fn sync(&self, account: usize, at: &Circumstances<'_>) -> Answer {
        let controllers = self.accounts.get(account).map(|account| account.controllers.as_slice()).unwrap_or_default();
        let devices: Vec<Value> = controllers
            .iter()
            .filter_map(|index| self.controllers.get(*index))
            .map(|controller| self.controller_json(account, controller, at))
            .collect();
        Answer::json(200, &json!({ "devices": devices }))
    }

    fn controller_json(&self, account: usize, controller: &Controller, at: &Circumstances<'_>) -> Value {
        let user = self.accounts.get(account);
        let relationship = if controller.account == account { "Owner" } else { "Has Access" };
        let owner = self.accounts.get(controller.account);
        let doors: Vec<Value> = controller
            .doors
            .iter()
            .filter_map(|index| self.doors.get(*index).map(|door| (index, door)))
            .map(|(index, door)| {
                let name = user.and_then(|user| user.names.get(index)).unwrap_or(&door.name);
                door_json(door, name, relationship, at)
            })
            .collect();
        json!({
            "id": controller.id,
            "active": true,
            "registered": true,
            // The capacity, not how many doors there are.
            "number_of_entities_controlled": controller.doors.len().max(3),
            "last_contact": time(if controller.reachable { at.now } else { controller.last_contact }),
            "time_before_door_open_alert": 900,
            "owner_first_name": owner.map(|owner| owner.first_name.as_str()),
            "owner_last_name": owner.map(|owner| owner.last_name.as_str()),
            "blackbox_code": controller.serial,
            "bluetooth_onboard": false,
            "bluetooth_mac_address": "000000000000",
            "software_version": "0",
            "doors": doors,
        })
    }

    /// `door` and `user` are the documented types, `device` appears in a sample. Days are those of UTC. `user` is what the
    /// caller did, the others what anybody did at a door the caller may use.
    pub(crate) fn toggle_history(&self, account: usize, call: &Call, at: &Circumstances<'_>) -> Answer {
        let wanted: Option<String> = match call.query("history_type") {
            Some("user") => None,
            Some("door") if call.query("door_id").is_some() => call.query("door_id").map(plain_id),
            Some("device") if call.query("device_id").is_some() => call.query("device_id").map(plain_id),
            _ => return plain_error(400),
        };
        let (Ok(from), Ok(to)) = (day(call.query("start_date")), day(call.query("end_date"))) else {
            return plain_error(400);
        };
        let within = |entry: &&HistoryEntry| {
            let date = entry.at.date_naive();
            from.is_none_or(|from| date >= from) && to.is_none_or(|to| date <= to)
        };
        let events: Vec<Value> = self
            .history
            .iter()
            .rev()
            .filter(within)
            .filter_map(|entry| {
                let door = self.doors.get(entry.door)?;
                let controller = self.controllers.get(door.controller)?;
                let meant = match &wanted {
                    None => entry.account == account,
                    Some(id) => (*id == door.id || *id == controller.id) && self.may_use(account, door),
                };
                let name = self.accounts.get(account).and_then(|user| user.names.get(&entry.door));
                meant.then(|| self.history_json(entry, door, name.unwrap_or(&door.name)))
            })
            .collect();
        enveloped(&json!({ "toggle_events": events }), at)
    }

    fn history_json(&self, entry: &HistoryEntry, door: &Door, name: &str) -> Value {
        let user = self.accounts.get(entry.account);
        let text = |field: Option<&String>| field.cloned().unwrap_or_default();
        json!({
            "door_id": dashed(&door.id),
            "door_name": name,
            "door_state": entry.state,
            "channel": entry.channel,
            "user": {
                "id": text(user.map(|user| &user.id)),
                "first_name": text(user.map(|user| &user.first_name)),
                "last_name": text(user.map(|user| &user.last_name)),
                "email_address": text(user.map(|user| &user.email)),
            },
            "was_success": true,
            "toggle_date_time": entry.at.format("%Y-%m-%d").to_string(),
        })
    }

    pub(crate) fn user_info(&self, account: usize, at: &Circumstances<'_>) -> Answer {
        let Some(user) = self.accounts.get(account) else { return plain_error(401) };
        // The address is documented in words only; its name is that of the history's.
        enveloped(
            &json!({
                "id": user.id,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "email_address": user.email,
            }),
            at,
        )
    }

    /// The user's device settings; the PIN is in plain text, as documented.
    pub(crate) fn user_settings(&self, account: usize, at: &Circumstances<'_>) -> Answer {
        if self.accounts.get(account).is_none() {
            return plain_error(401);
        }
        enveloped(
            &json!({
                "door_open_alert_notification_enabled": true,
                "door_open_alert_notification_tone": "default",
                "time_zone": "America/Chicago",
                "pin_code": "0000",
            }),
            at,
        )
    }
}

fn door_json(door: &Door, name: &str, relationship: &str, at: &Circumstances<'_>) -> Value {
    let state = match at.fault {
        Some(FaultKind::UnknownStatusWord { word }) => word,
        _ => door.state.word(),
    };
    json!({
        "id": door.id,
        "entity_number": door.entity,
        "name": name,
        "active": true,
        "state": state,
        "sensor": door.sensor,
        "bluetooth_sensor": false,
        "bluetooth_sensor_mac_address": "000000000000",
        "bluetooth_sensor_battery_level": 0,
        "door_auto_close_enabled": door.auto_close.is_some(),
        "door_auto_close_delay": door.auto_close.map_or(0, |delay| delay.as_secs()),
        "last_toggled": time(door.last_toggled),
        "user_relationship": relationship,
        "image": "",
        "light": false,
    })
}

/// History shows ids with dashes, unlike sync.
fn dashed(id: &str) -> String {
    uuid::Uuid::try_parse(id).map(|id| id.to_string()).unwrap_or_else(|_| id.to_owned())
}

fn day(text: Option<&str>) -> Result<Option<NaiveDate>, chrono::ParseError> {
    text.map(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d")).transpose()
}
