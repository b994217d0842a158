//! When doors will listen to their bells.

use async_graphql::{Context, ID, Object, Result};
use domain::{change::Change, clock::Timestamp};

use super::{
    change::{ask, inputs},
    payload::CommandPayload,
};
use crate::actions::Target;

inputs! {
    /// What `createAutoAccessSchedule` takes.
    CreateAutoAccessScheduleInput {
        /// The door.
        door_id: ID,
        /// When it begins to listen; in the future.
        starts_at: Timestamp,
        /// For how many minutes: 1 to 1440.
        minutes: u32,
    }
    /// What `updateAutoAccessSchedule` takes.
    UpdateAutoAccessScheduleInput {
        /// The door.
        door_id: ID,
        /// The schedule (`rec_…`, of kind AUTO_ACCESS_SCHEDULE), of the same device.
        schedule_id: ID,
        /// When the door begins to listen; in the future.
        starts_at: Timestamp,
        /// For how many minutes: 1 to 1440.
        minutes: u32,
    }
    /// What `deleteAutoAccessSchedule` takes.
    DeleteAutoAccessScheduleInput {
        /// The schedule (`rec_…`, of kind AUTO_ACCESS_SCHEDULE).
        schedule_id: ID,
    }
}

#[derive(Default)]
pub(crate) struct ScheduleMutations;

#[Object]
impl ScheduleMutations {
    /// Plans when a door will listen to its bell. Needs MANAGER.
    async fn create_auto_access_schedule(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and when.")] input: CreateAutoAccessScheduleInput,
    ) -> Result<CommandPayload> {
        let change = Change::CreateAutoAccessSchedule { starts_at: input.starts_at, minutes: input.minutes };
        ask(context, Target::Door(input.door_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Changes when a door will listen to its bell. The vendor makes a new record of it. Needs MANAGER.
    async fn update_auto_access_schedule(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which plan of which door, and when.")] input: UpdateAutoAccessScheduleInput,
    ) -> Result<CommandPayload> {
        let change = Change::UpdateAutoAccessSchedule {
            schedule: input.schedule_id.0,
            starts_at: input.starts_at,
            minutes: input.minutes,
        };
        ask(context, Target::Door(input.door_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Drops a plan of when a door will listen to its bell. Needs MANAGER.
    async fn delete_auto_access_schedule(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which plan.")] input: DeleteAutoAccessScheduleInput,
    ) -> Result<CommandPayload> {
        let target = Target::OfRecord { field: "scheduleId", id: input.schedule_id.0.clone() };
        let change = Change::DeleteAutoAccessSchedule { schedule: input.schedule_id.0 };
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }
}
