//! Sending a command to a door, a device or a vendor account: find in scope, may they, can it, is it sensible, write,
//! ring. Shared by every mutation that asks something of a vendor.

use domain::{
    access::Denial,
    account::AccountState,
    change::Change,
    clock::{Timestamp, truncate},
    command::{Action, expiry},
    ids::{CommandId, DeviceId, OrganizationId, SiteId, VendorAccountId},
    lane::{LaneId, lane_of},
    opening::Reason,
    secret::Secret,
};
use entities::{
    StoreError,
    rows::command,
    store::commands::{Accepted, NewCommand, accept, accepted_before},
};

use super::{
    Outcome, Refusal,
    announce::announce,
    arguments, denials,
    own_right::right_to,
    place::{Place, Target, find_place},
    references, sealing,
};
use crate::{auth::Session, shared::Shared};

/// The longest idempotency key, in characters.
const LONGEST_KEY: usize = 128;

/// What a caller asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) target: Target,
    /// Records in it are named by our ids.
    pub(crate) action: Action,
    /// What must not be read in the action.
    pub(crate) secret: Option<Secret>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Accepts an order: the command is written when this returns, and on its way.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn send_command(shared: &Shared, session: &Session, order: Order) -> Outcome {
    let now = shared.clock.now();
    match judge(shared, session, order, now).await? {
        Judged::Ready(ready) => write(shared, session, &ready, now).await,
        Judged::Before(row) => Ok(Ok(*row)),
        Judged::Refused(refusal) => Ok(Err(refusal)),
    }
}

/// Accepts orders that belong together, in their order. None of them is written unless all can be accepted. A key that
/// was used for something else ends the list: those before it are what was accepted under their keys.
///
/// # Errors
/// The database failed; those before are written.
pub(crate) async fn send_commands(
    shared: &Shared,
    session: &Session,
    orders: Vec<Order>,
) -> Result<(Vec<command::Model>, Option<Refusal>), StoreError> {
    let now = shared.clock.now();
    let mut judged = Vec::new();
    for order in orders {
        match judge(shared, session, order, now).await? {
            Judged::Refused(refusal) => return Ok((Vec::new(), Some(refusal))),
            good => judged.push(good),
        }
    }
    let mut rows = Vec::new();
    for order in judged {
        match order {
            Judged::Before(row) => rows.push(*row),
            Judged::Refused(refusal) => return Ok((rows, Some(refusal))),
            Judged::Ready(ready) => match write(shared, session, &ready, now).await? {
                Ok(row) => rows.push(row),
                Err(refusal) => return Ok((rows, Some(refusal))),
            },
        }
    }
    Ok((rows, None))
}

/// What is to be done with an order.
enum Judged {
    /// It can be written.
    Ready(Box<Ready>),
    /// It could not be accepted any more, but was.
    Before(Box<command::Model>),
    /// It can not be accepted.
    Refused(Refusal),
}

/// An order that was authorised and checked.
struct Ready {
    id: CommandId,
    place: Place,
    lane: LaneId,
    action: Action,
    secret: Option<Secret>,
    sealed: Option<Vec<u8>>,
    requested_by: String,
    credential: String,
    own_way_in: Option<Reason>,
    idempotency_key: Option<String>,
    expires_at: Option<Timestamp>,
}

impl Ready {
    fn new_command(&self) -> NewCommand<'_> {
        NewCommand {
            id: self.id,
            organization: OrganizationId(self.place.account.organization_id),
            site: SiteId(self.place.site()),
            account: VendorAccountId(self.place.account.id),
            device: self.place.device.as_ref().map(|device| DeviceId(device.id)),
            door: self.place.door,
            lane: self.lane,
            action: &self.action,
            sealed: self.sealed.clone(),
            requested_by: self.requested_by.clone(),
            credential: Some(self.credential.clone()),
            own_way_in: self.own_way_in,
            idempotency_key: self.idempotency_key.clone(),
            expires_at: self.expires_at,
        }
    }
}

async fn judge(shared: &Shared, session: &Session, order: Order, now: Timestamp) -> Result<Judged, StoreError> {
    let Order { target, mut action, secret, idempotency_key, expires_at } = order;
    let kind = action.kind();
    let refused = |refusal| Ok(Judged::Refused(refusal));
    if let (Target::OfRecord { .. }, Err(denial)) = (&target, session.principal.may_send(kind, now)) {
        // Before it is looked for: records of people are not seen by everybody who sees the organization.
        let refusal = Refusal::Forbidden(denial);
        denials::tell_of_command(shared, session, None, (kind, action.grounds()), &refusal).await?;
        return refused(refusal);
    }
    let Some(place) = find_place(shared, session, &target, &action).await? else {
        return refused(Refusal::NotFound { field: target.field() });
    };
    let allowed = right_to(shared, session, &place, kind, now).await?.map_err(Refusal::Forbidden);
    let allowed = allowed.and_then(|right| place.allows(&session.principal.limits, &action).map(|()| right));
    let right = match allowed {
        Ok(right) => right,
        Err(refusal) => {
            denials::tell_of_command(shared, session, Some(&place), (kind, action.grounds()), &refusal).await?;
            return refused(refusal);
        }
    };
    if let Err(refusal) = check_key(&idempotency_key) {
        return refused(refusal);
    }
    if let Action::Change(change) = &mut action
        && let Err(refusal) = references::resolve(shared, session, &place, change).await?
    {
        return refused(refusal);
    }
    let id = CommandId(shared.ids.next_uuid());
    let requested_by = session.principal.actor.to_string();
    let mut action = match arguments::as_stored(action) {
        Ok(action) => action,
        Err(refusal) => return refused(refusal),
    };
    mark(&mut action, &place, &requested_by, idempotency_key.as_deref(), id);
    let checked = check(&place, &target, &action, expires_at, now)?;
    let ready = Ready {
        id,
        lane: place.lane()?,
        sealed: secret.as_ref().map(|secret| sealing::seal(shared, id, secret)).transpose()?,
        place,
        action,
        secret,
        requested_by,
        credential: session.credential.name(),
        idempotency_key,
        own_way_in: right.own_way_in(),
        expires_at: right.limits(checked.as_ref().ok().copied().flatten()),
    };
    let Err(refusal) = checked else { return Ok(Judged::Ready(Box::new(ready))) };
    // A repetition of what was accepted when it could be is no new order (rule 4).
    let before = match &ready.idempotency_key {
        Some(_) => accepted_before(&shared.database, &ready.new_command(), now).await?,
        None => None,
    };
    match before {
        Some(row) if sealing::is_same(shared, &row, ready.secret.as_ref())? => Ok(Judged::Before(Box::new(row))),
        _ => refused(refusal),
    }
}

async fn write(shared: &Shared, session: &Session, ready: &Ready, now: Timestamp) -> Outcome {
    let counted = session.principal.counted_key();
    Ok(match accept(&shared.database, shared.ids.as_ref(), ready.new_command(), counted, now).await? {
        Accepted::New { command, superseded } => {
            announce(shared, Some(ready.lane), std::iter::once(&command).chain(&superseded)).await;
            Ok(command)
        }
        Accepted::Repeated(command) if sealing::is_same(shared, &command, ready.secret.as_ref())? => Ok(command),
        Accepted::UsedUp => {
            let (refusal, asked) = (Refusal::Forbidden(Denial::UsedUp), (ready.action.kind(), ready.action.grounds()));
            denials::tell_of_command(shared, session, Some(&ready.place), asked, &refusal).await?;
            Err(refusal)
        }
        Accepted::Repeated(_) | Accepted::KeyReused => Err(Refusal::IdempotencyKeyReused),
    })
}

impl Place {
    fn lane(&self) -> Result<LaneId, StoreError> {
        let device = self.device.as_ref().map(|device| DeviceId(device.id));
        Ok(lane_of(self.account.vendor()?, VendorAccountId(self.account.id), device, self.door))
    }
}

/// Whether the order can be accepted, with its deadline.
fn check(
    place: &Place,
    target: &Target,
    action: &Action,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Result<Option<Timestamp>, Refusal>, StoreError> {
    let state = place.account.state()?;
    let usable = !matches!(state, AccountState::ReauthRequired | AccountState::Disconnected);
    let kind = action.kind();
    let judge = || {
        if !place.capable {
            return Err(Refusal::CapabilityMissing { field: target.field(), what: place.what, kind });
        }
        if !usable {
            return Err(Refusal::AccountNotUsable(state));
        }
        arguments::validate(action, now)?;
        Ok(expiry(kind, expires_at.map(truncate), now)?)
    };
    Ok(judge())
}

/// Gives a token for the PMS our mark, unless the caller has one: the same for the same key, so that a repetition is
/// the same order.
fn mark(action: &mut Action, place: &Place, requested_by: &str, key: Option<&str>, id: CommandId) {
    let Action::Change(change) = action else { return };
    let Change::AddPmsAccessToken(plan) = change.as_mut() else { return };
    if plan.serial_number.is_empty() {
        let organization = OrganizationId(place.account.organization_id);
        plan.serial_number = match key {
            Some(key) => format!("gh-{}", sealing::digest(&[&organization.to_string(), requested_by, key])),
            None => format!("gh-{id}"),
        };
    }
}

/// Whether an idempotency key can be used.
pub(super) fn check_key(key: &Option<String>) -> Result<(), Refusal> {
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
        assert_eq!(check_key(&None), Ok(()));
        assert_eq!(check_key(&Some("ä".repeat(LONGEST_KEY))), Ok(()));
        for key in ["", "a\nb", &"x".repeat(LONGEST_KEY + 1)] {
            assert!(check_key(&Some(key.to_owned())).is_err());
        }
    }
}
