//! Devices.

use async_graphql::{Context, ID, Object, Result};
use entities::find::devices;

use super::list::{connect, finder};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    context::decode_some,
    error::ApiError,
    node::find_one,
    object::Device,
    words::DeviceHealth,
};

finder!(devices::DeviceFilter => Device, entities::find::devices);

#[derive(Default)]
pub(crate) struct DeviceQueries;

#[Object]
impl DeviceQueries {
    /// The devices that the caller sees, oldest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a Relay connection come on top")]
    async fn devices(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only devices at this site.")] site_id: Option<ID>,
        #[graphql(desc = "Only devices that this vendor account reaches.")] vendor_account_id: Option<ID>,
        #[graphql(desc = "Only devices as well as this.")] health: Option<DeviceHealth>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Device>>> {
        let decoded = || Ok((decode_some(site_id.as_ref())?, decode_some(vendor_account_id.as_ref())?));
        let filter = match decoded() {
            Ok((site, account)) => devices::DeviceFilter { account, site, health: health.map(Into::into) },
            Err(error) => return Some(Err(ApiError::into(error))),
        };
        Some(connect(context, filter, &PageArguments { first, after, last, before }, false).await)
    }

    /// The device with this id; null if there is none that the caller sees.
    async fn device(&self, context: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Option<Result<Device>> {
        find_one(context, &id).await
    }
}
