//! R50 to R54: scheduled auto access. What happens when its time comes is in `hardware`.

use chrono::{DateTime, Utc};
use serde_json::{Number, Value, json};

use super::{
    body::{Fields, Refusal, required},
    hardware::Due,
    ok,
    state::Raixer,
    wire::{self, time},
};
use crate::{
    answer::{Answer, Call, Circumstances},
    journal::{EffectKind, Place},
    vendors::Vendor,
};

#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) id: String,
    pub(super) campaign: String,
    minutes: Number,
    /// Milliseconds since 1970, as given.
    start: Number,
    owner: usize,
    pub(super) port: u32,
    created: DateTime<Utc>,
}

impl Schedule {
    pub(super) fn seconds(&self) -> f64 {
        self.minutes.as_f64().unwrap_or_default() * 60.0
    }

    pub(super) fn json(&self, owner: &str) -> Value {
        json!({
            "_id": self.id,
            "campaignId": self.campaign,
            "time": self.minutes,
            "schedule": self.start,
            "owner": owner,
            "doorPort": self.port.to_string(),
            "created": time(self.created),
            "updated": time(self.created),
        })
    }
}

fn moment(start: &Number) -> Option<DateTime<Utc>> {
    let millis = start.as_i64().or_else(|| {
        // A sample of the reference shows the number with a fraction of zero.
        let millis = start.as_f64()?;
        format!("{millis:.0}").parse().ok()
    })?;
    DateTime::from_timestamp_millis(millis)
}

impl Raixer {
    /// The campaign must exist (400 otherwise: it is a parameter) and be the caller's to use.
    fn read_schedule(&self, account: usize, call: &Call) -> Result<(Schedule, DateTime<Utc>), Refusal> {
        let fields = Fields::of(call)?;
        let campaign = required(fields.text("campaignId")?)?.to_owned();
        let minutes = required(fields.number("time")?)?.clone();
        let start = required(fields.number("schedule")?)?.clone();
        let starts = required(moment(&start))?;
        let port = match fields.text("doorPort")? {
            None | Some("1") => 1,
            Some("2") => 2,
            Some("3") => 3,
            Some(_) => return Err(Refusal::BAD_REQUEST),
        };
        match self.may_use_campaign(account, &campaign) {
            None => return Err(Refusal::BAD_REQUEST),
            Some(false) => return Err(Refusal::UNAUTHORIZED),
            Some(true) => {}
        }
        let schedule = Schedule { id: String::new(), campaign, minutes, start, owner: account, port, created: starts };
        Ok((schedule, starts))
    }

    fn schedule(&self, account: usize, call: &Call) -> Result<usize, Refusal> {
        let index = self.schedules.iter().position(|schedule| schedule.id == call.param(0));
        let found = index.and_then(|index| Some((index, self.schedules.get(index)?)));
        let (index, schedule) = found.ok_or(Refusal::NOT_FOUND)?;
        let permitted = schedule.owner == account || self.may_use_campaign(account, &schedule.campaign) == Some(true);
        if permitted { Ok(index) } else { Err(Refusal::UNAUTHORIZED) }
    }

    fn add_schedule(
        &mut self,
        schedule: Schedule,
        starts: DateTime<Utc>,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Value {
        let id = self.fresh_id();
        let schedule = Schedule { id: id.clone(), created: at.now, ..schedule };
        // One whose time is over is kept as a record and never runs.
        if starts >= at.now {
            let key = (starts, self.next());
            self.timeline.insert(key, Due::Start { schedule: id.clone() });
        }
        self.schedule_effect(&schedule, EffectKind::ScheduleCreated, call, at);
        self.schedules.push(schedule);
        wire::inserted(&id)
    }

    fn schedule_effect(&self, schedule: &Schedule, kind: EffectKind, call: &Call, at: &Circumstances<'_>) {
        match self.device_of_campaign(&schedule.campaign) {
            Some(device) => self.changed(device, None, kind, Some(call), at),
            None => {
                let place = Place { vendor: Vendor::Raixer, device: &schedule.campaign, door: None, position: None };
                at.journal.effect(place, kind, at.now, Some(call.sequence));
            }
        }
    }

    /// R50.
    pub(super) fn create_schedule(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let (schedule, starts) = self.read_schedule(account, call)?;
        Ok(ok(&self.add_schedule(schedule, starts, call, at)))
    }

    /// R51: "by removing the old one and creating a new one", so the id is a new one too.
    pub(super) fn update_schedule(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let (schedule, starts) = self.read_schedule(account, call)?;
        let old = self.schedule(account, call)?;
        let old = self.schedules.remove(old);
        self.schedule_effect(&old, EffectKind::ScheduleDeleted, call, at);
        Ok(ok(&self.add_schedule(schedule, starts, call, at)))
    }

    /// R52.
    pub(super) fn delete_schedule(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let index = self.schedule(account, call)?;
        let old = self.schedules.remove(index);
        self.schedule_effect(&old, EffectKind::ScheduleDeleted, call, at);
        Ok(ok(&json!({ "result": true, "msg": "The schedule was deleted correctly" })))
    }

    /// R53.
    pub(super) fn get_schedule(&self, account: usize, call: &Call) -> Result<Answer, Refusal> {
        let schedule = self.schedules.get(self.schedule(account, call)?).ok_or(Refusal::NOT_FOUND)?;
        Ok(ok(&schedule.json(&self.account_id(schedule.owner))))
    }

    /// R54: those of a campaign, or all the caller made.
    pub(super) fn list_schedules(&self, account: usize, call: &Call) -> Result<Answer, Refusal> {
        match call.query("campaignId") {
            Some(campaign) => match self.may_use_campaign(account, campaign) {
                None => Err(Refusal::NOT_FOUND),
                Some(false) => Err(Refusal::UNAUTHORIZED),
                Some(true) => Ok(ok(&self.schedules_json(|schedule| schedule.campaign == campaign))),
            },
            None => Ok(ok(&self.schedules_json(|schedule| schedule.owner == account))),
        }
    }

    pub(super) fn schedules_json(&self, wanted: impl Fn(&Schedule) -> bool) -> Value {
        let found = self.schedules.iter().filter(|schedule| wanted(schedule));
        found.map(|schedule| schedule.json(&self.account_id(schedule.owner))).collect()
    }
}
