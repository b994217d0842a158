//! Lockt's words in ours; pure. What was not told stays absent, and an unknown word claims nothing. `None` for whatever
//! has no id.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use domain::{
    clock::Timestamp,
    device::{DeviceDetails, Health},
    door::{DoorKind, DoorReading, Mode},
    record::{
        AccessLevelDetails, CredentialDetails, CredentialStatus, CredentialSummary, CredentialType, FoundRecord,
        RecordDetails, ScheduleDetails, UserDetails,
    },
    secret::Secret,
};
use serde_json::Value;

use super::{
    wire,
    zone::{Edge, Zone},
};
use crate::port::{FoundDevice, FoundDoor};

/// The one record of how many credentials are claimed.
pub(super) const SUMMARY_ID: &str = "credentials";

/// A door, with its battery if told: a device with one door, which nothing opens from here.
pub(super) fn device(door: &wire::Door, batteries: &BTreeMap<&str, i32>) -> Option<FoundDevice> {
    let external_id = door.id.clone()?;
    let name = door.name.clone().unwrap_or_else(|| external_id.clone());
    let more = door.controller.iter().map(|controller| ("controller".to_owned(), controller.clone())).collect();
    let model = door.kind.clone().unwrap_or_default();
    let mode = door.enabled.map(|enabled| if enabled { Mode::Normal } else { Mode::Blocked });
    Some(FoundDevice {
        location: door.location.clone().unwrap_or_default(),
        health: Health::Unknown,
        health_since: None,
        firmware: None,
        battery_percent: batteries.get(external_id.as_str()).copied(),
        details: DeviceDetails { more, ..DeviceDetails::default() },
        capabilities: BTreeSet::new(),
        doors: vec![FoundDoor {
            external_id: external_id.clone(),
            name: name.clone(),
            kind: door_kind(&model),
            position: 1,
            capabilities: BTreeSet::new(),
            reading: DoorReading { mode, ..DoorReading::default() },
            settings: None,
            phone_access: None,
        }],
        external_id,
        name,
        model,
    })
}

fn door_kind(word: &str) -> DoorKind {
    let word = word.to_ascii_lowercase();
    [("elevator", DoorKind::Elevator), ("gate", DoorKind::Gate), ("garage", DoorKind::Garage), ("door", DoorKind::Door)]
        .into_iter()
        .find_map(|(part, kind)| word.contains(part).then_some(kind))
        .unwrap_or(DoorKind::Other)
}

/// Charges in percent by the id of the door; what is no share of a whole is not told.
pub(super) fn batteries(states: &[wire::DoorState]) -> BTreeMap<&str, i32> {
    let percent = |level: &str| {
        let level = level.parse::<f64>().ok().filter(|level| (0.0..=1.0).contains(level))?;
        #[expect(clippy::cast_possible_truncation, reason = "it is between 0 and 100")]
        let percent = (level * 100.0).round() as i32;
        Some(percent)
    };
    let told =
        states.iter().filter_map(|state| Some((state.id.as_deref()?, percent(state.battery_level.as_deref()?)?)));
    told.collect()
}

/// A person, or a fob as the list of people shows it.
pub(super) fn user(user: &wire::User, zone: Zone) -> Option<FoundRecord> {
    let external_id = user.id.clone()?;
    let full_name: Vec<&str> = [&user.first_name, &user.last_name].into_iter().flatten().map(String::as_str).collect();
    let full_name = Some(full_name.join(" ")).filter(|name| !name.is_empty());
    let name = full_name.or_else(|| user.name.clone()).or_else(|| user.id_num.clone());
    let period = Period::of(user, zone);
    Some(FoundRecord {
        name: name.unwrap_or_else(|| external_id.clone()),
        external_id,
        device: None,
        location: String::new(),
        details: RecordDetails::User(UserDetails {
            id_number: user.id_num.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            email: user.email.clone(),
            phone: user.phone.clone(),
            card_number: user.card_num.clone(),
            enabled: user.enabled.filter(|_| period.readable),
            access_from: period.from,
            access_until: period.until,
            access_levels: levels(user),
            language: None,
        }),
        secret: user.credential_key.as_deref().map(Secret::new),
    })
}

/// A credential. With a registration key it is one of the app's, without a card.
pub(super) fn credential(credential: &wire::Credential) -> Option<FoundRecord> {
    let external_id = credential.id.clone()?;
    let holder = credential.user.first();
    let name = holder.and_then(|holder| holder.name.clone()).or_else(|| credential.card_num.clone());
    let app = credential.credential_key.is_some();
    Some(FoundRecord {
        name: name.unwrap_or_else(|| external_id.clone()),
        external_id,
        device: None,
        location: String::new(),
        details: RecordDetails::Credential(CredentialDetails {
            credential_type: if app { CredentialType::MobileKey } else { CredentialType::Card },
            status: match credential.claim_status.as_deref() {
                Some("CLAIMED") => CredentialStatus::Claimed,
                Some("UNCLAIMED") => CredentialStatus::Unclaimed,
                _ => CredentialStatus::Unknown,
            },
            number: credential.card_num.clone(),
            id_number: None,
            user: holder.and_then(|holder| holder.id.clone()),
            access_from: None,
            access_until: None,
            access_levels: None,
            last_used_at: None,
        }),
        secret: credential.credential_key.as_deref().map(Secret::new),
    })
}

/// A fob, with when it was last seen and who holds it, where those lists know it.
pub(super) fn fob(
    fob: &wire::Fob,
    checks: &[wire::FobCheck],
    credentials: &[wire::Credential],
    zone: Zone,
) -> Option<FoundRecord> {
    let external_id = fob.id.clone()?;
    let period = Period::of(fob, zone);
    let last_used_at = checks.iter().find(|check| check.id == fob.id).and_then(|check| last_seen(check, zone));
    let holder = holder(fob, credentials);
    let name = fob.name.clone().or_else(|| fob.card_num.clone()).unwrap_or_else(|| external_id.clone());
    Some(FoundRecord {
        external_id,
        device: None,
        location: String::new(),
        name,
        details: RecordDetails::Credential(CredentialDetails {
            credential_type: CredentialType::Fob,
            status: match fob.enabled {
                Some(true) if period.readable => CredentialStatus::Active,
                Some(false) => CredentialStatus::Suspended,
                _ => CredentialStatus::Unknown,
            },
            number: fob.card_num.clone(),
            id_number: fob.id_num.clone(),
            user: holder.and_then(|holder| holder.id.clone()),
            access_from: period.from,
            access_until: period.until,
            access_levels: levels(fob),
            last_used_at,
        }),
        secret: fob.credential_key.as_deref().map(Secret::new),
    })
}

/// Who holds a fob: only the list of credentials tells.
pub(super) fn holder<'a>(fob: &wire::Fob, credentials: &'a [wire::Credential]) -> Option<&'a wire::Named> {
    let by_id = credentials.iter().find(|credential| credential.id == fob.id);
    let by_card =
        || credentials.iter().find(|credential| fob.card_num.is_some() && credential.card_num == fob.card_num);
    by_id.or_else(by_card)?.user.first()
}

/// The document names no member: whatever begins with `last` and is a time is taken for it.
fn last_seen(check: &wire::FobCheck, zone: Zone) -> Option<Timestamp> {
    let told = check.more.iter().filter(|(name, _)| name.to_ascii_lowercase().starts_with("last"));
    told.filter_map(|(_, value)| zone.read(value.as_str()?.trim(), Edge::Until)).max()
}

/// Doors that are granted together.
pub(super) fn access_level(level: &wire::AccessLevel) -> Option<FoundRecord> {
    let external_id = level.id.clone()?;
    Some(FoundRecord {
        name: level.name.clone().unwrap_or_else(|| external_id.clone()),
        external_id,
        device: None,
        location: String::new(),
        // A level without doors has no such member (document 002).
        details: RecordDetails::AccessLevel(AccessLevelDetails {
            doors: level.doors.iter().flatten().cloned().collect(),
        }),
        secret: None,
    })
}

/// A weekly pattern. One whose times can not be read is on no day.
pub(super) fn schedule(schedule: &wire::Schedule) -> Option<FoundRecord> {
    let external_id = schedule.id.clone()?;
    let on = |day: &u8| {
        let flag = schedule.more.get(&format!("d{day}")).and_then(wire::text);
        flag.is_some_and(|flag| matches!(flag.to_ascii_lowercase().as_str(), "1" | "true"))
    };
    let times = time(schedule.start.as_deref()).zip(time(schedule.stop.as_deref()));
    let (starts, ends) = times.unwrap_or_default();
    Some(FoundRecord {
        name: schedule.name.clone().unwrap_or_else(|| external_id.clone()),
        external_id,
        device: None,
        location: String::new(),
        details: RecordDetails::Schedule(ScheduleDetails {
            days: if times.is_some() { (0..7).filter(on).collect() } else { BTreeSet::new() },
            starts,
            ends,
        }),
        secret: None,
    })
}

fn time(text: Option<&str>) -> Option<NaiveTime> {
    let text = text?;
    if text == "24:00:00" {
        return NaiveTime::from_hms_opt(23, 59, 59);
    }
    ["%H:%M:%S", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

/// The number in an answer that the document does not show: digits, alone or under a name that speaks of a card.
pub(super) fn card_number(body: &Value) -> Option<String> {
    let data = body.get("data").unwrap_or(body);
    let data = data.as_array().map_or(Some(data), |items| items.first())?;
    let value = match data {
        Value::Object(members) if members.len() > 1 => {
            members.iter().find(|(name, _)| name.to_ascii_lowercase().contains("card"))?.1
        }
        Value::Object(members) => members.values().next()?,
        value => value,
    };
    wire::text(value).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How many credentials are claimed. The document shows no answer: counts are looked for under their words.
pub(super) fn summary(body: &Value) -> FoundRecord {
    let mut summary = CredentialSummary::default();
    collect_counts(body, &mut summary, 0);
    FoundRecord {
        external_id: SUMMARY_ID.to_owned(),
        device: None,
        location: String::new(),
        name: "Credentials".to_owned(),
        details: RecordDetails::CredentialSummary(summary),
        secret: None,
    }
}

fn collect_counts(value: &Value, summary: &mut CredentialSummary, depth: u8) {
    let count = |value: &Value| wire::text(value).and_then(|text| text.parse::<i64>().ok()).filter(|count| *count >= 0);
    let mut tell = |word: &str, told: Option<i64>| {
        let word = word.to_ascii_lowercase();
        if word.contains("unclaimed") {
            summary.unclaimed = summary.unclaimed.or(told);
        } else if word.contains("claimed") {
            summary.claimed = summary.claimed.or(told);
        }
    };
    match value {
        Value::Object(members) => {
            // Either `{claimed: 3}` or `{claim_status: "Claimed", count: 3}`.
            let number = || members.iter().filter(|(name, _)| *name != "id").find_map(|(_, value)| count(value));
            for (name, value) in members {
                match value.as_str() {
                    Some(word) if count(value).is_none() => tell(word, number()),
                    _ => tell(name, count(value)),
                }
            }
            if depth < 4 {
                members.values().for_each(|value| collect_counts(value, summary, depth + 1));
            }
        }
        Value::Array(items) if depth < 4 => items.iter().for_each(|item| collect_counts(item, summary, depth + 1)),
        _ => {}
    }
}

/// From when until when somebody may enter.
struct Period {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    /// False when a time was told that is none: absent, it would look like no limit.
    readable: bool,
}

impl Period {
    fn of(user: &wire::User, zone: Zone) -> Self {
        let read = |text: &Option<String>, edge| text.as_deref().map(|text| zone.read(text, edge));
        let (from, until) = (read(&user.access_effective, Edge::From), read(&user.access_expires, Edge::Until));
        Self { readable: from != Some(None) && until != Some(None), from: from.flatten(), until: until.flatten() }
    }
}

fn levels(user: &wire::User) -> Option<BTreeSet<String>> {
    user.accesslevels.as_ref().map(|levels| levels.iter().cloned().collect())
}

#[cfg(test)]
mod tests;
