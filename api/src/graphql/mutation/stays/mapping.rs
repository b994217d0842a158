//! Rooms of a PMS that stand for doors.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    payloads::{MapResourcePayload, payload},
    reservations::texts,
};
use crate::{actions::stays::map_resource, graphql::context::Ask};

/// What `mapResource` takes.
#[derive(InputObject)]
pub(crate) struct MapResourceInput {
    /// The account of the PMS.
    vendor_account_id: ID,
    /// The PMS's id of the room: `externalId` of a record of kind RESOURCE.
    resource: String,
    /// The doors that it stands for, 100 at most, in place of those before.
    door_ids: Vec<ID>,
}

#[derive(Default)]
pub(crate) struct MappingMutations;

#[Object]
impl MappingMutations {
    /// Says which doors a room of a PMS stands for. The stays in the room follow. Doing it again changes nothing. Needs
    /// MANAGER.
    async fn map_resource(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which room, and which doors.")] input: MapResourceInput,
    ) -> Result<MapResourcePayload> {
        let MapResourceInput { vendor_account_id, resource, door_ids } = input;
        let (shared, session) = (context.shared()?, &context.caller()?.session);
        payload(map_resource(shared, session, &vendor_account_id, &resource, &texts(door_ids)).await)
    }
}
