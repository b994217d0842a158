//! People.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};

use super::{given, payload, payloads::UserPayload};
use crate::{
    actions::people::{NewUser, UserGiven, create_user, delete_user, update_user},
    graphql::context::Ask,
};

/// What `createUser` takes.
#[derive(InputObject)]
pub(crate) struct CreateUserInput {
    /// Their name.
    name: String,
    /// Their e-mail address.
    email: Option<String>,
    /// Their telephone number with the country code.
    phone: Option<String>,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same person;
    /// with another order it is refused. Without a key every call makes another person.
    idempotency_key: Option<String>,
}

/// What `updateUser` takes. What is absent stays.
#[derive(InputObject)]
pub(crate) struct UpdateUserInput {
    /// The person.
    user_id: ID,
    /// Their name.
    name: Option<String>,
    /// Their e-mail address; null takes it away.
    email: MaybeUndefined<String>,
    /// Their telephone number with the country code; null takes it away.
    phone: MaybeUndefined<String>,
}

/// What `deleteUser` takes.
#[derive(InputObject)]
pub(crate) struct DeleteUserInput {
    /// The person.
    user_id: ID,
}

#[derive(Default)]
pub(crate) struct UserMutations;

#[Object]
impl UserMutations {
    /// Adds a person. Needs MANAGER and a key without limits.
    async fn create_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who.")] input: CreateUserInput,
    ) -> Result<UserPayload> {
        let CreateUserInput { name, email, phone, idempotency_key } = input;
        let new = NewUser { name, email, phone, idempotency_key };
        payload(create_user(context.shared()?, &context.caller()?.session, new).await)
    }

    /// Changes a person, and what vendors are told of them. Who comes from a PMS is changed there. Needs MANAGER and a key
    /// without limits; ADMIN for somebody who may sign in.
    async fn update_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and what is to change.")] input: UpdateUserInput,
    ) -> Result<UserPayload> {
        let (email, phone) = (given(input.email), given(input.phone));
        let change = UserGiven { user: input.user_id.0, name: input.name, email, phone };
        payload(update_user(context.shared()?, &context.caller()?.session, change).await)
    }

    /// Erases a person for ever: name and contacts are wiped, their credentials are revoked, their access levels and their
    /// right to sign in taken away. Their stays remain, without a name. What vendors keep is closed, not deleted, where
    /// they know no deletion. Needs MANAGER and a key without limits; ADMIN for somebody who may sign in.
    async fn delete_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who.")] input: DeleteUserInput,
    ) -> Result<UserPayload> {
        payload(delete_user(context.shared()?, &context.caller()?.session, &input.user_id).await)
    }
}
