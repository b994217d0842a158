//! What a mutation does: authorise, write, ring the bell. One file per family; no GraphQL types in here.

mod announce;
mod cancel_command;
mod refusal;
mod send_command;

pub(crate) use cancel_command::cancel_command;
pub(crate) use refusal::Refusal;
pub(crate) use send_command::{Order, Target, send_command};

/// The outcome of an action: a command, a refusal that the caller can act on, or a failure of ours.
pub(crate) type Outcome = Result<Result<entities::rows::command::Model, Refusal>, entities::StoreError>;
