//! A site, as the schema shows it, with its doors and devices.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use domain::{
    clock::Timestamp,
    ids::{OrganizationId, SiteId},
};
use entities::{page::Page, rows::site};
use futures::FutureExt;

use super::{Device, Door, Organization, neighbour};
use crate::{
    graphql::{
        connection::{Connection, PageArguments, cost},
        context::Ask,
        query::DoorFilter,
        words::DeviceHealth,
    },
    loaders::{DevicesAtSite, DoorsAtSite},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Site(pub(super) Arc<site::Model>);

/// A property: a car park, a hotel, a campus. It gives its doors their time zone.
#[Object]
impl Site {
    /// Its id (`site_…`).
    pub(crate) async fn id(&self) -> ID {
        SiteId(self.0.id).to_string().into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its IANA time zone, for example `Europe/Tallinn`.
    async fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// When it was created.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Whose it is.
    async fn organization(&self, context: &Context<'_>) -> Option<Result<Organization>> {
        neighbour(context, OrganizationId(self.0.organization_id)).await
    }

    /// Its doors, oldest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn doors(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which of its doors; all without. A `siteId` in it must be this site's.")] filter: Option<
            DoorFilter,
        >,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Door>>> {
        let window = PageArguments { first, after, last, before };
        Some(self.doors_in(context, filter.unwrap_or_default(), &window).await)
    }

    /// Its devices, oldest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn devices(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only devices as well as this.")] health: Option<DeviceHealth>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Device>>> {
        let window = PageArguments { first, after, last, before };
        Some(self.devices_in(context, health, &window).await)
    }
}

impl Site {
    async fn doors_in(
        &self,
        context: &Context<'_>,
        filter: DoorFilter,
        window: &PageArguments,
    ) -> Result<Connection<Door>> {
        let site = SiteId(self.0.id);
        let mut filter = filter.decode()?;
        let window = window.window::<Door>(false)?;
        let loaders = context.loaders()?.clone();
        if filter.site.take().is_some_and(|wanted| wanted != site) {
            return Ok(Connection::new(nothing(), Box::new(|| futures::future::ready(Ok(0)).boxed())));
        }
        let page = loaders.load(DoorsAtSite(site, filter.clone(), window)).await?.unwrap_or_else(nothing);
        let total = move || {
            let (loaders, key) = (loaders.clone(), DoorsAtSite(site, filter.clone(), ()));
            async move { Ok(loaders.load(key).await?.unwrap_or_default()) }.boxed()
        };
        Ok(Connection::new(page, Box::new(total)))
    }

    async fn devices_in(
        &self,
        context: &Context<'_>,
        health: Option<DeviceHealth>,
        window: &PageArguments,
    ) -> Result<Connection<Device>> {
        let (site, health) = (SiteId(self.0.id), health.map(Into::into));
        let window = window.window::<Device>(false)?;
        let loaders = context.loaders()?.clone();
        let page = loaders.load(DevicesAtSite(site, health, window)).await?.unwrap_or_else(nothing);
        let total = move || {
            let loaders = loaders.clone();
            async move { Ok(loaders.load(DevicesAtSite(site, health, ())).await?.unwrap_or_default()) }.boxed()
        };
        Ok(Connection::new(page, Box::new(total)))
    }
}

fn nothing<Row>() -> Page<Row> {
    Page { rows: Vec::new(), has_next: false, has_previous: false }
}
