//! The one way in which a list is read: a page at once, its count only when asked for.

use std::{future::Future, hash::Hash, sync::Arc};

use async_graphql::{Context, Result, dataloader::Loader};
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
    loaders::{self, LoadError, Loaders, Reader},
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

/// Reads a page of a list that hangs on one of several parents, whose pages and counts are loaded together.
pub(super) async fn connect_loaded<T, P, C>(context: &Context<'_>, page: P, count: C) -> Result<Connection<T>>
where
    T: Listed,
    P: Clone + Eq + Hash + Send + Sync + 'static,
    C: Clone + Eq + Hash + Send + Sync + 'static,
    Reader: Loader<P, Value = Page<Arc<T::Row>>, Error = LoadError> + Loader<C, Value = u64, Error = LoadError>,
{
    let loaders = context.loaders()?.clone();
    let page = loaders.load(page).await?.unwrap_or_else(no_rows);
    let total = move || {
        let (loaders, count) = (loaders.clone(), count.clone());
        async move { Ok(loaders.load(count).await?.unwrap_or_default()) }.boxed()
    };
    Ok(Connection::new(page, Box::new(total)))
}

/// A list with nothing in it.
pub(super) fn nothing<T: Listed>() -> Connection<T> {
    Connection::new(no_rows(), Box::new(|| futures::future::ready(Ok(0)).boxed()))
}

const fn no_rows<Row>() -> Page<Row> {
    Page { rows: Vec::new(), has_next: false, has_previous: false }
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
