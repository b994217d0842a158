//! Who somebody is at an identity provider.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{payload, payloads::UserPayload};
use crate::{
    actions::people::{link_identity, unlink_identity},
    graphql::context::Ask,
};

/// What `linkIdentity` takes.
#[derive(InputObject)]
pub(crate) struct LinkIdentityInput {
    /// The person.
    user_id: ID,
    /// The identity provider, exactly as its tokens name it (`iss`). It must be one of the installation's.
    issuer: String,
    /// Its name for the person (`sub`).
    subject: String,
}

/// What `unlinkIdentity` takes.
#[derive(InputObject)]
pub(crate) struct UnlinkIdentityInput {
    /// The person.
    user_id: ID,
    /// The identity provider.
    issuer: String,
}

#[derive(Default)]
pub(crate) struct IdentityMutations;

#[Object]
impl IdentityMutations {
    /// Lets a person sign in as a subject of an identity provider, where its word for their e-mail address does not decide
    /// it. What they may do are their memberships. Needs ADMIN and a key without limits.
    async fn link_identity(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and who that is at the provider.")] input: LinkIdentityInput,
    ) -> Result<UserPayload> {
        let who = (input.issuer.as_str(), input.subject.as_str());
        payload(link_identity(context.shared()?, &context.caller()?.session, &input.user_id, who).await)
    }

    /// Forgets who a person is at an identity provider, within two seconds: who signed in through it is let in no more.
    /// Where the installation links by e-mail address, the next sign-in may link them anew. Needs ADMIN and a key without
    /// limits.
    async fn unlink_identity(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and at which provider.")] input: UnlinkIdentityInput,
    ) -> Result<UserPayload> {
        let session = &context.caller()?.session;
        payload(unlink_identity(context.shared()?, session, &input.user_id, &input.issuer).await)
    }
}
