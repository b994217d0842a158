//! The objects of the schema: what each field shows of a row, and how it finds its neighbours. No SQL, no decisions.

mod access_level;
mod access_token;
mod alert;
mod api_key;
mod command;
mod command_parts;
mod credential;
mod device;
mod device_details;
mod door;
mod door_settings;
mod door_state;
mod event;
mod exposure;
mod identity;
mod membership;
mod opening;
mod organization;
mod placement;
mod record;
mod reservation;
mod resource_mapping;
mod schedule;
mod site;
mod user;
mod vendor_account;
mod viewer;
mod webhook_delivery;

pub(crate) use access_level::{AccessAssignment, AccessLevel};
pub(crate) use access_token::AccessToken;
pub(crate) use alert::{Alert, may_see_alerts, readable_alerts};
pub(crate) use api_key::ApiKey;
pub(crate) use command::Command;
pub(crate) use credential::{Credential, may_see_people};
pub(crate) use device::Device;
pub(crate) use door::Door;
pub(crate) use event::Event;
pub(crate) use identity::Identity;
pub(crate) use membership::Membership;
pub(crate) use organization::Organization;
pub(crate) use placement::Placement;
pub(crate) use record::{VendorRecord, readable_kinds};
pub(crate) use reservation::{Reservation, may_see_stays};
pub(crate) use resource_mapping::ResourceMapping;
pub(crate) use schedule::Schedule;
pub(crate) use site::Site;
pub(crate) use user::User;
pub(crate) use vendor_account::VendorAccount;
pub(crate) use viewer::Viewer;
pub(crate) use webhook_delivery::{WebhookDelivery, may_see_deliveries};

/// The objects that wrap one row each, cheap to clone.
macro_rules! wraps {
    ($($object:ident => $row:ident),+ $(,)?) => {
        $(
            impl From<std::sync::Arc<entities::rows::$row::Model>> for $object {
                fn from(row: std::sync::Arc<entities::rows::$row::Model>) -> Self {
                    Self(row)
                }
            }
        )+
    };
}
wraps! {
    AccessAssignment => access_assignment,
    AccessLevel => access_level,
    AccessToken => access_token,
    Alert => alert,
    ApiKey => api_key,
    Command => command,
    Credential => credential,
    Device => device,
    Door => door,
    Event => event,
    Identity => identity,
    Membership => membership,
    Organization => organization,
    Placement => placement,
    Reservation => reservation,
    Schedule => schedule,
    Site => site,
    User => user,
    VendorAccount => vendor_account,
    VendorRecord => record,
    WebhookDelivery => webhook_delivery,
}

/// The objects that stand in lists, with the type of their ids.
macro_rules! lists {
    ($($object:ident => $row:ident by $id:ident),+ $(,)?) => {
        $(
            impl crate::graphql::connection::Listed for $object {
                type Row = entities::rows::$row::Model;
                const PREFIX: &'static str = domain::ids::$id::PREFIX;

                fn key(&self) -> uuid::Uuid {
                    self.0.id
                }
            }
        )+
    };
}
lists! {
    AccessLevel => access_level by AccessLevelId,
    AccessToken => access_token by AccessTokenId,
    Alert => alert by AlertId,
    ApiKey => api_key by ApiKeyId,
    Command => command by CommandId,
    Credential => credential by CredentialId,
    Device => device by DeviceId,
    Door => door by DoorId,
    Event => event by EventId,
    Reservation => reservation by ReservationId,
    Schedule => schedule by ScheduleId,
    Site => site by SiteId,
    User => user by UserId,
    VendorAccount => vendor_account by VendorAccountId,
    VendorRecord => record by RecordId,
    WebhookDelivery => webhook_delivery by WebhookDeliveryId,
}

/// A neighbour by its id: null if the caller does not see it, null and an error if it could not be read.
pub(crate) async fn neighbour<T, K>(context: &async_graphql::Context<'_>, key: K) -> Option<async_graphql::Result<T>>
where
    K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
    crate::loaders::Reader: async_graphql::dataloader::Loader<K, Error = crate::loaders::LoadError>,
    T: From<<crate::loaders::Reader as async_graphql::dataloader::Loader<K>>::Value>,
{
    use crate::graphql::context::Ask;

    let loaders = match context.loaders() {
        Ok(loaders) => loaders,
        Err(error) => return Some(Err(error.into())),
    };
    loaders.load(key).await.map_err(Into::into).transpose().map(|found| found.map(T::from))
}
