//! What mutations answer: the command, or why there is none.

use std::sync::Arc;

use async_graphql::{Context, Enum, SimpleObject};
use entities::{StoreError, rows::command};

use crate::{
    actions::{Order, Outcome, Refusal, send_command},
    graphql::{context::Ask, object::Command},
};

/// The answer of a mutation that sends or calls off a command.
#[derive(Clone, SimpleObject)]
pub(crate) struct CommandPayload {
    /// The command; null if it was refused.
    command: Option<Command>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// The answer of a mutation that sends several commands.
#[derive(Clone, SimpleObject)]
pub(crate) struct CommandsPayload {
    /// The commands, in the order of what was asked for. With an error: those that were accepted before it.
    commands: Vec<Command>,
    /// Why something was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// An expected refusal.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct UserError {
    /// What a program branches on.
    code: UserErrorCode,
    /// What a person reads.
    message: String,
    /// The argument at fault, for example `["input", "expiresAt"]`; null if it is about the whole.
    path: Option<Vec<&'static str>>,
}

/// Why a mutation was refused. Nothing was written and nothing will be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum UserErrorCode {
    /// There is no such object, or none that the caller sees.
    NotFound,
    /// The caller's role or key does not allow it.
    Forbidden,
    /// The door, device or vendor account cannot do it, or none of the doors can hold it.
    CapabilityMissing,
    /// The value is in use at one of the doors, or was until lately. Choose another.
    ValueTaken,
    /// Something else uses it.
    InUse,
    /// It is revoked, and stays so.
    Revoked,
    /// The vendor account needs a person before anything can be sent.
    AccountNotUsable,
    /// The same key was used for something else.
    IdempotencyKeyReused,
    /// An argument cannot be used.
    InvalidInput,
    /// The vendor does not accept the credentials.
    VendorRefused,
    /// The vendor could not be asked just now. Try again.
    VendorUnreachable,
    /// Somebody else does the same, or has just changed it. Look, and try again.
    Busy,
    /// The command has left already, or it is over.
    TooLate,
    /// A PMS decides this, and what it says is followed.
    PmsDecides,
    /// Too often in a short time. Try again later.
    RateLimited,
}

/// Sends an order and wraps its outcome.
///
/// # Errors
/// The caller is anonymous, or what failed on our side.
pub(super) async fn send(context: &Context<'_>, order: Order) -> async_graphql::Result<CommandPayload> {
    payload(send_command(context.shared()?, &context.caller()?.session, order).await)
}

/// Wraps the outcome of an action.
///
/// # Errors
/// What failed on our side.
pub(super) fn payload(outcome: Outcome) -> async_graphql::Result<CommandPayload> {
    Ok(match outcome? {
        Ok(row) => CommandPayload { command: Some(Arc::new(row).into()), user_errors: Vec::new() },
        Err(refusal) => CommandPayload { command: None, user_errors: vec![refusal.into()] },
    })
}

/// Wraps the outcome of an action that sends several commands.
///
/// # Errors
/// What failed on our side.
pub(super) fn commands_payload(
    outcome: Result<(Vec<command::Model>, Option<Refusal>), StoreError>,
) -> async_graphql::Result<CommandsPayload> {
    let (rows, refusal) = outcome?;
    Ok(CommandsPayload {
        commands: rows.into_iter().map(|row| Arc::new(row).into()).collect(),
        user_errors: refusal.into_iter().map(Into::into).collect(),
    })
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::NotFound { .. } => UserErrorCode::NotFound,
            Refusal::Forbidden(_) | Refusal::KeyLimited | Refusal::LimitedToDoors => UserErrorCode::Forbidden,
            Refusal::CapabilityMissing { .. } | Refusal::CannotHold { .. } => UserErrorCode::CapabilityMissing,
            Refusal::ValueTaken { .. } => UserErrorCode::ValueTaken,
            Refusal::InUse { .. } => UserErrorCode::InUse,
            Refusal::Revoked { .. } => UserErrorCode::Revoked,
            Refusal::AccountNotUsable(_) | Refusal::AccountUnlinked => UserErrorCode::AccountNotUsable,
            Refusal::VendorRefused(_) => UserErrorCode::VendorRefused,
            Refusal::VendorUnreachable(_) => UserErrorCode::VendorUnreachable,
            Refusal::Busy => UserErrorCode::Busy,
            Refusal::IdempotencyKeyReused => UserErrorCode::IdempotencyKeyReused,
            Refusal::InvalidInput { .. } => UserErrorCode::InvalidInput,
            Refusal::TooLate | Refusal::Over { .. } => UserErrorCode::TooLate,
            Refusal::PmsDecides => UserErrorCode::PmsDecides,
            Refusal::TooManyReveals => UserErrorCode::RateLimited,
        };
        Self { code, message: refusal.to_string(), path: refusal.field().map(|field| vec!["input", field]) }
    }
}
