//! Commands to devices as a whole.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{clock::Timestamp, command::Action};

use super::payload::{CommandPayload, send};
use crate::actions::{Order, Target};

/// What `syncDevice` takes.
#[derive(Debug, InputObject)]
pub(crate) struct SyncDeviceInput {
    /// The device.
    device_id: ID,
    /// Whether to switch it off and on again first.
    #[graphql(default = false)]
    power_cycle: bool,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same command;
    /// with another order it is refused. Without a key every call is a command of its own.
    idempotency_key: Option<String>,
    /// From when on it must not be sent any more; 5 minutes from now without.
    expires_at: Option<Timestamp>,
}

/// What `takePhoto` takes.
#[derive(Debug, InputObject)]
pub(crate) struct TakePhotoInput {
    /// The device.
    device_id: ID,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same command;
    /// with another order it is refused. Without a key every call is a command of its own.
    idempotency_key: Option<String>,
    /// From when on it must not be sent any more; 1 minute from now without.
    expires_at: Option<Timestamp>,
}

#[derive(Default)]
pub(crate) struct DeviceMutations;

#[Object]
impl DeviceMutations {
    /// Has a device report its state, after a power cycle if asked. Needs MANAGER.
    async fn sync_device(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which device, and how.")] input: SyncDeviceInput,
    ) -> Result<CommandPayload> {
        let order = Order {
            target: Target::Device(input.device_id.0),
            action: Action::SyncDevice { power_cycle: input.power_cycle },
            secret: None,
            idempotency_key: input.idempotency_key,
            expires_at: input.expires_at,
        };
        send(context, order).await
    }

    /// Has a device take a picture. Needs OPERATOR.
    async fn take_photo(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which device, and how.")] input: TakePhotoInput,
    ) -> Result<CommandPayload> {
        let order = Order {
            target: Target::Device(input.device_id.0),
            action: Action::TakePhoto,
            secret: None,
            idempotency_key: input.idempotency_key,
            expires_at: input.expires_at,
        };
        send(context, order).await
    }
}
