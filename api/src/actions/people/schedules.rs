//! Making and changing schedules.

use std::collections::BTreeSet;

use chrono::NaiveTime;
use domain::{
    ids::{OrganizationId, ScheduleId},
    schedule::{DayRange, Week},
};
use entities::{
    find,
    rows::schedule,
    store::{
        access::Declined,
        schedules::{self, NewSchedule, ScheduleChange},
    },
};
use serde_json::json;

use super::{acting, concluded, concluded_for_many, done, made_before, permit, refusal, site_for};
use crate::{
    actions::{Refusal, accounts::Answer, keyed, short_text},
    auth::Session,
    shared::Shared,
};

/// A range of a pattern, as a caller says it: days, beginning and end.
pub(crate) type RangeGiven = (Vec<i32>, String, String);

/// A schedule, as a caller says it.
#[derive(Debug, Clone)]
pub(crate) struct NewPattern {
    pub(crate) site: String,
    pub(crate) name: String,
    pub(crate) ranges: Vec<RangeGiven>,
    pub(crate) idempotency_key: Option<String>,
}

/// What is to change of a schedule.
#[derive(Debug, Clone)]
pub(crate) struct PatternGiven {
    pub(crate) schedule: String,
    pub(crate) name: Option<String>,
    pub(crate) ranges: Option<Vec<RangeGiven>>,
}

/// Makes a schedule.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn create_schedule(shared: &Shared, session: &Session, new: NewPattern) -> Answer<schedule::Model> {
    let asked = json!([new.site, new.name, new.ranges]);
    let checked = permit(shared, session)
        .and_then(|()| keyed(shared, session, "createSchedule", new.idempotency_key, &asked))
        .and_then(|key| Ok((key, short_text("name", &new.name)?, week(new.ranges)?)));
    let (key, (), week) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let site = match site_for(shared, session, &new.site).await? {
        Ok(site) => site,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (id, name) = (ScheduleId(shared.ids.next_uuid()), new.name.trim().to_owned());
    let pattern = NewSchedule { id, organization: session.principal.organization, site, name, week };
    let by = session.principal.actor.to_string();
    match schedules::create(&shared.database, &acting(shared, &by, Some(&key)), pattern).await? {
        Ok(changed) => Ok(Ok(done(shared, changed).await)),
        Err(Declined::Repeated(id)) => {
            let ids = [ScheduleId(id)];
            made_before(find::access_levels::schedules_by_ids(&shared.database, &session.scope, &ids).await?)
        }
        Err(why) => Ok(Err(refusal(why, "name"))),
    }
}

/// Changes a schedule, and when everybody may enter whom it lets in.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn update_schedule(
    shared: &Shared,
    session: &Session,
    given: PatternGiven,
) -> Answer<schedule::Model> {
    let row = match schedule_for(shared, session, &given.schedule).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let checked = given.name.as_deref().map_or(Ok(()), |name| short_text("name", name));
    let change = match checked.and_then(|()| given.ranges.map(week).transpose()) {
        Ok(week) => ScheduleChange { name: given.name.map(|name| name.trim().to_owned()), week },
        Err(refusal) => return Ok(Err(refusal)),
    };
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(row.organization_id), ScheduleId(row.id));
    let outcome = schedules::update(&shared.database, &acting(shared, &by, None), target, change).await?;
    Ok(concluded_for_many(shared, outcome, "scheduleId").await)
}

/// Deletes a schedule that no access level uses.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn delete_schedule(shared: &Shared, session: &Session, id: &str) -> Answer<schedule::Model> {
    let row = match schedule_for(shared, session, id).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(row.organization_id), ScheduleId(row.id));
    let outcome = schedules::delete(&shared.database, &acting(shared, &by, None), target).await?;
    Ok(concluded(shared, outcome, "scheduleId").await)
}

/// A schedule that the caller sees and may change.
async fn schedule_for(shared: &Shared, session: &Session, id: &str) -> Answer<schedule::Model> {
    if let Err(refusal) = permit(shared, session) {
        return Ok(Err(refusal));
    }
    let absent = Refusal::NotFound { field: "scheduleId" };
    let Ok(id) = id.parse::<ScheduleId>() else { return Ok(Err(absent)) };
    let found = find::access_levels::schedules_by_ids(&shared.database, &session.scope, &[id]).await?;
    Ok(found.into_iter().next().ok_or(absent))
}

fn week(ranges: Vec<RangeGiven>) -> Result<Week, Refusal> {
    let wrong = |message: String| Refusal::InvalidInput { field: "ranges", message };
    let time = |text: &str| {
        let read = NaiveTime::parse_from_str(text, "%H:%M:%S").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M"));
        read.map_err(|_| wrong("A time is HH:MM or HH:MM:SS, from 00:00 to 23:59:59.".to_owned()))
    };
    let mut week = Week::default();
    for (days, starts, ends) in ranges {
        let days = days.into_iter().map(|day| u8::try_from(day).unwrap_or(u8::MAX)).collect::<BTreeSet<u8>>();
        week.ranges.push(DayRange { days, starts: time(&starts)?, ends: time(&ends)? });
    }
    week.check().map_err(|fault| wrong(fault.to_string()))?;
    Ok(week)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_checked() {
        let range = |days: &[i32], starts: &str, ends: &str| (days.to_vec(), starts.to_owned(), ends.to_owned());
        let read = week(vec![range(&[0, 4, 4], "09:00", "17:30:15")]).unwrap();
        assert_eq!(read.ranges[0].days, BTreeSet::from([0, 4]));
        assert_eq!(read.ranges[0].ends, NaiveTime::from_hms_opt(17, 30, 15).unwrap());
        for odd in [
            range(&[], "09:00", "17:00"),
            range(&[7], "09:00", "17:00"),
            range(&[-1], "09:00", "17:00"),
            range(&[1], "24:00", "17:00"),
            range(&[1], "9am", "17:00"),
            range(&[1], "23:59:60", "17:00"),
        ] {
            assert!(matches!(week(vec![odd.clone()]), Err(Refusal::InvalidInput { field: "ranges", .. })), "{odd:?}");
        }
    }
}
