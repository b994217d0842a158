//! `doorStateChanged`: the doors of a site, or some doors, as their state changes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_graphql::{Context, ID, Result, Subscription};
use domain::ids::{DoorId, SiteId};
use entities::{
    find::{self, doors::DoorFilter},
    page::PageRequest,
    rows::door,
};
use futures::stream::BoxStream;
use messaging::{LiveEvent, Topic};
use uuid::Uuid;

use super::watch::{Look, Seen, Trouble, Wake, Watch, follow};
use crate::{
    auth::Session,
    graphql::{context::Ask, error::ApiError, object::Door},
};

/// As many doors as may be watched by their ids.
const DOORS: usize = 100;

/// The doors of a site are read in portions of this many.
const PORTION: u64 = 500;

#[derive(Default)]
pub(crate) struct DoorSubscriptions;

#[Subscription]
impl DoorSubscriptions {
    /// Each door as it is now, then each door whose state changes. Ask for a site or for doors.
    async fn door_state_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The doors of this site that the caller sees.")] site_id: Option<ID>,
        #[graphql(desc = "These doors, 100 at most.")] door_ids: Option<Vec<ID>>,
    ) -> Result<BoxStream<'static, Result<Door>>> {
        let session = &context.caller()?.session;
        let place = Place::of(site_id.as_ref(), door_ids.as_deref())?;
        let shared = Arc::clone(&context.operation()?.shared);
        let watch = Watch::new(shared, session, &place.topics());
        Ok(follow(watch, DoorsLook { place, sent: HashMap::new() }))
    }
}

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Site(SiteId),
    Doors(Vec<DoorId>),
}

impl Place {
    fn of(site: Option<&ID>, doors: Option<&[ID]>) -> Result<Self, ApiError> {
        match (site, doors) {
            (Some(site), None) => Ok(Self::Site(site.parse().map_err(|_| ApiError::NotFound)?)),
            (None, Some(doors)) if (1..=DOORS).contains(&doors.len()) => {
                let ids: Result<BTreeSet<DoorId>, _> = doors.iter().map(|id| id.parse()).collect();
                Ok(Self::Doors(ids.map_err(|_| ApiError::NotFound)?.into_iter().collect()))
            }
            (None, Some(_)) => Err(ApiError::BadUserInput(format!("Ask for 1 to {DOORS} doors."))),
            _ => {
                Err(ApiError::BadUserInput("Ask for a `siteId` or for `doorIds`, not for both or neither.".to_owned()))
            }
        }
    }

    fn topics(&self) -> Vec<Topic> {
        match self {
            Self::Site(site) => vec![Topic::Site(site.0)],
            Self::Doors(doors) => doors.iter().map(|door| Topic::Door(door.0)).collect(),
        }
    }
}

struct DoorsLook {
    place: Place,
    /// The newest version of each door's state sent: an older one is never sent after it.
    sent: HashMap<Uuid, i64>,
}

impl Look for DoorsLook {
    type Item = Door;

    async fn look(&mut self, watch: &Watch, wake: &Wake) -> Result<Seen<Door>, Trouble> {
        let rows = match wake {
            Wake::LookAround => self.everything(watch, &watch.session().await?).await?,
            Wake::Changed(events) => {
                let changed = self.changed(events);
                if changed.is_empty() {
                    return Ok(Seen::News(Vec::new()));
                }
                let session = watch.session().await?;
                find::doors::by_ids(&watch.shared.database, &session.scope, &changed).await?
            }
        };
        Ok(Seen::News(rows.into_iter().filter_map(|row| self.news(row)).collect()))
    }
}

impl DoorsLook {
    fn changed(&self, events: &[LiveEvent]) -> Vec<DoorId> {
        let newer = events.iter().filter_map(|event| match event {
            LiveEvent::DoorState { door, version, .. } => {
                self.sent.get(door).is_none_or(|sent| version > sent).then_some(DoorId(*door))
            }
            LiveEvent::Command { .. } | LiveEvent::Alert { .. } => None,
        });
        newer.collect::<BTreeSet<_>>().into_iter().collect()
    }

    async fn everything(&self, watch: &Watch, session: &Session) -> Result<Vec<door::Model>, Trouble> {
        let (database, scope) = (&watch.shared.database, &session.scope);
        match &self.place {
            Place::Doors(doors) => {
                let rows = find::doors::by_ids(database, scope, doors).await?;
                if rows.len() == doors.len() { Ok(rows) } else { Err(ApiError::NotFound.into()) }
            }
            Place::Site(site) => {
                if find::sites::by_ids(database, scope, &[*site]).await?.is_empty() {
                    return Err(ApiError::NotFound.into());
                }
                let filter = DoorFilter { site: Some(*site), ..DoorFilter::default() };
                let mut rows = Vec::new();
                loop {
                    let after = rows.last().map(|row: &door::Model| row.id);
                    let portion =
                        PageRequest { after, before: None, limit: PORTION, from_end: false, newest_first: false };
                    let page = find::doors::page(database, scope, &filter, portion).await?;
                    rows.extend(page.rows);
                    if !page.has_next {
                        return Ok(rows);
                    }
                }
            }
        }
    }

    /// The door, if this version of its state was not sent yet.
    fn news(&mut self, row: door::Model) -> Option<Door> {
        // A door that moved to another site is another subscription's business.
        if matches!(self.place, Place::Site(site) if site.0 != row.site_id) {
            return None;
        }
        let sent = self.sent.entry(row.id).or_insert(i64::MIN);
        if row.state_version <= *sent {
            return None;
        }
        *sent = row.state_version;
        Some(Arc::new(row).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_or_doors_and_never_both() {
        let door = ID::from(DoorId(Uuid::from_u128(1)).to_string());
        let site = ID::from(SiteId(Uuid::from_u128(2)).to_string());
        assert!(matches!(Place::of(Some(&site), None), Ok(Place::Site(_))));
        let twice = [door.clone(), door.clone()];
        assert_eq!(Place::of(None, Some(&twice)), Ok(Place::Doors(vec![DoorId(Uuid::from_u128(1))])));
        assert!(matches!(Place::of(Some(&site), Some(&twice)), Err(ApiError::BadUserInput(_))));
        assert!(matches!(Place::of(None, None), Err(ApiError::BadUserInput(_))));
        assert!(matches!(Place::of(None, Some(&[])), Err(ApiError::BadUserInput(_))));
        assert!(matches!(Place::of(None, Some(std::slice::from_ref(&site))), Err(ApiError::NotFound)));
    }
}
