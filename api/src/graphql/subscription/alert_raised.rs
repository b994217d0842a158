//! `alertRaised`: the open alerts, then each that is raised, changes, is acknowledged or resolved.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_graphql::{Context, ID, Result, Subscription};
use domain::{
    alert::AlertKind,
    ids::{AlertId, SiteId},
};
use entities::{
    find::{self, alerts::AlertFilter},
    page::PageRequest,
    rows::alert,
};
use futures::stream::BoxStream;
use messaging::{LiveEvent, Topic};
use uuid::Uuid;

use super::watch::{Look, Seen, Trouble, Wake, Watch, follow};
use crate::{
    auth::Session,
    graphql::{
        context::Ask,
        error::ApiError,
        object::{Alert, readable_alerts},
    },
};

/// Open alerts are read in portions of this many.
const PORTION: u64 = 500;

#[derive(Default)]
pub(crate) struct AlertSubscriptions;

#[Subscription]
impl AlertSubscriptions {
    /// Each open alert that the caller sees and may read, then each that is raised, changes, is acknowledged or resolved.
    async fn alert_raised(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only alerts at this site.")] site_id: Option<ID>,
    ) -> Result<BoxStream<'static, Result<Alert>>> {
        let session = &context.caller()?.session;
        let site = site_id.map(|id| id.parse()).transpose().map_err(|_| ApiError::NotFound)?;
        let shared = Arc::clone(&context.operation()?.shared);
        let watch = Watch::new(shared, session, &[Topic::Alerts(session.principal.organization.0)]);
        Ok(follow(watch, AlertsLook { site, sent: HashMap::new() }))
    }
}

/// What was sent of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    version: i64,
    is_open: bool,
}

struct AlertsLook {
    site: Option<SiteId>,
    /// The newest version of each alert sent: an older one is never sent after it.
    sent: HashMap<Uuid, Sent>,
}

impl Look for AlertsLook {
    type Item = Alert;

    async fn look(&mut self, watch: &Watch, wake: &Wake) -> Result<Seen<Alert>, Trouble> {
        if let Wake::Changed(events) = wake {
            let changed = self.changed(events);
            if changed.is_empty() {
                return Ok(Seen::News(Vec::new()));
            }
            let session = watch.session().await?;
            let rows = find::alerts::by_ids(&watch.shared.database, &session.scope, &changed).await?;
            return Ok(Seen::News(self.news(rows, &kinds(watch, &session))));
        }
        let session = watch.session().await?;
        let kinds = kinds(watch, &session);
        let mut rows = self.open(watch, &session, &kinds).await?;
        // What was open when it was sent and is not any more.
        let open: BTreeSet<Uuid> = rows.iter().map(|row| row.id).collect();
        self.sent.retain(|_, sent| sent.is_open);
        let closed: Vec<AlertId> = self.sent.keys().filter(|id| !open.contains(id)).map(|id| AlertId(*id)).collect();
        if !closed.is_empty() {
            rows.extend(find::alerts::by_ids(&watch.shared.database, &session.scope, &closed).await?);
        }
        Ok(Seen::News(self.news(rows, &kinds)))
    }
}

/// The kinds that the caller may read just now.
fn kinds(watch: &Watch, session: &Session) -> Vec<AlertKind> {
    readable_alerts(&session.principal, watch.shared.clock.now())
}

impl AlertsLook {
    fn changed(&self, events: &[LiveEvent]) -> Vec<AlertId> {
        let newer = events.iter().filter_map(|event| match event {
            LiveEvent::Alert { id, version, .. } => {
                self.sent.get(id).is_none_or(|sent| *version > sent.version).then_some(AlertId(*id))
            }
            _ => None,
        });
        newer.collect::<BTreeSet<_>>().into_iter().collect()
    }

    async fn open(&self, watch: &Watch, session: &Session, kinds: &[AlertKind]) -> Result<Vec<alert::Model>, Trouble> {
        let (database, scope) = (&watch.shared.database, &session.scope);
        if let Some(site) = self.site
            && find::sites::by_ids(database, scope, &[site]).await?.is_empty()
        {
            return Err(ApiError::NotFound.into());
        }
        let filter = AlertFilter { kinds: kinds.to_vec(), site: self.site, ..AlertFilter::default() };
        let mut rows = Vec::new();
        loop {
            let after = rows.last().map(|row: &alert::Model| row.id);
            let portion = PageRequest { after, before: None, limit: PORTION, from_end: false, newest_first: false };
            let page = find::alerts::page(database, scope, &filter, portion).await?;
            rows.extend(page.rows);
            if !page.has_next {
                return Ok(rows);
            }
        }
    }

    /// Those of which this version was not sent yet.
    fn news(&mut self, rows: Vec<alert::Model>, kinds: &[AlertKind]) -> Vec<Alert> {
        let mut news = Vec::new();
        for row in rows {
            let is_asked_for = self.site.is_none_or(|site| row.site_id == Some(site.0))
                && row.kind().is_ok_and(|kind| kinds.contains(&kind));
            if !is_asked_for || self.sent.get(&row.id).is_some_and(|sent| row.version <= sent.version) {
                continue;
            }
            self.sent.insert(row.id, Sent { version: row.version, is_open: row.resolved_at.is_none() });
            news.push(Arc::new(row).into());
        }
        news
    }
}
