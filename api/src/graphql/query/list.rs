//! The one way in which a root list is read: a page at once, its count only when asked for.

use std::{future::Future, sync::Arc};

use async_graphql::{Context, Result};
use entities::{
    Database, Scope, StoreError,
    page::{Page, PageRequest},
};
use futures::FutureExt;

use crate::{
    graphql::{
        connection::{Connection, Listed, PageArguments},
        context::Ask,
    },
    loaders::{self, Loaders},
};

/// A list that a caller may page through: a finder's page and its count.
pub(super) trait Finder: Clone + Send + Sync + 'static {
    /// What is found.
    type Item: Listed;

    fn page(
        &self,
        database: &Database,
        scope: &Scope,
        request: PageRequest,
    ) -> impl Future<Output = Result<Page<<Self::Item as Listed>::Row>, StoreError>> + Send;

    fn count(&self, database: &Database, scope: &Scope) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// Reads a page of what `finder` finds.
pub(super) async fn connect<F: Finder>(
    context: &Context<'_>,
    finder: F,
    arguments: &PageArguments,
    newest_first: bool,
) -> Result<Connection<F::Item>> {
    let loaders = context.loaders()?.clone();
    let window = arguments.window::<F::Item>(newest_first)?;
    let page = finder.page(loaders.database(), loaders.scope(), window.into()).await?;
    let total = move || {
        let (finder, loaders): (F, Loaders) = (finder.clone(), loaders.clone());
        async move { finder.count(loaders.database(), loaders.scope()).await.map_err(Arc::new) }.boxed()
    };
    Ok(Connection::new(loaders::shared(page), Box::new(total)))
}

/// A list with nothing in it.
pub(super) fn nothing<T: Listed>() -> Connection<T> {
    let page = Page { rows: Vec::new(), has_next: false, has_previous: false };
    Connection::new(page, Box::new(|| futures::future::ready(Ok(0)).boxed()))
}

/// Implements [`Finder`] for a filter through a module of finders.
macro_rules! finder {
    ($filter:ty => $item:ty, $finders:path) => {
        impl $crate::graphql::query::list::Finder for $filter {
            type Item = $item;

            async fn page(
                &self,
                database: &entities::Database,
                scope: &entities::Scope,
                request: entities::page::PageRequest,
            ) -> Result<entities::page::Page<<$item as $crate::graphql::connection::Listed>::Row>, entities::StoreError>
            {
                use $finders as finders;
                finders::page(database, scope, self, request).await
            }

            async fn count(
                &self,
                database: &entities::Database,
                scope: &entities::Scope,
            ) -> Result<u64, entities::StoreError> {
                use $finders as finders;
                finders::count(database, scope, self).await
            }
        }
    };
}
pub(super) use finder;
