//! Sending a command to a door or device: find in scope, may they, can it, is it sensible, write, ring.
//! Shared by every mutation that asks for something physical.

use domain::{
    account::AccountState,
    clock::{Timestamp, truncate},
    command::{Action, expiry},
    ids::{CommandId, DeviceId, DoorId, VendorAccountId},
    lane::lane_of,
};
use entities::{
    StoreError, find,
    rows::{device, vendor_account},
    store::commands::{Accepted, NewCommand, accept, accepted_before},
};

use super::{Outcome, Refusal, announce::announce};
use crate::{auth::Session, shared::Shared};

/// The longest idempotency key, in characters.
const LONGEST_KEY: usize = 128;

/// What a command is for, by the id that the caller gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A door.
    Door(String),
    /// A device as a whole.
    Device(String),
}

/// What a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) target: Target,
    pub(crate) action: Action,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Accepts an order: the command is written when this returns, and on its way.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn send_command(shared: &Shared, session: &Session, order: Order) -> Outcome {
    let Some(place) = find_place(shared, session, &order).await? else {
        return Ok(Err(Refusal::NotFound { field: order.target.field() }));
    };
    let now = shared.clock.now();
    if let Err(denial) = session.principal.may_send(order.action.kind(), now) {
        return Ok(Err(Refusal::Forbidden(denial)));
    }
    if let Err(refusal) = check_key(order.idempotency_key.as_deref()) {
        return Ok(Err(refusal));
    }
    let action = stored(&order.action);
    let checked = check(&place, &order, &action, now)?;
    let account = VendorAccountId(place.account.id);
    let lane = lane_of(place.account.vendor()?, account, DeviceId(place.device.id), place.door);
    let new = NewCommand {
        id: CommandId(shared.ids.next_uuid()),
        device: &place.device,
        door: place.door,
        lane,
        action: &action,
        requested_by: session.principal.actor.to_string(),
        idempotency_key: order.idempotency_key,
        expires_at: checked.as_ref().ok().copied(),
    };
    if let Err(refusal) = checked {
        // A repetition of what was accepted when it could be is no new order (rule 4).
        let before = match &new.idempotency_key {
            Some(_) => accepted_before(&shared.database, &new, now).await?,
            None => None,
        };
        return Ok(before.ok_or(refusal));
    }
    Ok(match accept(&shared.database, shared.ids.as_ref(), new, now).await? {
        Accepted::New { command, superseded } => {
            announce(shared, Some(lane), std::iter::once(&command).chain(&superseded)).await;
            Ok(command)
        }
        Accepted::Repeated(command) => Ok(command),
        Accepted::KeyReused => Err(Refusal::IdempotencyKeyReused),
    })
}

/// What is at the other end of an order.
struct Place {
    device: device::Model,
    door: Option<DoorId>,
    account: vendor_account::Model,
    capable: bool,
    what: &'static str,
}

impl Target {
    const fn field(&self) -> &'static str {
        match self {
            Self::Door(_) => "doorId",
            Self::Device(_) => "deviceId",
        }
    }
}

async fn find_place(shared: &Shared, session: &Session, order: &Order) -> Result<Option<Place>, StoreError> {
    let (database, scope, kind) = (&shared.database, &session.scope, order.action.kind());
    Ok(match &order.target {
        Target::Door(id) => {
            let Ok(id) = id.parse::<DoorId>() else { return Ok(None) };
            find::doors::target(database, scope, id).await?.map(|found| Place {
                capable: found.door.capabilities().contains(&kind),
                device: found.device,
                door: Some(id),
                account: found.account,
                what: "This door",
            })
        }
        Target::Device(id) => {
            let Ok(id) = id.parse::<DeviceId>() else { return Ok(None) };
            find::devices::target(database, scope, id).await?.map(|found| Place {
                capable: found.device.capabilities().contains(&kind),
                device: found.device,
                door: None,
                account: found.account,
                what: "This device",
            })
        }
    })
}

/// Whether the order can be accepted, with its deadline.
fn check(
    place: &Place,
    order: &Order,
    action: &Action,
    now: Timestamp,
) -> Result<Result<Timestamp, Refusal>, StoreError> {
    let state = place.account.state()?;
    let usable = !matches!(state, AccountState::ReauthRequired | AccountState::Disconnected);
    let kind = order.action.kind();
    let judge = || {
        if !place.capable {
            return Err(Refusal::CapabilityMissing { field: order.target.field(), what: place.what, kind });
        }
        if !usable {
            return Err(Refusal::AccountNotUsable(state));
        }
        action.validate(now)?;
        Ok(expiry(kind, order.expires_at.map(truncate), now)?)
    };
    Ok(judge())
}

/// Times as a database keeps them, so that a repetition compares equal.
fn stored(action: &Action) -> Action {
    match action {
        Action::BookDoor { until } => Action::BookDoor { until: until.map(truncate) },
        other => other.clone(),
    }
}

fn check_key(key: Option<&str>) -> Result<(), Refusal> {
    let Some(key) = key else { return Ok(()) };
    let fits = !key.is_empty() && key.chars().count() <= LONGEST_KEY && !key.chars().any(char::is_control);
    let message = format!("An idempotency key has 1 to {LONGEST_KEY} printable characters.");
    if fits { Ok(()) } else { Err(Refusal::InvalidInput { field: "idempotencyKey", message }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_bounded_and_printable() {
        assert_eq!(check_key(None), Ok(()));
        assert_eq!(check_key(Some(&"ä".repeat(LONGEST_KEY))), Ok(()));
        for key in ["", "a\nb", &"x".repeat(LONGEST_KEY + 1)] {
            assert!(check_key(Some(key)).is_err());
        }
    }
}
