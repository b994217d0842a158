//! Entity resolvers for the supergraph. They authenticate inside, because the library ignores guards here; a key that
//! leads to nothing is null, and never an error, because an error would lose the whole list.

use async_graphql::{Context, ID, Object, Result};

use super::{
    node::find_one,
    object::{AccessToken, Command, Credential, Device, Door, Organization, Reservation, Site, User, VendorAccount},
};

#[derive(Default)]
pub(crate) struct Entities;

#[Object]
impl Entities {
    #[graphql(entity)]
    async fn find_organization(&self, context: &Context<'_>, id: ID) -> Option<Result<Organization>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_site(&self, context: &Context<'_>, id: ID) -> Option<Result<Site>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_vendor_account(&self, context: &Context<'_>, id: ID) -> Option<Result<VendorAccount>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_device(&self, context: &Context<'_>, id: ID) -> Option<Result<Device>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_door(&self, context: &Context<'_>, id: ID) -> Option<Result<Door>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_user(&self, context: &Context<'_>, id: ID) -> Option<Result<User>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_credential(&self, context: &Context<'_>, id: ID) -> Option<Result<Credential>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_command(&self, context: &Context<'_>, id: ID) -> Option<Result<Command>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_reservation(&self, context: &Context<'_>, id: ID) -> Option<Result<Reservation>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_access_token(&self, context: &Context<'_>, id: ID) -> Option<Result<AccessToken>> {
        find_one(context, &id).await
    }
}
