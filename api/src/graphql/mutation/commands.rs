//! Calling commands off.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::payload::{CommandPayload, payload};
use crate::{actions::cancel_command, graphql::context::Ask};

/// What `cancelCommand` takes.
#[derive(Debug, InputObject)]
pub(crate) struct CancelCommandInput {
    /// The command.
    command_id: ID,
}

#[derive(Default)]
pub(crate) struct CommandMutations;

#[Object]
impl CommandMutations {
    /// Calls a command off before it leaves. One's own may always be called off; another's by a MANAGER whose role and key
    /// let them send such a command, and whose uses are not counted. What takes access away is called off by nobody but who
    /// asked for it.
    async fn cancel_command(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which command.")] input: CancelCommandInput,
    ) -> Result<CommandPayload> {
        payload(cancel_command(context.shared()?, &context.caller()?.session, &input.command_id).await)
    }
}
