//! The objects of the schema: what each field shows of a row, and how it finds its neighbours. No SQL, no decisions.

mod command;
mod command_parts;
mod device;
mod device_details;
mod door;
mod door_settings;
mod door_state;
mod event;
mod organization;
mod record;
mod site;
mod user;
mod vendor_account;
mod viewer;
mod webhook_delivery;

pub(crate) use command::Command;
pub(crate) use device::Device;
pub(crate) use door::Door;
pub(crate) use event::Event;
pub(crate) use organization::Organization;
pub(crate) use record::{VendorRecord, readable_kinds};
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
    Command => command,
    Device => device,
    Door => door,
    Event => event,
    Organization => organization,
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
    Command => command by CommandId,
    Device => device by DeviceId,
    Door => door by DoorId,
    Event => event by EventId,
    Site => site by SiteId,
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
