//! Properties of the state machine: any order of observations, any time between them, any command.

use proptest::{prelude::*, sample::select};

use super::*;
use crate::{change::Change, command::Action};

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(1_800_000_000_000 + milliseconds).unwrap()
}

fn queued(action: &Action, lifetime: i64) -> Progress {
    Progress {
        kind: action.kind(),
        trigger: action.trigger(),
        state: CommandState::Queued,
        evidence: Evidence::None,
        created_at: at(0),
        expires_at: Some(at(lifetime)),
        dispatched_at: None,
        settle_by: None,
        due_at: Some(at(0)),
        attempts: 0,
        polls: 0,
        reference: None,
        may_have_left: false,
        rides: false,
        failure: None,
    }
}

fn failure() -> Failure {
    Failure::new(FailureCode::AnswerLost, "lost")
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::OpenDoor),
        Just(Action::CloseDoor),
        Just(Action::LockDoor { on_behalf_of: None }),
        Just(Action::UnlockDoor),
        Just(Action::BookDoor { until: None }),
        Just(Action::SyncDevice { power_cycle: true }),
        Just(Action::from(Change::CreateDoors { names: vec!["A".to_owned()] })),
        Just(Action::from(Change::RemovePhone { phone: "p".to_owned() })),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let evidence = || select(Evidence::ALL);
    prop_oneof![
        evidence().prop_map(|evidence| Answer::Succeeded { evidence }),
        evidence().prop_map(|evidence| Answer::Failed { failure: failure(), evidence }),
        (any::<bool>(), evidence(), proptest::option::of(0..2_000_000i64)).prop_map(|(named, evidence, until)| {
            Answer::Pending { reference: named.then(|| "ref".to_owned()), evidence, vendor_timeout_at: until.map(at) }
        }),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        answer().prop_map(Sent::Answered),
        proptest::option::of(0..30i64)
            .prop_map(|seconds| Sent::NotSent { failure: failure(), retry_after: seconds.map(TimeDelta::seconds) }),
        Just(Sent::Lost { failure: failure() }),
        Just(Sent::Lost { failure: failure() }),
    ]
}

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![answer().prop_map(Seen::Answered), Just(Seen::Absent), Just(Seen::Nothing { failure: None })]
}

/// One turn of the world: time passes, the worker may crash before it hears what came of its dispatch.
#[derive(Debug, Clone)]
struct Turn {
    pause: i64,
    sent: Sent,
    crash: bool,
    seen: Seen,
}

fn turn() -> impl Strategy<Value = Turn> {
    (prop_oneof![0..500i64, 0..20_000i64, 0..2_000_000i64], sent(), any::<bool>(), seen())
        .prop_map(|(pause, sent, crash, seen)| Turn { pause, sent, crash, seen })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Rules 1 and 2 over every history: nothing leaves late, an edge leaves once, no state follows wrongly,
    /// evidence never shrinks, an end stays an end.
    #[test]
    fn every_history_keeps_the_rules(action in action(), lifetime in 1..60_000i64, turns in proptest::collection::vec(turn(), 1..25)) {
        let mut progress = queued(&action, lifetime);
        let mut now = 0;
        let mut may_have_left = 0;
        let mut looked_in_vain = true;
        for turn in turns {
            now += turn.pause;
            let before = progress.clone();
            match next_step(&progress, at(now)) {
                Step::Rest => { prop_assert!(progress.state.is_terminal()); continue }
                Step::Wait(until) => { prop_assert!(until > at(now)); continue }
                Step::Follow => unreachable!("nothing rides here"),
                Step::Settle(next) => progress = *next,
                Step::Dispatch => {
                    prop_assert!(at(now) < progress.expires_at.unwrap(), "late");
                    prop_assert!(progress.trigger != Trigger::Record || may_have_left == 0 || looked_in_vain, "a second record");
                    let intent = dispatching(&progress, at(now));
                    prop_assert!(before.state.may_become(intent.state));
                    progress = intent;
                    if turn.crash || !matches!(turn.sent, Sent::NotSent { .. }) {
                        may_have_left += 1;
                        looked_in_vain = false;
                    }
                    if !turn.crash {
                        let next = after_dispatch(&progress, turn.sent, at(now));
                        prop_assert!(next.state == progress.state || progress.state.may_become(next.state), "{} -> {}", progress.state, next.state);
                        progress = next;
                    }
                }
                Step::Poll | Step::Look => {
                    looked_in_vain |= turn.seen == Seen::Absent;
                    let next = after_sighting(&progress, turn.seen, at(now));
                    prop_assert!(next.state == progress.state || progress.state.may_become(next.state), "{} -> {}", progress.state, next.state);
                    progress = next;
                }
            }
            prop_assert!(progress.evidence >= before.evidence);
            prop_assert!(progress.due_at.is_some() || progress.state.is_terminal());
            prop_assert!(!matches!(progress.state, CommandState::Failed | CommandState::OutcomeUnknown | CommandState::Expired) || progress.failure.is_some());
        }
        if progress.trigger == Trigger::Edge {
            prop_assert!(may_have_left <= 1, "an edge left {may_have_left} times");
        }
        prop_assert!(may_have_left <= Timing::ATTEMPT_LIMIT);
    }

    /// Whatever happens, visited when due, every command comes to rest.
    #[test]
    fn every_history_ends(action in action(), turns in proptest::collection::vec(turn(), 1..8)) {
        let mut progress = queued(&action, 15_000);
        let mut now = at(0);
        for round in 0..5_000usize {
            let turn = &turns[round % turns.len()];
            match next_step(&progress, now) {
                Step::Rest => break,
                Step::Wait(until) => now = until,
                Step::Settle(next) => progress = *next,
                Step::Dispatch => progress = after_dispatch(&dispatching(&progress, now), turn.sent.clone(), now + TimeDelta::milliseconds(turn.pause.min(900))),
                Step::Poll | Step::Look => progress = after_sighting(&progress, turn.seen.clone(), now),
                Step::Follow => unreachable!("nothing rides here"),
            }
            now += TimeDelta::milliseconds(1);
        }
        prop_assert!(progress.state.is_terminal() && progress.due_at.is_none(), "{progress:?}");
    }

    #[test]
    fn only_a_queued_command_can_be_called_off(state in select(CommandState::ALL)) {
        let progress = Progress { state, ..queued(&Action::OpenDoor, 1000) };
        let canceled = cancel(&progress, FailureCode::Canceled, "called off");
        prop_assert_eq!(canceled.is_some(), state == CommandState::Queued);
    }

    /// A rider never claims more than its leader, and ends as it ends.
    #[test]
    fn a_rider_ends_as_its_leader(state in select(CommandState::ALL), evidence in select(Evidence::ALL)) {
        let leader = Progress { state, evidence, dispatched_at: Some(at(10)), due_at: None, ..queued(&Action::OpenDoor, 15_000) };
        let rider = Progress { created_at: at(20), ..queued(&Action::OpenDoor, 15_000) };
        if coalesces(&rider, &leader, Some(at(30))) {
            let next = follow(&rider, &leader, at(40));
            prop_assert!(rider.state.may_become(next.state));
            prop_assert_eq!(next.state, state);
            prop_assert_eq!(next.evidence, evidence);
        }
    }
}

#[test]
fn a_lost_answer_is_never_a_second_pulse() {
    let sent = dispatching(&queued(&Action::OpenDoor, 15_000), at(0));
    let lost = after_dispatch(&sent, Sent::Lost { failure: failure() }, at(100));
    assert_eq!(lost.state, CommandState::OutcomeUnknown);
    assert_eq!(next_step(&lost, at(5_000)), Step::Look);
    let proven = after_sighting(&lost, Seen::Answered(Answer::Succeeded { evidence: Evidence::Sensor }), at(5_000));
    assert_eq!((proven.state, proven.evidence), (CommandState::Succeeded, Evidence::Sensor));
}

#[test]
fn a_lock_is_looked_at_before_it_is_repeated() {
    let sent = dispatching(&queued(&Action::LockDoor { on_behalf_of: None }, 300_000), at(0));
    let lost = after_dispatch(&sent, Sent::Lost { failure: failure() }, at(100));
    assert_eq!(lost.state, CommandState::Dispatching);
    assert_eq!(next_step(&lost, at(1_000)), Step::Look);
    let unseen = after_sighting(&lost, Seen::Nothing { failure: None }, at(1_000));
    assert_eq!(next_step(&unseen, at(1_000)), Step::Dispatch);
}

/// What creates is repeated only after a look that did not find it; a look that failed is no such look.
#[test]
fn a_record_is_looked_for_before_it_is_made_again() {
    let create = Action::from(Change::CreateDoors { names: vec!["A".to_owned()] });
    let sent = dispatching(&queued(&create, 900_000), at(0));
    let lost = after_dispatch(&sent, Sent::Lost { failure: failure() }, at(100));
    let blind = after_sighting(&lost, Seen::Nothing { failure: Some(failure()) }, at(1_000));
    assert_eq!(blind.state, CommandState::Dispatching);
    assert!(matches!(next_step(&blind, at(1_000)), Step::Wait(_)));
    // Not there yet: a slow vendor may still be making it.
    let waiting = after_sighting(&blind, Seen::Absent, at(3_000));
    assert_eq!(next_step(&waiting, at(3_000)), Step::Wait(at(7_000)));
    let absent = after_sighting(&waiting, Seen::Absent, at(9_000));
    assert_eq!(next_step(&absent, at(9_000)), Step::Dispatch);
    let found = after_sighting(&blind, Seen::Answered(Answer::Succeeded { evidence: Evidence::VendorAck }), at(9_000));
    assert_eq!(found.state, CommandState::Succeeded);
    // Nobody could look for five minutes: that is said, and looked for on, and in the end what is not there was not made.
    let unknown = after_sighting(&blind, Seen::Nothing { failure: None }, at(300_000));
    assert_eq!(unknown.state, CommandState::OutcomeUnknown);
    assert_eq!(after_sighting(&unknown, Seen::Absent, at(301_000)).state, CommandState::OutcomeUnknown);
    assert_eq!(after_sighting(&unknown, Seen::Absent, at(600_001)).state, CommandState::Failed);
}

/// However long the vendor fails: nobody has to ask again for what must not open any more.
#[test]
fn a_revocation_is_sent_until_it_is_done() {
    let removal = Action::from(Change::RemovePhone { phone: "p".to_owned() });
    let mut progress = Progress { expires_at: None, ..queued(&removal, 0) };
    let (mut now, mut sent) = (at(0), 0);
    while now < at(3_600_000) {
        match next_step(&progress, now) {
            Step::Dispatch => {
                sent += 1;
                progress = after_dispatch(&dispatching(&progress, now), Sent::Lost { failure: failure() }, now);
            }
            Step::Look => progress = after_sighting(&progress, Seen::Nothing { failure: None }, now),
            Step::Wait(until) => now = until,
            step => panic!("it was given up after {sent} attempts: {step:?}"),
        }
    }
    assert!((200..300).contains(&sent), "{sent} requests in an hour");
    let done = Sent::Answered(Answer::Succeeded { evidence: Evidence::VendorAck });
    assert_eq!(after_dispatch(&dispatching(&progress, now), done, now).state, CommandState::Succeeded);
}

#[test]
fn what_never_left_is_sent_again_until_its_deadline() {
    let mut progress = queued(&Action::OpenDoor, 2_000);
    let mut now = at(0);
    let mut attempts = 0;
    loop {
        match next_step(&progress, now) {
            Step::Dispatch => {
                attempts += 1;
                let not_sent = Sent::NotSent { failure: failure(), retry_after: None };
                progress = after_dispatch(&dispatching(&progress, now), not_sent, now);
            }
            Step::Wait(until) => now = until,
            Step::Settle(next) => progress = *next,
            step => {
                assert_eq!(step, Step::Rest);
                break;
            }
        }
    }
    assert!(attempts > 2);
    assert_eq!(progress.state, CommandState::Expired);
    assert_eq!(now, at(2_000));
}

#[test]
fn a_worker_that_slept_asks_once_more_before_it_gives_up() {
    let pending =
        Answer::Pending { reference: Some("r".into()), evidence: Evidence::VendorAck, vendor_timeout_at: None };
    let accepted =
        after_dispatch(&dispatching(&queued(&Action::UnlockDoor, 15_000), at(0)), Sent::Answered(pending), at(5));
    assert_eq!(next_step(&accepted, at(3_600_000)), Step::Poll);
    let silent = after_sighting(&accepted, Seen::Nothing { failure: None }, at(3_600_000));
    assert_eq!(silent.state, CommandState::OutcomeUnknown);
}

#[test]
fn fifty_presses_ride_on_one_pulse() {
    let leader = Progress { state: CommandState::Accepted, ..dispatching(&queued(&Action::OpenDoor, 15_000), at(0)) };
    let press = |milliseconds| Progress { created_at: at(milliseconds), ..queued(&Action::OpenDoor, 60_000) };
    assert!(coalesces(&press(0), &leader, None));
    assert!(coalesces(&press(3_000), &leader, None));
    assert!(!coalesces(&press(3_001), &leader, None));
    assert!(!coalesces(&Progress { kind: CommandKind::UnlockDoor, ..press(1) }, &leader, None));
    let failed = Progress { state: CommandState::Failed, ..leader.clone() };
    assert!(coalesces(&press(500), &failed, Some(at(600))));
    assert!(!coalesces(&press(700), &failed, Some(at(600))), "a new press after a failure is a new wish");
    let late = Progress { expires_at: Some(at(-1)), ..press(-2) };
    assert!(!coalesces(&late, &leader, None), "the pulse came after its deadline");
}

#[test]
fn a_closing_order_calls_off_what_opens() {
    assert!(superseded_by(CommandKind::LockDoor).contains(&CommandKind::OpenDoor));
    assert!(superseded_by(CommandKind::CloseDoor).contains(&CommandKind::UnlockDoor));
    assert!(superseded_by(CommandKind::OpenDoor).is_empty());
}

#[test]
fn a_door_is_served_in_order_but_not_for_ever() {
    let later = Progress { created_at: at(10), ..queued(&Action::LockDoor { on_behalf_of: None }, 60_000) };
    let earlier = queued(&Action::UnlockDoor, 60_000);
    assert_eq!(holds_back(&earlier, &later, at(10)), Some(Hold::UntilItLeaves));
    let sent = dispatching(&earlier, at(20));
    assert_eq!(holds_back(&sent, &later, at(30)), Some(Hold::UntilItLeaves));
    let accepted = Progress { state: CommandState::Accepted, ..sent };
    assert_eq!(holds_back(&accepted, &later, at(30)), Some(Hold::Until(at(5_020))));
    assert_eq!(holds_back(&accepted, &later, at(5_020)), None);
    let forced = Progress { kind: CommandKind::ForceLockDoor, ..later.clone() };
    assert_eq!(holds_back(&accepted, &forced, at(30)), None);
    let equal = Progress { kind: CommandKind::UnlockDoor, ..later.clone() };
    assert_eq!(holds_back(&accepted, &equal, at(30)), None);
    let done = Progress { state: CommandState::Succeeded, ..accepted };
    assert_eq!(holds_back(&done, &later, at(30)), None);
}

/// The first lock's answer was lost, and it worked: the refusal of the second must not deny it (P3).
#[test]
fn a_refused_repetition_denies_nothing() {
    let sent = dispatching(&queued(&Action::LockDoor { on_behalf_of: None }, 300_000), at(0));
    let lost = after_dispatch(&sent, Sent::Lost { failure: failure() }, at(100));
    let again = dispatching(&after_sighting(&lost, Seen::Nothing { failure: None }, at(1_000)), at(1_000));
    assert_eq!(again.dispatched_at, Some(at(0)), "evidence since the first sending counts");
    let throttled = after_dispatch(&again, Sent::NotSent { failure: failure(), retry_after: None }, at(1_100));
    let again = dispatching(&throttled, at(2_000));
    let refused = Answer::Failed { failure: failure(), evidence: Evidence::VendorAck };
    let unknown = after_dispatch(&again, Sent::Answered(refused.clone()), at(2_100));
    assert_eq!(unknown.state, CommandState::OutcomeUnknown);
    assert_eq!(after_sighting(&unknown, Seen::Answered(refused), at(4_000)).state, CommandState::OutcomeUnknown);
    // Nor may it be called unsent: neither by its deadline nor by its caller.
    assert!(
        matches!(next_step(&throttled, at(300_000)), Step::Settle(next) if next.state == CommandState::OutcomeUnknown)
    );
    assert_eq!(cancel(&throttled, FailureCode::Canceled, "called off"), None);
    let seen = Seen::Answered(Answer::Succeeded { evidence: Evidence::Sensor });
    assert_eq!(after_sighting(&unknown, seen, at(4_000)).state, CommandState::Succeeded);
}
