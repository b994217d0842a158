//! Sites.

use async_graphql::{Context, ID, Object, Result};
use entities::{
    Database, Scope, StoreError, find,
    page::{Page, PageRequest},
    rows::site,
};

use super::list::{Finder, connect};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    node::find_one,
    object::Site,
};

#[derive(Default)]
pub(crate) struct SiteQueries;

#[Object]
impl SiteQueries {
    /// The sites that the caller sees, oldest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn sites(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Site>>> {
        Some(connect(context, EverySite, &PageArguments { first, after, last, before }, false).await)
    }

    /// The site with this id; null if there is none that the caller sees.
    async fn site(&self, context: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Option<Result<Site>> {
        find_one(context, &id).await
    }
}

/// Sites have no filter.
#[derive(Clone)]
struct EverySite;

impl Finder for EverySite {
    type Item = Site;

    async fn page(
        &self,
        database: &Database,
        scope: &Scope,
        request: PageRequest,
    ) -> Result<Page<site::Model>, StoreError> {
        find::sites::page(database, scope, request).await
    }

    async fn count(&self, database: &Database, scope: &Scope) -> Result<u64, StoreError> {
        find::sites::count(database, scope).await
    }
}
