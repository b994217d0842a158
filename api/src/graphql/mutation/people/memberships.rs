//! Who may sign in, and as what.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    payload,
    payloads::{MembershipPayload, RemoveMembershipPayload},
};
use crate::{
    actions::people::{remove_membership, set_membership},
    graphql::{context::Ask, mutation::people::payloads::Deleted, words::Role},
};

/// What `setMembership` takes.
#[derive(InputObject)]
pub(crate) struct SetMembershipInput {
    /// The person.
    user_id: ID,
    /// Where; everywhere without.
    site_id: Option<ID>,
    /// The role that they have there from now on.
    role: Role,
}

/// What `removeMembership` takes.
#[derive(InputObject)]
pub(crate) struct RemoveMembershipInput {
    /// The membership.
    membership_id: ID,
}

#[derive(Default)]
pub(crate) struct MembershipMutations;

#[Object]
impl MembershipMutations {
    /// Lets a person sign in with a role in the organization, or at one site of it, in place of the one that they have
    /// there. Needs ADMIN and a key without limits.
    async fn set_membership(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, where and as what.")] input: SetMembershipInput,
    ) -> Result<MembershipPayload> {
        let SetMembershipInput { user_id, site_id, role } = input;
        let place = (user_id.as_str(), site_id.as_ref().map(|id| id.as_str()));
        payload(set_membership(context.shared()?, &context.caller()?.session, place, role.into()).await)
    }

    /// Takes a membership away, within two seconds. Who has none is not let in any more. Needs ADMIN and a key without
    /// limits.
    async fn remove_membership(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which membership.")] input: RemoveMembershipInput,
    ) -> Result<RemoveMembershipPayload> {
        let removed = remove_membership(context.shared()?, &context.caller()?.session, &input.membership_id).await;
        payload(removed.map(|removed| removed.map(Deleted)))
    }
}
