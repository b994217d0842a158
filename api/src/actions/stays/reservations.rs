//! Making, changing and calling off stays that no PMS knows.

use domain::{
    clock::{Timestamp, truncate},
    ids::{ReservationId, SiteId, UserId},
};
use entities::{
    find,
    rows::reservation,
    store::{
        own_stays::{self, Guest, NewGuest, StayChange, Written},
        used_keys::KeyedOrder,
    },
};
use serde_json::json;

use super::{Ours, before, doors_for, ours, permit, reservation_again, reservation_for, tell};
use crate::{
    actions::{Refusal, accounts::Answer, keyed, short_text},
    auth::Session,
    shared::Shared,
};

/// The longest telephone number (E.164), and the shortest that can be one.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;
/// The longest e-mail address (RFC 5321).
const LONGEST_EMAIL: usize = 254;

/// Who stays, as a caller says it: somebody known, or somebody new.
#[derive(Debug, Clone)]
pub(crate) struct GuestGiven {
    pub(crate) user: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
}

/// A stay that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewStay {
    pub(crate) site: String,
    pub(crate) number: Option<String>,
    pub(crate) guest: GuestGiven,
    pub(crate) doors: Vec<String>,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) idempotency_key: Option<String>,
}

/// What is to change of a stay.
#[derive(Debug, Clone)]
pub(crate) struct StayGiven {
    pub(crate) reservation: String,
    pub(crate) guest: Option<GuestGiven>,
    pub(crate) doors: Option<Vec<String>>,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) actual_start: Option<Option<Timestamp>>,
    pub(crate) actual_end: Option<Option<Timestamp>>,
    pub(crate) idempotency_key: Option<String>,
}

impl GuestGiven {
    fn asked(&self) -> serde_json::Value {
        json!([self.user, self.name, self.email, self.phone])
    }
}

/// Makes a stay.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn create_reservation(shared: &Shared, session: &Session, new: NewStay) -> Answer<reservation::Model> {
    if let Err(refusal) = permit(shared, session) {
        return Ok(Err(refusal));
    }
    let (starts_at, ends_at) = (truncate(new.starts_at), truncate(new.ends_at));
    let asked = json!([new.site, new.number, new.guest.asked(), new.doors, starts_at, ends_at]);
    let order = match keyed(shared, session, "createReservation", new.idempotency_key, &asked) {
        Ok(order) => order,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Some(known) = before(shared, &order, |id| reservation_again(shared, session, ReservationId(id))).await? {
        return Ok(known);
    }
    let absent = Refusal::NotFound { field: "siteId" };
    let Ok(site) = new.site.parse::<SiteId>() else { return Ok(Err(absent)) };
    if find::sites::by_ids(&shared.database, &session.scope, &[site]).await?.is_empty() {
        return Ok(Err(absent));
    }
    let doors = match doors_for(shared, session, &new.doors, Some(site)).await? {
        Ok(doors) => doors,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let guest = match guest(shared, session, new.guest).await? {
        Ok(guest) => guest,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let checked = period(starts_at, ends_at).and_then(|()| match &new.number {
        Some(number) => short_text("number", number),
        None => Ok(()),
    });
    if let Err(refusal) = checked {
        return Ok(Err(refusal));
    }
    let new = own_stays::NewStay {
        id: ReservationId(shared.ids.next_uuid()),
        organization: session.principal.organization,
        site,
        number: new.number,
        guest,
        doors,
        starts_at,
        ends_at,
    };
    let now = shared.clock.now();
    answer(shared, session, own_stays::create(&shared.database, &shared.settling(), new, &order, now).await?).await
}

/// Changes a stay.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn update_reservation(
    shared: &Shared,
    session: &Session,
    given: StayGiven,
) -> Answer<reservation::Model> {
    let cut = |at: Option<Timestamp>| at.map(truncate);
    let (starts_at, ends_at) = (cut(given.starts_at), cut(given.ends_at));
    let (actual_start, actual_end) = (given.actual_start.map(cut), given.actual_end.map(cut));
    let guest_asked = given.guest.as_ref().map(GuestGiven::asked);
    let asked = json!([given.reservation, guest_asked, given.doors, starts_at, ends_at, actual_start, actual_end]);
    let key = given.idempotency_key;
    let (row, order) =
        match stay_of_ours(shared, session, &given.reservation, ("updateReservation", key, &asked)).await? {
            Ok(Ours::Now(row, order)) => (row, order),
            Ok(Ours::Before(row)) => return Ok(Ok(*row)),
            Err(refusal) => return Ok(Err(refusal)),
        };
    let doors = match &given.doors {
        None => None,
        Some(doors) => match doors_for(shared, session, doors, Some(SiteId(row.site_id))).await? {
            Ok(doors) => Some(doors),
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let guest = match given.guest {
        None => None,
        Some(given) => match guest(shared, session, given).await? {
            Ok(guest) => Some(guest),
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    if let Err(refusal) = period(starts_at.unwrap_or(row.starts_at), ends_at.unwrap_or(row.ends_at)) {
        return Ok(Err(refusal));
    }
    let change = StayChange { starts_at, ends_at, actual_start, actual_end, doors, guest, canceled: false };
    write(shared, session, &row, change, &order).await
}

/// Calls a stay off. Doing it again changes nothing.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn cancel_reservation(
    shared: &Shared,
    session: &Session,
    id: &str,
    key: Option<String>,
) -> Answer<reservation::Model> {
    let (row, order) = match stay_of_ours(shared, session, id, ("cancelReservation", key, &json!([id]))).await? {
        Ok(Ours::Now(row, order)) => (row, order),
        Ok(Ours::Before(row)) => return Ok(Ok(*row)),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let change = StayChange { canceled: true, ..StayChange::default() };
    write(shared, session, &row, change, &order).await
}

/// A stay that may be changed here, or one for which the same was asked before.
async fn stay_of_ours(
    shared: &Shared,
    session: &Session,
    id: &str,
    (mutation, key, asked): (&str, Option<String>, &serde_json::Value),
) -> Answer<Ours<reservation::Model>> {
    let again = |id| reservation_again(shared, session, ReservationId(id));
    let found = ours(shared, session, (mutation, key, asked), reservation_for(shared, session, id), again).await?;
    Ok(match found {
        Ok(Ours::Now(row, _)) if row.account_id.is_some() => Err(Refusal::PmsDecides),
        found => found,
    })
}

async fn write(
    shared: &Shared,
    session: &Session,
    row: &reservation::Model,
    change: StayChange,
    order: &KeyedOrder,
) -> Answer<reservation::Model> {
    let (id, now) = (ReservationId(row.id), shared.clock.now());
    let written = own_stays::change(&shared.database, &shared.settling(), id, change, order, now).await?;
    answer(shared, session, written).await
}

async fn answer(shared: &Shared, session: &Session, written: Written) -> Answer<reservation::Model> {
    Ok(match written {
        Written::Done(settled) => {
            tell(shared, &settled).await;
            Ok(settled.reservation)
        }
        Written::Repeated(id) => Ok(reservation_again(shared, session, id).await?),
        Written::KeyReused => Err(Refusal::IdempotencyKeyReused),
        Written::Over => Err(Refusal::Over { field: "reservationId", what: "This stay was called off." }),
    })
}

fn period(starts_at: Timestamp, ends_at: Timestamp) -> Result<(), Refusal> {
    let message = "`endsAt` has to be after `startsAt`.".to_owned();
    if starts_at < ends_at { Ok(()) } else { Err(Refusal::InvalidInput { field: "endsAt", message }) }
}

/// Who stays: somebody whom the caller sees, or somebody new.
async fn guest(shared: &Shared, session: &Session, given: GuestGiven) -> Answer<Guest> {
    let invalid = |message: &str| Ok(Err(Refusal::InvalidInput { field: "guest", message: message.to_owned() }));
    let GuestGiven { user, name, email, phone } = given;
    let (id, name) = match (user, name) {
        (Some(id), None) if email.is_none() && phone.is_none() => (id, None),
        (None, Some(name)) => (String::new(), Some(name)),
        _ => return invalid("A guest is either a `userId`, or a `name` with `email` and `phone` if they are known."),
    };
    let Some(name) = name else {
        let absent = Refusal::NotFound { field: "guest" };
        let Ok(id) = id.parse::<UserId>() else { return Ok(Err(absent)) };
        let found = find::organizations::users_by_ids(&shared.database, &session.scope, &[id]).await?;
        return Ok(match found.first() {
            Some(row) if row.erased_at.is_none() => Ok(Guest::Known(id)),
            _ => Err(absent),
        });
    };
    if let Err(refusal) = short_text("guest", &name) {
        return Ok(Err(refusal));
    }
    if email.as_ref().is_some_and(|address| !is_email(address)) {
        return invalid("`email` is an e-mail address.");
    }
    let phone = phone.map(|number| number.trim().trim_start_matches('+').to_owned());
    if phone.as_ref().is_some_and(|number| !is_phone(number)) {
        return invalid("`phone` has 5 to 15 digits, the country code first.");
    }
    Ok(Ok(Guest::New(NewGuest { id: UserId(shared.ids.next_uuid()), name, email, phone })))
}

fn is_phone(number: &str) -> bool {
    PHONE_DIGITS.contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_email(address: &str) -> bool {
    address.len() <= LONGEST_EMAIL
        && address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !address.chars().any(|sign| sign.is_whitespace() || sign.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stay_ends_after_it_begins() {
        let now = Timestamp::default();
        let later = now + chrono::TimeDelta::microseconds(1);
        assert_eq!(period(now, later), Ok(()));
        assert!(period(now, now).is_err() && period(later, now).is_err());
    }

    #[test]
    fn numbers_and_addresses_are_such() {
        assert!(is_phone("3725551234") && is_email("ada@hotel.example"));
        for number in ["", "1234", "372 555", "+3725551234", "1234567890123456", "３７２５５５"] {
            assert!(!is_phone(number), "{number}");
        }
        for address in ["", "ada", "@hotel", "ada@", "a b@c", "a@b\n"] {
            assert!(!is_email(address), "{address}");
        }
    }
}
