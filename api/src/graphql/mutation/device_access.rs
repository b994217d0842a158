//! Who may use a device: telephone numbers, and people's accesses.

use async_graphql::{Context, ID, Object, OneofObject, Result};
use domain::change::{AccessHolder, Change, DeviceAccessPlan};

use super::{
    change::{ask, inputs},
    payload::CommandPayload,
};
use crate::{actions::Target, graphql::words::AccessProfile};

/// Whose access to a device is meant.
#[derive(Debug, OneofObject)]
pub(crate) enum DeviceAccessHolderInput {
    /// One access (`rec_…`, of kind DEVICE_ACCESS).
    DeviceAccessId(ID),
    /// Every access of the person with this e-mail address at the device.
    Email(String),
}

impl From<DeviceAccessHolderInput> for AccessHolder {
    fn from(input: DeviceAccessHolderInput) -> Self {
        match input {
            DeviceAccessHolderInput::DeviceAccessId(id) => Self::Record(id.0),
            DeviceAccessHolderInput::Email(email) => Self::Email(email),
        }
    }
}

inputs! {
    /// What `authorizePhone` takes.
    AuthorizePhoneInput {
        /// The device.
        device_id: ID,
        /// The telephone number: 7 to 15 digits with the country code, without a plus.
        number: String,
        /// Whether it may open at once; false registers it suspended.
        #[graphql(default = true)]
        authorized: bool,
    }
    /// What `suspendPhone` takes.
    SuspendPhoneInput {
        /// The telephone number (`rec_…`, of kind CREDENTIAL and type PHONE_NUMBER).
        phone_id: ID,
    }
    /// What `resumePhone` takes.
    ResumePhoneInput {
        /// The telephone number (`rec_…`, of kind CREDENTIAL and type PHONE_NUMBER).
        phone_id: ID,
    }
    /// What `removePhone` takes.
    RemovePhoneInput {
        /// The telephone number (`rec_…`, of kind CREDENTIAL and type PHONE_NUMBER).
        phone_id: ID,
    }
    /// What `grantDeviceAccess` takes.
    GrantDeviceAccessInput {
        /// The device.
        device_id: ID,
        /// What its holder may do.
        profile: AccessProfile,
        /// Whether it begins suspended.
        #[graphql(default = false)]
        disabled: bool,
        /// A name for people.
        name: Option<String>,
    }
    /// What `changeDeviceAccess` takes. What is absent stays.
    ChangeDeviceAccessInput {
        /// The device.
        device_id: ID,
        /// Whose access.
        holder: DeviceAccessHolderInput,
        /// What its holder may do.
        profile: Option<AccessProfile>,
        /// Whether it is suspended.
        disabled: Option<bool>,
        /// A name for people.
        name: Option<String>,
    }
    /// What `suspendDeviceAccess` takes.
    SuspendDeviceAccessInput {
        /// The device.
        device_id: ID,
        /// Whose access.
        holder: DeviceAccessHolderInput,
    }
    /// What `resumeDeviceAccess` takes.
    ResumeDeviceAccessInput {
        /// The device.
        device_id: ID,
        /// Whose access.
        holder: DeviceAccessHolderInput,
    }
    /// What `revokeDeviceAccess` takes.
    RevokeDeviceAccessInput {
        /// The device.
        device_id: ID,
        /// Whose access.
        holder: DeviceAccessHolderInput,
    }
}

fn of_phone(id: &ID) -> Target {
    Target::OfRecord { field: "phoneId", id: id.0.clone() }
}

#[derive(Default)]
pub(crate) struct DeviceAccessMutations;

#[Object]
impl DeviceAccessMutations {
    /// Registers a telephone number at a device, so that its calls open. Needs MANAGER.
    async fn authorize_phone(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which device, and which number.")] input: AuthorizePhoneInput,
    ) -> Result<CommandPayload> {
        let change = Change::AuthorizePhone { number: input.number, authorized: input.authorized };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Keeps a telephone number from opening; it stays registered. Needs MANAGER.
    async fn suspend_phone(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which number.")] input: SuspendPhoneInput,
    ) -> Result<CommandPayload> {
        let target = of_phone(&input.phone_id);
        let change = Change::SuspendPhone { phone: input.phone_id.0 };
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }

    /// Lets a suspended telephone number open again. Needs MANAGER.
    async fn resume_phone(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which number.")] input: ResumePhoneInput,
    ) -> Result<CommandPayload> {
        let target = of_phone(&input.phone_id);
        let change = Change::ResumePhone { phone: input.phone_id.0 };
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }

    /// Removes a telephone number from its device. Needs MANAGER.
    async fn remove_phone(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which number.")] input: RemovePhoneInput,
    ) -> Result<CommandPayload> {
        let target = of_phone(&input.phone_id);
        let change = Change::RemovePhone { phone: input.phone_id.0 };
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }

    /// Gives access to a device. Its owner stays the owner. Needs ADMIN.
    async fn grant_device_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which device, and what kind of access.")] input: GrantDeviceAccessInput,
    ) -> Result<CommandPayload> {
        let change = Change::GrantDeviceAccess(DeviceAccessPlan {
            profile: Some(input.profile.into()),
            disabled: Some(input.disabled),
            name: input.name,
            // Read by the connector when it is needed: what we last saw may be old, and would move the ownership back.
            device_owner: None,
        });
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Changes somebody's access to a device. Needs ADMIN.
    async fn change_device_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which device, whose, and what of it.")] input: ChangeDeviceAccessInput,
    ) -> Result<CommandPayload> {
        let plan = DeviceAccessPlan {
            profile: input.profile.map(Into::into),
            disabled: input.disabled,
            name: input.name,
            device_owner: None,
        };
        let change = Change::ChangeDeviceAccess { holder: input.holder.into(), plan };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Suspends somebody's access to a device. Needs MANAGER.
    async fn suspend_device_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which device, and whose.")] input: SuspendDeviceAccessInput,
    ) -> Result<CommandPayload> {
        let change = Change::SuspendDeviceAccess { holder: input.holder.into() };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Ends the suspension of somebody's access to a device. Needs ADMIN.
    async fn resume_device_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which device, and whose.")] input: ResumeDeviceAccessInput,
    ) -> Result<CommandPayload> {
        let change = Change::ResumeDeviceAccess { holder: input.holder.into() };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }

    /// Takes somebody's access to a device away. Needs MANAGER.
    async fn revoke_device_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which device, and whose.")] input: RevokeDeviceAccessInput,
    ) -> Result<CommandPayload> {
        let change = Change::RevokeDeviceAccess { holder: input.holder.into() };
        ask(context, Target::Device(input.device_id.0), change, input.idempotency_key, input.expires_at).await
    }
}
