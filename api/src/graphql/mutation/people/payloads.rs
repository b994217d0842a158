//! What mutations of people, credentials, access levels and schedules answer.

use std::sync::Arc;

use async_graphql::{ID, SimpleObject};
use domain::ids::{AccessLevelId, MembershipId, ScheduleId};
use entities::rows::{access_level, credential, membership, schedule, user};

use super::super::payload::UserError;
use crate::{
    actions::{Refusal, people::Assigned},
    graphql::object::{AccessAssignment, AccessLevel, Credential, Membership, Schedule, User},
};

macro_rules! payloads {
    ($($(#[$doc:meta])* $payload:ident { $(#[$field_doc:meta])* $field:ident: $object:ty } = $row:path, $wrap:expr;)+) => {
        $(
            $(#[$doc])*
            #[derive(Default, SimpleObject)]
            pub(crate) struct $payload {
                $(#[$field_doc])*
                $field: Option<$object>,
                /// Why it was refused; empty otherwise.
                user_errors: Vec<UserError>,
            }

            impl From<$row> for $payload {
                fn from(row: $row) -> Self {
                    let wrap: fn($row) -> $object = $wrap;
                    Self { $field: Some(wrap(row)), user_errors: Vec::new() }
                }
            }

            impl Refused for $payload {
                fn refused(refusal: Refusal) -> Self {
                    Self { user_errors: vec![refusal.into()], ..Self::default() }
                }
            }
        )+
    };
}

/// A payload that can be a refusal.
pub(super) trait Refused: Default {
    fn refused(refusal: Refusal) -> Self;
}

/// What was deleted.
pub(super) struct Deleted<Row>(pub(super) Row);

payloads! {
    /// The answer of mutations that change a person.
    UserPayload {
        /// The person; null if it was refused.
        user: User
    } = user::Model, |row| Arc::new(row).into();

    /// The answer of mutations that change a credential.
    CredentialPayload {
        /// The credential; null if it was refused.
        credential: Credential
    } = credential::Model, |row| Arc::new(row).into();

    /// The answer of mutations that change an access level.
    AccessLevelPayload {
        /// The access level; null if it was refused.
        access_level: AccessLevel
    } = access_level::Model, |row| Arc::new(row).into();

    /// The answer of `deleteAccessLevel`.
    DeleteAccessLevelPayload {
        /// The id of what was deleted; null if it was refused.
        deleted_id: ID
    } = Deleted<access_level::Model>, |row| AccessLevelId(row.0.id).to_string().into();

    /// The answer of mutations that change a schedule.
    SchedulePayload {
        /// The schedule; null if it was refused.
        schedule: Schedule
    } = schedule::Model, |row| Arc::new(row).into();

    /// The answer of `setMembership`.
    MembershipPayload {
        /// The membership; null if it was refused.
        membership: Membership
    } = membership::Model, |row| Arc::new(row).into();

    /// The answer of `removeMembership`.
    RemoveMembershipPayload {
        /// The id of what was taken away; null if it was refused.
        removed_id: ID
    } = Deleted<membership::Model>, |row| MembershipId(row.0.id).to_string().into();

    /// The answer of `deleteSchedule`.
    DeleteSchedulePayload {
        /// The id of what was deleted; null if it was refused.
        deleted_id: ID
    } = Deleted<schedule::Model>, |row| ScheduleId(row.0.id).to_string().into();
}

/// The answer of mutations that give an access level to a person, or take it away.
#[derive(Default, SimpleObject)]
pub(crate) struct AccessAssignmentPayload {
    /// The person; null if it was refused.
    user: Option<User>,
    /// What they have now; null if it was taken away or refused.
    assignment: Option<AccessAssignment>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

impl From<Assigned> for AccessAssignmentPayload {
    fn from(assigned: Assigned) -> Self {
        Self {
            user: Some(Arc::new(assigned.user).into()),
            assignment: assigned.assignment.map(|row| Arc::new(row).into()),
            user_errors: Vec::new(),
        }
    }
}

impl Refused for AccessAssignmentPayload {
    fn refused(refusal: Refusal) -> Self {
        Self { user_errors: vec![refusal.into()], ..Self::default() }
    }
}
