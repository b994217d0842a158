//! What is granted here: tokens, credentials and access levels.

use std::{collections::HashMap, sync::Arc};

use domain::{
    clock::Timestamp,
    credential::CredentialState,
    ids::{AccessAssignmentId, AccessLevelId, AccessTokenId, CredentialId, ReservationId, ScheduleId, UserId},
    opening::{AssignmentFact, CredentialFact, Span, TokenFact, Weekly},
    stay::TokenState,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

use super::{Gathered, Of};
use crate::{
    Database, StoreError,
    rows::{
        access_assignment, access_level, access_level_door, access_token, access_token_door, credential,
        credential_door, reservation, schedule, site,
    },
};

/// Of what grants are wanted: those at these doors, of these people, or of these people at these doors.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) doors: Option<&'a [Uuid]>,
    pub(super) users: Option<&'a [Uuid]>,
}

/// Puts what is granted to its doors.
pub(super) async fn gather(
    database: &Database,
    of: Asked<'_>,
    at: Timestamp,
    gathered: &mut Gathered,
) -> Result<(), StoreError> {
    tokens(database, of, at, gathered).await?;
    credentials(database, of, at, gathered).await?;
    assignments(database, of, at, gathered).await
}

impl<'a> From<Of<'a>> for Asked<'a> {
    fn from(of: Of<'a>) -> Self {
        match of {
            Of::Doors(doors) => Self { doors: Some(doors), users: None },
            Of::Users(users) => Self { doors: None, users: Some(users) },
        }
    }
}

/// From a column of a door and one of a person to those that are asked for.
fn asked(of: Asked<'_>, door: impl ColumnTrait, user: impl ColumnTrait) -> Condition {
    let doors = of.doors.map(|doors| door.is_in(doors.iter().copied()));
    let users = of.users.map(|users| user.is_in(users.iter().copied()));
    Condition::all().add_option(doors).add_option(users)
}

/// Whether a column's window, open where it is null, covers an instant.
pub(super) fn covers(from: impl ColumnTrait, until: impl ColumnTrait, at: Timestamp) -> Condition {
    Condition::all()
        .add(Condition::any().add(from.is_null()).add(from.lte(at)))
        .add(Condition::any().add(until.is_null()).add(until.gt(at)))
}

/// Tokens that are meant to open at that instant, joined with their stays and their doors.
pub(super) fn live_tokens(of: Asked<'_>, at: Timestamp) -> Select<access_token_door::Entity> {
    let to_token = access_token_door::Entity::belongs_to(access_token::Entity)
        .from(access_token_door::Column::AccessTokenId)
        .to(access_token::Column::Id);
    let to_stay = access_token::Entity::belongs_to(reservation::Entity)
        .from(access_token::Column::ReservationId)
        .to(reservation::Column::Id);
    access_token_door::Entity::find()
        .select_only()
        .join(JoinType::InnerJoin, to_token.into())
        .join(JoinType::InnerJoin, to_stay.into())
        .filter(asked(of, access_token_door::Column::DoorId, reservation::Column::GuestId))
        .filter(access_token::Column::State.is_in([TokenState::Pending.as_str(), TokenState::Active.as_str()]))
        .filter(access_token::Column::ValidFrom.lte(at))
        .filter(access_token::Column::ValidUntil.gt(at))
}

/// Credentials that are meant to open certain doors at that instant, joined with these.
pub(super) fn live_credentials(of: Asked<'_>, at: Timestamp) -> Select<credential_door::Entity> {
    let to_credential = credential_door::Entity::belongs_to(credential::Entity)
        .from(credential_door::Column::CredentialId)
        .to(credential::Column::Id);
    credential_door::Entity::find()
        .select_only()
        .join(JoinType::InnerJoin, to_credential.into())
        .filter(asked(of, credential_door::Column::DoorId, credential::Column::UserId))
        .filter(credential::Column::State.eq(CredentialState::Active.as_str()))
        .filter(covers(credential::Column::ValidFrom, credential::Column::ValidUntil, at))
}

/// Access levels that are assigned at that instant, joined with their assignments and doors.
pub(super) fn live_assignments(of: Asked<'_>, at: Timestamp) -> Select<access_level_door::Entity> {
    let to_level = access_level_door::Entity::belongs_to(access_level::Entity)
        .from(access_level_door::Column::AccessLevelId)
        .to(access_level::Column::Id);
    let to_assignment = access_level_door::Entity::belongs_to(access_assignment::Entity)
        .from(access_level_door::Column::AccessLevelId)
        .to(access_assignment::Column::AccessLevelId);
    access_level_door::Entity::find()
        .select_only()
        .join(JoinType::InnerJoin, to_level.into())
        .join(JoinType::InnerJoin, to_assignment.into())
        .filter(asked(of, access_level_door::Column::DoorId, access_assignment::Column::UserId))
        .filter(covers(access_assignment::Column::ValidFrom, access_assignment::Column::ValidUntil, at))
}

#[derive(FromQueryResult)]
struct TokenAtDoor {
    door_id: Uuid,
    id: Uuid,
    reservation_id: Uuid,
    guest_id: Option<Uuid>,
    state: String,
    valid_from: Timestamp,
    valid_until: Timestamp,
    leaves_at: Option<Timestamp>,
}

async fn tokens(database: &Database, of: Asked<'_>, at: Timestamp, gathered: &mut Gathered) -> Result<(), StoreError> {
    let found = live_tokens(of, at)
        .columns([access_token_door::Column::DoorId, access_token_door::Column::LeavesAt])
        .columns([
            access_token::Column::Id,
            access_token::Column::ReservationId,
            access_token::Column::State,
            access_token::Column::ValidFrom,
            access_token::Column::ValidUntil,
        ])
        .column(reservation::Column::GuestId);
    for row in found.into_model::<TokenAtDoor>().all(database.read()).await? {
        let state = TokenState::parse(&row.state);
        let state = state.ok_or_else(|| StoreError::unreadable("access_tokens", "state", &row.state))?;
        gathered.at(row.door_id).tokens.push(TokenFact {
            token: AccessTokenId(row.id),
            reservation: ReservationId(row.reservation_id),
            guest: row.guest_id.map(UserId),
            state,
            span: Span::new(Some(row.valid_from), Some(row.valid_until)),
            leaves_at: row.leaves_at,
        });
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct CredentialAtDoor {
    door_id: Uuid,
    id: Uuid,
    user_id: Uuid,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}

async fn credentials(
    database: &Database,
    of: Asked<'_>,
    at: Timestamp,
    gathered: &mut Gathered,
) -> Result<(), StoreError> {
    let found = live_credentials(of, at).column(credential_door::Column::DoorId).columns([
        credential::Column::Id,
        credential::Column::UserId,
        credential::Column::ValidFrom,
        credential::Column::ValidUntil,
    ]);
    for row in found.into_model::<CredentialAtDoor>().all(database.read()).await? {
        gathered.at(row.door_id).credentials.push(CredentialFact {
            credential: CredentialId(row.id),
            user: UserId(row.user_id),
            state: CredentialState::Active,
            span: Span::new(row.valid_from, row.valid_until),
        });
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct LevelAtDoor {
    door_id: Uuid,
    id: Uuid,
    access_level_id: Uuid,
    user_id: Uuid,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
    schedule_id: Option<Uuid>,
}

async fn assignments(
    database: &Database,
    of: Asked<'_>,
    at: Timestamp,
    gathered: &mut Gathered,
) -> Result<(), StoreError> {
    let weeks = weeks(database, of, at).await?;
    let found = live_assignments(of, at)
        .column(access_level_door::Column::DoorId)
        .columns([
            access_assignment::Column::Id,
            access_assignment::Column::AccessLevelId,
            access_assignment::Column::UserId,
            access_assignment::Column::ValidFrom,
            access_assignment::Column::ValidUntil,
        ])
        .column(access_level::Column::ScheduleId);
    for row in found.into_model::<LevelAtDoor>().all(database.read()).await? {
        let schedule = match row.schedule_id {
            None => None,
            // One that was put on the level a moment ago: the next question knows it.
            Some(id) if !weeks.contains_key(&id) => continue,
            Some(id) => weeks.get(&id).cloned(),
        };
        gathered.at(row.door_id).assignments.push(AssignmentFact {
            assignment: AccessAssignmentId(row.id),
            level: AccessLevelId(row.access_level_id),
            user: UserId(row.user_id),
            span: Span::new(row.valid_from, row.valid_until),
            schedule,
        });
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct WeekAtSite {
    id: Uuid,
    week: sea_orm::JsonValue,
    time_zone: String,
}

/// The schedules of the levels, each with the zone of its site.
async fn weeks(database: &Database, of: Asked<'_>, at: Timestamp) -> Result<HashMap<Uuid, Arc<Weekly>>, StoreError> {
    let used = live_assignments(of, at).column(access_level::Column::ScheduleId).into_query();
    let to_site = schedule::Entity::belongs_to(site::Entity).from(schedule::Column::SiteId).to(site::Column::Id);
    let found = schedule::Entity::find()
        .select_only()
        .columns([schedule::Column::Id, schedule::Column::Week])
        .column(site::Column::TimeZone)
        .join(JoinType::InnerJoin, to_site.into())
        .filter(schedule::Column::Id.in_subquery(used));
    let mut weeks = HashMap::new();
    for row in found.into_model::<WeekAtSite>().all(database.read()).await? {
        let week = crate::rows::json("schedules", "week", &row.week)?;
        let weekly = Weekly::in_zone(ScheduleId(row.id), week, &row.time_zone)
            .ok_or_else(|| StoreError::unreadable("sites", "time_zone", &row.time_zone))?;
        weeks.insert(row.id, Arc::new(weekly));
    }
    Ok(weeks)
}
