//! Making and changing access levels, and giving them to people.

use domain::{
    clock::Timestamp,
    ids::{AccessLevelId, OrganizationId, ScheduleId, UserId},
};
use entities::{
    find,
    rows::{access_assignment, access_level, user},
    store::{
        access::Declined,
        access_levels::{self, AccessLevelChange, NewAccessLevel},
    },
};
use serde_json::json;

use super::{
    acting, concluded, concluded_for_many, done, doors_for, made_before, period, permit, refusal, site_for, user_for,
};
use crate::{
    actions::{Refusal, accounts::Answer, keyed, short_text},
    auth::Session,
    shared::Shared,
};

/// An access level, as a caller says it.
#[derive(Debug, Clone)]
pub(crate) struct NewLevel {
    pub(crate) site: String,
    pub(crate) name: String,
    pub(crate) schedule: Option<String>,
    pub(crate) doors: Vec<String>,
    pub(crate) idempotency_key: Option<String>,
}

/// What is to change of an access level: nothing where it is absent, no schedule any more where it holds nothing.
#[derive(Debug, Clone)]
pub(crate) struct LevelGiven {
    pub(crate) level: String,
    pub(crate) name: Option<String>,
    pub(crate) schedule: Option<Option<String>>,
    pub(crate) doors: Option<Vec<String>>,
}

/// A person who was given an access level, or from whom it was taken.
#[derive(Debug, Clone)]
pub(crate) struct Assigned {
    pub(crate) user: user::Model,
    /// Absent once it is taken away.
    pub(crate) assignment: Option<access_assignment::Model>,
}

/// Makes an access level.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn create_access_level(
    shared: &Shared,
    session: &Session,
    new: NewLevel,
) -> Answer<access_level::Model> {
    let asked = json!([new.site, new.name, new.schedule, new.doors]);
    let checked = permit(shared, session)
        .and_then(|()| keyed(shared, session, "createAccessLevel", new.idempotency_key, &asked))
        .and_then(|key| Ok((key, short_text("name", &new.name)?)));
    let (key, ()) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let site = match site_for(shared, session, &new.site).await? {
        Ok(site) => site,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let doors = match doors_for(shared, session, &new.doors).await? {
        Ok(doors) => doors,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let schedule = match schedule_for(shared, session, new.schedule.as_deref()).await? {
        Ok(schedule) => schedule,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let level = NewAccessLevel {
        id: AccessLevelId(shared.ids.next_uuid()),
        organization: session.principal.organization,
        site,
        name: new.name.trim().to_owned(),
        schedule,
        doors,
    };
    let by = session.principal.actor.to_string();
    match access_levels::create(&shared.database, &acting(shared, &by, Some(&key)), level).await? {
        Ok(changed) => Ok(Ok(done(shared, changed).await)),
        Err(Declined::Repeated(id)) => {
            made_before(find::access_levels::by_ids(&shared.database, &session.scope, &[AccessLevelId(id)]).await?)
        }
        Err(Declined::Gone) => Ok(Err(elsewhere())),
        Err(why) => Ok(Err(refusal(why, "name"))),
    }
}

/// Changes an access level, and what everybody who has it may open.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn update_access_level(
    shared: &Shared,
    session: &Session,
    given: LevelGiven,
) -> Answer<access_level::Model> {
    let row = match level_for(shared, session, &given.level).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let doors = match &given.doors {
        Some(doors) => match doors_for(shared, session, doors).await? {
            Ok(doors) => Some(doors),
            Err(refusal) => return Ok(Err(refusal)),
        },
        None => None,
    };
    let checked = given.name.as_deref().map_or(Ok(()), |name| short_text("name", name));
    if let Err(refusal) = checked {
        return Ok(Err(refusal));
    }
    let schedule = match &given.schedule {
        Some(schedule) => match schedule_for(shared, session, schedule.as_deref()).await? {
            Ok(schedule) => Some(schedule),
            Err(refusal) => return Ok(Err(refusal)),
        },
        None => None,
    };
    let change = AccessLevelChange { name: given.name.map(|name| name.trim().to_owned()), schedule, doors };
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(row.organization_id), AccessLevelId(row.id));
    match access_levels::update(&shared.database, &acting(shared, &by, None), target, change).await? {
        Err(Declined::Gone) => Ok(Err(elsewhere())),
        Err(Declined::ValueTaken) => Ok(Err(Refusal::ValueTaken { field: "doorIds" })),
        outcome => Ok(concluded_for_many(shared, outcome, "accessLevelId").await),
    }
}

/// Deletes an access level, and takes it away from whoever has it.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn delete_access_level(shared: &Shared, session: &Session, id: &str) -> Answer<access_level::Model> {
    let row = match level_for(shared, session, id).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(row.organization_id), AccessLevelId(row.id));
    let outcome = access_levels::delete(&shared.database, &acting(shared, &by, None), target).await?;
    Ok(concluded_for_many(shared, outcome, "accessLevelId").await)
}

/// Gives a person an access level for a time.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn assign_access_level(
    shared: &Shared,
    session: &Session,
    level: &str,
    user: &str,
    (from, until): (Option<Timestamp>, Option<Timestamp>),
) -> Answer<Assigned> {
    let level = match level_for(shared, session, level).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let user = match user_for(shared, session, user).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let period = match period(from, until) {
        Ok(period) => period,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(level.organization_id), AccessLevelId(level.id), UserId(user.id));
    let outcome = access_levels::assign(&shared.database, &acting(shared, &by, None), target, period).await?;
    let concluded = concluded(shared, outcome, "userId").await;
    Ok(concluded.map(|assignment| Assigned { user, assignment: Some(assignment) }))
}

/// Takes an access level away from a person.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn unassign_access_level(
    shared: &Shared,
    session: &Session,
    level: &str,
    user: &str,
) -> Answer<Assigned> {
    let level = match level_for(shared, session, level).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let user = match user_for(shared, session, user).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(level.organization_id), AccessLevelId(level.id), UserId(user.id));
    let outcome = access_levels::unassign(&shared.database, &acting(shared, &by, None), target).await?;
    Ok(concluded(shared, outcome, "userId").await.map(|_| Assigned { user, assignment: None }))
}

/// An access level that the caller sees and may change.
async fn level_for(shared: &Shared, session: &Session, id: &str) -> Answer<access_level::Model> {
    if let Err(refusal) = permit(shared, session) {
        return Ok(Err(refusal));
    }
    let absent = Refusal::NotFound { field: "accessLevelId" };
    let Ok(id) = id.parse::<AccessLevelId>() else { return Ok(Err(absent)) };
    let found = find::access_levels::by_ids(&shared.database, &session.scope, &[id]).await?;
    Ok(found.into_iter().next().ok_or(absent))
}

/// A schedule that the caller sees, if one is named.
async fn schedule_for(shared: &Shared, session: &Session, id: Option<&str>) -> Answer<Option<ScheduleId>> {
    let absent = Refusal::NotFound { field: "scheduleId" };
    let Some(id) = id else { return Ok(Ok(None)) };
    let Ok(id) = id.parse::<ScheduleId>() else { return Ok(Err(absent)) };
    let found = find::access_levels::schedules_by_ids(&shared.database, &session.scope, &[id]).await?;
    Ok(if found.is_empty() { Err(absent) } else { Ok(Some(id)) })
}

/// All were found in scope; they are not at the site of the level, or gone since.
fn elsewhere() -> Refusal {
    let message = "The doors and the schedule of an access level are at its own site.".to_owned();
    Refusal::InvalidInput { field: "doorIds", message }
}
