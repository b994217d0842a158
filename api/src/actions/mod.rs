//! What a mutation does: authorise, write, ring the bell. One file per family; no GraphQL types in here.

pub(crate) mod accounts;
mod announce;
mod arguments;
mod cancel_command;
pub(crate) mod denials;
mod import_users;
mod keyed;
pub(crate) mod keys;
mod own_right;
pub(crate) mod people;
mod place;
mod references;
mod refusal;
mod sealing;
mod send_command;
pub(crate) mod stays;

pub(crate) use arguments::short_text;
pub(crate) use cancel_command::cancel_command;
pub(crate) use import_users::{Import, NewUser, import_users};
pub(crate) use keyed::keyed;
pub(crate) use place::Target;
pub(crate) use refusal::Refusal;
pub(crate) use send_command::{Order, send_command};

/// The outcome of an action: a command, a refusal that the caller can act on, or a failure of ours.
pub(crate) type Outcome = Result<Result<entities::rows::command::Model, Refusal>, entities::StoreError>;
