//! The cases that hotels know.

use super::*;
use crate::placement::PlacementErrorCode;

fn card_holder(facts: &StayFacts, account: VendorAccountId) -> crate::placement::CardHolderWish {
    match facts.tokens[0].placements[&account].wish.clone() {
        Some(Wish::CardHolder(wish)) => wish,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_confirmed_stay_waits_is_loaded_and_is_ready() {
    let mut facts = stay(&[1, 0]);
    let early = plan(&facts, &TIMING, at(10));
    assert_eq!((early.readiness, codes(&early)), (Readiness::Pending, vec![ReadinessCode::TooEarly]));
    assert_eq!(early.due_at, Some(at(100) - TimeDelta::minutes(30) - TimeDelta::hours(72)));
    let loaded = plan(&facts, &TIMING, at(40));
    assert_eq!((loaded.readiness, codes(&loaded)), (Readiness::Pending, vec![ReadinessCode::Placing; 2]));
    let ready = settle(&mut facts, at(40));
    assert_eq!((ready.readiness, codes(&ready)), (Readiness::Ready, vec![ReadinessCode::AllPlaced]));
    assert_eq!((ready.tokens[0].state, ready.alert), (TokenState::Active, None));
    let wish = card_holder(&facts, LOCKS);
    assert_eq!(wish.access_levels, BTreeSet::from(["room 1".to_owned()]), "no door too many");
    assert_eq!((wish.first_name.as_str(), wish.last_name.as_str()), ("Maria da", "Silva"));
    assert_eq!(wish.until, Some(at(150) + TimeDelta::minutes(30)), "the vendor ends it by itself (rule 8)");
}

#[test]
fn what_is_not_placed_in_time_is_at_risk_and_then_failed() {
    let mut facts = stay(&[1, 0]);
    let planned = plan(&facts, &TIMING, at(40));
    carry_out(&mut facts, &planned);
    assert_eq!(plan(&facts, &TIMING, at(97)).readiness, Readiness::Pending);
    let at_risk = plan(&facts, &TIMING, at(98));
    assert_eq!((at_risk.readiness, at_risk.alert), (Readiness::AtRisk, Some(crate::alert::AlertSeverity::Warning)));
    assert_eq!(at_risk.due_at, Some(at(99)), "it is looked at again");
    let failed = plan(&facts, &TIMING, at(100));
    assert_eq!((failed.readiness, failed.alert), (Readiness::Failed, Some(crate::alert::AlertSeverity::Critical)));
    assert_eq!(settle(&mut facts, at(100)).readiness, Readiness::Ready);
}

#[test]
fn obstacles_are_said_at_once() {
    let mut facts = stay(&[6]);
    let docked = plan(&facts, &TIMING, at(10));
    assert_eq!((docked.readiness, codes(&docked)), (Readiness::AtRisk, vec![ReadinessCode::CapabilityMissing]));
    let obstacle = &docked.tokens[0].placements[&DOCKS];
    assert!(
        matches!(obstacle, PlacementPlan::Obstacle { code: PlacementErrorCode::CapabilityMissing, .. }),
        "{obstacle:?}"
    );
    facts.doors = doors(&[1]);
    let uncovered = plan(&facts, &TIMING, at(10));
    assert_eq!(codes(&uncovered), vec![ReadinessCode::NoAccessLevel], "room 1 alone has no level");
    facts.doors = doors(&[7]);
    assert_eq!(codes(&plan(&facts, &TIMING, at(10))), vec![ReadinessCode::DoorMissing]);
    facts.doors = doors(&[]);
    assert_eq!(codes(&plan(&facts, &TIMING, at(10))), vec![ReadinessCode::NoDoors]);
    facts.pms = Some(PmsFacts { account: PMS, shows_tokens: true, reservation: "r".to_owned(), resource: None });
    assert_eq!(codes(&plan(&facts, &TIMING, at(10))), vec![ReadinessCode::NoResource]);
    facts.tokens.clear();
    facts.guest = None;
    let bare = plan(&facts, &TIMING, at(10));
    assert_eq!(codes(&bare), vec![ReadinessCode::NoGuest, ReadinessCode::NoResource, ReadinessCode::NoToken]);
    assert_eq!((bare.readiness, plan(&facts, &TIMING, at(101)).readiness), (Readiness::Pending, Readiness::Failed));
    assert_eq!(plan(&facts, &TIMING, at(101)).alert, None, "nobody issued a token");
}

#[test]
fn an_account_that_cannot_be_used_is_a_risk_only_while_something_is_to_be_sent() {
    let mut facts = stay(&[0]);
    facts.accounts.get_mut(&LOCKS).unwrap().usable = false;
    assert_eq!(codes(&plan(&facts, &TIMING, at(10))), vec![ReadinessCode::TooEarly]);
    assert_eq!(codes(&plan(&facts, &TIMING, at(40))), vec![ReadinessCode::PlacementFailed]);
    facts.accounts.get_mut(&LOCKS).unwrap().usable = true;
    settle(&mut facts, at(40));
    facts.accounts.get_mut(&LOCKS).unwrap().usable = false;
    assert_eq!(plan(&facts, &TIMING, at(40)).readiness, Readiness::Ready, "the lock has the code all the same");
}

#[test]
fn an_early_guest_may_enter_at_once_and_a_late_one_keeps_the_code() {
    let mut facts = stay(&[0]);
    settle(&mut facts, at(40));
    facts.state = ReservationState::Started;
    facts.times.actual_start = Some(at(95));
    settle(&mut facts, at(95));
    assert!(opens(&facts, door(0), at(95)));
    for hour in [149, 150, 151, 160] {
        let now = at(hour);
        let planned = settle(&mut facts, now);
        let until = planned.tokens[0].window.until;
        assert!(until > now + TimeDelta::minutes(30) && until <= now + TimeDelta::minutes(90), "{hour}: {until}");
        assert_eq!(planned.readiness, Readiness::Ready);
        assert!(planned.due_at.is_some_and(|due| due > now && due <= until - TimeDelta::minutes(30)), "{hour}");
    }
    facts.times.actual_end = Some(at(160));
    let left = plan(&facts, &TIMING, at(160));
    assert_eq!((left.readiness, codes(&left)), (Readiness::NotApplicable, vec![ReadinessCode::Ended]));
    assert_eq!(left.tokens[0].placements, BTreeMap::from([(LOCKS, PlacementPlan::Withdraw)]), "without grace");
    let gone = settle(&mut facts, at(160));
    assert_eq!((gone.tokens[0].state, gone.due_at), (TokenState::Revoked, None));
    assert!(!opens(&facts, door(0), at(160)));
}

#[test]
fn a_room_move_makes_before_it_breaks() {
    let mut facts = stay(&[0, 1]);
    facts.state = ReservationState::Started;
    settle(&mut facts, at(110));
    facts.doors = doors(&[0, 2]);
    let moving = plan(&facts, &TIMING, at(111));
    assert_eq!(moving.tokens[0].doors[&door(1)], Some(at(111) + TimeDelta::minutes(15)));
    assert_eq!(moving.readiness, Readiness::Failed, "the new room does not open yet");
    carry_out(&mut facts, &moving);
    let levels = card_holder(&facts, LOCKS).access_levels;
    assert_eq!(levels, BTreeSet::from(["room 1".to_owned(), "room 2".to_owned()]));
    assert_eq!(plan(&facts, &TIMING, at(111)), moving);
    reconcile(&mut facts);
    assert!(opens(&facts, door(1), at(111)) && opens(&facts, door(2), at(111)));
    settle(&mut facts, at(111));
    assert!(!opens(&facts, door(1), at(111)), "the left room is closed as soon as the new one opens");
    assert!(opens(&facts, door(2), at(111)) && opens(&facts, door(0), at(111)));
}

#[test]
fn a_left_room_is_not_kept_for_ever() {
    let mut facts = stay(&[0, 1]);
    facts.state = ReservationState::Started;
    settle(&mut facts, at(110));
    facts.doors = doors(&[4]);
    let moving = plan(&facts, &TIMING, at(111));
    carry_out(&mut facts, &moving);
    assert!(matches!(moving.tokens[0].placements[&ANNEX], PlacementPlan::Wish { .. }));
    assert!(matches!(moving.tokens[0].placements[&LOCKS], PlacementPlan::Wish { .. }), "kept meanwhile");
    let late = plan(&facts, &TIMING, at(111) + TimeDelta::minutes(15));
    assert_eq!(late.tokens[0].placements[&LOCKS], PlacementPlan::Withdraw);
    assert_eq!(late.tokens[0].doors.keys().copied().collect::<BTreeSet<_>>(), doors(&[4]));
}

#[test]
fn a_canceled_stay_loses_its_code_and_a_reinstated_one_gets_it_back_in_time() {
    let mut facts = stay(&[0]);
    settle(&mut facts, at(40));
    facts.state = ReservationState::Canceled;
    let canceled = plan(&facts, &TIMING, at(41));
    assert_eq!(canceled.tokens[0].state, TokenState::Revoking);
    carry_out(&mut facts, &canceled);
    let mut reinstated = facts.clone();
    reinstated.state = ReservationState::Confirmed;
    assert_eq!(settle(&mut reinstated, at(42)).readiness, Readiness::Ready);
    settle(&mut facts, at(41));
    assert_eq!(facts.tokens[0].state, TokenState::Revoked);
    facts.state = ReservationState::Confirmed;
    let late = plan(&facts, &TIMING, at(42));
    assert_eq!(codes(&late), vec![ReadinessCode::NoToken, ReadinessCode::Revoked], "its value is wiped");
}

#[test]
fn an_unconfirmed_stay_keeps_its_token_for_later() {
    let mut facts = stay(&[0]);
    facts.state = ReservationState::Optional;
    let held = settle(&mut facts, at(40));
    assert_eq!((held.readiness, codes(&held)), (Readiness::NotApplicable, vec![ReadinessCode::NotConfirmed]));
    assert_eq!((held.tokens[0].state, facts.tokens[0].placements.len()), (TokenState::Pending, 0));
    facts.state = ReservationState::Confirmed;
    assert_eq!(settle(&mut facts, at(41)).readiness, Readiness::Ready);
}

#[test]
fn nothing_is_taken_away_for_a_word_that_nobody_can_read() {
    let mut facts = stay(&[0]);
    settle(&mut facts, at(40));
    facts.state = ReservationState::Unknown;
    facts.doors = doors(&[4]);
    let unread = plan(&facts, &TIMING, at(110));
    assert_eq!((unread.readiness, codes(&unread)), (Readiness::AtRisk, vec![ReadinessCode::Unreadable]));
    assert!(unread.tokens[0].placements.is_empty());
    assert_eq!(unread.tokens[0].doors, facts.tokens[0].doors);
    let over = plan(&facts, &TIMING, at(151));
    assert_eq!(over.readiness, Readiness::NotApplicable);
    assert_eq!(over.tokens[0].placements[&LOCKS], PlacementPlan::Withdraw, "the vendor has ended it already");
}

#[test]
fn a_value_that_somebody_else_has_is_not_widened() {
    let mut facts = stay(&[0]);
    settle(&mut facts, at(40));
    facts.times.ends_at = at(170);
    facts.tokens[0].conflicts = doors(&[0]);
    let taken = settle(&mut facts, at(41));
    assert_eq!((taken.readiness, codes(&taken)), (Readiness::AtRisk, vec![ReadinessCode::ValueConflict]));
    assert_eq!(taken.tokens[0].window.until, at(150) + TimeDelta::minutes(30));
    facts.doors = doors(&[0, 4]);
    facts.tokens[0].conflicts = doors(&[4]);
    let moved = settle(&mut facts, at(41));
    assert_eq!(moved.tokens[0].meant().collect::<BTreeSet<_>>(), doors(&[0]), "not at the door where it is taken");
    assert_eq!(moved.tokens[0].window.until, at(170) + TimeDelta::minutes(30));
    assert_eq!(codes(&moved), vec![ReadinessCode::ValueConflict]);
}

#[test]
fn a_pms_shows_the_code_once_a_lock_has_it() {
    let mut facts = stay(&[0]);
    let resource = Some("room".to_owned());
    facts.pms = Some(PmsFacts { account: PMS, shows_tokens: true, reservation: "r-1".to_owned(), resource });
    let first = plan(&facts, &TIMING, at(40));
    assert!(!first.tokens[0].placements.contains_key(&PMS));
    carry_out(&mut facts, &first);
    reconcile(&mut facts);
    let shown = plan(&facts, &TIMING, at(40));
    assert_eq!((shown.readiness, codes(&shown)), (Readiness::Pending, vec![ReadinessCode::PmsNotUpdated]));
    assert!(matches!(&shown.tokens[0].placements[&PMS], PlacementPlan::Wish { wish: Wish::PmsToken(wish), .. }
        if wish.serial_number == facts.tokens[0].id.to_string() && wish.reservation == "r-1"));
    assert_eq!(settle(&mut facts, at(40)).readiness, Readiness::Ready);
    facts.tokens[0].revoke_requested = true;
    let revoked = plan(&facts, &TIMING, at(41));
    assert_eq!(revoked.tokens[0].placements.keys().copied().collect::<Vec<_>>(), vec![LOCKS, PMS]);
}

#[test]
fn a_level_that_one_list_lacks_stays_wished_for() {
    let mut facts = stay(&[0, 1]);
    settle(&mut facts, at(40));
    for level in &mut facts.accounts.get_mut(&LOCKS).unwrap().levels {
        level.missing = level.external_id == "room 1";
    }
    assert_eq!(plan(&facts, &TIMING, at(41)).readiness, Readiness::Ready);
    let mut fresh = stay(&[0, 1]);
    fresh.accounts.clone_from(&facts.accounts);
    let codes = codes(&plan(&fresh, &TIMING, at(41)));
    assert!(codes.contains(&ReadinessCode::NoAccessLevel), "{codes:?}: nothing new is built on it");
}

#[test]
fn a_tag_is_placed_as_a_pin_is_and_its_number_stands_in_no_wish() {
    let mut facts = stay(&[0]);
    facts.tokens[0].token_type = TokenType::RfidTag;
    assert_eq!(settle(&mut facts, at(40)).readiness, Readiness::Ready);
    assert!(opens(&facts, door(0), at(101)));
    let wish = card_holder(&facts, LOCKS);
    assert_eq!((wish.has_card_number, wish.has_pin, wish.card_number), (true, false, None));
}
