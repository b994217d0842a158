//! Random lives of a placement at a vendor that loses answers, tells oddly and is touched by others.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::{
    change::{Change, TokenPermissions},
    clock::Timestamp,
    record::{
        AccessTokenDetails, CredentialDetails, CredentialStatus, CredentialType, RecordDetails, TokenType, UserDetails,
    },
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::default() + TimeDelta::seconds(seconds)
}

/// The wish of a kind, as it is the `number`th time.
fn wish(kind: u8, number: i64) -> Wish {
    let (from, until) = (at(0), at(900_000 + number * 3_600));
    match kind {
        0 => Wish::CardHolder(CardHolderWish {
            id_number: "tok_1".to_owned(),
            first_name: "Ada".to_owned(),
            last_name: "Byron".to_owned(),
            access_levels: BTreeSet::from([number.to_string()]),
            from: Some(from),
            until: Some(until),
            card_number: None,
            has_pin: true,
            has_card_number: false,
            doors: BTreeSet::new(),
        }),
        1 => Wish::Phone(PhoneWish {
            number: format!("35190{}", number / 2),
            from: Some(from),
            until: Some(until),
            doors: BTreeSet::new(),
        }),
        _ => Wish::PmsToken(PmsTokenWish {
            reservation: "r".to_owned(),
            companionship: None,
            resource: Some((number / 2).to_string()),
            token_type: TokenType::PinCode,
            serial_number: "tok_1".to_owned(),
            from,
            until,
            permissions: TokenPermissions::default(),
        }),
    }
}

fn shown(wish: &Wish) -> RecordDetails {
    match wish {
        Wish::CardHolder(wish) => RecordDetails::User(UserDetails {
            id_number: Some(wish.id_number.clone()),
            enabled: Some(true),
            access_from: wish.from,
            access_until: wish.until,
            access_levels: Some(wish.access_levels.clone()),
            ..UserDetails::default()
        }),
        Wish::PmsToken(wish) => RecordDetails::AccessToken(AccessTokenDetails {
            token_type: Some(wish.token_type),
            reservation: wish.reservation.clone(),
            companionship: None,
            resource: wish.resource.clone(),
            serial_number: Some(wish.serial_number.clone()),
            valid_from: Some(wish.from),
            valid_until: Some(wish.until),
            permissions: wish.permissions,
            active: true,
            updated_at: None,
        }),
        Wish::Phone(wish) => RecordDetails::Credential(CredentialDetails {
            credential_type: CredentialType::PhoneNumber,
            status: CredentialStatus::Active,
            number: Some(wish.number.clone()),
            id_number: None,
            user: None,
            access_from: None,
            access_until: None,
            access_levels: None,
            last_used_at: None,
        }),
        Wish::DeviceAccess(_) => unreachable!("no such wish here"),
    }
}

/// What happens around a placement.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Work,
    Pass(i64),
    WishAnew,
    NewValue,
    Withdraw,
    /// The next order is carried out, and its answer lost.
    LoseAnswer,
    /// The next order is lost.
    LoseOrder,
    Refuse,
    /// An order rests in the queue, so that it can be called off.
    Queue,
    /// The next read shows nothing.
    OddRead,
    Down,
    Up,
    /// Somebody else changes, deletes or restores it at the vendor, and a sync sees it.
    Touch,
    Delete,
    Restore,
}

struct Vendor {
    kind: u8,
    records: BTreeMap<String, RecordDetails>,
    next: u32,
    lose: Option<Happening>,
    odd_read: bool,
    was_odd: bool,
    down: bool,
}

struct Life {
    standing: Standing,
    vendor: Vendor,
    now: Timestamp,
    versions: i64,
    queued: Option<Change>,
    /// A creation whose end nobody knows, without a look since.
    blind_creation: bool,
}

impl Life {
    fn new(kind: u8) -> Self {
        let standing = Standing {
            desired: Desired::Present,
            wish: Some(wish(kind, 0)),
            wish_version: 1,
            state: PlacementState::Waiting,
            progress: PlacementProgress::default(),
            external_id: None,
            error: None,
            due_at: Some(at(1)),
            last_confirmed_at: None,
            revoke_requested_at: None,
            revoked_at: None,
        };
        let vendor = Vendor {
            kind,
            records: BTreeMap::new(),
            next: 0,
            lose: None,
            odd_read: false,
            was_odd: false,
            down: false,
        };
        Self { standing, vendor, now: at(1), versions: 0, queued: None, blind_creation: false }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Work => self.work(3),
            Happening::Pass(seconds) => self.now += TimeDelta::seconds(seconds),
            Happening::WishAnew | Happening::NewValue => {
                self.versions += i64::from(matches!(happening, Happening::WishAnew));
                self.standing.desired = Desired::Present;
                self.standing.wish = Some(wish(self.vendor.kind, self.versions));
                self.standing.wish_version += 1;
                self.standing.state = PlacementState::Placing;
                self.standing.revoke_requested_at = None;
                self.standing.revoked_at = None;
                self.standing.due_at = Some(self.now);
            }
            Happening::Withdraw => self.withdraw(),
            Happening::LoseAnswer | Happening::LoseOrder | Happening::Refuse | Happening::Queue => {
                self.vendor.lose = Some(happening);
            }
            Happening::OddRead => self.vendor.odd_read = true,
            Happening::Down => self.vendor.down = true,
            Happening::Up => self.vendor.down = false,
            Happening::Touch | Happening::Delete | Happening::Restore => self.touch(happening),
        }
    }

    fn withdraw(&mut self) {
        if self.standing.desired == Desired::Present {
            self.standing.desired = Desired::Absent;
            self.standing.wish_version += 1;
            self.standing.state = PlacementState::Revoking;
            self.standing.revoke_requested_at = Some(self.now);
            self.standing.due_at = Some(self.now);
        }
    }

    /// Somebody else's doing at the record that is ours, as a sync notices it.
    fn touch(&mut self, happening: Happening) {
        let Some(id) = self.standing.external_id.clone() else { return };
        match happening {
            Happening::Delete => drop(self.vendor.records.remove(&id)),
            // Nobody has two people of one number there.
            Happening::Restore if self.vendor.kind == 0 && !self.vendor.records.contains_key(&id) => {}
            Happening::Restore => {
                let open = shown(self.standing.wish.as_ref().unwrap());
                self.vendor.records.insert(id, open);
            }
            _ => {
                if let Some(RecordDetails::User(user)) = self.vendor.records.get_mut(&id) {
                    user.access_levels = Some(BTreeSet::from(["another".to_owned()]));
                }
            }
        }
        self.notice();
    }

    fn notice(&mut self) {
        if matches!(self.standing.state, PlacementState::Confirmed | PlacementState::Revoked) {
            self.standing.due_at = Some(self.now);
        }
    }

    /// Makes up to so many moves, and passes the time in between.
    fn work(&mut self, moves: usize) {
        for _ in 0..moves {
            let next = next_move(&self.standing, self.queued.is_some(), self.now);
            match next {
                Move::Rest => {
                    self.standing.due_at = None;
                    return;
                }
                Move::Wait(until) if self.standing.progress.under_way => {
                    // The order leaves the queue now.
                    if let Some(change) = self.queued.take() {
                        self.end(&change, OrderEnd::Done { external_id: None });
                    }
                    self.standing.due_at = self.standing.due_at.map(|due| due.min(until));
                }
                Move::Wait(until) => self.now = self.now.max(until),
                Move::Settle(standing) => self.standing = *standing,
                Move::CallOff => {
                    self.queued = None;
                    self.standing = self.standing.order_ended(OrderEnd::CalledOff, self.now);
                    self.blind_creation = false;
                }
                Move::Send(change) => self.send(&change),
                Move::Find(change) => self.find(&change),
                Move::ReadBack(record) => match self.vendor.read(&record.external_id) {
                    None => self.standing = self.standing.not_read("down", self.now),
                    Some(reading) => {
                        self.blind_creation = false;
                        self.standing = self.standing.read(&reading, self.now).0;
                    }
                },
                Move::ReadLeftover(record) => match self.vendor.read(&record.external_id) {
                    None => self.standing = self.standing.not_read("down", self.now),
                    Some(reading) => self.standing = self.standing.read_leftover(&reading, self.now),
                },
            }
        }
    }

    fn send(&mut self, change: &Change) {
        let takes_away = change.kind().revokes();
        let gone = self.standing.is_to_be_gone(self.now);
        assert!(gone || !takes_away || !self.standing.progress.leftovers.is_empty(), "taken away first");
        assert!(
            gone || !takes_away || self.standing.state == PlacementState::Confirmed,
            "the old one goes before the new one is confirmed"
        );
        let makes = matches!(change, Change::AuthorizePhone { .. } | Change::AddPmsAccessToken(_));
        assert!(!makes || !self.blind_creation, "made again without a look: {:#?}", self.standing);
        self.standing = self.standing.ordered(self.now);
        if matches!(self.vendor.lose, Some(Happening::Queue)) {
            self.vendor.lose = None;
            self.queued = Some(change.clone());
            self.standing.due_at = Some(self.now);
            return;
        }
        let lost = self.vendor.lose.take();
        let end = match lost {
            Some(Happening::Refuse) => {
                OrderEnd::NotDone { code: PlacementErrorCode::VendorRefused, message: "no".to_owned() }
            }
            Some(Happening::LoseAnswer | Happening::LoseOrder) => {
                self.blind_creation |= makes;
                OrderEnd::Unknown
            }
            _ if self.vendor.down => {
                OrderEnd::NotDone { code: PlacementErrorCode::VendorUnavailable, message: "down".to_owned() }
            }
            _ => OrderEnd::Done { external_id: None },
        };
        if matches!(lost, Some(Happening::LoseAnswer)) {
            self.vendor.carry_out(&self.standing, change, self.now);
        }
        self.end(change, end);
    }

    fn end(&mut self, change: &Change, end: OrderEnd) {
        let end = match end {
            OrderEnd::Done { .. } => {
                let external_id = self.vendor.carry_out(&self.standing, change, self.now);
                OrderEnd::Done { external_id }
            }
            other => other,
        };
        self.standing = self.standing.order_ended(end, self.now);
    }

    fn find(&mut self, change: &Change) {
        if self.vendor.down {
            self.standing = self.standing.not_read("down", self.now);
            return;
        }
        self.blind_creation = false;
        let wished = |record: &RecordDetails| match (change, record) {
            (Change::AuthorizePhone { number, .. }, RecordDetails::Credential(found)) => {
                found.number.as_ref() == Some(number)
            }
            (Change::AddPmsAccessToken(plan), RecordDetails::AccessToken(found)) => {
                found.active && found.resource == plan.resource
            }
            (Change::ImportUsers { users, .. }, RecordDetails::User(found)) => {
                let levels: BTreeSet<String> = users[0].access_levels.iter().cloned().collect();
                found.enabled == Some(true) && found.access_levels == Some(levels)
            }
            _ => false,
        };
        let found = self.vendor.records.iter().rev().find(|(_, record)| wished(record)).map(|(id, _)| id.clone());
        let look = if self.vendor.is_odd() { Look::Absent } else { found.map_or(Look::Absent, Look::Found) };
        self.standing = self.standing.looked(look, self.now);
    }

    /// Nothing more goes wrong: works until there is nothing to do.
    fn calm_down(&mut self) {
        self.vendor.down = false;
        self.vendor.lose = None;
        self.vendor.odd_read = false;
        for _ in 0..200 {
            // Its end alone is as good as never.
            if self.standing.due_at.is_none_or(|due| due > self.now + TimeDelta::hours(1)) {
                return;
            }
            self.work(1);
        }
        panic!("it never rests: {:#?}", self.standing);
    }
}

impl Vendor {
    fn read(&mut self, id: &str) -> Option<Reading> {
        if self.down {
            return None;
        }
        if self.is_odd() {
            return Some(Reading::Absent);
        }
        Some(self.records.get(id).cloned().map_or(Reading::Absent, |details| Reading::Shown(Box::new(details))))
    }

    fn carry_out(&mut self, standing: &Standing, change: &Change, now: Timestamp) -> Option<String> {
        let sent = standing.progress.sent.as_ref().or(standing.wish.as_ref()).unwrap();
        match change {
            Change::ImportUsers { .. } => {
                let known = self.records.keys().next().cloned();
                let id = known.unwrap_or_else(|| self.new_id());
                self.records.insert(id.clone(), shown(sent));
                Some(id)
            }
            Change::AuthorizePhone { .. } | Change::AddPmsAccessToken(_) => {
                let id = self.new_id();
                self.records.insert(id.clone(), shown(sent));
                Some(id)
            }
            Change::ResumePhone { phone: id } | Change::UpdatePmsAccessToken { token: id, .. } => {
                if let Some(record) = self.records.get_mut(id) {
                    *record = shown(sent);
                }
                None
            }
            Change::DisableUsers { .. } => {
                for record in self.records.values_mut() {
                    if let RecordDetails::User(user) = record {
                        user.enabled = Some(false);
                        user.access_until = Some(now);
                    }
                }
                self.records.keys().next().cloned()
            }
            Change::RemovePhone { phone: id } | Change::DeletePmsAccessToken { token: id } => {
                self.records.remove(id);
                None
            }
            other => unreachable!("{other:?} is never asked for"),
        }
    }

    /// Whether the next answer is wrong; never two in a row.
    fn is_odd(&mut self) -> bool {
        self.was_odd = std::mem::take(&mut self.odd_read) && !self.was_odd;
        self.was_odd
    }

    fn new_id(&mut self) -> String {
        self.next += 1;
        self.next.to_string()
    }

    fn open(&self, now: Timestamp) -> Vec<&RecordDetails> {
        self.records.values().filter(|record| !is_harmless(record, now)).collect()
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    prop_oneof![
        8 => Just(H::Work),
        3 => (1_i64..400).prop_map(H::Pass),
        1 => Just(H::WishAnew),
        1 => Just(H::NewValue),
        1 => Just(H::Withdraw),
        2 => Just(H::LoseAnswer),
        2 => Just(H::LoseOrder),
        1 => Just(H::Refuse),
        1 => Just(H::Queue),
        1 => Just(H::OddRead),
        1 => Just(H::Down),
        2 => Just(H::Up),
        1 => Just(H::Touch),
        1 => Just(H::Delete),
        1 => Just(H::Restore),
    ]
}

/// Found by the property below: a person deleted at the vendor, made again by an order that nobody answered, and then
/// refused. The withdrawal must still reckon with them.
#[test]
fn who_was_made_by_an_unanswered_order_is_not_forgotten() {
    use Happening as H;
    let mut lived = Life::new(0);
    let life =
        [H::Work, H::Withdraw, H::Delete, H::Work, H::LoseAnswer, H::WishAnew, H::Work, H::Refuse, H::Work, H::Pass(1)];
    for happening in life {
        lived.happen(happening);
    }
    lived.withdraw();
    lived.calm_down();
    assert_eq!(lived.standing.state, PlacementState::Revoked);
    assert!(lived.vendor.open(lived.now).is_empty(), "{:#?}", lived.vendor.records);
}

#[test]
fn a_withdrawal_that_nobody_answered_is_not_told_as_carried_out() {
    for kind in 0..3 {
        let mut lived = Life::new(kind);
        lived.happen(Happening::Work);
        lived.happen(Happening::LoseOrder);
        lived.withdraw();
        lived.work(1);
        let Standing { state, progress, error, .. } = &lived.standing;
        assert_eq!((state, progress.withdrawn), (&PlacementState::Revoking, false), "{:#?}", lived.standing);
        assert_eq!(error.as_ref().map(|(code, _)| *code), Some(PlacementErrorCode::OutcomeUnknown));
    }
}

#[test]
fn another_value_than_ours_is_drift_after_a_second_read_and_no_reason_to_call_it_gone() {
    let mut lived = Life::new(0);
    lived.happen(Happening::Work);
    let confirmed = lived.standing.clone();
    assert_eq!(confirmed.state, PlacementState::Confirmed);
    let other = Reading::OtherValue(Box::new(shown(&wish(0, 0))));
    let (once, finding) = confirmed.read(&other, at(10));
    assert_eq!((once.state, finding), (PlacementState::Confirmed, None), "one odd read concludes nothing");
    let (twice, finding) = once.read(&other, at(20));
    assert_eq!((twice.state, finding), (PlacementState::Placing, Some(Finding::Drift)));
    assert_eq!(twice.external_id, confirmed.external_id, "it is sent again to the same record");
    let withdrawn = Standing { desired: Desired::Absent, state: PlacementState::RevokedAtVendor, ..confirmed };
    assert_ne!(withdrawn.read(&other, at(10)).0.state, PlacementState::Revoked);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// However it goes: what is withdrawn ends in REVOKED with nothing open, once the vendor answers.
    #[test]
    fn what_is_withdrawn_is_gone_in_the_end(kind in 0_u8..3, life in prop::collection::vec(happening(), 0..60)) {
        let mut lived = Life::new(kind);
        for happening in life {
            lived.happen(happening);
        }
        lived.withdraw();
        lived.calm_down();
        // What others restored just then, the next sync shows.
        lived.notice();
        lived.calm_down();
        prop_assert_eq!(lived.standing.state, PlacementState::Revoked, "{:#?}", lived.standing);
        prop_assert!(lived.vendor.open(lived.now).is_empty(), "{:#?} {:#?}", lived.standing, lived.vendor.records);
        prop_assert_eq!(exposure(lived.standing.state, &lived.standing.progress, lived.now), Exposure::Nothing);
    }

    /// And what is wished for is there in the end, once, as wished.
    #[test]
    fn what_is_wished_for_is_there_in_the_end(kind in 0_u8..3, life in prop::collection::vec(happening(), 0..60)) {
        let mut lived = Life::new(kind);
        for happening in life {
            lived.happen(happening);
        }
        lived.happen(Happening::WishAnew);
        lived.calm_down();
        // Once its time is over it need not be there.
        if lived.now >= at(900_000) {
            return Ok(());
        }
        prop_assert_eq!(lived.standing.state, PlacementState::Confirmed, "{:#?}", lived.standing);
        let open = lived.vendor.open(lived.now);
        prop_assert_eq!(open.len(), 1, "{:#?} {:#?}", lived.standing, lived.vendor.records);
        prop_assert!(compare(lived.standing.wish.as_ref().unwrap(), open[0]).is_equal());
        prop_assert_eq!(lived.standing.error, None);
    }

    /// One odd read of something confirmed changes nothing at the vendor.
    #[test]
    fn one_odd_read_concludes_nothing(kind in 0_u8..3) {
        let mut life = Life::new(kind);
        life.calm_down();
        prop_assert_eq!(life.standing.state, PlacementState::Confirmed);
        let (before, orders) = (life.vendor.records.clone(), life.standing.progress.orders);
        life.vendor.odd_read = true;
        life.notice();
        life.work(1);
        prop_assert_eq!(life.standing.state, PlacementState::Confirmed);
        life.calm_down();
        prop_assert_eq!(life.standing.progress.orders, orders);
        prop_assert_eq!(life.vendor.records, before);
    }
}
