//! Hardware at its vendor: devices, doors and sensors that are added, changed or taken off.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::change::{Change, DoorSettings, SensorSettings};

use super::{
    change::{ask, inputs},
    payload::CommandPayload,
};
use crate::{
    actions::Target,
    graphql::words::{DoorUse, PortSide, SensorMode},
};

/// A door as it is to be. What is absent is left as it is, or to the vendor's default.
#[derive(Debug, InputObject)]
pub(crate) struct DoorSettingsInput {
    /// A name for people, 100 characters at most.
    name: Option<String>,
    /// Its use.
    usage: Option<DoorUse>,
    /// What it is wired to.
    port: Option<PortSide>,
    /// What its line is used for.
    sensor_mode: Option<SensorMode>,
    /// The line's value at which it reacts, in the vendor's unit.
    opening_value: Option<f64>,
    /// How far the line may be off that value.
    tolerance: Option<f64>,
    /// After how many openings AutoAccess ends by itself.
    max_openings: Option<u32>,
    /// How long it waits before it opens, in the vendor's unit.
    wait_time_first: Option<u32>,
    /// Whether it opens twice.
    two_openings: Option<bool>,
    /// Whether the bell must be rung before it opens.
    must_call_bell_first: Option<bool>,
    /// Whether the intercom calls first.
    intercom_call_first: Option<bool>,
    /// Whether the intercom may switch AutoAccess on.
    intercom_enable_auto_access: Option<bool>,
}

impl From<DoorSettingsInput> for DoorSettings {
    fn from(input: DoorSettingsInput) -> Self {
        Self {
            name: input.name,
            usage: input.usage.map(Into::into),
            port: input.port.map(Into::into),
            sensor_mode: input.sensor_mode.map(Into::into),
            opening_value: input.opening_value,
            tolerance: input.tolerance,
            max_openings: input.max_openings,
            wait_time_first: input.wait_time_first,
            two_openings: input.two_openings,
            must_call_bell_first: input.must_call_bell_first,
            intercom_call_first: input.intercom_call_first,
            intercom_enable_auto_access: input.intercom_enable_auto_access,
        }
    }
}

/// A sensor as it is to be. What is absent is left as it is, or to the vendor's default.
#[derive(Debug, InputObject)]
pub(crate) struct SensorSettingsInput {
    /// A name for people, 100 characters at most.
    name: Option<String>,
    /// What it is wired to.
    port: Option<PortSide>,
}

impl From<SensorSettingsInput> for SensorSettings {
    fn from(input: SensorSettingsInput) -> Self {
        Self { name: input.name, port: input.port.map(Into::into) }
    }
}

inputs! {
    /// What `removeDevice` takes.
    RemoveDeviceInput {
        /// The device.
        device_id: ID,
    }
    /// What `createDoor` takes.
    CreateDoorInput {
        /// The device that is to drive it.
        device_id: ID,
        /// What it is to be.
        settings: DoorSettingsInput,
    }
    /// What `updateDoor` takes.
    UpdateDoorInput {
        /// The door.
        door_id: ID,
        /// What it is to be.
        settings: DoorSettingsInput,
    }
    /// What `deleteDoor` takes.
    DeleteDoorInput {
        /// The door.
        door_id: ID,
    }
    /// What `createSensor` takes.
    CreateSensorInput {
        /// The device that it is to belong to.
        device_id: ID,
        /// What it is to be.
        settings: SensorSettingsInput,
    }
    /// What `updateSensor` takes.
    UpdateSensorInput {
        /// The sensor (`rec_…`, of kind SENSOR).
        sensor_id: ID,
        /// What it is to be.
        settings: SensorSettingsInput,
    }
    /// What `deleteSensor` takes.
    DeleteSensorInput {
        /// The sensor (`rec_…`, of kind SENSOR).
        sensor_id: ID,
    }
}

#[derive(Default)]
pub(crate) struct HardwareMutations;

#[Object]
impl HardwareMutations {
    /// Detaches a device from its account at the vendor. Needs ADMIN.
    async fn remove_device(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which device.")] input: RemoveDeviceInput,
    ) -> Result<CommandPayload> {
        let target = Target::Device(input.device_id.0);
        ask(context, target, Change::RemoveDevice, input.idempotency_key, input.expires_at).await
    }

    /// Adds a door to a device. Needs ADMIN.
    async fn create_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which device, and what.")] input: CreateDoorInput,
    ) -> Result<CommandPayload> {
        let change = Change::CreateDoor(input.settings.into());
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Changes a door's settings at its vendor. Needs ADMIN.
    async fn update_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and what of it.")] input: UpdateDoorInput,
    ) -> Result<CommandPayload> {
        let change = Change::UpdateDoor(input.settings.into());
        ask(context, Target::Door(input.door_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Takes a door off its device, which keeps one at least. Needs ADMIN.
    async fn delete_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door.")] input: DeleteDoorInput,
    ) -> Result<CommandPayload> {
        let target = Target::Door(input.door_id.0);
        ask(context, target, Change::DeleteDoor, input.idempotency_key, input.expires_at).await
    }

    /// Adds a sensor to a device. Needs ADMIN.
    async fn create_sensor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which device, and what.")] input: CreateSensorInput,
    ) -> Result<CommandPayload> {
        let change = Change::CreateSensor(input.settings.into());
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Changes a sensor. Needs ADMIN.
    async fn update_sensor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which sensor, and what of it.")] input: UpdateSensorInput,
    ) -> Result<CommandPayload> {
        let target = Target::OfRecord { field: "sensorId", id: input.sensor_id.0.clone() };
        let change = Change::UpdateSensor { sensor: input.sensor_id.0, settings: input.settings.into() };
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }

    /// Takes a sensor off its device. Needs ADMIN.
    async fn delete_sensor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which sensor.")] input: DeleteSensorInput,
    ) -> Result<CommandPayload> {
        let target = Target::OfRecord { field: "sensorId", id: input.sensor_id.0.clone() };
        let change = Change::DeleteSensor { sensor: input.sensor_id.0 };
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }
}
