//! Telling the ledger whom the rules refused what. Orders for things that a caller does not see are no such refusals, and who
//! asks the same again and again is told of once a minute, with how often: nobody fills the ledger by knocking.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;
use domain::{
    access::Actor,
    clock::Timestamp,
    command::{CommandKind, Grounds},
};
use entities::{
    StoreError,
    store::decisions::{Asked, Denied, deny},
};
use uuid::Uuid;

use super::{Refusal, place::Place};
use crate::{auth::Session, shared::Shared};

/// How often the same refusal is told.
const QUIET: TimeDelta = TimeDelta::minutes(1);
/// Refusals remembered by a process. Past it there is no telling of new ones until the minute is over.
const REMEMBERED: usize = 10_000;

/// The refusals of the last minute in this process.
#[derive(Default)]
pub(crate) struct Denials(Mutex<HashMap<Knock, Told>>);

/// Who asked for what, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Knock {
    actor: Actor,
    place: Option<Uuid>,
    asked: String,
}

struct Told {
    at: Timestamp,
    untold: u32,
}

impl Denials {
    /// How many of the same were not told since the last; `None` if this one is not to be told either.
    fn knock(&self, knock: Knock, now: Timestamp) -> Option<u32> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Tests may set the clock back: what was told in the future does not count.
        let is_quiet = |told: &Told| told.at <= now && now - told.at < QUIET;
        if let Some(told) = known.get_mut(&knock) {
            if is_quiet(told) {
                told.untold = told.untold.saturating_add(1);
                return None;
            }
            let untold = std::mem::take(&mut told.untold);
            told.at = now;
            return Some(untold);
        }
        if known.len() >= REMEMBERED {
            known.retain(|_, told| is_quiet(told));
        }
        if known.len() >= REMEMBERED {
            return None;
        }
        known.insert(knock, Told { at: now, untold: 0 });
        Some(0)
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
        site: place.map(Place::site),
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

async fn tell(shared: &Shared, session: &Session, asked: Asked<'_>, refusal: &Refusal) -> Result<(), StoreError> {
    if !is_for_want_of_rights(refusal) {
        return Ok(());
    }
    let now = shared.clock.now();
    let knock = Knock {
        actor: session.principal.actor,
        place: asked.door.or(asked.device).or(asked.account),
        asked: asked.what.to_owned(),
    };
    let Some(untold) = shared.denials.knock(knock, now) else { return Ok(()) };
    let denied = Denied {
        organization: session.principal.organization,
        asked,
        actor: &session.principal.actor.to_string(),
        credential: &session.credential.name(),
        why: &refusal.to_string(),
        untold,
    };
    deny(&shared.database, shared.ids.as_ref(), denied, now).await
}

#[cfg(test)]
mod tests {
    use domain::ids::ApiKeyId;

    use super::*;

    fn knock(place: u128) -> Knock {
        let actor = Actor::ApiKey(ApiKeyId(Uuid::from_u128(1)));
        Knock { actor, place: Some(Uuid::from_u128(place)), asked: "OPEN_DOOR".to_owned() }
    }

    #[test]
    fn the_same_is_told_once_a_minute_with_how_often() {
        let (denials, now) = (Denials::default(), Timestamp::default());
        assert_eq!(denials.knock(knock(1), now), Some(0));
        assert_eq!(denials.knock(knock(1), now), None);
        assert_eq!(denials.knock(knock(1), now + TimeDelta::seconds(59)), None);
        assert_eq!(denials.knock(knock(2), now), Some(0));
        assert_eq!(denials.knock(knock(1), now + QUIET), Some(2));
        assert_eq!(denials.knock(knock(1), now + QUIET * 2), Some(0));
    }

    #[test]
    fn memory_is_bounded() {
        let (denials, now) = (Denials::default(), Timestamp::default());
        let told = (0..REMEMBERED as u128 + 50).filter(|place| denials.knock(knock(*place), now).is_some()).count();
        assert_eq!(told, REMEMBERED);
        assert_eq!(denials.knock(knock(u128::MAX), now + QUIET), Some(0));
        assert_eq!(denials.0.lock().unwrap().len(), 1);
    }
}
