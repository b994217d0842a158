//! Lockt's records as JSON, after the document's tables and samples. Where they disagree the samples win. Reads the state,
//! changes nothing.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::state::{Account, Credential, Fob, Happening, Level, Schedule, User};

/// Empty text stands for none.
fn time(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default()
}

impl Account {
    /// A user as a lookup shows it: without access levels, as in the samples.
    pub(crate) fn user_json(&self, user: &User) -> Value {
        plain_user_json(user, self.credential_of(user.id))
    }

    /// A user as the list shows it.
    pub(crate) fn listed_user_json(&self, user: &User, credential: Option<&Credential>) -> Value {
        let mut body = plain_user_json(user, credential);
        body["accesslevels"] = self.levels_json(&user.levels);
        body
    }

    /// A fob, with the access levels of its holder. It is enabled while it has one: the document's new fobs are not.
    pub(crate) fn fob_json(&self, fob: &Fob) -> Value {
        let holder = fob.user.and_then(|user| self.user(user));
        json!({
            "id": fob.id,
            "id_num": fob.id_num,
            "name": fob.name,
            "card_num": fob.card_num,
            "credential_key": "",
            "enabled": holder.is_some(),
            "access_effective": time(fob.effective),
            "access_expires": time(fob.expires),
            "accesslevels": self.levels_json(holder.map(|user| user.levels.as_slice()).unwrap_or_default()),
        })
    }

    /// A fob with its last activity; the name of that property is not documented.
    pub(crate) fn checked_fob_json(&self, fob: &Fob) -> Value {
        let mut body = self.fob_json(fob);
        body["last_activity"] = json!(time(fob.last_activity));
        body
    }

    /// Assignments of levels, as users and fobs show them: without the doors.
    fn levels_json(&self, levels: &[u64]) -> Value {
        let levels = levels.iter().filter_map(|level| self.level(*level));
        levels.map(|level| json!({ "id": level.id, "name": level.name })).collect()
    }

    /// `doors` is missing where there are none.
    pub(crate) fn level_json(&self, level: &Level) -> Value {
        let doors = level.doors.iter().filter_map(|door| self.door(*door));
        let doors: Vec<Value> = doors.map(|door| json!({ "id": door.id, "name": door.name })).collect();
        let mut body = json!({ "id": level.id, "name": level.name });
        if !doors.is_empty() {
            body["doors"] = Value::Array(doors);
        }
        body
    }

    /// The holder is an array of one; `word` replaces the claim status.
    pub(crate) fn credential_json(&self, credential: &Credential, word: Option<&str>) -> Value {
        json!({
            "id": credential.id,
            "card_num": credential.card_num,
            "credential_key": credential.key,
            "claim_status": word.unwrap_or(claim_status(credential.claimed)),
            "user": self.holder_json(Some(credential.user)),
        })
    }

    /// A fob among the credentials: it has nothing to be claimed in an app, so it counts as claimed while it has a holder.
    pub(crate) fn fob_credential_json(&self, fob: &Fob, word: Option<&str>) -> Value {
        json!({
            "id": fob.id,
            "card_num": fob.card_num,
            "credential_key": "",
            "claim_status": word.unwrap_or(claim_status(fob.user.is_some())),
            "user": self.holder_json(fob.user),
        })
    }

    fn holder_json(&self, user: Option<u64>) -> Value {
        let holder = user.and_then(|user| self.user(user));
        holder.iter().map(|user| json!({ "id": user.id, "name": user.listed_name() })).collect()
    }

    /// Battery levels; null where there is no battery.
    pub(crate) fn door_states_json(&self) -> Vec<Value> {
        let level = |percent: u8| f64::from(percent) / 100.0;
        self.doors
            .iter()
            .map(|door| json!({ "id": door.id, "name": door.name, "battery_level": door.battery.map(level) }))
            .collect()
    }

    pub(crate) fn doors_json(&self) -> Vec<Value> {
        self.doors
            .iter()
            .map(|door| {
                json!({
                    "id": door.id,
                    "type": "Access Controlled Door",
                    "name": door.name,
                    "location": door.location,
                    "enabled": door.enabled,
                    "controller": door.controller,
                })
            })
            .collect()
    }
}

fn plain_user_json(user: &User, credential: Option<&Credential>) -> Value {
    json!({
        "id": user.id,
        "id_num": user.id_num,
        "last_name": user.last_name,
        "first_name": user.first_name,
        "card_num": credential.map_or("", |credential| &credential.card_num),
        "credential_key": credential.map_or("", |credential| &credential.key),
        "email": user.email,
        "phone": user.phone,
        "access_effective": time(user.effective),
        "access_expires": time(user.expires),
        "enabled": user.enabled,
    })
}

fn claim_status(claimed: bool) -> &'static str {
    if claimed { "Claimed" } else { "Unclaimed" }
}

pub(crate) fn schedule_json(schedule: &Schedule) -> Value {
    let [d0, d1, d2, d3, d4, d5, d6] = schedule.days.map(u8::from);
    json!({
        "id": schedule.id,
        "name": schedule.name,
        "d0": d0,
        "d1": d1,
        "d2": d2,
        "d3": d3,
        "d4": d4,
        "d5": d5,
        "d6": d6,
        "start": schedule.start.format("%H:%M:%S").to_string(),
        "stop": schedule.stop.format("%H:%M:%S").to_string(),
    })
}

/// The table says `event_time`, every sample says `hw_time`. The subcode is missing where there is none.
pub(crate) fn event_json(id: u64, event: &Happening) -> Value {
    let (code, code_text, category, category_text) = if event.granted {
        (48, "Access Granted", 1, "Door Access Granted")
    } else {
        (49, "Access Denied", 2, "Door Access Denied")
    };
    let mut body = json!({
        "id": id,
        "device": event.device,
        "code": code,
        "code_text": code_text,
        "schedule": event.schedule,
        "controller": "Switch™ Bridge",
        "location": event.location,
        "card_num": event.card_num,
        "user": event.user,
        "category": category,
        "category_text": category_text,
        "hw_time": time(Some(event.hardware_time)),
        "db_time": time(Some(event.recorded)),
    });
    if let Some((subcode, text)) = event.subcode {
        body["subcode"] = json!(subcode);
        body["subcode_text"] = json!(text);
    }
    body
}
