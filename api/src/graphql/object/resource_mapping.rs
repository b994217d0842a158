//! A room of a PMS and the doors that it stands for, as the schema shows them.

use std::collections::BTreeSet;

use async_graphql::{Context, Object, Result};
use domain::ids::{DoorId, VendorAccountId};

use super::{Door, VendorRecord, neighbour};
use crate::{
    graphql::context::Ask,
    loaders::{ResourceOfAccount, TheseDoors},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct ResourceMapping {
    account: VendorAccountId,
    resource: String,
    doors: BTreeSet<DoorId>,
}

impl ResourceMapping {
    pub(crate) const fn new(account: VendorAccountId, resource: String, doors: BTreeSet<DoorId>) -> Self {
        Self { account, resource, doors }
    }
}

/// A room or bed of a PMS, and the doors that it stands for.
#[Object]
impl ResourceMapping {
    /// The PMS's id of the room: what `mapResource` takes.
    async fn resource(&self) -> &str {
        &self.resource
    }

    /// The room as the PMS describes it; null if it is not known any more.
    async fn record(&self, context: &Context<'_>) -> Option<Result<VendorRecord>> {
        neighbour(context, ResourceOfAccount(self.account, self.resource.clone())).await
    }

    /// Its doors.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn doors(&self, context: &Context<'_>) -> Option<Result<Vec<Door>>> {
        let doors = async {
            let found = context.loaders()?.load(TheseDoors(self.doors.clone())).await?;
            Ok(found.unwrap_or_default().into_iter().map(Door::from).collect())
        };
        Some(doors.await)
    }
}
