//! Doors.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entities::find::doors;

use super::{
    bounded,
    list::{connect, finder},
};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    context::decode_some,
    error::ApiError,
    node::find_one,
    object::Door,
    words::{DeviceHealth, DoorMode, DoorPosition, LockState, Occupancy},
};

finder!(doors::DoorFilter => Door, entities::find::doors);

/// Which doors; every absent part means any. A side of the state that was never observed counts as UNKNOWN, a mode never
/// observed as NORMAL.
#[derive(Debug, Default, InputObject)]
pub(crate) struct DoorFilter {
    /// At this site.
    site_id: Option<ID>,
    /// With the bolt like this.
    lock: Option<LockState>,
    /// With the leaf like this.
    position: Option<DoorPosition>,
    /// Following this rule.
    mode: Option<DoorMode>,
    /// Used like this.
    occupancy: Option<Occupancy>,
    /// On a device as well as this.
    health: Option<DeviceHealth>,
    /// With this text in the name, in any case of letters.
    text: Option<String>,
}

impl DoorFilter {
    /// The filter in the words of the finders.
    ///
    /// # Errors
    /// A malformed id or an endless text.
    pub(crate) fn decode(self) -> Result<doors::DoorFilter, ApiError> {
        Ok(doors::DoorFilter {
            site: decode_some(self.site_id.as_ref())?,
            lock: self.lock.map(Into::into),
            position: self.position.map(Into::into),
            mode: self.mode.map(Into::into),
            occupancy: self.occupancy.map(Into::into),
            health: self.health.map(Into::into),
            text: bounded("text", self.text)?,
        })
    }
}

#[derive(Default)]
pub(crate) struct DoorQueries;

#[Object]
impl DoorQueries {
    /// The doors that the caller sees, oldest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn doors(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which doors; all without.")] filter: Option<DoorFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Door>>> {
        let filter = match filter.unwrap_or_default().decode() {
            Ok(filter) => filter,
            Err(error) => return Some(Err(error.into())),
        };
        Some(connect(context, filter, &PageArguments { first, after, last, before }, false).await)
    }

    /// The door with this id; null if there is none that the caller sees.
    async fn door(&self, context: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Option<Result<Door>> {
        find_one(context, &id).await
    }
}
