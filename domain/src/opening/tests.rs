//! The answers against a brute-force oracle, on small random worlds.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::America::New_York;
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    credential::CredentialState,
    device::{Health, PhoneAccess},
    door::{Mode, Observation, Source},
    placement::{Desired, PlacementState},
    schedule::DayRange,
    stay::TokenState,
};

/// Hours around the hour that comes twice in New York (2026-11-01 05:00 and 06:00 UTC are both 01:00 there).
fn hour(number: u8) -> Timestamp {
    DateTime::from_timestamp(1_793_491_200 + i64::from(number) * 3_600, 0).unwrap()
}

fn id(number: u8, of: u128) -> Uuid {
    Uuid::from_u128(of * 1_000 + u128::from(number))
}

const PEOPLE: u128 = 1;
const RECORDS: u128 = 2;
const STAYS: u128 = 3;
const REST: u128 = 4;

fn span() -> impl Strategy<Value = Span> {
    (option::of(0..16_u8), option::of(0..16_u8)).prop_map(|(from, until)| Span::new(from.map(hour), until.map(hour)))
}

fn user() -> impl Strategy<Value = UserId> {
    (0..3_u8).prop_map(|number| UserId(id(number, PEOPLE)))
}

fn token() -> impl Strategy<Value = TokenFact> {
    (0..4_u8, option::of(user()), select(TokenState::ALL), span(), option::of(0..16_u8)).prop_map(
        |(number, guest, state, span, leaves)| TokenFact {
            token: AccessTokenId(id(number, REST)),
            reservation: ReservationId(id(number, STAYS)),
            guest,
            state,
            span,
            leaves_at: leaves.map(hour),
        },
    )
}

fn credential() -> impl Strategy<Value = CredentialFact> {
    (0..4_u8, user(), select(CredentialState::ALL), span()).prop_map(|(number, user, state, span)| CredentialFact {
        credential: CredentialId(id(number, REST)),
        user,
        state,
        span,
    })
}

fn weekly() -> impl Strategy<Value = Arc<Weekly>> {
    (vec(0..7_u8, 1..7), 0..24_u32, 0..24_u32).prop_map(|(days, starts, ends)| {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let range = DayRange { days: days.into_iter().collect(), starts: time(starts), ends: time(ends) };
        Arc::new(Weekly { id: ScheduleId(id(0, REST)), week: Week { ranges: vec![range] }, zone: New_York })
    })
}

fn assignment() -> impl Strategy<Value = AssignmentFact> {
    (0..9_u8, user(), span(), option::of(weekly())).prop_map(|(number, user, span, schedule)| AssignmentFact {
        assignment: AccessAssignmentId(id(number, REST)),
        level: AccessLevelId(id(number % 3, REST)),
        user,
        span,
        schedule,
    })
}

fn placement() -> impl Strategy<Value = PlacementFact> {
    let holder = (any::<bool>(), 0..4_u8, option::of(user()));
    let mark = option::of(select(vec!["one".to_owned(), "two".to_owned()]));
    let spans = (option::of(span()), option::of(span()));
    (0..200_u8, holder, select(Desired::ALL), select(PlacementState::ALL), spans, mark).prop_map(
        |(number, (is_token, holder, user), desired, state, (wished, sent), mark)| PlacementFact {
            placement: PlacementId(id(number, REST)),
            token: is_token.then(|| (AccessTokenId(id(holder, REST)), ReservationId(id(holder, STAYS)))),
            credential: (!is_token).then(|| CredentialId(id(holder, REST))),
            // Only the guest of a stay may be unknown.
            user: user.or_else(|| (!is_token).then(|| UserId(id(0, PEOPLE)))),
            desired,
            state,
            wished,
            sent,
            mark,
        },
    )
}

fn record() -> impl Strategy<Value = RecordFact> {
    let path = select(vec![
        RecordPath::DeviceAccess,
        RecordPath::Phone { door_takes_calls: true },
        RecordPath::Phone { door_takes_calls: false },
        RecordPath::AccessLevel(RecordId(id(0, RECORDS))),
    ]);
    let mark = option::of(select(vec!["one".to_owned(), "two".to_owned(), "other".to_owned()]));
    (0..9_u8, path, option::of(any::<bool>()), span(), mark, prop::bool::weighted(0.2)).prop_map(
        |(number, path, enabled, span, mark, is_ours)| RecordFact {
            record: RecordId(id(number, RECORDS)),
            path,
            enabled,
            span,
            mark,
            is_ours,
        },
    )
}

fn facts() -> impl Strategy<Value = Facts> {
    let ours = (vec(token(), 0..4), vec(credential(), 0..4), vec(assignment(), 0..4), vec(placement(), 0..8));
    (ours, vec(record(), 0..5)).prop_map(|((tokens, credentials, assignments, placements), records)| Facts {
        tokens,
        credentials,
        assignments,
        placements,
        records,
        ..Facts::of(DoorId(Uuid::nil()))
    })
}

type Told = BTreeSet<(Who, Via, &'static str)>;

/// Whether an instant lies in a span, said differently: not before its beginning, and before its end.
fn inside(span: &Span, at: Timestamp) -> bool {
    !(span.from.is_some_and(|from| at < from) || span.until.is_some_and(|until| at >= until))
}

/// Every path that should be told, found by walking over everything again and again.
fn oracle(facts: &Facts, at: Timestamp) -> Told {
    let mut told = Told::new();
    let best = |is_holder: &dyn Fn(&PlacementFact) -> bool| {
        let mut best = "PERMITTED";
        for placement in &facts.placements {
            if placement.state == PlacementState::Revoked || !is_holder(placement) {
                continue;
            }
            let is_wished = placement.wished.is_some_and(|span| inside(&span, at));
            if is_wished && placement.desired == Desired::Present && placement.state == PlacementState::Confirmed {
                return "CONFIRMED";
            }
            if placement.sent.is_some_and(|span| inside(&span, at)) {
                best = "EXPECTED";
            }
        }
        best
    };
    for token in &facts.tokens {
        let is_over = token.state == TokenState::Revoking || token.state == TokenState::Revoked;
        if is_over || !inside(&token.span, at) || token.leaves_at.is_some_and(|leaves| at >= leaves) {
            continue;
        }
        let who = match token.guest {
            Some(guest) => Who::User(guest),
            None => Who::GuestOf(token.reservation),
        };
        let sure = best(&|placement| placement.token.is_some_and(|(placed, _)| placed == token.token));
        told.insert((who, Via::AccessToken { token: token.token, reservation: token.reservation }, sure));
    }
    for credential in &facts.credentials {
        if credential.state == CredentialState::Active && inside(&credential.span, at) {
            let sure = best(&|placement| placement.credential == Some(credential.credential));
            told.insert((Who::User(credential.user), Via::Credential(credential.credential), sure));
        }
    }
    for assignment in &facts.assignments {
        if !inside(&assignment.span, at) {
            continue;
        }
        let mut schedule = None;
        if let Some(weekly) = &assignment.schedule {
            // The wall clock, minute by minute back to the beginning of a range of a permitted day.
            let range = &weekly.week.ranges[0];
            let now = weekly.zone.from_utc_datetime(&at.naive_utc()).naive_local();
            let lasts = (range.ends - range.starts).num_hours();
            let lasts = if lasts <= 0 { lasts + 24 } else { lasts };
            let begins = |back: i64| {
                let then = now - TimeDelta::hours(back);
                let day = u8::try_from(chrono::Datelike::weekday(&then).num_days_from_monday()).unwrap();
                then.time() == range.starts && range.days.contains(&day)
            };
            if !(0..lasts).any(begins) {
                continue;
            }
            schedule = Some(weekly.id);
        }
        let sure = best(&|placement| placement.credential.is_some() && placement.user == Some(assignment.user));
        let via = Via::AccessLevel { assignment: assignment.assignment, level: assignment.level, schedule };
        told.insert((Who::User(assignment.user), via, sure));
    }
    for placement in &facts.placements {
        let settled = [PlacementState::Waiting, PlacementState::Confirmed, PlacementState::Revoked];
        let is_wished = placement.wished.is_some_and(|span| inside(&span, at));
        let is_meant = is_wished && placement.desired == Desired::Present;
        let may_open = placement.sent.is_some_and(|span| inside(&span, at));
        if settled.contains(&placement.state) || is_meant || !may_open {
            continue;
        }
        let who = placement.user.map_or_else(|| Who::GuestOf(placement.token.unwrap().1), Who::User);
        let via = Via::RevocationNotConfirmed {
            placement: placement.placement,
            token: placement.token.map(|(token, _)| token),
            credential: placement.credential,
        };
        told.insert((who, via, "POSSIBLE"));
    }
    for record in &facts.records {
        let mut is_ours = record.is_ours;
        for placement in &facts.placements {
            let settled = [PlacementState::Waiting, PlacementState::Confirmed, PlacementState::Revoked];
            is_ours |= !settled.contains(&placement.state) && placement.mark.is_some() && placement.mark == record.mark;
        }
        if is_ours || record.enabled == Some(false) || !inside(&record.span, at) {
            continue;
        }
        let (via, sure) = match record.path {
            RecordPath::DeviceAccess => (Via::DeviceAccess(record.record), "CONFIRMED"),
            RecordPath::Phone { door_takes_calls: false } => continue,
            RecordPath::Phone { door_takes_calls: true } => (Via::Phone(record.record), "CONFIRMED"),
            RecordPath::AccessLevel(level) => (Via::VendorAccessLevel { person: record.record, level }, "EXPECTED"),
        };
        let sure = if record.enabled.is_none() { "POSSIBLE" } else { sure };
        told.insert((Who::VendorRecord(record.record), via, sure));
    }
    told
}

fn told(openers: &[Opener]) -> Told {
    let each = openers.iter().flat_map(|opener| opener.openings.iter().map(|opening| (opener.who, opening)));
    each.map(|(who, opening)| (who, opening.via, opening.certainty.as_str())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn everybody_who_can_open_is_told_and_nobody_else(facts in facts(), at in 0..16_u8) {
        let openers = who_can_open(&facts, hour(at));
        prop_assert_eq!(told(&openers), oracle(&facts, hour(at)));
        let keys: Vec<Uuid> = openers.iter().map(|opener| opener.who.key()).collect();
        prop_assert!(keys.is_sorted_by(|one, next| one < next), "each once, in the order of their ids");
        for opening in openers.iter().flat_map(|opener| &opener.openings) {
            prop_assert!(inside(&opening.span, hour(at)));
        }
    }

    #[test]
    fn a_person_can_open_the_doors_that_they_are_told_at(worlds in vec(facts(), 1..4), at in 0..16_u8) {
        let doors = |mut facts: Facts, number| { facts.door = DoorId(id(number, REST)); facts };
        let worlds: Vec<Facts> = worlds.into_iter().zip(0..).map(|(facts, number)| doors(facts, number)).collect();
        let theirs = what_they_can_open(&worlds, hour(at));
        let mut expected = BTreeSet::new();
        for facts in &worlds {
            for opener in who_can_open(facts, hour(at)) {
                if let Who::User(user) = opener.who {
                    expected.extend(opener.openings.iter().map(|opening| (user, facts.door, opening.via)));
                }
            }
        }
        let told: BTreeSet<_> = theirs.iter().flat_map(|(user, doors)| {
            doors.iter().flat_map(|openable| openable.openings.iter().map(|it| (*user, openable.door, it.via)))
        }).collect();
        prop_assert_eq!(told, expected);
    }

    /// One's own is what is granted to oneself, and of that what lasts longest; never what is left over, or only the vendor's.
    #[test]
    fn ones_own_way_in_is_a_grant(facts in facts(), person in user(), at in 0..16_u8) {
        let at = hour(at);
        let granted = oracle(&facts, at).into_iter().filter(|(who, via, _)| {
            let is_grant = [Reason::AccessToken, Reason::Credential, Reason::AccessLevel].contains(&via.reason());
            *who == Who::User(person) && is_grant
        });
        let granted: BTreeSet<Via> = granted.map(|(_, via, _)| via).collect();
        let found = own_way_in(&facts, person, at);
        prop_assert_eq!(found.is_some(), !granted.is_empty());
        let Some(found) = found else { return Ok(()) };
        prop_assert!(granted.contains(&found.via) && inside(&found.span, at));
        for opener in who_can_open(&facts, at).into_iter().filter(|opener| opener.who == Who::User(person)) {
            for other in opener.openings.into_iter().filter(|opening| granted.contains(&opening.via)) {
                let other = people::within_hours(&facts, other, at);
                let ends_later = found.span.until.is_none_or(|until| other.span.until.is_some_and(|other| other <= until));
                prop_assert!(ends_later, "{found:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_was_read_back_as_gone_lets_nobody_in(mut facts in facts(), at in 0..16_u8) {
        for placement in &mut facts.placements {
            placement.state = PlacementState::Revoked;
        }
        let openers = who_can_open(&facts, hour(at));
        let left = told(&openers).into_iter().filter(|(_, via, _)| via.reason() == Reason::RevocationNotConfirmed);
        prop_assert_eq!(left.count(), 0);
    }
}

#[test]
fn both_passes_of_a_repeated_hour_count_and_the_hour_after_does_not() {
    let one_o_clock = DayRange {
        days: BTreeSet::from([6]),
        starts: NaiveTime::from_hms_opt(1, 0, 0).unwrap(),
        ends: NaiveTime::from_hms_opt(2, 0, 0).unwrap(),
    };
    let schedule = Weekly { id: ScheduleId(Uuid::nil()), week: Week { ranges: vec![one_o_clock] }, zone: New_York };
    let assignment = AssignmentFact {
        assignment: AccessAssignmentId(Uuid::nil()),
        level: AccessLevelId(Uuid::nil()),
        user: UserId(Uuid::nil()),
        span: Span::default(),
        schedule: Some(Arc::new(schedule)),
    };
    let facts = Facts { assignments: vec![assignment], ..Facts::of(DoorId(Uuid::nil())) };
    // 2026-11-01 04:00 UTC is midnight there.
    let open: Vec<bool> = (4..9).map(|number| !who_can_open(&facts, hour(number)).is_empty()).collect();
    assert_eq!(open, [false, true, true, false, false]);
}

/// Who opens at the last minute of their hours has until their end, and not until the end of the assignment.
#[test]
fn ones_own_way_in_ends_with_its_hours() {
    let (starts, ends) = (NaiveTime::from_hms_opt(9, 0, 0).unwrap(), NaiveTime::from_hms_opt(18, 0, 0).unwrap());
    let week = Week { ranges: vec![DayRange { days: (0..7).collect(), starts, ends }] };
    let person = UserId(Uuid::nil());
    let assignment = AssignmentFact {
        assignment: AccessAssignmentId(Uuid::nil()),
        level: AccessLevelId(Uuid::nil()),
        user: person,
        span: Span::default(),
        schedule: Some(Arc::new(Weekly { id: ScheduleId(Uuid::nil()), week, zone: New_York })),
    };
    let until = |at: Timestamp, facts: &Facts| own_way_in(facts, person, at).map(|opening| opening.span.until);
    let facts = Facts { assignments: vec![assignment.clone()], ..Facts::of(DoorId(Uuid::nil())) };
    // 2026-11-01 23:00 UTC is six in the evening there.
    let six = hour(23);
    let late = six - TimeDelta::seconds(1);
    assert_eq!(until(late, &facts), Some(Some(six)));
    assert_eq!(until(six, &facts), None);
    assert_eq!(until(six - TimeDelta::hours(3), &facts), Some(None), "far enough away");
    let sooner =
        AssignmentFact { span: Span::new(None, Some(late + TimeDelta::milliseconds(5))), ..assignment.clone() };
    assert_eq!(
        until(late, &Facts { assignments: vec![sooner], ..facts.clone() }),
        Some(Some(late + TimeDelta::milliseconds(5)))
    );
    let always = AssignmentFact { assignment: AccessAssignmentId(Uuid::max()), schedule: None, ..assignment.clone() };
    assert_eq!(
        until(late, &Facts { assignments: vec![assignment, always], ..facts }),
        Some(None),
        "the longer one counts"
    );
}

fn listening(mode: Mode) -> PostureFacts {
    let mode = Observation { value: mode, observed_at: hour(1), received_at: hour(1), source: Source::Sync };
    PostureFacts { position: 1, mode: Some(mode), ..PostureFacts::default() }
}

fn postures(facts: &PostureFacts, at: Timestamp) -> Vec<(Reason, Certainty)> {
    open_to_anybody(facts, at).into_iter().map(|opening| (opening.via.reason(), opening.certainty)).collect()
}

#[test]
fn a_posture_is_as_sure_as_its_observation_is_fresh() {
    let facts = listening(Mode::AutoAccess);
    assert_eq!(postures(&facts, hour(1)), [(Reason::AutoAccess, Certainty::Confirmed)]);
    assert_eq!(postures(&facts, hour(2)), [(Reason::AutoAccess, Certainty::Possible)]);
    assert_eq!(postures(&facts, hour(0)), [(Reason::AutoAccess, Certainty::Possible)]);
    assert_eq!(postures(&listening(Mode::AlwaysActive), hour(1)), [(Reason::AlwaysActive, Certainty::Confirmed)]);
    assert_eq!(postures(&listening(Mode::Normal), hour(1)), []);
    let any = PhoneAccess { any_caller: true, ..PhoneAccess::default() };
    let any = PostureFacts { phone_access: any, ..PostureFacts::default() };
    assert_eq!(postures(&any, hour(3)), [(Reason::AnyCaller, Certainty::Confirmed)]);
}

#[test]
fn the_contingency_opens_only_while_the_device_is_offline() {
    let with = |health| PostureFacts { when_offline: true, health, ..PostureFacts::default() };
    let since = Some(hour(5));
    for health in [Health::Offline, Health::Dead] {
        let contingency = [(Reason::OfflineContingency, Certainty::Confirmed)];
        assert_eq!(postures(&with(Some((health, since))), hour(5)), contingency);
        assert_eq!(postures(&with(Some((health, since))), hour(4)), []);
        assert_eq!(postures(&with(Some((health, None))), hour(4)), contingency);
    }
    assert_eq!(postures(&with(Some((Health::Healthy, since))), hour(6)), []);
    assert_eq!(postures(&with(None), hour(6)), []);
}

#[test]
fn a_door_listens_at_its_own_time_and_position() {
    let at_position = |position| {
        let listening = Listening { record: RecordId(Uuid::nil()), starts_at: hour(2), minutes: 60, position };
        PostureFacts { position: 1, listening: vec![listening], ..PostureFacts::default() }
    };
    let open = |position, at| !postures(&at_position(position), hour(at)).is_empty();
    assert_eq!([1, 2, 3].map(|at| open(Some(1), at)), [false, true, false]);
    assert!(open(None, 2) && !open(Some(2), 2));
}
