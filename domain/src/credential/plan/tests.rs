use chrono::TimeZone;
use chrono_tz::{America::New_York, UTC};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::schedule::DayRange;

const LOCKT: VendorAccountId = VendorAccountId(Uuid::from_u128(1));
const RAIXER: VendorAccountId = VendorAccountId(Uuid::from_u128(2));
const BIKEEP: VendorAccountId = VendorAccountId(Uuid::from_u128(3));

fn door(number: u128) -> DoorId {
    DoorId(Uuid::from_u128(number))
}

fn doors(numbers: impl IntoIterator<Item = u128>) -> BTreeSet<DoorId> {
    numbers.into_iter().map(door).collect()
}

fn texts(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn at(day: u32, hour: u32) -> Timestamp {
    UTC.with_ymd_and_hms(2028, 2, day, hour, 0, 0).unwrap().to_utc()
}

/// Doors 1 to 4 at Lockt, 11 and 12 at one Raixer device, 13 at another, 21 at Bikeep.
fn house() -> House {
    let hung = |vendor, account, device, external: u128, takes_calls| HouseDoor {
        vendor,
        account,
        device: DeviceId(Uuid::from_u128(device)),
        external_id: external.to_string(),
        takes_calls,
    };
    let mut doors: BTreeMap<DoorId, HouseDoor> =
        (1..=4).map(|number| (door(number), hung(Vendor::Lockt, LOCKT, number, number, None))).collect();
    doors.insert(door(11), hung(Vendor::Raixer, RAIXER, 11, 11, Some(true)));
    doors.insert(door(12), hung(Vendor::Raixer, RAIXER, 11, 12, Some(false)));
    doors.insert(door(13), hung(Vendor::Raixer, RAIXER, 13, 13, Some(true)));
    doors.insert(door(21), hung(Vendor::Bikeep, BIKEEP, 21, 21, None));
    let level =
        |name: &str, doors: &[&str]| LevelFacts { external_id: name.to_owned(), doors: texts(doors), missing: false };
    let levels = [level("a", &["1"]), level("b", &["2"]), level("c", &["1", "2", "3"]), level("d", &["1", "2"])];
    House { doors, levels: BTreeMap::from([(LOCKT, levels.to_vec())]) }
}

fn card(grants: Vec<Grant>) -> CredentialFacts {
    CredentialFacts {
        id: CredentialId(Uuid::from_u128(9)),
        kind: CredentialType::Card,
        state: CredentialState::Active,
        number: Some("4711".to_owned()),
        holder: "Ada Maria Byron".to_owned(),
        from: None,
        until: None,
        grants,
        chosen: BTreeMap::new(),
    }
}

fn to(numbers: impl IntoIterator<Item = u128>) -> Grant {
    Grant { doors: doors(numbers), ..Grant::default() }
}

fn weekly(grant: Grant, days: impl IntoIterator<Item = u8>, starts: u32, ends: u32) -> Grant {
    let time = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let range = DayRange { days: days.into_iter().collect(), starts: time(starts), ends: time(ends) };
    Grant { schedule: Some((Week { ranges: vec![range] }, UTC)), ..grant }
}

fn card_holder_of(plan: &Plan) -> &CardHolderWish {
    let [Planned { wish: Ok(Wish::CardHolder(wish)), .. }] = plan.placements.as_slice() else { panic!("{plan:?}") };
    wish
}

#[test]
fn a_card_is_one_card_holder_with_exact_levels() {
    let plan = plan(&card(vec![to([1, 2])]), &house(), at(1, 0));
    let wish = card_holder_of(&plan);
    assert_eq!(wish.access_levels, texts(&["d"]));
    assert_eq!((wish.first_name.as_str(), wish.last_name.as_str()), ("Ada Maria", "Byron"));
    assert_eq!((wish.card_number.as_deref(), wish.has_pin), (Some("4711"), false));
    assert!(wish.id_number.starts_with("cred_"));
    assert_eq!((wish.from, wish.until, plan.changes_at), (None, None, None));
    let pin = CredentialFacts { kind: CredentialType::PinCode, number: None, ..card(vec![to([1])]) };
    let plan = super::plan(&pin, &house(), at(1, 0));
    assert_eq!((card_holder_of(&plan).card_number.as_deref(), card_holder_of(&plan).has_pin), (None, true));
}

#[test]
fn doors_that_no_levels_open_exactly_are_told() {
    let plan = plan(&card(vec![to([3])]), &house(), at(1, 0));
    let [Planned { wish: Err((PlacementErrorCode::NoAccessLevel, _)), .. }] = plan.placements.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!(plan.changes_at, Some(at(1, 0) + AGAIN), "levels may come");
    let plan = super::plan(&card(vec![to([1, 4])]), &house(), at(1, 0));
    let opened: Vec<_> = plan.placements.iter().map(|it| (it.wish.is_ok(), it.doors.clone())).collect();
    assert_eq!(opened, [(true, doors([1])), (false, doors([4]))]);
}

#[test]
fn levels_that_do_the_same_stay() {
    let chosen = BTreeMap::from([(LOCKT, texts(&["a", "b"]))]);
    let plan = plan(&CredentialFacts { chosen, ..card(vec![to([1, 2])]) }, &house(), at(1, 0));
    assert_eq!(card_holder_of(&plan).access_levels, texts(&["a", "b"]));
}

#[test]
fn what_a_vendor_cannot_hold_is_told_beside_the_rest() {
    let plan = plan(&card(vec![to([1, 11, 21])]), &house(), at(1, 0));
    let told: Vec<_> = plan.placements.iter().map(|it| (it.account, it.wish.as_ref().err().map(|it| it.0))).collect();
    let missing = Some(PlacementErrorCode::CapabilityMissing);
    assert_eq!(told, [(LOCKT, None), (RAIXER, missing), (BIKEEP, missing)]);
    assert_eq!(plan.changes_at, None, "that will not change");
}

#[test]
fn a_suspended_or_finished_credential_wishes_for_nothing() {
    let suspended = CredentialFacts { state: CredentialState::Suspended, ..card(vec![to([1])]) };
    assert_eq!(plan(&suspended, &house(), at(1, 0)), Plan::default());
    let over = CredentialFacts { until: Some(at(1, 0)), ..card(vec![to([1])]) };
    assert_eq!(plan(&over, &house(), at(1, 0)), Plan::default());
}

#[test]
fn a_schedule_is_said_span_by_span() {
    // 2028-02-28 is a Monday, 29 the leap day.
    let facts = card(vec![weekly(to([1]), 0..5, 9, 17)]);
    let window = |now| {
        let plan = plan(&facts, &house(), now);
        let wish = card_holder_of(&plan).clone();
        (wish.from, wish.until, plan.changes_at)
    };
    assert_eq!(window(at(28, 12)), (Some(at(28, 9)), Some(at(28, 17)), Some(at(28, 17))));
    assert_eq!(window(at(28, 17)), (Some(at(29, 9)), Some(at(29, 17)), Some(at(29, 9))), "ahead of time");
    assert_eq!(window(at(29, 9)), (Some(at(29, 9)), Some(at(29, 17)), Some(at(29, 17))), "and nothing changes then");
}

#[test]
fn windows_are_joined_and_cut() {
    let early = Grant { until: Some(at(10, 0)), ..to([1, 2]) };
    let late = Grant { from: Some(at(8, 0)), until: Some(at(20, 0)), ..to([1]) };
    let facts = CredentialFacts { from: Some(at(2, 0)), until: Some(at(15, 0)), ..card(vec![early, late]) };
    let window = |day| {
        let plan = plan(&facts, &house(), at(day, 1));
        let wish = card_holder_of(&plan).clone();
        (wish.doors, wish.from, wish.until, plan.changes_at)
    };
    assert_eq!(window(1), (doors([1, 2]), Some(at(2, 0)), Some(at(10, 0)), Some(at(2, 0))));
    assert_eq!(window(9), (doors([1, 2]), Some(at(2, 0)), Some(at(10, 0)), Some(at(10, 0))));
    assert_eq!(window(11), (doors([1]), Some(at(2, 0)), Some(at(15, 0)), Some(at(15, 0))));
}

#[test]
fn a_vendor_without_times_is_told_when_the_time_comes() {
    let grant = Grant { from: Some(at(8, 0)), until: Some(at(9, 0)), ..to([13]) };
    let phone = CredentialFacts {
        kind: CredentialType::PhoneNumber,
        number: Some("3725551234".to_owned()),
        ..card(vec![grant])
    };
    let before = plan(&phone, &house(), at(7, 0));
    assert_eq!((before.placements.len(), before.changes_at), (0, Some(at(8, 0))));
    let during = plan(&phone, &house(), at(8, 0));
    let [Planned { device: Some(_), wish: Ok(Wish::Phone(wish)), .. }] = during.placements.as_slice() else {
        panic!("{during:?}")
    };
    assert_eq!((wish.number.as_str(), &wish.doors), ("3725551234", &doors([13])));
    assert_eq!(plan(&phone, &house(), at(9, 0)), Plan::default());
}

#[test]
fn a_device_is_opened_as_a_whole_or_not_at_all() {
    let of = |kind, numbers: &[u128]| {
        let facts =
            CredentialFacts { kind, number: Some("3725551234".to_owned()), ..card(vec![to(numbers.iter().copied())]) };
        let plan = plan(&facts, &house(), at(1, 0));
        plan.placements.iter().map(|it| it.wish.clone().map(|wish| wish.doors()).map_err(|it| it.0)).collect::<Vec<_>>()
    };
    let missing = || vec![Err(PlacementErrorCode::CapabilityMissing)];
    assert_eq!(of(CredentialType::PhoneNumber, &[11]), [Ok(doors([11]))], "12 takes no calls");
    assert_eq!(of(CredentialType::PhoneNumber, &[12]), missing());
    assert_eq!(of(CredentialType::MobileKey, &[11]), missing(), "a key would open 12 too");
    assert_eq!(of(CredentialType::MobileKey, &[11, 12]), [Ok(doors([11, 12]))]);
}

#[test]
fn a_night_in_the_zone_of_its_site() {
    let night = Grant { schedule: weekly(to([1]), [4], 22, 6).schedule.map(|(week, _)| (week, New_York)), ..to([1]) };
    let friday = New_York.with_ymd_and_hms(2026, 10, 30, 23, 0, 0).unwrap().to_utc();
    let plan = plan(&card(vec![night]), &house(), friday);
    assert_eq!(card_holder_of(&plan).until, Some(New_York.with_ymd_and_hms(2026, 10, 31, 6, 0, 0).unwrap().to_utc()));
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let bound = || proptest::option::of((1..28_u32, 0..24_u32).prop_map(|(day, hour)| at(day, hour)));
    let schedule = proptest::option::of((proptest::collection::btree_set(0..7_u8, 1..4), 0..24_u32, 0..24_u32));
    let numbers = prop_oneof![1..5_u128, 11..14_u128, Just(21)];
    (proptest::collection::btree_set(numbers, 1..4), bound(), bound(), schedule).prop_map(
        |(numbers, from, until, schedule)| {
            let grant = Grant { from, until, ..to(numbers) };
            match schedule {
                Some((days, starts, ends)) => weekly(grant, days, starts, ends),
                None => grant,
            }
        },
    )
}

/// Whether a grant permits it, said again in the simplest way.
fn permitted(facts: &CredentialFacts, door: DoorId, at: Timestamp) -> bool {
    let within = |from: Option<Timestamp>, until: Option<Timestamp>| {
        from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until)
    };
    within(facts.from, facts.until)
        && facts.grants.iter().any(|grant| {
            grant.doors.contains(&door)
                && within(grant.from, grant.until)
                && grant.schedule.as_ref().is_none_or(|(week, zone)| week.permits(at, *zone))
        })
}

proptest! {
    /// What is wished for never opens a door that is not permitted, at any time until it is planned again; and what is
    /// permitted now is wished for or its absence is told.
    #[test]
    fn exactly_what_is_permitted(
        grants in proptest::collection::vec(any_grant(), 0..4),
        kind in proptest::sample::select(CredentialType::ALL),
        day in 1..28_u32,
        hour in 0..24_u32,
    ) {
        let facts = CredentialFacts { kind, ..card(grants) };
        let (house, now) = (house(), at(day, hour));
        let planned = plan(&facts, &house, now);
        prop_assert_eq!(&planned, &plan(&facts, &house, now));
        let horizon = planned.changes_at.unwrap_or(now + TimeDelta::days(20));
        prop_assert!(horizon > now);
        for wish in planned.placements.iter().filter_map(|it| it.wish.as_ref().ok()) {
            for step in 0..24 * 8 {
                let later = now + TimeDelta::minutes(step * 30);
                let opens = wish.from().is_none_or(|from| from <= later)
                    && wish.until().is_none_or(|until| later < until);
                if later < horizon && opens {
                    for door in wish.doors() {
                        prop_assert!(permitted(&facts, door, later), "{:?} at {}", door, later);
                    }
                }
            }
            // Even if it is never planned again, a vendor with times ends it in time.
            if let Some(until) = wish.until().filter(|_| wish.keeps_times()) {
                for door in wish.doors() {
                    prop_assert!(permitted(&facts, door, until - TimeDelta::seconds(1)));
                }
            }
        }
        let told: BTreeSet<DoorId> = planned.placements.iter().flat_map(|it| it.doors.iter().copied()).collect();
        for door in house.doors.keys().filter(|door| permitted(&facts, **door, now)) {
            prop_assert!(told.contains(door), "{:?} was skipped in silence", door);
        }
        // One place, one placement.
        let places: BTreeSet<_> =
            planned.placements.iter().map(|it| (it.account, it.device, it.wish.is_ok())).collect();
        prop_assert_eq!(places.len(), planned.placements.len());
    }
}
