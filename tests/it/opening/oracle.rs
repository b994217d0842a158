//! Who can open what, found by walking over all rows again and again: nothing here is shared with the product but what the
//! rows mean.

use std::collections::BTreeSet;

use chrono::{Datelike, TimeDelta};
use chrono_tz::Tz;
use domain::{
    clock::Timestamp,
    device::Health,
    door::Mode,
    ids::{AccessTokenId, DoorId},
    placement::{Desired, PlacementState, Wish},
    record::{CredentialStatus, CredentialType, RecordDetails},
    schedule::Week,
};
use entities::rows::{door, placement, record, reservation};
use gatehouse_tests::crowd::Crowd;
use uuid::Uuid;

/// Who, by which path, through what, how surely, from and until when.
pub(super) type Told = (Uuid, String, Vec<Uuid>, &'static str, Option<Timestamp>, Option<Timestamp>);

/// All rows; what they hold as JSON is read once.
pub(super) struct Rows {
    pub(super) crowd: Crowd,
    placements: Vec<Placed>,
    records: Vec<(record::Model, RecordDetails)>,
}

/// A placement, what is wished of it and what was sent.
struct Placed {
    row: placement::Model,
    wish: Option<Wish>,
    sent: Option<Wish>,
}

fn inside(from: Option<Timestamp>, until: Option<Timestamp>, at: Timestamp) -> bool {
    !(from.is_some_and(|from| at < from) || until.is_some_and(|until| at >= until))
}

/// A wish with the times that its vendor is sent: none where it keeps none.
fn sent_times(wish: &Wish) -> (Option<Timestamp>, Option<Timestamp>) {
    if let Wish::CardHolder(wish) = wish { (wish.from, wish.until) } else { (None, None) }
}

/// Whether a weekly pattern holds at an instant, found by going back minute by minute to when a range began.
fn counts(week: &Week, zone: Tz, at: Timestamp) -> bool {
    let local = at.with_timezone(&zone).naive_local();
    week.ranges.iter().any(|range| {
        let lasts = (range.ends - range.starts).num_minutes();
        let lasts = if lasts <= 0 { lasts + 24 * 60 } else { lasts };
        // The ranges of a crowd begin and end on the hour.
        let into_the_hour = i64::from(chrono::Timelike::minute(&local));
        (0..=24).map(|hours| hours * 60 + into_the_hour).any(|back| {
            let then = local - TimeDelta::minutes(back);
            let day = u8::try_from(then.weekday().num_days_from_monday()).unwrap();
            back < lasts && then.time() == range.starts && range.days.contains(&day)
        })
    })
}

impl Rows {
    pub(super) fn of(crowd: Crowd, records: Vec<record::Model>) -> Self {
        let placed = |row: &placement::Model| Placed {
            row: row.clone(),
            wish: row.wish().unwrap(),
            sent: row.progress().unwrap().sent,
        };
        let read = |row: record::Model| {
            let details = row.details().unwrap();
            (row, details)
        };
        Self {
            placements: crowd.placements.iter().map(placed).collect(),
            records: records.into_iter().map(read).collect(),
            crowd,
        }
    }

    fn stay(&self, token: Uuid) -> Option<&reservation::Model> {
        let token = self.crowd.tokens.iter().find(|row| row.id == token)?;
        self.crowd.reservations.iter().find(|row| row.id == token.reservation_id)
    }

    /// Who holds what a placement is of: the person, or the stay whose guest is not known.
    fn holder(&self, row: &placement::Model) -> Uuid {
        if let Some(token) = row.token_id {
            let stay = self.stay(token).unwrap();
            return stay.guest_id.unwrap_or(stay.id);
        }
        self.crowd.credentials.iter().find(|it| Some(it.id) == row.credential_id).unwrap().user_id
    }

    fn sure(&self, door: Uuid, at: Timestamp, is_theirs: impl Fn(&placement::Model) -> bool) -> &'static str {
        let mut sure = "PERMITTED";
        for Placed { row, wish, sent } in &self.placements {
            if row.state == "REVOKED" || !is_theirs(row) {
                continue;
            }
            let is_wished = wish
                .as_ref()
                .is_some_and(|wish| wish.doors().contains(&DoorId(door)) && inside(wish.from(), wish.until(), at));
            if row.desired == "PRESENT" && row.state == "CONFIRMED" && is_wished {
                return "CONFIRMED";
            }
            if sent.as_ref().is_some_and(|sent| {
                let (from, until) = sent_times(sent);
                sent.doors().contains(&DoorId(door)) && inside(from, until, at)
            }) {
                sure = "EXPECTED";
            }
        }
        sure
    }

    /// Everybody who can open a door.
    pub(super) fn people(&self, door: &door::Model, at: Timestamp) -> BTreeSet<Told> {
        let mut told = BTreeSet::new();
        self.by_token(door.id, at, &mut told);
        self.by_credential(door.id, at, &mut told);
        self.by_level(door.id, at, &mut told);
        self.not_yet_gone(door.id, at, &mut told);
        self.by_record(door, at, &mut told);
        told
    }

    fn by_token(&self, door: Uuid, at: Timestamp, told: &mut BTreeSet<Told>) {
        for row in self.crowd.token_doors.iter().filter(|row| row.door_id == door) {
            let token = self.crowd.tokens.iter().find(|token| token.id == row.access_token_id).unwrap();
            let until = row.leaves_at.map_or(token.valid_until, |leaves| leaves.min(token.valid_until));
            let is_over = ["REVOKING", "REVOKED"].contains(&token.state.as_str());
            if is_over || !inside(Some(token.valid_from), Some(until), at) {
                continue;
            }
            let stay = self.stay(token.id).unwrap();
            let who = stay.guest_id.unwrap_or(stay.id);
            let sure = self.sure(door, at, |placement| placement.token_id == Some(token.id));
            let through = vec![token.id, stay.id];
            told.insert((who, "ACCESS_TOKEN".to_owned(), through, sure, Some(token.valid_from), Some(until)));
        }
    }

    fn by_credential(&self, door: Uuid, at: Timestamp, told: &mut BTreeSet<Told>) {
        for row in self.crowd.credential_doors.iter().filter(|row| row.door_id == door) {
            let credential = self.crowd.credentials.iter().find(|it| it.id == row.credential_id).unwrap();
            if credential.state == "ACTIVE" && inside(credential.valid_from, credential.valid_until, at) {
                let sure = self.sure(door, at, |placement| placement.credential_id == Some(credential.id));
                let (from, until) = (credential.valid_from, credential.valid_until);
                let through = vec![credential.id];
                told.insert((credential.user_id, "CREDENTIAL".to_owned(), through, sure, from, until));
            }
        }
    }

    fn by_level(&self, door: Uuid, at: Timestamp, told: &mut BTreeSet<Told>) {
        for row in self.crowd.level_doors.iter().filter(|row| row.door_id == door) {
            let level = self.crowd.levels.iter().find(|level| level.id == row.access_level_id).unwrap();
            if let Some(schedule) = level.schedule_id {
                let schedule = self.crowd.schedules.iter().find(|row| row.id == schedule).unwrap();
                let site = self.crowd.sites.iter().find(|site| site.id == schedule.site_id).unwrap();
                let week: Week = serde_json::from_value(schedule.week.clone()).unwrap();
                if !counts(&week, site.time_zone.parse().unwrap(), at) {
                    continue;
                }
            }
            let assigned = self.crowd.assignments.iter().filter(|row| row.access_level_id == level.id);
            for assignment in assigned.filter(|row| inside(row.valid_from, row.valid_until, at)) {
                let is_theirs = |placement: &placement::Model| {
                    let credential = self.crowd.credentials.iter().find(|it| Some(it.id) == placement.credential_id);
                    credential.is_some_and(|it| it.user_id == assignment.user_id)
                };
                let sure = self.sure(door, at, is_theirs);
                let mut through = vec![assignment.id, level.id];
                through.extend(level.schedule_id);
                let (from, until) = (assignment.valid_from, assignment.valid_until);
                told.insert((assignment.user_id, "ACCESS_LEVEL".to_owned(), through, sure, from, until));
            }
        }
    }

    fn not_yet_gone(&self, door: Uuid, at: Timestamp, told: &mut BTreeSet<Told>) {
        for Placed { row, wish, sent } in &self.placements {
            let Some(sent) = sent else { continue };
            let (from, until) = sent_times(sent);
            let is_at_rest = [PlacementState::Waiting, PlacementState::Confirmed, PlacementState::Revoked];
            let is_meant = row.desired().unwrap() == Desired::Present
                && wish
                    .as_ref()
                    .is_some_and(|wish| wish.doors().contains(&DoorId(door)) && inside(wish.from(), wish.until(), at));
            let may_open = sent.doors().contains(&DoorId(door)) && inside(from, until, at);
            if may_open && !is_meant && !is_at_rest.contains(&row.state().unwrap()) {
                let mut through = vec![row.id];
                through.extend(row.token_id);
                through.extend(row.credential_id);
                let reason = "REVOCATION_NOT_CONFIRMED".to_owned();
                told.insert((self.holder(row), reason, through, "POSSIBLE", from, until));
            }
        }
    }

    /// Whether a record is one of our placements that may still be there.
    fn is_ours(&self, row: &record::Model, details: &RecordDetails, door: Uuid) -> bool {
        self.placements.iter().filter(|placed| placed.row.state != "REVOKED").any(|placed| {
            let (placement, Some(wish)) = (&placed.row, &placed.wish) else { return false };
            let is_it = placement.account_id == row.account_id
                && placement.external_id.as_ref() == Some(&row.external_id)
                && wish.record_kind() == details.kind();
            let is_marked = match (details, wish) {
                (RecordDetails::User(user), Wish::CardHolder(wish)) => user.id_number.as_ref() == Some(&wish.id_number),
                _ => false,
            };
            let mut of_it = std::iter::once(wish).chain(&placed.sent);
            let concerns = of_it.any(|wish| wish.doors().contains(&DoorId(door)));
            let is_under_way = !["WAITING", "CONFIRMED"].contains(&placement.state.as_str());
            is_it || is_marked && is_under_way && concerns
        })
    }

    fn by_record(&self, door: &door::Model, at: Timestamp, told: &mut BTreeSet<Told>) {
        let device = self.crowd.devices.iter().find(|device| device.id == door.device_id).unwrap();
        let here: Vec<&(record::Model, RecordDetails)> = self
            .records
            .iter()
            .filter(|(row, _)| row.account_id == device.account_id && row.missing_since.is_none())
            .collect();
        let sure = |enabled: Option<bool>, sure: &'static str| if enabled.is_none() { "POSSIBLE" } else { sure };
        for (row, details) in here.iter().copied() {
            if self.is_ours(row, details, door.id) {
                continue;
            }
            match details {
                RecordDetails::DeviceAccess(access) if row.device_id == Some(device.id) && !access.disabled => {
                    told.insert((row.id, "DEVICE_ACCESS".to_owned(), vec![row.id], "CONFIRMED", None, None));
                }
                RecordDetails::Credential(phone)
                    if row.device_id == Some(device.id)
                        && phone.credential_type == CredentialType::PhoneNumber
                        && phone.status != CredentialStatus::Suspended
                        && inside(phone.access_from, phone.access_until, at)
                        && door.phone_access().unwrap().is_some_and(|access| access.enabled) =>
                {
                    let known = (phone.status == CredentialStatus::Active).then_some(true);
                    let (from, until) = (phone.access_from, phone.access_until);
                    told.insert((row.id, "PHONE".to_owned(), vec![row.id], sure(known, "CONFIRMED"), from, until));
                }
                RecordDetails::User(user)
                    if user.enabled != Some(false) && inside(user.access_from, user.access_until, at) =>
                {
                    for (level, its) in here.iter().copied() {
                        let RecordDetails::AccessLevel(its) = its else { continue };
                        let has_it = user.access_levels.as_ref().is_some_and(|all| all.contains(&level.external_id));
                        if has_it && its.doors.contains(&door.external_id) {
                            let through = vec![row.id, level.id];
                            let reason = "VENDOR_ACCESS_LEVEL".to_owned();
                            let sure = sure(user.enabled, "EXPECTED");
                            told.insert((row.id, reason, through, sure, user.access_from, user.access_until));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// What lets anybody in: for nobody in particular.
    pub(super) fn anybody(&self, door: &door::Model, at: Timestamp) -> BTreeSet<Told> {
        let mut told = BTreeSet::new();
        let mut tell = |reason: &str, through: Vec<Uuid>, sure, from, until| {
            told.insert((Uuid::nil(), reason.to_owned(), through, sure, from, until));
        };
        let device = self.crowd.devices.iter().find(|device| device.id == door.device_id).unwrap();
        let details = device.details().unwrap();
        let mode = door.state().unwrap().mode.unwrap();
        let age = at - mode.received_at;
        let seen = if age >= TimeDelta::zero() && age <= TimeDelta::minutes(15) { "CONFIRMED" } else { "POSSIBLE" };
        if door.phone_access().unwrap().is_some_and(|access| access.any_caller) {
            tell("ANY_CALLER", Vec::new(), "CONFIRMED", None, None);
        }
        if mode.value == Mode::AutoAccess {
            tell("AUTO_ACCESS", Vec::new(), seen, None, None);
        }
        for (row, its) in self.records.iter().filter(|(row, _)| row.device_id == Some(device.id)) {
            let RecordDetails::AutoAccessSchedule(its) = its else { continue };
            let until = its.starts_at + TimeDelta::minutes(i64::from(its.minutes));
            let is_here = its.position.is_none() || its.position == Some(door.position);
            if is_here && row.missing_since.is_none() && inside(Some(its.starts_at), Some(until), at) {
                tell("AUTO_ACCESS", vec![row.id], "EXPECTED", Some(its.starts_at), Some(until));
            }
        }
        if details.auto_access_always_active == Some(true) {
            tell("ALWAYS_ACTIVE", Vec::new(), "CONFIRMED", None, None);
        } else if mode.value == Mode::AlwaysActive {
            tell("ALWAYS_ACTIVE", Vec::new(), seen, None, None);
        }
        let is_offline = matches!(device.health().unwrap(), Health::Offline | Health::Dead);
        if is_offline && inside(device.health_since, None, at) {
            if details.offline_auto_access == Some(true) {
                tell("OFFLINE_CONTINGENCY", Vec::new(), "CONFIRMED", device.health_since, None);
            } else if mode.value == Mode::OfflineContingency {
                tell("OFFLINE_CONTINGENCY", Vec::new(), seen, device.health_since, None);
            }
        }
        told
    }

    /// The ids of everybody who is a user here.
    pub(super) fn users(&self) -> BTreeSet<Uuid> {
        self.crowd.users.iter().map(|user| user.id).collect()
    }

    /// Every token's mark, for looking whether the crowd has cases of it.
    pub(super) fn marks(&self) -> usize {
        let marks: BTreeSet<String> =
            self.crowd.tokens.iter().map(|token| AccessTokenId(token.id).to_string()).collect();
        let is_marked = |details: &RecordDetails| match details {
            RecordDetails::User(user) => user.id_number.as_ref().is_some_and(|number| marks.contains(number)),
            _ => false,
        };
        self.records.iter().filter(|(_, details)| is_marked(details)).count()
    }
}
