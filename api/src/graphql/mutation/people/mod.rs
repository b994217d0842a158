//! Creating and changing people, their credentials, access levels and schedules. What follows at vendors is shown by the
//! placements of the credentials.

mod access_levels;
mod credentials;
mod identities;
mod memberships;
mod payloads;
mod users;

use async_graphql::{MaybeUndefined, Result};

use self::payloads::Refused;
pub(crate) use self::{
    access_levels::AccessLevelMutations, credentials::CredentialMutations, identities::IdentityMutations,
    memberships::MembershipMutations, users::UserMutations,
};
use crate::actions::accounts::Answer;

/// Wraps the outcome of an action.
///
/// # Errors
/// What failed on our side.
fn payload<T, P: From<T> + Refused>(answer: Answer<T>) -> Result<P> {
    Ok(match answer? {
        Ok(outcome) => outcome.into(),
        Err(refusal) => P::refused(refusal),
    })
}

/// What is to change: nothing where it is absent, to nothing where it is null.
fn given<T>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
