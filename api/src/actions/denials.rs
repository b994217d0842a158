//! Telling the ledger whom the rules refused what. Orders for things that a caller does not see are no such refusals, and who
//! asks the same again and again is told of once a minute, with how often: nobody fills the ledger by knocking. What was
//! counted is told when the minute is over, also if nobody knocks any more; only a process that is killed takes a minute's
//! count with it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use chrono::TimeDelta;
use domain::{
    access::Actor,
    clock::Timestamp,
    command::{CommandKind, Grounds},
    ids::{IdSource, OrganizationId},
};
use entities::{
    Database, StoreError,
    rows::command,
    store::decisions::{Asked, Denied, deny},
};
use lru::LruCache;
use uuid::Uuid;

use super::{Refusal, place::Place};
use crate::{auth::Session, shared::Shared};

/// How often the same refusal is told.
const QUIET: TimeDelta = TimeDelta::minutes(1);
/// How often it is looked whether something is left to tell.
const PERIOD: TimeDelta = TimeDelta::seconds(1);
/// Refusals of one organization that a process remembers; the longest told make room, and are told again when they come.
const REMEMBERED: usize = 1_000;

/// The refusals of the last minute in this process, by organization, so that none is silenced by another's.
#[derive(Default)]
pub(crate) struct Denials(Mutex<HashMap<OrganizationId, LruCache<Knock, Told>>>);

/// Who asked for what, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Knock {
    actor: Actor,
    place: Option<Uuid>,
    asked: String,
}

/// A refusal, and how many of the same are not told yet.
struct Told {
    at: Timestamp,
    telling: Telling,
}

impl Told {
    /// Tests may set the clock back: what was told in the future does not count.
    fn is_quiet(&self, now: Timestamp) -> bool {
        self.at <= now && now - self.at < QUIET
    }

    /// What is left to tell of it: the last one, with those before it.
    fn rest(self) -> Option<Telling> {
        let untold = self.telling.untold.checked_sub(1)?;
        Some(Telling { untold, ..self.telling })
    }
}

/// What is written of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Telling {
    organization: OrganizationId,
    knock: Knock,
    site: Option<Uuid>,
    device: Option<Uuid>,
    door: Option<Uuid>,
    account: Option<Uuid>,
    grounds: Grounds,
    credential: String,
    why: String,
    /// The same before it that were not told.
    untold: u32,
}

impl Telling {
    async fn write(&self, database: &Database, ids: &dyn IdSource, now: Timestamp) -> Result<(), StoreError> {
        let asked = Asked {
            site: self.site,
            device: self.device,
            door: self.door,
            account: self.account,
            what: &self.knock.asked,
            grounds: self.grounds.clone(),
        };
        let denied = Denied {
            organization: self.organization,
            asked,
            actor: &self.knock.actor.to_string(),
            credential: &self.credential,
            why: &self.why,
            untold: self.untold,
        };
        deny(database, ids, denied, now).await
    }
}

impl Denials {
    /// Takes note of a refusal, and says what is to be written: it, unless the same was told less than a minute ago, and
    /// what is left of one that it takes the place of.
    fn knock(&self, mut telling: Telling, now: Timestamp) -> Vec<Telling> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(telling.organization).or_insert_with(LruCache::unbounded);
        if let Some(told) = known.peek_mut(&telling.knock) {
            if told.is_quiet(now) {
                told.telling.untold = told.telling.untold.saturating_add(1);
                return Vec::new();
            }
            telling.untold = told.telling.untold;
        }
        let at = Told { at: now, telling: Telling { untold: 0, ..telling.clone() } };
        known.put(telling.knock.clone(), at);
        let crowded_out = if known.len() > REMEMBERED { known.pop_lru() } else { None };
        let rest = crowded_out.and_then(|(_, told)| told.rest());
        rest.into_iter().chain([telling]).collect()
    }

    /// What is left to tell of those whose minute is over.
    fn expired(&self, now: Timestamp) -> Vec<Telling> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = Vec::new();
        all.retain(|_, known| {
            while known.peek_lru().is_some_and(|(_, told)| !told.is_quiet(now)) {
                rest.extend(known.pop_lru().and_then(|(_, told)| told.rest()));
            }
            !known.is_empty()
        });
        rest
    }
}

/// Whether the rules refused it, and not what was asked for.
const fn is_for_want_of_rights(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Forbidden(_) | Refusal::LimitedToDoors | Refusal::KeyLimited)
}

/// Tells of a command that was refused, if it was for want of rights. The place is known where the caller sees it.
pub(super) async fn tell_of_command(
    shared: &Shared,
    session: &Session,
    place: Option<&Place>,
    (kind, grounds): (CommandKind, Grounds),
    refusal: &Refusal,
) -> Result<(), StoreError> {
    let device = place.and_then(|place| place.device.as_ref()).map(|device| device.id);
    let asked = Asked {
        // What is asked of a whole account is at no site.
        site: place.filter(|_| device.is_some()).map(Place::site),
        device,
        door: place.and_then(|place| place.door).map(|door| door.0),
        account: place.filter(|_| device.is_none()).map(|place| place.account.id),
        what: kind.as_str(),
        grounds,
    };
    tell(shared, session, asked, refusal).await
}

/// Tells of a mutation that was refused, if it was for want of rights, and hands the refusal on.
pub(super) async fn told(
    shared: &Shared,
    session: &Session,
    mutation: &str,
    refusal: Refusal,
) -> Result<Refusal, StoreError> {
    tell(shared, session, Asked { what: mutation, ..Asked::default() }, &refusal).await?;
    Ok(refusal)
}

/// Tells of a command that somebody may not call off.
pub(super) async fn tell_of_cancelling(
    shared: &Shared,
    session: &Session,
    row: &command::Model,
    refusal: &Refusal,
) -> Result<(), StoreError> {
    let asked = Asked {
        site: row.device_id.map(|_| row.site_id),
        device: row.device_id,
        door: row.door_id,
        account: row.device_id.is_none().then_some(row.account_id),
        what: "cancelCommand",
        ..Asked::default()
    };
    tell(shared, session, asked, refusal).await
}

async fn tell(shared: &Shared, session: &Session, asked: Asked<'_>, refusal: &Refusal) -> Result<(), StoreError> {
    if !is_for_want_of_rights(refusal) {
        return Ok(());
    }
    let now = shared.clock.now();
    let telling = Telling {
        organization: session.principal.organization,
        knock: Knock {
            actor: session.principal.actor,
            place: asked.door.or(asked.device).or(asked.account),
            asked: asked.what.to_owned(),
        },
        site: asked.site,
        device: asked.device,
        door: asked.door,
        account: asked.account,
        grounds: asked.grounds,
        credential: session.credential.name(),
        why: refusal.to_string(),
        untold: 0,
    };
    for telling in shared.denials.knock(telling, now) {
        telling.write(&shared.database, shared.ids.as_ref(), now).await?;
    }
    Ok(())
}

/// Comes by every second for as long as there is a front door, and tells of refusals that were counted and came no more.
pub(crate) async fn tell_the_rest(shared: Weak<Shared>) {
    let clock = shared.upgrade().map(|shared| Arc::clone(&shared.clock));
    let Some(clock) = clock else { return };
    loop {
        let now = clock.now();
        clock.sleep_until(now + PERIOD).await;
        let Some(shared) = shared.upgrade() else { return };
        let now = clock.now();
        for telling in shared.denials.expired(now) {
            if let Err(error) = telling.write(&shared.database, shared.ids.as_ref(), now).await {
                tracing::warn!(%error, untold = telling.untold, "refusals could not be told of");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::ApiKeyId;

    use super::*;

    fn refused(organization: u128, place: u128) -> Telling {
        Telling {
            organization: OrganizationId(Uuid::from_u128(organization)),
            knock: Knock {
                actor: Actor::ApiKey(ApiKeyId(Uuid::from_u128(1))),
                place: Some(Uuid::from_u128(place)),
                asked: "OPEN_DOOR".to_owned(),
            },
            site: None,
            device: None,
            door: None,
            account: None,
            grounds: Grounds::default(),
            credential: String::new(),
            why: String::new(),
            untold: 0,
        }
    }

    /// What is told of one more refusal: how many of the same stand behind each event.
    fn told(denials: &Denials, place: u128, now: Timestamp) -> Vec<u32> {
        denials.knock(refused(1, place), now).iter().map(|told| told.untold).collect()
    }

    #[test]
    fn the_same_is_told_once_a_minute_with_how_often() {
        let (denials, now) = (Denials::default(), Timestamp::default());
        assert_eq!(told(&denials, 1, now), [0]);
        assert!(told(&denials, 1, now).is_empty());
        assert!(told(&denials, 1, now + TimeDelta::seconds(59)).is_empty());
        assert_eq!(told(&denials, 2, now), [0]);
        assert_eq!(told(&denials, 1, now + QUIET), [2]);
        assert_eq!(told(&denials, 1, now + QUIET * 2), [0]);
    }

    #[test]
    fn what_comes_no_more_is_told_with_how_often() {
        let (denials, now) = (Denials::default(), Timestamp::default());
        for _ in 0..500 {
            denials.knock(refused(1, 1), now);
        }
        denials.knock(refused(1, 2), now);
        assert!(denials.expired(now + TimeDelta::seconds(59)).is_empty());
        let rest = denials.expired(now + QUIET);
        // This one, and those behind it: with the first they are all.
        assert_eq!(rest, [Telling { untold: 498, ..refused(1, 1) }]);
        assert!(denials.expired(now + QUIET).is_empty() && denials.0.lock().unwrap().is_empty());
        assert_eq!(told(&denials, 1, now + QUIET), [0]);
    }

    #[test]
    fn memory_is_bounded_and_nothing_is_left_untold() {
        let (denials, now) = (Denials::default(), Timestamp::default());
        let mut events = 0;
        for place in 0..REMEMBERED as u128 + 50 {
            for _ in 0..3 {
                events += denials.knock(refused(1, place), now).len();
            }
        }
        // Each is told of when it comes, and the rest of those that had to make room.
        assert_eq!(
            (events, denials.0.lock().unwrap()[&refused(1, 0).organization].len()),
            (REMEMBERED + 100, REMEMBERED)
        );
        assert_eq!(denials.knock(refused(2, 1), now).len(), 1, "another tenant has room of their own");
        assert_eq!(denials.expired(now + QUIET).len(), REMEMBERED);
    }
}
