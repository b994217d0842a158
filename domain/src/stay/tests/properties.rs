//! What holds for every stay (P15), and for every change of one (rule 9).

use proptest::{collection::btree_set, option, prelude::*, sample::subsequence};

use super::*;

fn some_doors() -> impl Strategy<Value = BTreeSet<DoorId>> {
    btree_set((0_u128..8).prop_map(door), 0..5)
}

fn state() -> impl Strategy<Value = ReservationState> {
    prop::sample::select(ReservationState::ALL)
}

fn hour() -> impl Strategy<Value = Timestamp> {
    (0_i64..400).prop_map(at)
}

prop_compose! {
    fn some_token()(
        number in 1_u128..1000,
        kind in prop::sample::select(TokenType::ALL),
        revoke_requested in prop::bool::weighted(0.1),
        asked in (option::weighted(0.1, hour()), option::weighted(0.1, hour()), option::weighted(0.1, some_doors())),
        conflicts in option::weighted(0.1, some_doors()),
    ) -> TokenFacts {
        let (asked_from, asked_until, asked_doors) = asked;
        TokenFacts {
            token_type: kind, revoke_requested, asked_from, asked_until, asked_doors,
            conflicts: conflicts.unwrap_or_default(), ..token(number)
        }
    }
}

prop_compose! {
    fn some_stay()(
        state in state(),
        times in (hour(), 1_i64..100, option::weighted(0.2, hour()), option::weighted(0.1, hour())),
        backwards in prop::bool::weighted(0.05),
        guest in option::weighted(0.8, prop::sample::select(vec!["Ann Lee", "Ann Lee", "Li", ""])),
        pms in option::weighted(0.7, option::weighted(0.8, Just("room"))),
        doors in some_doors(),
        tokens in prop::collection::vec(some_token(), 0..3),
        unusable in prop::bool::weighted(0.1),
        levels in subsequence((0..5).collect::<Vec<usize>>(), 0..=5),
        missing in (option::weighted(0.1, 0_u128..7), option::weighted(0.1, 0_usize..5)),
    ) -> StayFacts {
        let (starts_at, hours, actual_start, actual_end) = times;
        let ends_at = starts_at + TimeDelta::hours(if backwards { -hours } else { hours });
        let mut facts = StayFacts {
            state,
            times: StayTimes { starts_at, ends_at, actual_start, actual_end },
            guest: guest.map(str::to_owned),
            pms: pms.map(|resource| PmsFacts {
                account: PMS, shows_tokens: true, reservation: "r".to_owned(), resource: resource.map(str::to_owned),
            }),
            doors,
            tokens,
            ..stay(&[])
        };
        let locks = facts.accounts.get_mut(&LOCKS).unwrap();
        locks.usable = !unusable;
        locks.levels = levels.iter().map(|index| locks.levels[*index].clone()).collect();
        if let Some(level) = missing.1.and_then(|index| locks.levels.get_mut(index)) {
            level.missing = true;
        }
        if let Some(place) = missing.0.and_then(|number| facts.places.get_mut(&door(number))) {
            place.missing = true;
        }
        facts
    }
}

/// How far vendors are with a stay: nothing is sent, all of it is, or something failed.
fn progress(facts: &mut StayFacts, how: u8) {
    match how {
        0 => {}
        1 => reconcile(facts),
        _ => {
            for placement in facts.tokens.iter_mut().flat_map(|token| token.placements.values_mut()) {
                if placement.desired == Desired::Present && !placement.is_obstructed() {
                    placement.state = PlacementState::Failed;
                }
            }
        }
    }
}

/// What no plan may do, whatever is known.
fn check(facts: &StayFacts, planned: &StayPlan, now: Timestamp) -> Result<(), TestCaseError> {
    prop_assert!(!planned.reasons.is_empty(), "no reason");
    prop_assert!(planned.reasons.iter().all(|reason| !reason.message.is_empty()));
    prop_assert!(planned.due_at.is_none_or(|due| due > now));
    prop_assert_eq!(planned.readiness == Readiness::Ready, codes(planned) == vec![ReadinessCode::AllPlaced]);
    for (token, plan) in facts.tokens.iter().zip(&planned.tokens) {
        let permitted = token.asked_doors.as_ref().unwrap_or(&facts.doors);
        let live = !plan.placements.is_empty() && plan.placements.values().any(|plan| *plan != PlacementPlan::Withdraw);
        for door in plan.meant().filter(|_| live) {
            prop_assert!(permitted.contains(&door), "a door that nobody permitted");
        }
        for (account, plan_there) in &plan.placements {
            let PlacementPlan::Wish { wish, .. } = plan_there else { continue };
            prop_assert!(wish.until().is_some_and(|until| until > now), "rule 8");
            prop_assert!(wish.doors().iter().all(|door| plan.doors.contains_key(door)));
            let Wish::CardHolder(wish) = wish else { continue };
            for level in
                facts.accounts[account].levels.iter().filter(|level| wish.access_levels.contains(&level.external_id))
            {
                let opened = |external: &String| {
                    let is = |door: &DoorId| facts.places.get(door).is_some_and(|place| place.external_id == *external);
                    plan.doors.keys().any(is)
                };
                prop_assert!(level.doors.iter().all(opened), "a level that opens too much");
            }
        }
    }
    let should = matches!(planned.readiness, Readiness::AtRisk | Readiness::Failed) && !facts.tokens.is_empty();
    prop_assert_eq!(planned.alert.is_some(), should);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    /// P15 and idempotence, at any stage of a stay.
    #[test]
    fn every_stay_has_a_readiness_and_a_reason_and_settles_once(
        mut facts in some_stay(),
        steps in prop::collection::vec((hour(), 0_u8..3), 1..4),
    ) {
        let mut steps = steps;
        steps.sort();
        for (now, how) in steps {
            let first = plan(&facts, &TIMING, now);
            check(&facts, &first, now)?;
            carry_out(&mut facts, &first);
            let second = plan(&facts, &TIMING, now);
            prop_assert_eq!(&second, &first, "planning again changes nothing");
            let before = facts.clone();
            carry_out(&mut facts, &second);
            prop_assert_eq!(&facts, &before);
            progress(&mut facts, how);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    /// Rule 9: while a guest is in, nothing that they may open and that has a code loses it by a change of the stay.
    #[test]
    fn no_door_that_stays_permitted_loses_its_code(
        rooms in (0_usize..5, 0_usize..5),
        extension in -5_i64..50,
        minutes in prop::collection::vec((0_i64..10, any::<bool>()), 1..8),
    ) {
        let choices: [&[u128]; 5] = [&[0, 1], &[0, 2], &[0, 2, 3], &[4], &[0, 1, 4, 5]];
        let (old, new) = (choices[rooms.0], choices[rooms.1]);
        let mut facts = stay(old);
        facts.state = ReservationState::Started;
        let mut now = at(120);
        settle(&mut facts, now);
        facts.doors = doors(new);
        facts.times.ends_at = at(150 + extension);
        let mut arrived = false;
        for (minutes, answers) in minutes {
            let planned = plan(&facts, &TIMING, now);
            check(&facts, &planned, now)?;
            carry_out(&mut facts, &planned);
            if answers {
                reconcile(&mut facts);
            }
            arrived |= new.iter().all(|number| opens(&facts, door(*number), now));
            for number in old {
                let kept = new.contains(number) || !arrived && now < at(120) + TIMING.handover;
                prop_assert!(!kept || opens(&facts, door(*number), now), "door {number} at {now}");
            }
            now += TimeDelta::minutes(minutes);
        }
        settle(&mut facts, now);
        for number in 0..6 {
            prop_assert_eq!(opens(&facts, door(number), now), new.contains(&number), "door {}", number);
        }
    }

    /// A guest who is in never finds the window shut, however long they stay and whenever somebody looks in time.
    #[test]
    fn a_guest_who_is_in_is_never_shut_out(late_minutes in 0_i64..1500) {
        let mut facts = stay(&[0]);
        facts.state = ReservationState::Started;
        let mut now = at(149);
        let end = at(150) + TimeDelta::minutes(late_minutes);
        while now < end {
            let planned = settle(&mut facts, now);
            prop_assert!(opens(&facts, door(0), now));
            let due = planned.due_at.unwrap();
            prop_assert!(opens(&facts, door(0), due), "still open when it is looked at again");
            now = due;
        }
    }
}
