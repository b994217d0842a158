//! Intercoms: AutoAccess, calls that open, alarms, and what a device tells or does on request.

use async_graphql::{Context, ID, Object, Result};
use domain::change::{AutoAccessOptions, Change};

use super::{
    change::{ask, inputs},
    payload::CommandPayload,
};
use crate::{actions::Target, graphql::words::MovementAlarm};

inputs! {
    /// What `startAutoAccess` takes.
    StartAutoAccessInput {
        /// The door.
        door_id: ID,
        /// For how many minutes it listens: 1 to 1440.
        minutes: u32,
        /// The line's value at which it reacts, in the vendor's unit; as configured at the device without.
        opening_value: Option<f64>,
        /// How far the line may be off that value; as configured without.
        tolerance: Option<f64>,
        /// After how many openings it ends by itself; as configured without.
        max_openings: Option<u32>,
        /// How long it waits before it opens, in the vendor's unit; as configured without.
        wait_time_first: Option<u32>,
    }
    /// What `stopAutoAccess` takes.
    StopAutoAccessInput {
        /// The door.
        door_id: ID,
    }
    /// What `setPhoneAccess` takes.
    SetPhoneAccessInput {
        /// The door.
        door_id: ID,
        /// Whether authorised telephones may open it by a call.
        enabled: bool,
    }
    /// What `setAnyCallerAccess` takes.
    SetAnyCallerAccessInput {
        /// The door.
        door_id: ID,
        /// Whether any telephone may open it by a call.
        enabled: bool,
    }
    /// What `setAutoAccessAlwaysActive` takes.
    SetAutoAccessAlwaysActiveInput {
        /// The device.
        device_id: ID,
        /// Whether the bell always opens.
        active: bool,
    }
    /// What `setOfflineAutoAccess` takes.
    SetOfflineAutoAccessInput {
        /// The device.
        device_id: ID,
        /// Whether the bell opens while the device is offline.
        active: bool,
    }
    /// What `setMovementAlarm` takes.
    SetMovementAlarmInput {
        /// The device.
        device_id: ID,
        /// How often movement is reported.
        alarm: MovementAlarm,
    }
    /// What `readDeviceVariable` takes.
    ReadDeviceVariableInput {
        /// The device.
        device_id: ID,
        /// The vendor's name of the variable, for example `status`.
        variable: String,
    }
    /// What `readDeviceInformation` takes.
    ReadDeviceInformationInput {
        /// The device.
        device_id: ID,
    }
    /// What `executeDeviceFunction` takes.
    ExecuteDeviceFunctionInput {
        /// The device.
        device_id: ID,
        /// The vendor's name of the function. Only those that it documents for direct use are carried out.
        function: String,
        /// Its argument, if it takes one.
        argument: Option<String>,
    }
}

#[derive(Default)]
pub(crate) struct IntercomMutations;

#[Object]
impl IntercomMutations {
    /// Has a door listen to its bell for a while: whoever rings gets in. Needs OPERATOR.
    async fn start_auto_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, for how long, and how.")] input: StartAutoAccessInput,
    ) -> Result<CommandPayload> {
        let change = Change::StartAutoAccess(AutoAccessOptions {
            minutes: input.minutes,
            opening_value: input.opening_value,
            tolerance: input.tolerance,
            max_openings: input.max_openings,
            wait_time_first: input.wait_time_first,
        });
        ask(context, Target::Door(input.door_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Ends a door's listening to its bell. Needs OPERATOR.
    async fn stop_auto_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door.")] input: StopAutoAccessInput,
    ) -> Result<CommandPayload> {
        let target = Target::Door(input.door_id.0);
        ask(context, target, Change::StopAutoAccess, input.idempotency_key, input.expires_at).await
    }

    /// Lets authorised telephones open a door by a call, or no longer. Needs MANAGER.
    async fn set_phone_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and whether.")] input: SetPhoneAccessInput,
    ) -> Result<CommandPayload> {
        let change = Change::SetPhoneAccess { enabled: input.enabled };
        ask(context, Target::Door(input.door_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Lets any telephone open a door by a call, or no longer. Needs ADMIN.
    async fn set_any_caller_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and whether.")] input: SetAnyCallerAccessInput,
    ) -> Result<CommandPayload> {
        let change = Change::SetAnyCallerAccess { enabled: input.enabled };
        ask(context, Target::Door(input.door_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Has the bell always open, or no longer. Needs ADMIN.
    async fn set_auto_access_always_active(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which device, and whether.")] input: SetAutoAccessAlwaysActiveInput,
    ) -> Result<CommandPayload> {
        let change = Change::SetAutoAccessAlwaysActive { active: input.active };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Has the bell open while the device is offline, or no longer. Needs ADMIN.
    async fn set_offline_auto_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which device, and whether.")] input: SetOfflineAutoAccessInput,
    ) -> Result<CommandPayload> {
        let change = Change::SetOfflineAutoAccess { active: input.active };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Has movement reported once, always or never. Needs MANAGER.
    async fn set_movement_alarm(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which device, and how often.")] input: SetMovementAlarmInput,
    ) -> Result<CommandPayload> {
        let change = Change::SetMovementAlarm { alarm: input.alarm.into() };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Reads one value from a device; it is in the command's `result`. Needs OPERATOR.
    async fn read_device_variable(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which device, and which value.")] input: ReadDeviceVariableInput,
    ) -> Result<CommandPayload> {
        let change = Change::ReadDeviceVariable { variable: input.variable };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Reads what a device's own cloud says of it; it is in the command's `result`. Needs OPERATOR.
    async fn read_device_information(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which device.")] input: ReadDeviceInformationInput,
    ) -> Result<CommandPayload> {
        let target = Target::Device(input.device_id.0);
        ask(context, target, Change::ReadDeviceInformation, input.idempotency_key, input.expires_at).await
    }

    /// Calls a documented function of a device; what it returns is in the command's `result`. Needs ADMIN.
    async fn execute_device_function(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which device, and what.")] input: ExecuteDeviceFunctionInput,
    ) -> Result<CommandPayload> {
        let change = Change::ExecuteDeviceFunction { function: input.function, argument: input.argument };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }
}
