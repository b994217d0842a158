//! Commands.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entities::find::commands;

use super::list::{connect, finder};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    context::decode_some,
    error::ApiError,
    node::find_one,
    object::Command,
    words::{CommandKind, CommandState},
};

finder!(commands::CommandFilter => Command, entities::find::commands);

/// Which commands; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct CommandFilter {
    /// To this vendor account, its devices or their doors.
    vendor_account_id: Option<ID>,
    /// At this site.
    site_id: Option<ID>,
    /// To this door.
    door_id: Option<ID>,
    /// To this device or one of its doors.
    device_id: Option<ID>,
    /// In this state.
    state: Option<CommandState>,
    /// Of this kind.
    kind: Option<CommandKind>,
}

impl CommandFilter {
    fn decode(self) -> Result<commands::CommandFilter, ApiError> {
        Ok(commands::CommandFilter {
            account: decode_some(self.vendor_account_id.as_ref())?,
            site: decode_some(self.site_id.as_ref())?,
            door: decode_some(self.door_id.as_ref())?,
            device: decode_some(self.device_id.as_ref())?,
            state: self.state.map(Into::into),
            kind: self.kind.map(Into::into),
        })
    }
}

#[derive(Default)]
pub(crate) struct CommandQueries;

#[Object]
impl CommandQueries {
    /// The commands that the caller sees, newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn commands(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which commands; all without.")] filter: Option<CommandFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Command>>> {
        let filter = match filter.unwrap_or_default().decode() {
            Ok(filter) => filter,
            Err(error) => return Some(Err(error.into())),
        };
        Some(connect(context, filter, &PageArguments { first, after, last, before }, true).await)
    }

    /// The command with this id; null if there is none that the caller sees.
    async fn command(&self, context: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Option<Result<Command>> {
        find_one(context, &id).await
    }
}
