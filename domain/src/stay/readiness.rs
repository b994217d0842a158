//! How ready a stay is, and why. Pure; judged by what is planned and by what is known to be at vendors.

use std::collections::BTreeSet;

use super::{
    PlacementFacts, PlacementPlan, Readiness, ReadinessCode, ReadinessReason, StayFacts, StayTiming, TokenFacts,
    TokenPlan, TokenState, plan::holds_tokens, window::Standing,
};
use crate::{
    clock::Timestamp,
    ids::DoorId,
    placement::{Desired, PlacementState, Wish},
};

/// What was found.
pub(super) struct Judged {
    pub(super) readiness: Readiness,
    pub(super) reasons: Vec<ReadinessReason>,
}

/// How a door stands for a token.
enum AtDoor {
    Placed,
    Early,
    Placing,
    Wrong(ReadinessCode, &'static str),
}

pub(super) fn judge(facts: &StayFacts, tokens: &[TokenPlan], timing: &StayTiming, now: Timestamp) -> Judged {
    let is = |readiness, code, message: &str| Judged { readiness, reasons: vec![reason(code, message, None)] };
    let window = facts.times.window(facts.state, timing, now);
    match facts.times.standing(facts.state, now) {
        Standing::NotConfirmed => {
            is(Readiness::NotApplicable, ReadinessCode::NotConfirmed, "The stay is not confirmed yet.")
        }
        Standing::Canceled => is(Readiness::NotApplicable, ReadinessCode::Canceled, "The stay was called off."),
        Standing::Ended => is(Readiness::NotApplicable, ReadinessCode::Ended, "The guest has left."),
        Standing::Unreadable => {
            let readiness = if window.until > now { Readiness::AtRisk } else { Readiness::NotApplicable };
            let message = "The stay's state or times cannot be read: nothing is changed until they can.";
            is(readiness, ReadinessCode::Unreadable, message)
        }
        Standing::Open if window.until <= now && !tokens.iter().any(|token| token.live) => {
            is(Readiness::NotApplicable, ReadinessCode::Ended, "The stay is over.")
        }
        Standing::Open => open(facts, tokens, timing, now),
    }
}

fn open(facts: &StayFacts, tokens: &[TokenPlan], timing: &StayTiming, now: Timestamp) -> Judged {
    let mut found = Found::default();
    let mut live = 0;
    for (token, plan) in facts.tokens.iter().zip(tokens).filter(|(_, plan)| plan.live) {
        live += 1;
        found.token(facts, token, plan, timing, now);
    }
    if live == 0 {
        found.no_token(facts, tokens);
    }
    let entry = facts.times.entry();
    let readiness = if found.soft.is_empty() && found.hard.is_empty() && found.progress.is_empty() {
        Readiness::Ready
    } else if now >= entry && found.closed {
        Readiness::Failed
    } else if !found.hard.is_empty() || now >= entry - timing.at_risk_before {
        Readiness::AtRisk
    } else {
        Readiness::Pending
    };
    let mut reasons = found.hard;
    reasons.extend(found.soft);
    reasons.extend(found.progress);
    if reasons.is_empty() {
        reasons.push(reason(ReadinessCode::AllPlaced, "Every door has the code.", None));
    }
    let mut told = BTreeSet::new();
    reasons.retain(|reason| told.insert((reason.code, reason.subject.clone())));
    Judged { readiness, reasons }
}

#[derive(Default)]
struct Found {
    /// What does not mend by itself.
    hard: Vec<ReadinessReason>,
    /// What somebody still has to do.
    soft: Vec<ReadinessReason>,
    /// What is on its way.
    progress: Vec<ReadinessReason>,
    /// Whether a door of the stay does not open now.
    closed: bool,
}

impl Found {
    fn no_token(&mut self, facts: &StayFacts, tokens: &[TokenPlan]) {
        self.closed = true;
        if facts.guest.is_none() {
            self.soft.push(reason(ReadinessCode::NoGuest, "The stay has no guest.", None));
        }
        self.no_doors(facts, facts.doors.is_empty());
        let withdrawn = tokens.iter().any(|token| matches!(token.state, TokenState::Revoking | TokenState::Revoked));
        self.soft.push(reason(ReadinessCode::NoToken, "No access token is issued for the stay.", None));
        if withdrawn {
            self.soft.push(reason(ReadinessCode::Revoked, "The stay's access token was taken away.", None));
        }
    }

    fn no_doors(&mut self, facts: &StayFacts, none: bool) {
        if !none {
            return;
        }
        self.closed = true;
        let without_room = facts.pms.as_ref().is_some_and(|pms| pms.resource.is_none());
        self.soft.push(if without_room {
            reason(ReadinessCode::NoResource, "No room is assigned to the stay.", None)
        } else {
            reason(ReadinessCode::NoDoors, "The stay's room stands for no door here.", None)
        });
    }

    fn token(&mut self, facts: &StayFacts, token: &TokenFacts, plan: &TokenPlan, timing: &StayTiming, now: Timestamp) {
        for door in &token.conflicts {
            let message = "Another token or credential has the same value at the door in this time.";
            self.hard.push(reason(ReadinessCode::ValueConflict, message, Some(*door)));
            self.closed |= !works(facts, token, *door, now);
        }
        self.no_doors(facts, plan.meant().next().is_none() && token.conflicts.is_empty());
        for door in plan.meant() {
            match at_door(facts, token, plan, door, now) {
                AtDoor::Placed => {
                    if facts.places.get(&door).is_some_and(|place| place.missing) {
                        self.hard.push(missing(door));
                    }
                    continue;
                }
                AtDoor::Early => {
                    let hours = timing.preload.num_hours();
                    let message = format!("The locks are loaded {hours} hours before the stay.");
                    self.progress.push(reason(ReadinessCode::TooEarly, &message, None));
                }
                AtDoor::Placing => {
                    let message = "The code is on its way to the lock.";
                    self.progress.push(reason(ReadinessCode::Placing, message, Some(door)));
                }
                AtDoor::Wrong(code, message) => self.hard.push(reason(code, message, Some(door))),
            }
            self.closed |= !works(facts, token, door, now);
        }
        self.pms(facts, token, plan);
    }

    fn pms(&mut self, facts: &StayFacts, token: &TokenFacts, plan: &TokenPlan) {
        let Some(pms) = facts.pms.as_ref().filter(|pms| pms.shows_tokens) else { return };
        let placement = token.placements.get(&pms.account);
        let message = "The PMS does not show the code yet.";
        let not_updated = || reason(ReadinessCode::PmsNotUpdated, message, None);
        match plan.placements.get(&pms.account) {
            Some(planned) if is_as_planned(placement, planned) => match placement.map(|placement| placement.state) {
                Some(PlacementState::Confirmed) => {}
                Some(PlacementState::Failed) => self.hard.push(not_updated()),
                _ => self.progress.push(not_updated()),
            },
            // Before a lock has it nothing is missing there.
            None if !in_locks(facts, token, plan) => {}
            _ => self.progress.push(not_updated()),
        }
    }
}

/// Whether the door has the code as it is to be, read back.
fn is_placed(facts: &StayFacts, token: &TokenFacts, plan: &TokenPlan, door: DoorId) -> bool {
    let Some(place) = facts.places.get(&door) else { return false };
    let Some(planned @ PlacementPlan::Wish { wish, .. }) = plan.placements.get(&place.account) else { return false };
    let placement = token.placements.get(&place.account);
    wish.doors().contains(&door)
        && is_as_planned(placement, planned)
        && placement.is_some_and(|placement| placement.state == PlacementState::Confirmed)
}

/// Whether every door that the token is meant to open has its code, read back.
pub(super) fn in_locks(facts: &StayFacts, token: &TokenFacts, plan: &TokenPlan) -> bool {
    let mut meant = plan.meant().peekable();
    meant.peek().is_some() && meant.all(|door| is_placed(facts, token, plan, door))
}

/// Whether what is wished for already is what is planned.
fn is_as_planned(placement: Option<&PlacementFacts>, planned: &PlacementPlan) -> bool {
    let Some(placement) = placement else { return false };
    match planned {
        PlacementPlan::Wish { wish, .. } => {
            placement.desired == Desired::Present && placement.wish.as_ref() == Some(wish) && !placement.is_obstructed()
        }
        PlacementPlan::Obstacle { code, .. } => placement.desired == Desired::Present && placement.error == Some(*code),
        PlacementPlan::Withdraw => placement.desired == Desired::Absent,
    }
}

fn at_door(facts: &StayFacts, token: &TokenFacts, plan: &TokenPlan, door: DoorId, now: Timestamp) -> AtDoor {
    let gone = AtDoor::Wrong(ReadinessCode::DoorMissing, DOOR_MISSING);
    let Some(place) = facts.places.get(&door) else { return gone };
    let Some(account) = facts.accounts.get(&place.account) else { return gone };
    if !holds_tokens(account.vendor) {
        let message = "The vendor of the door cannot hold such a code.";
        return AtDoor::Wrong(ReadinessCode::CapabilityMissing, message);
    }
    let uncovered = if place.missing {
        gone
    } else {
        AtDoor::Wrong(ReadinessCode::NoAccessLevel, "No access level at the vendor opens the door and no other.")
    };
    let Some(planned @ PlacementPlan::Wish { wish, due_at }) = plan.placements.get(&place.account) else {
        return uncovered;
    };
    if !wish.doors().contains(&door) {
        return uncovered;
    }
    if is_placed(facts, token, plan, door) {
        return AtDoor::Placed;
    }
    let placement = token.placements.get(&place.account);
    let as_planned = is_as_planned(placement, planned);
    if as_planned && placement.is_some_and(|placement| placement.state == PlacementState::Failed) {
        let message = "The vendor did not take the code in, or cannot be reached; it is tried again.";
        return AtDoor::Wrong(ReadinessCode::PlacementFailed, message);
    }
    let sent = placement.is_some_and(|placement| placement.progress.sent.is_some());
    if *due_at > now && !sent {
        return AtDoor::Early;
    }
    if !account.usable {
        let message = "The account at the door's vendor cannot be used.";
        return AtDoor::Wrong(ReadinessCode::PlacementFailed, message);
    }
    AtDoor::Placing
}

/// Whether something is at the door's vendor that opens it now, as far as is known.
fn works(facts: &StayFacts, token: &TokenFacts, door: DoorId, now: Timestamp) -> bool {
    let Some(place) = facts.places.get(&door) else { return false };
    token.placements.get(&place.account).is_some_and(|placement| {
        let opens = |wish: &Wish| {
            wish.doors().contains(&door)
                && wish.from().is_none_or(|from| from <= now)
                && wish.until().is_none_or(|until| now < until)
        };
        placement.was_confirmed && !placement.progress.withdrawn && placement.progress.sent.as_ref().is_some_and(opens)
    })
}

const DOOR_MISSING: &str = "The door's vendor no longer lists it.";

fn missing(door: DoorId) -> ReadinessReason {
    reason(ReadinessCode::DoorMissing, DOOR_MISSING, Some(door))
}

fn reason(code: ReadinessCode, message: &str, door: Option<DoorId>) -> ReadinessReason {
    ReadinessReason { code, message: message.to_owned(), subject: door.map(|door| door.to_string()) }
}
