//! Events.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use entities::find::events;

use super::list::{connect, finder};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    context::decode_some,
    error::ApiError,
    object::Event,
    words::EventType,
};

finder!(events::EventFilter => Event, entities::find::events);

/// Which events; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct EventFilter {
    /// At this site.
    site_id: Option<ID>,
    /// At this door.
    door_id: Option<ID>,
    /// At this device.
    device_id: Option<ID>,
    /// By this command.
    command_id: Option<ID>,
    /// Of one of these types; all if empty.
    types: Option<Vec<EventType>>,
}

/// The order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
pub(crate) enum EventOrder {
    /// Oldest first.
    #[default]
    OldestFirst,
    /// Newest first.
    NewestFirst,
}

impl EventFilter {
    fn decode(self) -> Result<events::EventFilter, ApiError> {
        Ok(events::EventFilter {
            site: decode_some(self.site_id.as_ref())?,
            door: decode_some(self.door_id.as_ref())?,
            device: decode_some(self.device_id.as_ref())?,
            command: decode_some(self.command_id.as_ref())?,
            types: self.types.unwrap_or_default().into_iter().map(Into::into).collect(),
        })
    }
}

#[derive(Default)]
pub(crate) struct EventQueries;

#[Object]
impl EventQueries {
    /// The events that the caller sees, in the order of their ids. To miss none of those that come, follow `eventRecorded`: an
    /// event that is written down late may stand before others that were read already.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a Relay connection come on top")]
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which events; all without.")] filter: Option<EventFilter>,
        #[graphql(desc = "The order of the list.", default)] order_by: EventOrder,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Event>>> {
        let filter = match filter.unwrap_or_default().decode() {
            Ok(filter) => filter,
            Err(error) => return Some(Err(error.into())),
        };
        let newest_first = order_by == EventOrder::NewestFirst;
        Some(connect(context, filter, &PageArguments { first, after, last, before }, newest_first).await)
    }
}
