//! Access levels, whose they are, and schedules.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use domain::clock::Timestamp;

use super::{
    given, payload,
    payloads::{
        AccessAssignmentPayload, AccessLevelPayload, DeleteAccessLevelPayload, DeleteSchedulePayload, Deleted,
        SchedulePayload,
    },
};
use crate::{
    actions::people::{
        LevelGiven, NewLevel, NewPattern, PatternGiven, assign_access_level, create_access_level, create_schedule,
        delete_access_level, delete_schedule, unassign_access_level, update_access_level, update_schedule,
    },
    graphql::context::Ask,
};

/// What `createAccessLevel` takes.
#[derive(InputObject)]
pub(crate) struct CreateAccessLevelInput {
    /// The site that it belongs to, with all its doors.
    site_id: ID,
    /// Its name.
    name: String,
    /// When it counts; always without.
    schedule_id: Option<ID>,
    /// Its doors.
    door_ids: Vec<ID>,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same access
    /// level; with another order it is refused. Without a key every call makes another one.
    idempotency_key: Option<String>,
}

/// What `updateAccessLevel` takes. What is absent stays.
#[derive(InputObject)]
pub(crate) struct UpdateAccessLevelInput {
    /// The access level.
    access_level_id: ID,
    /// Its name.
    name: Option<String>,
    /// When it counts; null means always.
    schedule_id: MaybeUndefined<ID>,
    /// Its doors, in place of those before.
    door_ids: Option<Vec<ID>>,
}

/// What `deleteAccessLevel` takes.
#[derive(InputObject)]
pub(crate) struct DeleteAccessLevelInput {
    /// The access level.
    access_level_id: ID,
}

/// What `assignAccessLevel` takes.
#[derive(InputObject)]
pub(crate) struct AssignAccessLevelInput {
    /// To whom.
    user_id: ID,
    /// What.
    access_level_id: ID,
    /// From when on; always without.
    valid_from: Option<Timestamp>,
    /// Until when; for ever without.
    valid_until: Option<Timestamp>,
}

/// What `unassignAccessLevel` takes.
#[derive(InputObject)]
pub(crate) struct UnassignAccessLevelInput {
    /// From whom.
    user_id: ID,
    /// What.
    access_level_id: ID,
}

/// The same time on several days.
#[derive(InputObject)]
pub(crate) struct ScheduleRangeInput {
    /// The days on which it begins: 0 is Monday, 6 Sunday.
    days: Vec<i32>,
    /// When it begins, as HH:MM or HH:MM:SS.
    starts: String,
    /// When it ends, that instant excluded. At or before `starts`: on the next day.
    ends: String,
}

/// What `createSchedule` takes.
#[derive(InputObject)]
pub(crate) struct CreateScheduleInput {
    /// The site whose clocks count.
    site_id: ID,
    /// Its name.
    name: String,
    /// Its ranges, 50 at most; it permits what any of them permits.
    ranges: Vec<ScheduleRangeInput>,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same schedule;
    /// with another order it is refused. Without a key every call makes another one.
    idempotency_key: Option<String>,
}

/// What `updateSchedule` takes. What is absent stays.
#[derive(InputObject)]
pub(crate) struct UpdateScheduleInput {
    /// The schedule.
    schedule_id: ID,
    /// Its name.
    name: Option<String>,
    /// Its ranges, in place of those before.
    ranges: Option<Vec<ScheduleRangeInput>>,
}

/// What `deleteSchedule` takes.
#[derive(InputObject)]
pub(crate) struct DeleteScheduleInput {
    /// The schedule.
    schedule_id: ID,
}

fn texts(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}

fn pattern(ranges: Vec<ScheduleRangeInput>) -> Vec<(Vec<i32>, String, String)> {
    ranges.into_iter().map(|range| (range.days, range.starts, range.ends)).collect()
}

#[derive(Default)]
pub(crate) struct AccessLevelMutations;

#[Object]
impl AccessLevelMutations {
    /// Makes an access level of doors of one site. Needs MANAGER and a key without limits.
    async fn create_access_level(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What.")] input: CreateAccessLevelInput,
    ) -> Result<AccessLevelPayload> {
        let new = NewLevel {
            site: input.site_id.0,
            name: input.name,
            schedule: input.schedule_id.map(|id| id.0),
            doors: texts(input.door_ids),
            idempotency_key: input.idempotency_key,
        };
        payload(create_access_level(context.shared()?, &context.caller()?.session, new).await)
    }

    /// Changes an access level, and what everybody who has it may open. Needs MANAGER and a key without limits.
    async fn update_access_level(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which, and what is to change.")] input: UpdateAccessLevelInput,
    ) -> Result<AccessLevelPayload> {
        let change = LevelGiven {
            level: input.access_level_id.0,
            name: input.name,
            schedule: given(input.schedule_id).map(|id| id.map(|id| id.0)),
            doors: input.door_ids.map(texts),
        };
        payload(update_access_level(context.shared()?, &context.caller()?.session, change).await)
    }

    /// Deletes an access level, and takes it away from everybody who has it. Needs MANAGER and a key without limits.
    async fn delete_access_level(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which.")] input: DeleteAccessLevelInput,
    ) -> Result<DeleteAccessLevelPayload> {
        let answer = delete_access_level(context.shared()?, &context.caller()?.session, &input.access_level_id).await;
        payload(answer.map(|deleted| deleted.map(Deleted)))
    }

    /// Gives a person an access level for a time, or changes that time: their credentials that are for no certain doors
    /// open its doors then. Needs MANAGER and a key without limits.
    async fn assign_access_level(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What, to whom, and for how long.")] input: AssignAccessLevelInput,
    ) -> Result<AccessAssignmentPayload> {
        let (shared, session) = (context.shared()?, &context.caller()?.session);
        let period = (input.valid_from, input.valid_until);
        payload(assign_access_level(shared, session, &input.access_level_id, &input.user_id, period).await)
    }

    /// Takes an access level away from a person. Needs MANAGER and a key without limits.
    async fn unassign_access_level(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What, and from whom.")] input: UnassignAccessLevelInput,
    ) -> Result<AccessAssignmentPayload> {
        let (shared, session) = (context.shared()?, &context.caller()?.session);
        payload(unassign_access_level(shared, session, &input.access_level_id, &input.user_id).await)
    }

    /// Makes a schedule: a weekly pattern by the clocks of a site. Needs MANAGER and a key without limits.
    async fn create_schedule(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What.")] input: CreateScheduleInput,
    ) -> Result<SchedulePayload> {
        let CreateScheduleInput { site_id, name, ranges, idempotency_key } = input;
        let new = NewPattern { site: site_id.0, name, ranges: pattern(ranges), idempotency_key };
        payload(create_schedule(context.shared()?, &context.caller()?.session, new).await)
    }

    /// Changes a schedule, and when everybody may enter whom it lets in. Needs MANAGER and a key without limits.
    async fn update_schedule(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which, and what is to change.")] input: UpdateScheduleInput,
    ) -> Result<SchedulePayload> {
        let UpdateScheduleInput { schedule_id, name, ranges } = input;
        let change = PatternGiven { schedule: schedule_id.0, name, ranges: ranges.map(pattern) };
        payload(update_schedule(context.shared()?, &context.caller()?.session, change).await)
    }

    /// Deletes a schedule that no access level uses. Needs MANAGER and a key without limits.
    async fn delete_schedule(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which.")] input: DeleteScheduleInput,
    ) -> Result<DeleteSchedulePayload> {
        let answer = delete_schedule(context.shared()?, &context.caller()?.session, &input.schedule_id).await;
        payload(answer.map(|deleted| deleted.map(Deleted)))
    }
}
