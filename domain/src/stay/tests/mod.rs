//! Tests of the plan of a stay: a small world, and a vendor that does what is wished for.

mod examples;
mod properties;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, TimeZone, Utc};
use uuid::Uuid;

use super::*;
use crate::{
    account::Vendor,
    clock::Timestamp,
    ids::{AccessTokenId, DoorId, VendorAccountId},
    placement::{Desired, PlacementProgress, PlacementState, Wish},
    record::{ReservationState, TokenType},
};

pub(super) const TIMING: StayTiming = StayTiming {
    preload: TimeDelta::hours(72),
    grace_before: TimeDelta::minutes(30),
    grace_after: TimeDelta::minutes(30),
    handover: TimeDelta::minutes(15),
    cool_down: TimeDelta::days(7),
    at_risk_before: TimeDelta::hours(2),
};

pub(super) const LOCKS: VendorAccountId = VendorAccountId(Uuid::from_u128(1));
pub(super) const ANNEX: VendorAccountId = VendorAccountId(Uuid::from_u128(2));
pub(super) const DOCKS: VendorAccountId = VendorAccountId(Uuid::from_u128(3));
pub(super) const PMS: VendorAccountId = VendorAccountId(Uuid::from_u128(4));

pub(super) fn at(hours: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 6, 1, 0, 0, 0).unwrap() + TimeDelta::hours(hours)
}

/// Doors 0 to 3 are at the locks, 4 and 5 in the annex (locks too), 6 is a dock, 7 is unknown.
pub(super) fn door(number: u128) -> DoorId {
    DoorId(Uuid::from_u128(100 + number))
}

fn account_of(number: u128) -> Option<VendorAccountId> {
    match number {
        0..=3 => Some(LOCKS),
        4 | 5 => Some(ANNEX),
        6 => Some(DOCKS),
        _ => None,
    }
}

pub(super) fn doors(numbers: &[u128]) -> BTreeSet<DoorId> {
    numbers.iter().map(|number| door(*number)).collect()
}

pub(super) fn level(id: &str, numbers: &[u128]) -> LevelFacts {
    let doors = numbers.iter().map(|number| format!("d{number}")).collect();
    LevelFacts { external_id: id.to_owned(), doors, missing: false }
}

/// A stay from hour 100 to 150 with one token; every room (1 to 3) has a level with the front door (0), as in a hotel.
pub(super) fn stay(numbers: &[u128]) -> StayFacts {
    let places = (0..7).filter_map(|number| {
        let place = DoorFacts { account: account_of(number)?, external_id: format!("d{number}"), missing: false };
        Some((door(number), place))
    });
    let account = |vendor, levels| AccountFacts { vendor, usable: true, levels };
    let rooms = vec![
        level("front", &[0]),
        level("room 1", &[0, 1]),
        level("room 2", &[0, 2]),
        level("room 3", &[0, 3]),
        level("all", &[0, 1, 2, 3]),
    ];
    StayFacts {
        state: ReservationState::Confirmed,
        times: StayTimes { starts_at: at(100), ends_at: at(150), actual_start: None, actual_end: None },
        guest: Some("Maria da Silva".to_owned()),
        number: Some("1001".to_owned()),
        pms: None,
        doors: doors(numbers),
        places: places.collect(),
        accounts: BTreeMap::from([
            (LOCKS, account(Vendor::Lockt, rooms)),
            (ANNEX, account(Vendor::Lockt, vec![level("annex 4", &[4]), level("annex 5", &[5])])),
            (DOCKS, account(Vendor::Bikeep, Vec::new())),
        ]),
        tokens: vec![token(1)],
    }
}

pub(super) fn token(number: u128) -> TokenFacts {
    TokenFacts {
        id: AccessTokenId(Uuid::from_u128(1000 + number)),
        token_type: TokenType::PinCode,
        state: TokenState::Pending,
        revoke_requested: false,
        asked_from: None,
        asked_until: None,
        asked_doors: None,
        valid_from: at(0),
        valid_until: at(0),
        doors: BTreeMap::new(),
        conflicts: BTreeSet::new(),
        placements: BTreeMap::new(),
    }
}

/// Writes a plan as the store does.
pub(super) fn carry_out(facts: &mut StayFacts, plan: &StayPlan) {
    for (token, planned) in facts.tokens.iter_mut().zip(&plan.tokens) {
        token.state = planned.state;
        (token.valid_from, token.valid_until) = (planned.window.from, planned.window.until);
        token.doors = planned.doors.clone();
        for (account, plan) in &planned.placements {
            let placement = token.placements.entry(*account).or_insert_with(|| PlacementFacts {
                desired: Desired::Absent,
                wish: None,
                state: PlacementState::Revoked,
                error: None,
                progress: PlacementProgress::default(),
                was_confirmed: false,
            });
            match plan {
                PlacementPlan::Wish { wish, .. } => {
                    let same = placement.desired == Desired::Present
                        && placement.wish.as_ref() == Some(wish)
                        && !placement.is_obstructed();
                    if !same {
                        let new = placement.wish.is_none();
                        placement.state = if new { PlacementState::Waiting } else { PlacementState::Placing };
                        placement.error = None;
                    }
                    placement.wish = Some(wish.clone());
                    placement.desired = Desired::Present;
                }
                PlacementPlan::Obstacle { code, .. } => {
                    (placement.error, placement.state) = (Some(*code), PlacementState::Failed);
                    placement.desired = Desired::Present;
                }
                PlacementPlan::Withdraw => {
                    if placement.desired == Desired::Present {
                        (placement.error, placement.state) = (None, PlacementState::Revoking);
                    }
                    placement.desired = Desired::Absent;
                }
            }
        }
    }
}

/// A vendor that has done what is wished for by now.
pub(super) fn reconcile(facts: &mut StayFacts) {
    for placement in facts.tokens.iter_mut().flat_map(|token| token.placements.values_mut()) {
        match (placement.desired, &placement.wish) {
            (Desired::Absent, _) => {
                placement.state = PlacementState::Revoked;
                placement.progress.withdrawn = true;
            }
            (Desired::Present, Some(wish)) if !placement.is_obstructed() => {
                placement.progress = PlacementProgress { sent: Some(wish.clone()), ..PlacementProgress::default() };
                (placement.state, placement.was_confirmed) = (PlacementState::Confirmed, true);
            }
            (Desired::Present, _) => {}
        }
    }
}

/// Plans and places until nothing changes any more.
pub(super) fn settle(facts: &mut StayFacts, now: Timestamp) -> StayPlan {
    for _ in 0..10 {
        let planned = plan(facts, &TIMING, now);
        carry_out(facts, &planned);
        reconcile(facts);
        if plan(facts, &TIMING, now) == planned {
            return planned;
        }
    }
    panic!("a stay does not settle: {facts:?}");
}

/// What would open a door now, as far as vendors know.
pub(super) fn opens(facts: &StayFacts, door: DoorId, now: Timestamp) -> bool {
    let sent = |placement: &PlacementFacts| {
        placement.progress.sent.as_ref().filter(|_| !placement.progress.withdrawn).is_some_and(|wish: &Wish| {
            wish.doors().contains(&door)
                && wish.from().is_none_or(|from| from <= now)
                && wish.until().is_none_or(|until| now < until)
        })
    };
    facts.tokens.iter().flat_map(|token| token.placements.values()).any(sent)
}

pub(super) fn codes(plan: &StayPlan) -> Vec<ReadinessCode> {
    plan.reasons.iter().map(|reason| reason.code).collect()
}
