//! The mutation root, one file per subject: decodes the input, calls an action, wraps the outcome.

mod accounts;
mod card_locks;
mod change;
mod commands;
mod device_access;
mod devices;
mod doors;
mod hardware;
mod intercoms;
mod keys;
mod payload;
mod people;
mod pms_tokens;
mod profile;
mod schedules;
mod stays;

use async_graphql::MergedObject;

/// Acting. A mutation writes a command and returns at once; the outcome comes through `commandUpdated`. Expected refusals
/// are `userErrors`, and nothing was written then.
#[derive(Default, MergedObject)]
pub(crate) struct Mutation(
    doors::DoorMutations,
    devices::DeviceMutations,
    commands::CommandMutations,
    accounts::AccountMutations,
    intercoms::IntercomMutations,
    hardware::HardwareMutations,
    device_access::DeviceAccessMutations,
    schedules::ScheduleMutations,
    profile::ProfileMutations,
    card_locks::CardLockMutations,
    pms_tokens::PmsTokenMutations,
    people::UserMutations,
    people::CredentialMutations,
    people::AccessLevelMutations,
    people::IdentityMutations,
    people::MembershipMutations,
    keys::KeyMutations,
    stays::ReservationMutations,
    stays::TokenMutations,
    stays::MappingMutations,
    stays::AlertMutations,
);
