//! Who is asking, and any object by its id.

use async_graphql::{Context, ID, Object, Result};
use futures::future::join_all;

use crate::graphql::{
    context::Ask,
    error::ApiError,
    node::{self, Node},
    object::Viewer,
};

/// As many ids as a page has items.
const NODES: usize = 100;

#[derive(Default)]
pub(crate) struct ViewerQueries;

#[Object]
impl ViewerQueries {
    /// The caller.
    async fn viewer(&self, context: &Context<'_>) -> Result<Viewer> {
        Ok(Viewer(context.caller()?.session.clone()))
    }

    /// The object with this id; null if there is none that the caller sees.
    async fn node(&self, context: &Context<'_>, #[graphql(desc = "Any id.")] id: ID) -> Option<Result<Node>> {
        node::find(context, &id).await
    }

    /// The objects with these ids, in their order, with null for each that the caller does not see.
    #[graphql(complexity = "1 + ids.len() * child_complexity")]
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Ids of any types, 100 at most.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Result<Node>>>> {
        if ids.len() > NODES {
            return Err(ApiError::BadUserInput(format!("Ask for {NODES} ids at most.")).into());
        }
        Ok(join_all(ids.iter().map(|id| node::find(context, id))).await)
    }
}
