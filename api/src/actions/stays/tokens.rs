//! Issuing, changing and revoking access tokens. Values are sealed before anything is written, and never told from here.

use std::collections::BTreeSet;

use domain::{
    account::Vendor,
    clock::{Timestamp, truncate},
    ids::{AccessTokenId, DeviceId, DoorId, ReservationId, VendorAccountId},
    pin::PinPolicy,
    record::TokenType,
    secret::Secret,
    stay::holds_tokens,
};
use entities::{
    StoreError, find,
    rows::access_token,
    store::tokens::{self, Asked, SealedValue, TokenChange, Written},
};
use platform::vault::Place;
use serde_json::json;

use super::{Ours, before, doors_for, ours, permit, reservation_for, tell, token_again, token_for};
use crate::{
    actions::{Refusal, accounts::Answer, denials, keyed, short_text},
    auth::Session,
    shared::Shared,
};

/// As often is a PIN drawn that is taken at a door; then there is no use in going on.
const DRAWS: usize = 64;
/// The most digits of a tag.
const TAG_DIGITS: usize = 20;

/// A token that is to be issued.
pub(crate) struct NewToken {
    pub(crate) reservation: String,
    pub(crate) token_type: TokenType,
    /// Drawn without.
    pub(crate) value: Option<Secret>,
    pub(crate) valid_from: Option<Timestamp>,
    pub(crate) valid_until: Option<Timestamp>,
    pub(crate) doors: Option<Vec<String>>,
    pub(crate) idempotency_key: Option<String>,
}

/// What is to change of a token. `Some(None)` follows the stay again.
pub(crate) struct TokenGiven {
    pub(crate) token: String,
    pub(crate) value: Option<Secret>,
    /// Whether another value is to be drawn.
    pub(crate) draw: bool,
    pub(crate) valid_from: Option<Option<Timestamp>>,
    pub(crate) valid_until: Option<Option<Timestamp>>,
    pub(crate) doors: Option<Option<Vec<String>>>,
    pub(crate) idempotency_key: Option<String>,
}

/// Where the value of a token is sealed for.
pub(super) const fn place(token: AccessTokenId) -> Place {
    Place { table: "access_tokens", column: "sealed", row: token.0 }
}

/// Issues a token for a stay.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn issue_token(shared: &Shared, session: &Session, new: NewToken) -> Answer<access_token::Model> {
    if let Err(refusal) = permit(shared, session) {
        return Ok(Err(denials::told(shared, session, "issueAccessToken", refusal).await?));
    }
    let stay = match reservation_for(shared, session, &new.reservation).await? {
        Ok(stay) => stay,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (from, until) = (new.valid_from.map(truncate), new.valid_until.map(truncate));
    let value = new.value.as_ref().map(Secret::expose);
    let asked = json!([new.reservation, new.token_type, value, from, until, new.doors]);
    let order = match keyed(shared, session, "issueAccessToken", new.idempotency_key, &asked) {
        Ok(order) => order,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Some(known) = before(shared, &order, |id| token_again(shared, session, AccessTokenId(id))).await? {
        return Ok(known);
    }
    let asked_doors = match &new.doors {
        None => None,
        Some(doors) => match doors_for(shared, session, doors, None).await? {
            Ok(doors) => Some(doors),
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let id = ReservationId(stay.id);
    let policy = policy(shared, session, id, asked_doors.as_ref()).await?;
    let checked = policy.and_then(|policy| {
        window(from, until)?;
        Ok(match new.value {
            Some(value) => Values::Given(check(&policy, new.token_type, value)?),
            None => Values::drawn(policy, new.token_type)?,
        })
    });
    let mut values = match checked {
        Ok(values) => values,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let asked = Asked { from, until, doors: asked_doors };
    loop {
        let token = AccessTokenId(shared.ids.next_uuid());
        let Some(value) = values.next() else { return Ok(Err(Refusal::ValueTaken { field: "value" })) };
        let value = seal(shared, session, token, &value)?;
        let new = tokens::NewToken {
            id: token,
            reservation: id,
            token_type: new.token_type,
            value: &value,
            asked: asked.clone(),
            order: &order,
        };
        let now = shared.clock.now();
        match tokens::issue(&shared.database, &shared.settling(), new, now).await? {
            Written::ValueTaken => {}
            written => return answer(shared, session, written, "reservationId", "This stay is over.").await,
        }
    }
}

/// Changes a token.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn update_token(shared: &Shared, session: &Session, given: TokenGiven) -> Answer<access_token::Model> {
    let cut = |at: Option<Option<Timestamp>>| at.map(|at| at.map(truncate));
    let (from, until) = (cut(given.valid_from), cut(given.valid_until));
    let value = given.value.as_ref().map(Secret::expose);
    let asked = json!([given.token, value, given.draw, from, until, given.doors]);
    let key = given.idempotency_key;
    let (row, order) = match token_of_ours(shared, session, &given.token, ("updateAccessToken", key, &asked)).await? {
        Ok(Ours::Now(row, order)) => (row, order),
        Ok(Ours::Before(row)) => return Ok(Ok(*row)),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let doors = match &given.doors {
        None => None,
        Some(None) => Some(None),
        Some(Some(doors)) => match doors_for(shared, session, doors, None).await? {
            Ok(doors) => Some(Some(doors)),
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let token_type = row.token_type()?;
    let asked_doors = doors.clone().unwrap_or(row.asked_doors()?);
    let policy = policy(shared, session, ReservationId(row.reservation_id), asked_doors.as_ref()).await?;
    let nothing_new = given.value.is_none() && !given.draw && from.is_none() && until.is_none() && doors.is_none();
    let checked = policy.and_then(|policy| {
        window(from.unwrap_or(row.asked_from), until.unwrap_or(row.asked_until))?;
        match (given.value, given.draw) {
            _ if nothing_new => Err(invalid("accessTokenId", "Say what is to change.")),
            (Some(_), true) => Err(invalid("value", "Give a value, or have one drawn; not both.")),
            (Some(value), false) => Ok(Values::Given(check(&policy, token_type, value)?)),
            (None, true) => Values::drawn(policy, token_type),
            (None, false) => Ok(Values::AsItIs),
        }
    });
    let mut values = match checked {
        Ok(values) => values,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (id, stays_as_it_is) = (AccessTokenId(row.id), matches!(values, Values::AsItIs));
    loop {
        let value = match values.next() {
            Some(value) => Some(seal(shared, session, id, &value)?),
            None if stays_as_it_is => None,
            None => return Ok(Err(Refusal::ValueTaken { field: "value" })),
        };
        let change = TokenChange { from, until, doors: doors.clone(), value: value.as_ref() };
        let now = shared.clock.now();
        match tokens::change(&shared.database, &shared.settling(), &row, change, &order, now).await? {
            Written::ValueTaken if !stays_as_it_is => {}
            Written::ValueTaken => return Ok(Err(Refusal::ValueTaken { field: "value" })),
            written => return answer(shared, session, written, "accessTokenId", "This token is over.").await,
        }
    }
}

/// Has a token taken away everywhere. Doing it again changes nothing.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn revoke_token(
    shared: &Shared,
    session: &Session,
    id: &str,
    reason: Option<String>,
    key: Option<String>,
) -> Answer<access_token::Model> {
    let (row, order) =
        match token_of_ours(shared, session, id, ("revokeAccessToken", key, &json!([id, reason]))).await? {
            Ok(Ours::Now(row, order)) => (row, order),
            Ok(Ours::Before(row)) => return Ok(Ok(*row)),
            Err(refusal) => return Ok(Err(refusal)),
        };
    if let Some(Err(refusal)) = reason.as_deref().map(|reason| short_text("reason", reason)) {
        return Ok(Err(refusal));
    }
    let now = shared.clock.now();
    let written = tokens::revoke(&shared.database, &shared.settling(), &row, reason.as_deref(), &order, now).await?;
    answer(shared, session, written, "accessTokenId", "This token is over.").await
}

async fn token_of_ours(
    shared: &Shared,
    session: &Session,
    id: &str,
    order: (&str, Option<String>, &serde_json::Value),
) -> Answer<Ours<access_token::Model>> {
    let again = |id| token_again(shared, session, AccessTokenId(id));
    ours(shared, session, order, token_for(shared, session, id), again).await
}

async fn answer(
    shared: &Shared,
    session: &Session,
    written: Written,
    field: &'static str,
    over: &'static str,
) -> Answer<access_token::Model> {
    Ok(match written {
        Written::Done { token, settled } => {
            tell(shared, &settled).await;
            Ok(*token)
        }
        Written::Repeated(id) => Ok(token_again(shared, session, id).await?),
        Written::KeyReused => Err(Refusal::IdempotencyKeyReused),
        Written::ValueTaken => Err(Refusal::ValueTaken { field: "value" }),
        Written::Over => Err(Refusal::Over { field, what: over }),
    })
}

/// What the keypads of the doors take: those asked for, or those of the stay. A refusal if no door's vendor can hold a
/// token. A stay without doors may get some.
async fn policy(
    shared: &Shared,
    session: &Session,
    stay: ReservationId,
    asked: Option<&BTreeSet<DoorId>>,
) -> Answer<PinPolicy> {
    let doors: Vec<DoorId> = match asked {
        Some(doors) => doors.iter().copied().collect(),
        None => {
            let links = find::reservations::doors(&shared.database, &[stay]).await?;
            links.into_iter().map(|link| DoorId(link.door_id)).collect()
        }
    };
    let usual = PinPolicy::of(Vendor::Lockt);
    let nothing = Refusal::CannotHold { field: if asked.is_some() { "doorIds" } else { "reservationId" } };
    if doors.is_empty() && asked.is_none() {
        return Ok(usual.ok_or(nothing));
    }
    let (database, scope) = (&shared.database, &session.scope);
    let devices: BTreeSet<DeviceId> =
        find::doors::by_ids(database, scope, &doors).await?.into_iter().map(|door| DeviceId(door.device_id)).collect();
    let devices = find::devices::by_ids(database, scope, &Vec::from_iter(devices)).await?;
    let accounts: BTreeSet<VendorAccountId> =
        devices.into_iter().map(|device| VendorAccountId(device.account_id)).collect();
    let accounts = find::vendor_accounts::by_ids(database, scope, &Vec::from_iter(accounts)).await?;
    let vendors = accounts.iter().map(|account| account.vendor()).collect::<Result<Vec<Vendor>, _>>()?;
    let holding = vendors.into_iter().filter(|vendor| holds_tokens(*vendor));
    Ok(PinPolicy::common(holding).ok_or(nothing))
}

fn invalid(field: &'static str, message: &str) -> Refusal {
    Refusal::InvalidInput { field, message: message.to_owned() }
}

fn window(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), Refusal> {
    let backwards = from.zip(until).is_some_and(|(from, until)| until <= from);
    if backwards { Err(invalid("validUntil", "`validUntil` has to be after `validFrom`.")) } else { Ok(()) }
}

/// Checks a value that a caller gives. The value is never told.
fn check(policy: &PinPolicy, token_type: TokenType, value: Secret) -> Result<Secret, Refusal> {
    match token_type {
        TokenType::PinCode => {
            policy
                .check(&value)
                .map_err(|fault| Refusal::InvalidInput { field: "value", message: fault.to_string() })?;
        }
        TokenType::RfidTag => {
            let digits = value.expose();
            let fits = (1..=TAG_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !fits {
                return Err(invalid("value", "The number of a tag has 1 to 20 digits and nothing else."));
            }
        }
    }
    Ok(value)
}

/// The values that are tried one after the other.
enum Values {
    Given(Secret),
    Drawn { policy: PinPolicy, left: usize },
    AsItIs,
}

impl Values {
    fn drawn(policy: PinPolicy, token_type: TokenType) -> Result<Self, Refusal> {
        match token_type {
            TokenType::PinCode => Ok(Self::Drawn { policy, left: DRAWS }),
            TokenType::RfidTag => Err(invalid("value", "A tag has a number of its own: give it.")),
        }
    }

    fn next(&mut self) -> Option<Secret> {
        match std::mem::replace(self, Self::AsItIs) {
            Self::AsItIs => None,
            Self::Given(value) => Some(value),
            Self::Drawn { left: 0, .. } => None,
            Self::Drawn { policy, left } => {
                *self = Self::Drawn { policy, left: left - 1 };
                Some(policy.draw(&mut below))
            }
        }
    }
}

/// A random number below `bound`, each as likely as the others.
fn below(bound: u32) -> u32 {
    let bound = bound.max(1);
    loop {
        let drawn = u32::from_le_bytes(platform::random::bytes());
        // What is left above the last whole multiple would make small numbers likelier.
        if drawn < u32::MAX - u32::MAX % bound {
            return drawn % bound;
        }
    }
}

fn seal(shared: &Shared, session: &Session, token: AccessTokenId, value: &Secret) -> Result<SealedValue, StoreError> {
    let sealed = shared.vault.seal(value, place(token)).map_err(|error| StoreError::Unsealable(error.to_string()))?;
    Ok(SealedValue { sealed, fingerprint: shared.vault.fingerprint(session.principal.organization.0, value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: PinPolicy = PinPolicy { shortest: 4, longest: 8, drawn: 6 };

    #[test]
    fn a_given_value_is_tried_once_and_a_drawn_one_again_and_again() {
        let mut given = Values::Given(Secret::new("482913"));
        assert_eq!(given.next(), Some(Secret::new("482913")));
        assert_eq!(given.next(), None);
        let mut drawn = Values::drawn(POLICY, TokenType::PinCode).ok().unwrap();
        let values: Vec<Secret> = std::iter::from_fn(|| drawn.next()).collect();
        assert_eq!(values.len(), DRAWS);
        assert!(values.iter().all(|value| POLICY.check(value).is_ok()));
        assert!(Values::drawn(POLICY, TokenType::RfidTag).is_err());
    }

    #[test]
    fn a_refused_value_is_not_told() {
        for (token_type, text) in
            [(TokenType::PinCode, "12x4"), (TokenType::RfidTag, "04A2F1"), (TokenType::RfidTag, "")]
        {
            let Err(refusal) = check(&POLICY, token_type, Secret::new(text)) else { panic!("{text}") };
            assert!(text.is_empty() || !refusal.to_string().contains(text));
        }
        assert!(check(&POLICY, TokenType::RfidTag, Secret::new("10000")).is_ok());
    }

    #[test]
    fn random_numbers_stay_below_their_bound() {
        let mut seen = [false; 10];
        for _ in 0..1_000 {
            seen[below(10) as usize] = true;
        }
        assert_eq!(seen, [true; 10]);
        assert_eq!(below(0), 0);
    }
}
