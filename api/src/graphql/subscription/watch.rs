//! The waiting that subscriptions share: for live events, and for the safety look that catches what the bus lost.

use std::{collections::VecDeque, future::Future, pin::pin, sync::Arc};

use chrono::TimeDelta;
use domain::{access::Principal, clock::Timestamp};
use entities::StoreError;
use futures::{FutureExt, StreamExt, future::Either, stream::BoxStream};
use messaging::{LiveEvent, LiveSignal, LiveStream, Topic};

use crate::{
    auth::{Credential, Session},
    graphql::error::ApiError,
    shared::Shared,
};

/// Without news a subscription looks after this long, if it has no patience of its own.
const SAFETY_LOOK: TimeDelta = TimeDelta::seconds(15);

/// After the database was out of reach it looks again after this long.
const SECOND_LOOK: TimeDelta = TimeDelta::seconds(1);

/// At most this many events are taken in at once.
const SWEEP: usize = 100;

/// Why a subscription looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wake {
    /// These things changed.
    Changed(Vec<LiveEvent>),
    /// Anything may have changed.
    LookAround,
}

/// What a look led to.
pub(super) enum Seen<T> {
    /// These are the news, if any.
    News(Vec<T>),
    /// These are some of the news: the others are looked for as soon as these are told.
    SomeNews(Vec<T>),
    /// These are the last news: nothing more will come.
    LastNews(Vec<T>),
}

/// How a subscription looks: reads what changed as its caller sees it, and remembers what was sent.
pub(super) trait Look: Send + 'static {
    /// What is delivered.
    type Item: Send + 'static;

    /// After this long without news it looks.
    const PATIENCE: TimeDelta = SAFETY_LOOK;

    /// Looks for what was not sent yet.
    fn look(&mut self, watch: &Watch, wake: &Wake) -> impl Future<Output = Result<Seen<Self::Item>, Trouble>> + Send;
}

/// The current state first, then whatever each look finds.
pub(super) fn follow<L: Look>(watch: Watch, look: L) -> BoxStream<'static, async_graphql::Result<L::Item>> {
    let following = Following { watch, look, news: VecDeque::new(), at_once: true, over: false };
    futures::stream::unfold(following, |mut following| async move {
        let item = following.next().await?;
        Some((item.map_err(Into::into), following))
    })
    .boxed()
}

struct Following<L: Look> {
    watch: Watch,
    look: L,
    news: VecDeque<L::Item>,
    /// Whether it looks without waiting: at first, and while there is more.
    at_once: bool,
    over: bool,
}

impl<L: Look> Following<L> {
    async fn next(&mut self) -> Option<Result<L::Item, Trouble>> {
        loop {
            if let Some(item) = self.news.pop_front() {
                // What is told late is still told to somebody with the rights that it was read with.
                match self.watch.session().await {
                    Ok(_) => return Some(Ok(item)),
                    Err(trouble) if self.watch.survives(&trouble) => {
                        self.news.push_front(item);
                        self.watch.shared.clock.sleep_until(self.watch.next_look).await;
                        continue;
                    }
                    Err(trouble) => return self.end(trouble),
                }
            }
            if self.over {
                return None;
            }
            let wake = if self.at_once { Wake::LookAround } else { self.watch.wake().await };
            self.at_once = false;
            match self.look.look(&self.watch, &wake).await {
                Ok(seen) => {
                    if wake == Wake::LookAround {
                        self.watch.looked_around(L::PATIENCE);
                    }
                    let items = match seen {
                        Seen::News(items) => items,
                        Seen::SomeNews(items) => {
                            self.at_once = true;
                            items
                        }
                        Seen::LastNews(items) => {
                            self.over = true;
                            items
                        }
                    };
                    self.news.extend(items);
                }
                Err(trouble) if self.watch.survives(&trouble) => {}
                Err(trouble) => return self.end(trouble),
            }
        }
    }

    fn end(&mut self, trouble: Trouble) -> Option<Result<L::Item, Trouble>> {
        self.over = true;
        self.news.clear();
        Some(Err(trouble))
    }
}

/// One subscriber's ear.
pub(super) struct Watch {
    pub(super) shared: Arc<Shared>,
    credential: Credential,
    /// Who subscribed. What hangs on the things that are told is read as they saw it.
    subscriber: Arc<Principal>,
    live: LiveStream,
    next_look: Timestamp,
}

impl Watch {
    /// Listens from now on.
    pub(super) fn new(shared: Arc<Shared>, session: &Session, topics: &[Topic]) -> Self {
        let live = shared.live.subscribe(topics);
        let next_look = shared.clock.now() + SAFETY_LOOK;
        let (credential, subscriber) = (session.credential.clone(), Arc::clone(&session.principal));
        Self { shared, credential, subscriber, live, next_look }
    }

    /// Waits until there is a reason to look.
    async fn wake(&mut self) -> Wake {
        let timer = pin!(self.shared.clock.sleep_until(self.next_look));
        let Either::Left((Some(signal), _)) = futures::future::select(self.live.next(), timer).await else {
            return Wake::LookAround;
        };
        let mut changed = Vec::new();
        let mut next = Some(signal);
        while let Some(signal) = next {
            match signal {
                LiveSignal::Lagged => return Wake::LookAround,
                LiveSignal::Event(event) => changed.push(event),
            }
            next = if changed.len() < SWEEP { self.live.next().now_or_never().flatten() } else { None };
        }
        Wake::Changed(changed)
    }

    /// The caller as they are now; an error once their key does not count any more, or their rights are other ones than
    /// when they subscribed.
    pub(super) async fn session(&self) -> Result<Session, Trouble> {
        let verified = self.shared.keys.verify(&self.credential).await?;
        let session = verified.ok_or(ApiError::Unauthenticated)?;
        if session.principal == self.subscriber { Ok(session) } else { Err(ApiError::RightsChanged.into()) }
    }

    /// Remembers that everything was looked at.
    fn looked_around(&mut self, patience: TimeDelta) {
        self.next_look = self.shared.clock.now() + patience;
    }

    /// Whether the trouble will pass: then everything is looked at again soon.
    fn survives(&mut self, trouble: &Trouble) -> bool {
        let passes = matches!(trouble, Trouble::Store(StoreError::Unavailable(_)));
        if passes {
            tracing::warn!("a subscription could not look; it will again");
            self.next_look = self.shared.clock.now() + SECOND_LOOK;
        }
        passes
    }
}

/// What can go wrong with a look.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database.
    Store(StoreError),
    /// The caller has to know.
    Told(ApiError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Self::Told(error)
    }
}

impl From<Trouble> for async_graphql::Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Store(error) => error.into(),
            Trouble::Told(error) => error.into(),
        }
    }
}
