//! API keys.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entities::find::keys;

use super::list::{connect, finder};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    context::Ask,
    object::ApiKey,
};

finder!(keys::KeyFilter => ApiKey, entities::find::keys);

/// Which keys; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ApiKeyFilter {
    /// Made by this API key or user.
    made_by: Option<ID>,
    /// Whether those are wanted too that were revoked.
    #[graphql(default = false)]
    revoked_too: bool,
}

#[derive(Default)]
pub(crate) struct KeyQueries;

#[Object]
impl KeyQueries {
    /// API keys, oldest first: all of the organization for an ADMIN without limits, for others those that they made.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn api_keys(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which keys; all that were not revoked without.")] filter: Option<ApiKeyFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<ApiKey>>> {
        let page = async {
            let (principal, now) = (&context.caller()?.session.principal, context.shared()?.clock.now());
            let ApiKeyFilter { made_by, revoked_too } = filter.unwrap_or_default();
            let only_own = !principal.may_see_key(None, now);
            let own = principal.actor.to_string();
            let page = PageArguments { first, after, last, before };
            let made_by = super::bounded("madeBy", made_by.map(|id| id.0))?;
            if only_own && made_by.as_ref().is_some_and(|maker| *maker != own) {
                return Ok(super::list::nothing());
            }
            let made_by = if only_own { Some(own) } else { made_by };
            connect(context, keys::KeyFilter { made_by, revoked_too }, &page, false).await
        };
        Some(page.await)
    }
}
