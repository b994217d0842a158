//! The mutation root, one file per subject: decodes the input, calls an action, wraps the outcome.

mod commands;
mod devices;
mod doors;
mod payload;

use async_graphql::MergedObject;

/// Acting. A mutation writes a command and returns at once; the outcome comes through `commandUpdated`. Expected refusals
/// are `userErrors`, and nothing was written then.
#[derive(Default, MergedObject)]
pub(crate) struct Mutation(doors::DoorMutations, devices::DeviceMutations, commands::CommandMutations);
