//! The physical side: whether a lock opens for what is presented to it, what it reports, and when that reaches the cache of
//! events. Locks know the records at once: how long a change takes to reach them is not documented.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

use super::state::{Account, Door, Happening, Level, Schedule, User};

/// What a person presents at a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocktPresented {
    /// A credential of this card number, held by the app on a phone; only a claimed one opens.
    Card(String),
    /// A card or tag that carries the card number of a user: there is nothing to be claimed for it (inferred).
    Tag(String),
    /// A fob of this card number.
    Fob(String),
    /// The digits of a user's PIN.
    Pin(String),
}

/// What a lock decides, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocktVerdict {
    /// The door opens.
    Opens,
    /// There is no such door.
    NoSuchDoor,
    /// The door is disabled.
    DoorDisabled,
    /// The lock has no power.
    BatteryMissing,
    /// Nothing like this has been issued.
    Unknown,
    /// Nobody has claimed the credential yet.
    Unclaimed,
    /// The fob is nobody's.
    Unassigned,
    /// The user is disabled.
    UserDisabled,
    /// The access of the user, or of the fob, begins later.
    NotYetEffective,
    /// The access of the user, or of the fob, has ended.
    Expired,
    /// No access level of the user has this door.
    NoAccessLevel,
    /// Not at this time.
    OutsideSchedule,
}

/// Someone or something that may pass: the holder, with a window of its own beside the holder's.
struct Holder<'a> {
    card_num: &'a str,
    fob: Option<u64>,
    refusal: Option<LocktVerdict>,
    user: Option<&'a User>,
    window: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
}

/// What a lock finds for one holder.
struct Finding<'a> {
    verdict: LocktVerdict,
    schedule: &'a str,
    card_num: &'a str,
    user: Option<&'a User>,
    fob: Option<u64>,
}

impl Account {
    /// What the lock of a door decides at a moment.
    pub(crate) fn verdict(&self, door: u64, presented: &LocktPresented, at: DateTime<Utc>) -> LocktVerdict {
        let Some(door) = self.door(door) else { return LocktVerdict::NoSuchDoor };
        self.find(door, presented, at).verdict
    }

    /// Presents something at a door now: the lock decides and reports, and the report is recorded `delay` later.
    pub(crate) fn present(
        &mut self,
        door: u64,
        presented: &LocktPresented,
        now: DateTime<Utc>,
        delay: TimeDelta,
    ) -> LocktVerdict {
        let Some(door) = self.door(door) else { return LocktVerdict::NoSuchDoor };
        let finding = self.find(door, presented, now);
        let (verdict, used) = (finding.verdict, finding.fob);
        let happening = Happening {
            device: door.name.clone(),
            location: door.location.clone(),
            schedule: finding.schedule.to_owned(),
            card_num: finding.card_num.to_owned(),
            user: finding.user.map(User::listed_name).unwrap_or_default(),
            granted: verdict == LocktVerdict::Opens,
            // The only documented subcode.
            subcode: (verdict == LocktVerdict::BatteryMissing).then_some((104, "Battery Missing")),
            hardware_time: now,
            recorded: now.checked_add_signed(delay).unwrap_or(now),
        };
        self.waiting.push(happening);
        if let Some(fob) = self.fobs.iter_mut().find(|fob| Some(fob.id) == used) {
            fob.last_activity = Some(now);
        }
        self.record(now);
        verdict
    }

    /// Records what has arrived by now, in the order of arrival; the oldest events give way. Gives how many were recorded.
    pub(crate) fn record(&mut self, now: DateTime<Utc>) -> usize {
        if self.waiting.iter().all(|happening| happening.recorded > now) {
            return 0;
        }
        let (mut due, waiting): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|happening| happening.recorded <= now);
        self.waiting = waiting;
        due.sort_by_key(|happening| happening.recorded);
        let recorded = due.len();
        for happening in due {
            self.events.push_back((self.next_event, happening));
            self.next_event += 1;
        }
        let surplus = self.events.len().saturating_sub(self.events_cache);
        self.events.drain(..surplus);
        recorded
    }

    /// Records everything that has happened, due or not. Gives how many were recorded.
    pub(crate) fn record_all(&mut self) -> usize {
        let last = self.waiting.iter().map(|happening| happening.recorded).max();
        last.map_or(0, |last| self.record(last))
    }

    /// The finding for the holder who fares best: card numbers and PINs need not be unique.
    fn find<'a>(&'a self, door: &Door, presented: &'a LocktPresented, at: DateTime<Utc>) -> Finding<'a> {
        let holders = self.holders(presented);
        let mut findings: Vec<Finding<'a>> = holders.into_iter().map(|holder| self.judge(door, holder, at)).collect();
        findings.sort_by_key(|finding| finding.verdict != LocktVerdict::Opens);
        let shown = match presented {
            LocktPresented::Card(shown) | LocktPresented::Tag(shown) | LocktPresented::Fob(shown) => shown,
            LocktPresented::Pin(_) => "",
        };
        findings.into_iter().next().unwrap_or_else(|| unknown(door, shown))
    }

    fn holders(&self, presented: &LocktPresented) -> Vec<Holder<'_>> {
        match presented {
            LocktPresented::Card(number) | LocktPresented::Tag(number) => self
                .credentials
                .iter()
                .filter(|credential| credential.card_num == *number)
                .map(|credential| Holder {
                    card_num: &credential.card_num,
                    fob: None,
                    refusal: (!credential.claimed && matches!(presented, LocktPresented::Card(_)))
                        .then_some(LocktVerdict::Unclaimed),
                    user: self.user(credential.user),
                    window: (None, None),
                })
                .collect(),
            LocktPresented::Fob(number) => self
                .fobs
                .iter()
                .filter(|fob| fob.card_num == *number)
                .map(|fob| Holder {
                    card_num: &fob.card_num,
                    fob: Some(fob.id),
                    refusal: fob.user.is_none().then_some(LocktVerdict::Unassigned),
                    user: fob.user.and_then(|user| self.user(user)),
                    window: (fob.effective, fob.expires),
                })
                .collect(),
            LocktPresented::Pin(digits) => self
                .users
                .iter()
                .filter(|user| !digits.is_empty() && user.pin == *digits)
                .map(|user| Holder {
                    card_num: self.credential_of(user.id).map_or("", |credential| &credential.card_num),
                    fob: None,
                    refusal: None,
                    user: Some(user),
                    window: (None, None),
                })
                .collect(),
        }
    }

    fn judge<'a>(&'a self, door: &Door, holder: Holder<'a>, at: DateTime<Utc>) -> Finding<'a> {
        let decided = self.decide(door, &holder, at);
        Finding {
            verdict: decided.err().unwrap_or(LocktVerdict::Opens),
            schedule: decided.ok().flatten().map_or("", |schedule| &schedule.name),
            card_num: holder.card_num,
            user: holder.user,
            fob: holder.fob,
        }
    }

    /// The schedule that lets the holder in, if the level has one, or why nothing does.
    fn decide(&self, door: &Door, holder: &Holder<'_>, at: DateTime<Utc>) -> Result<Option<&Schedule>, LocktVerdict> {
        if let Some(broken) = broken(door) {
            return Err(broken);
        }
        if let Some(refusal) = holder.refusal {
            return Err(refusal);
        }
        let user = holder.user.ok_or(LocktVerdict::Unknown)?;
        if !user.enabled {
            return Err(LocktVerdict::UserDisabled);
        }
        for (effective, expires) in [(user.effective, user.expires), holder.window] {
            if effective.is_some_and(|effective| at < effective) {
                return Err(LocktVerdict::NotYetEffective);
            }
            if expires.is_some_and(|expires| at >= expires) {
                return Err(LocktVerdict::Expired);
            }
        }
        let levels = user.levels.iter().filter_map(|level| self.level(*level));
        let levels: Vec<&Level> = levels.filter(|level| level.doors.contains(&door.id)).collect();
        if levels.is_empty() {
            return Err(LocktVerdict::NoAccessLevel);
        }
        let local = at.with_timezone(&self.zone).naive_local();
        for level in levels {
            let Some(id) = level.schedule else { return Ok(None) };
            let schedule = self.schedules.iter().find(|schedule| schedule.id == id);
            if let Some(schedule) = schedule.filter(|schedule| schedule.covers(local)) {
                return Ok(Some(schedule));
            }
        }
        Err(LocktVerdict::OutsideSchedule)
    }
}

impl Schedule {
    /// Whether a local time belongs to it. The last second counts (the sample stops at 16:59:59); one that stops before it
    /// starts goes on into the next day.
    fn covers(&self, local: NaiveDateTime) -> bool {
        let today = local.weekday().num_days_from_monday();
        let on = |day: u32| usize::try_from(day % 7).ok().and_then(|day| self.days.get(day)).copied().unwrap_or(false);
        let time = local.time().with_nanosecond(0).unwrap_or(local.time());
        if self.start <= self.stop {
            return on(today) && (self.start..=self.stop).contains(&time);
        }
        (on(today) && time >= self.start) || (on(today + 6) && time <= self.stop)
    }
}

/// A door that opens for nobody.
fn broken(door: &Door) -> Option<LocktVerdict> {
    match door {
        Door { enabled: false, .. } => Some(LocktVerdict::DoorDisabled),
        Door { battery: Some(0), .. } => Some(LocktVerdict::BatteryMissing),
        _ => None,
    }
}

fn unknown<'a>(door: &Door, card_num: &'a str) -> Finding<'a> {
    let verdict = broken(door).unwrap_or(LocktVerdict::Unknown);
    Finding { verdict, schedule: "", card_num, user: None, fob: None }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;

    use super::*;

    fn covers(days: [bool; 7], start: &str, stop: &str, local: &str) -> bool {
        let time = |text: &str| text.parse::<NaiveTime>().unwrap();
        let schedule = Schedule { id: 1, name: String::new(), days, start: time(start), stop: time(stop) };
        schedule.covers(local.parse().unwrap())
    }

    #[test]
    fn a_schedule_has_days_and_its_last_second() {
        let weekdays = [true, true, true, true, true, false, false];
        let office = |local| covers(weekdays, "08:00:00", "16:59:59", local);
        assert!(office("2031-03-03T08:00:00"), "Monday morning");
        assert!(office("2031-03-07T16:59:59.500"), "Friday, within the last second");
        assert!(!office("2031-03-07T17:00:00"));
        assert!(!office("2031-03-02T12:00:00"), "Sunday");
    }

    #[test]
    fn a_schedule_over_midnight_belongs_to_the_day_it_starts() {
        let sundays = [false, false, false, false, false, false, true];
        let night = |local| covers(sundays, "22:00:00", "05:59:59", local);
        assert!(night("2031-03-02T23:00:00") && night("2031-03-03T05:00:00"));
        assert!(!night("2031-03-02T05:00:00") && !night("2031-03-03T22:00:00"));
    }
}
