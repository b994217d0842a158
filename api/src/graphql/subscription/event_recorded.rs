//! `eventRecorded`: each event as it is recorded, from now on or from a cursor, with no gap and no repetition.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, Subscription};
use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    ids::{OrganizationId, SiteId},
};
use entities::{
    find::{
        self,
        events::EventFilter,
        feed::{self, Place},
    },
    rows::event,
};
use futures::stream::BoxStream;
use messaging::Topic;

use super::{
    cursor::Cursor,
    watch::{Look, Seen, Trouble, Wake, Watch, follow},
};
use crate::graphql::{context::Ask, error::ApiError, object::Event, words::EventType};

/// Events are read in portions of this many.
const PORTION: u64 = 500;

#[derive(Default)]
pub(crate) struct EventSubscriptions;

#[Subscription]
impl EventSubscriptions {
    /// Each event that the caller sees, as it is recorded: from now on, or from a cursor on, with whatever came between. An
    /// event is told once, the events of one object in the order in which they happened to it.
    ///
    /// Keep the last cursor, and after a break of the connection give it as `after`. A cursor that is too old, or that is
    /// none of this house's, is refused with RESYNC_REQUIRED: read again what you show, and subscribe without it.
    async fn event_recorded(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only events at this site.")] site_id: Option<ID>,
        #[graphql(desc = "Only events of these types; all if empty.")] types: Option<Vec<EventType>>,
        #[graphql(desc = "A cursor of an earlier delivery: whatever was recorded since comes first.")] after: Option<
            String,
        >,
    ) -> Result<BoxStream<'static, Result<RecordedEvent>>> {
        let session = &context.caller()?.session;
        let shared = Arc::clone(&context.operation()?.shared);
        let site: Option<SiteId> = site_id.map(|id| id.parse()).transpose().map_err(|_| ApiError::NotFound)?;
        let types = types.unwrap_or_default().into_iter().map(Into::into).collect();
        let organization = session.principal.organization;
        let now = shared.clock.now();
        let start = match after.as_deref().map(Cursor::decode).transpose()? {
            Some(cursor) if cursor.organization != organization => return Err(ApiError::ResyncRequired.into()),
            Some(cursor) if cursor.given_at < now - shared.replay => return Err(ApiError::ResyncRequired.into()),
            Some(cursor) => Start::After(cursor.place, cursor.given_at),
            None => Start::Now,
        };
        // Whatever else changes is not told on the bus: it is found at the next look.
        let topics = [Topic::Organization(organization.0), Topic::Alerts(organization.0)];
        let watch = Watch::new(shared, session, &topics);
        let filter = EventFilter { site, types, ..EventFilter::default() };
        Ok(follow(watch, EventsLook { organization, filter, start }))
    }
}

/// An event that was recorded, with the place to read on from.
pub(crate) struct RecordedEvent {
    cursor: Cursor,
    event: Option<Arc<event::Model>>,
}

/// An event that was recorded, with the place to read on from.
#[Object]
impl RecordedEvent {
    /// The place right after it. Given back as `after`, it brings whatever was recorded since, and nothing twice.
    async fn cursor(&self) -> String {
        self.cursor.encode()
    }

    /// The event; null in the first delivery of a subscription without `after`, which only tells where it begins.
    async fn event(&self) -> Option<Event> {
        self.event.clone().map(Into::into)
    }
}

/// Where the next look begins.
enum Start {
    /// With what is recorded from now on.
    Now,
    /// After a place that was given then.
    After(Place, Timestamp),
}

struct EventsLook {
    organization: OrganizationId,
    filter: EventFilter,
    start: Start,
}

impl Look for EventsLook {
    type Item = RecordedEvent;

    const PATIENCE: TimeDelta = TimeDelta::seconds(1);

    async fn look(&mut self, watch: &Watch, wake: &Wake) -> Result<Seen<RecordedEvent>, Trouble> {
        let session = watch.session().await?;
        let (database, scope) = (&watch.shared.database, &session.scope);
        if let (Some(site), Wake::LookAround) = (self.filter.site, wake)
            && find::sites::by_ids(database, scope, &[site]).await?.is_empty()
        {
            return Err(ApiError::NotFound.into());
        }
        // Before it is read: what is recorded meanwhile is not older than this.
        let now = watch.shared.clock.now();
        let Start::After(place, since) = &self.start else {
            let place = feed::now(database, scope).await?;
            let here = RecordedEvent { cursor: self.cursor(place.clone(), now), event: None };
            self.start = Start::After(place, now);
            return Ok(Seen::News(vec![here]));
        };
        let portion = feed::after(database, scope, &self.filter, (place, *since), PORTION).await?;
        let feed::Portion { events, place, more } = portion.ok_or(ApiError::ResyncRequired)?;
        let told = |(row, place)| RecordedEvent { cursor: self.cursor(place, now), event: Some(Arc::new(row)) };
        let news = events.into_iter().map(told).collect();
        self.start = Start::After(place, now);
        Ok(if more { Seen::SomeNews(news) } else { Seen::News(news) })
    }
}

impl EventsLook {
    const fn cursor(&self, place: Place, given_at: Timestamp) -> Cursor {
        Cursor { organization: self.organization, given_at, place }
    }
}
