//! What the mutations that change something at a vendor have in common: the two last arguments of their inputs, and the
//! way from an input to an order.

use async_graphql::{Context, Result};
use domain::{change::Change, clock::Timestamp};

use super::payload::{CommandPayload, send};
use crate::actions::{Order, Target};

/// Declares the inputs of mutations that send a command.
macro_rules! inputs {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[doc = $field_doc:literal])+ $(#[graphql($($option:tt)*)])? $field:ident: $type:ty,)*
    })+) => {
        $(
            $(#[$doc])*
            #[derive(async_graphql::InputObject)]
            pub(crate) struct $name {
                $($(#[doc = $field_doc])+ $(#[graphql($($option)*)])? $field: $type,)*
                /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the
                /// same command; with another order it is refused. Without a key every call is a command of its own.
                idempotency_key: Option<String>,
                /// From when on it must not be sent any more; a default by kind without, and never for what takes
                /// access away.
                expires_at: Option<domain::clock::Timestamp>,
            }
        )+
    };
}
pub(super) use inputs;

/// Asks for a change without a secret.
///
/// # Errors
/// The caller is anonymous, or what failed on our side.
pub(super) async fn ask(
    context: &Context<'_>,
    target: Target,
    change: Change,
    idempotency_key: Option<String>,
    expires_at: Option<Timestamp>,
) -> Result<CommandPayload> {
    send(context, Order { target, action: change.into(), secret: None, idempotency_key, expires_at }).await
}
