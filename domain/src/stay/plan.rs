//! What a stay comes to: what its tokens open and when, what is wished for at vendors, how ready it is, and when that has
//! to be asked again. Pure and idempotent: planning again what came of it changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DurationRound, TimeDelta};

use super::{
    AccountFacts, PlacementFacts, Readiness, ReadinessReason, StayFacts, StayTiming, TokenFacts, TokenState, Window,
    levels::cover, readiness, window::Standing,
};
use crate::{
    account::Vendor,
    alert::AlertSeverity,
    change::TokenPermissions,
    clock::Timestamp,
    ids::{AccessTokenId, DoorId, VendorAccountId},
    placement::{CardHolderWish, Desired, PlacementErrorCode, PlacementState, PmsTokenWish, Wish},
    record::TokenType,
};

/// A stay whose code is to be in locks is looked at this often, whatever happens.
const LOOK: TimeDelta = TimeDelta::hours(1);

/// What is to be of a stay.
#[derive(Debug, Clone, PartialEq)]
pub struct StayPlan {
    /// How ready it is.
    pub readiness: Readiness,
    /// Why; never empty.
    pub reasons: Vec<ReadinessReason>,
    /// Its tokens, in the order of the facts.
    pub tokens: Vec<TokenPlan>,
    /// When something will change by itself.
    pub due_at: Option<Timestamp>,
    /// Whether somebody must look, and how soon.
    pub alert: Option<AlertSeverity>,
}

/// What is to be of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenPlan {
    /// Which.
    pub id: AccessTokenId,
    /// Where it stands.
    pub state: TokenState,
    /// From when until when it opens.
    pub window: Window,
    /// The doors that it opens; those that were left, until when they are kept at the latest.
    pub doors: BTreeMap<DoorId, Option<Timestamp>>,
    /// What is to be at which account. An account that is not named here stays as it is.
    pub placements: BTreeMap<VendorAccountId, PlacementPlan>,
    /// Whether the value is wanted in locks: it is neither taken away nor to be.
    pub(super) live: bool,
}

/// What is to be of a placement.
#[derive(Debug, Clone, PartialEq)]
pub enum PlacementPlan {
    /// This is to be there.
    Wish {
        /// What.
        wish: Wish,
        /// When it has to be sent, if it was not yet.
        due_at: Timestamp,
    },
    /// It cannot be said what.
    Obstacle {
        /// For programs.
        code: PlacementErrorCode,
        /// For people.
        message: &'static str,
    },
    /// It is to be gone.
    Withdraw,
}

impl TokenPlan {
    /// The doors that it is meant to open, those that were left aside.
    pub fn meant(&self) -> impl Iterator<Item = DoorId> {
        self.doors.iter().filter(|(_, leaves_at)| leaves_at.is_none()).map(|(door, _)| *door)
    }
}

/// The window and the doors in which a token is wanted, whoever else has its value there. `None`: it is not wanted at all,
/// or nobody can tell.
#[must_use]
pub fn wanted(
    facts: &StayFacts,
    token: &TokenFacts,
    timing: &StayTiming,
    now: Timestamp,
) -> Option<(Window, BTreeSet<DoorId>)> {
    if token.revoke_requested || token.state == TokenState::Revoked {
        return None;
    }
    (facts.times.standing(facts.state, now) == Standing::Open).then(|| {
        let window = facts.times.window(facts.state, timing, now).asked(token.asked_from, token.asked_until);
        (window, token.asked_doors.clone().unwrap_or_else(|| facts.doors.clone()))
    })
}

/// Plans a stay.
#[must_use]
pub fn plan(facts: &StayFacts, timing: &StayTiming, now: Timestamp) -> StayPlan {
    let tokens: Vec<TokenPlan> = facts.tokens.iter().map(|token| of_token(facts, token, timing, now)).collect();
    let judged = readiness::judge(facts, &tokens, timing, now);
    let ever = !facts.tokens.is_empty();
    let alert = match judged.readiness {
        Readiness::AtRisk if ever => Some(AlertSeverity::Warning),
        Readiness::Failed if ever => Some(AlertSeverity::Critical),
        _ => None,
    };
    let due_at = next_instant(facts, &tokens, timing, now);
    StayPlan { readiness: judged.readiness, reasons: judged.reasons, tokens, due_at, alert }
}

fn of_token(facts: &StayFacts, token: &TokenFacts, timing: &StayTiming, now: Timestamp) -> TokenPlan {
    let planned = Window { from: token.valid_from, until: token.valid_until };
    let left = |state, live| TokenPlan {
        id: token.id,
        state,
        window: planned,
        doors: token.doors.clone(),
        placements: BTreeMap::new(),
        live,
    };
    let is_gone =
        |placement: &PlacementFacts| placement.desired == Desired::Absent && placement.state == PlacementState::Revoked;
    let gone = token.placements.values().all(is_gone);
    let withdrawn = |when_gone| TokenPlan {
        placements: withdraw_all(token),
        ..left(if gone { when_gone } else { TokenState::Revoking }, false)
    };
    if token.state == TokenState::Revoked {
        return TokenPlan { placements: withdraw_all(token), ..left(TokenState::Revoked, false) };
    }
    if token.revoke_requested {
        return withdrawn(TokenState::Revoked);
    }
    match facts.times.standing(facts.state, now) {
        Standing::Canceled | Standing::Ended => withdrawn(TokenState::Revoked),
        // It waits for the confirmation, and is not forgotten meanwhile.
        Standing::NotConfirmed => withdrawn(TokenState::Pending),
        Standing::Unreadable if planned.until <= now => withdrawn(TokenState::Revoked),
        Standing::Unreadable => left(token.state, true),
        Standing::Open => match wanted(facts, token, timing, now) {
            Some((window, _)) if window.until <= now => withdrawn(TokenState::Revoked),
            Some((window, doors)) => Placing { facts, token, timing, now }.plan(window, doors),
            None => left(token.state, true),
        },
    }
}

fn withdraw_all(token: &TokenFacts) -> BTreeMap<VendorAccountId, PlacementPlan> {
    token.placements.keys().map(|account| (*account, PlacementPlan::Withdraw)).collect()
}

struct Placing<'a> {
    facts: &'a StayFacts,
    token: &'a TokenFacts,
    timing: &'a StayTiming,
    now: Timestamp,
}

impl Placing<'_> {
    fn plan(&self, wanted: Window, doors: BTreeSet<DoorId>) -> TokenPlan {
        let (window, meant) = self.without_conflicts(wanted, doors);
        let doors = self.with_left(&meant);
        let mut placements = withdraw_all(self.token);
        for (account, doors_there) in self.by_account(doors.keys().copied()) {
            let meant_there: BTreeSet<DoorId> =
                doors_there.keys().copied().filter(|door| meant.contains(door)).collect();
            match self.at(account, window, &doors_there, &meant_there) {
                Some(plan) => placements.insert(account, plan),
                None => continue,
            };
        }
        if let Some((account, plan)) = self.in_pms(window) {
            placements.insert(account, plan);
        }
        let plan = TokenPlan { id: self.token.id, state: TokenState::Pending, window, doors, placements, live: true };
        let in_locks = readiness::in_locks(self.facts, self.token, &plan);
        TokenPlan { state: if in_locks { TokenState::Active } else { TokenState::Pending }, ..plan }
    }

    /// Where somebody else has the value, the token gets nothing that it has not.
    fn without_conflicts(&self, wanted: Window, mut doors: BTreeSet<DoorId>) -> (Window, BTreeSet<DoorId>) {
        let held = Window { from: self.token.valid_from, until: self.token.valid_until };
        let has = |door: &DoorId| matches!(self.token.doors.get(door), Some(None));
        doors.retain(|door| has(door) || !self.token.conflicts.contains(door));
        if !doors.iter().any(|door| self.token.conflicts.contains(door)) {
            return (wanted, doors);
        }
        if let Some(window) = wanted.within(held) {
            return (window, doors);
        }
        doors.retain(|door| !self.token.conflicts.contains(door));
        (wanted, doors)
    }

    /// Doors that are no longer meant are kept until every meant one has the code, but not for ever: the guest may be on
    /// the way from one to the other.
    fn with_left(&self, meant: &BTreeSet<DoorId>) -> BTreeMap<DoorId, Option<Timestamp>> {
        let mut doors: BTreeMap<DoorId, Option<Timestamp>> = meant.iter().map(|door| (*door, None)).collect();
        let arrived = !meant.is_empty() && meant.iter().all(|door| self.has_code(*door));
        for (door, leaves_at) in self.token.doors.iter().filter(|(door, _)| !meant.contains(door)) {
            let leaves_at = leaves_at.unwrap_or(self.now + self.timing.handover);
            if !arrived && self.now < leaves_at && self.opens(*door) {
                doors.insert(*door, Some(leaves_at));
            }
        }
        doors
    }

    /// Whether something that opens this door may be at its vendor.
    fn opens(&self, door: DoorId) -> bool {
        let sent = |wish: &Wish| wish.doors().contains(&door);
        self.token.placements.values().any(|placement| placement.progress.sent.as_ref().is_some_and(sent))
    }

    fn has_code(&self, door: DoorId) -> bool {
        let Some(place) = self.facts.places.get(&door) else { return false };
        self.token.placements.get(&place.account).is_some_and(|placement| {
            placement.desired == Desired::Present
                && placement.state == PlacementState::Confirmed
                && placement.wish.as_ref().is_some_and(|wish| wish.doors().contains(&door))
        })
    }

    fn by_account(&self, doors: impl Iterator<Item = DoorId>) -> BTreeMap<VendorAccountId, BTreeMap<DoorId, &str>> {
        let mut accounts: BTreeMap<VendorAccountId, BTreeMap<DoorId, &str>> = BTreeMap::new();
        for door in doors {
            if let Some(place) = self.facts.places.get(&door) {
                accounts.entry(place.account).or_default().insert(door, &place.external_id);
            }
        }
        accounts
    }

    /// What is to be at an account with doors; `None` when nothing is, and what there is is taken away.
    fn at(
        &self,
        id: VendorAccountId,
        window: Window,
        doors: &BTreeMap<DoorId, &str>,
        meant: &BTreeSet<DoorId>,
    ) -> Option<PlacementPlan> {
        let account = self.facts.accounts.get(&id)?;
        if !holds_tokens(account.vendor) {
            let message = "The vendor of the door cannot hold such a code.";
            let obstacle = PlacementPlan::Obstacle { code: PlacementErrorCode::CapabilityMissing, message };
            return (!meant.is_empty()).then_some(obstacle);
        }
        let present = self.token.placements.get(&id).filter(|placement| placement.desired == Desired::Present);
        let opened = self.opened(account, doors, present.and_then(|placement| placement.wish.as_ref()));
        if opened.doors.is_empty() {
            let before = present.and_then(|placement| placement.wish.as_ref()).map(Wish::doors).unwrap_or_default();
            let too_many = before.iter().any(|door| !doors.contains_key(door));
            let message = "No access level at the vendor opens the doors of the stay and no others.";
            let obstacle = PlacementPlan::Obstacle { code: PlacementErrorCode::NoAccessLevel, message };
            return (!meant.is_empty() && !too_many).then_some(obstacle);
        }
        let (first_name, last_name) = self.names();
        let wish = Wish::CardHolder(CardHolderWish {
            id_number: self.token.id.to_string(),
            first_name,
            last_name,
            access_levels: opened.levels,
            from: Some(window.from),
            until: Some(window.until),
            card_number: None,
            has_pin: self.token.token_type == TokenType::PinCode,
            has_card_number: self.token.token_type == TokenType::RfidTag,
            doors: opened.doors,
        });
        Some(PlacementPlan::Wish { wish, due_at: self.due(id, window) })
    }

    fn opened(&self, account: &AccountFacts, doors: &BTreeMap<DoorId, &str>, wish: Option<&Wish>) -> Opened {
        let permitted = doors.values().map(|door| (*door).to_owned()).collect();
        let nothing = BTreeSet::new();
        let chosen = match wish {
            Some(Wish::CardHolder(wish)) => &wish.access_levels,
            _ => &nothing,
        };
        let cover = cover(&account.levels, &permitted, chosen);
        let opened = doors.iter().filter(|(_, external)| cover.doors.contains(**external));
        Opened { levels: cover.levels, doors: opened.map(|(door, _)| *door).collect() }
    }

    /// The lock's system wants two names.
    fn names(&self) -> (String, String) {
        let name = self.facts.guest.as_deref().unwrap_or_default().trim();
        let number = self.facts.number.as_deref().unwrap_or("Stay");
        match name.rsplit_once(char::is_whitespace) {
            Some((first, last)) => (first.trim_end().to_owned(), last.to_owned()),
            None if name.is_empty() => ("Guest".to_owned(), number.to_owned()),
            None => (name.to_owned(), number.to_owned()),
        }
    }

    /// What was sent already is changed at once.
    fn due(&self, account: VendorAccountId, window: Window) -> Timestamp {
        let sent = self.token.placements.get(&account).is_some_and(|placement| placement.progress.sent.is_some());
        if sent { self.now } else { self.now.max(window.from - self.timing.preload) }
    }

    /// The PMS shows the token once a lock has it, and from then on.
    fn in_pms(&self, window: Window) -> Option<(VendorAccountId, PlacementPlan)> {
        let pms = self.facts.pms.as_ref().filter(|pms| pms.shows_tokens)?;
        let placements = &self.token.placements;
        let shown = placements.get(&pms.account).is_some_and(|placement| placement.desired == Desired::Present);
        let in_a_lock = placements.iter().any(|(account, placement)| {
            *account != pms.account
                && placement.desired == Desired::Present
                && placement.state == PlacementState::Confirmed
        });
        (shown || in_a_lock).then(|| {
            let wish = Wish::PmsToken(PmsTokenWish {
                reservation: pms.reservation.clone(),
                companionship: None,
                // It follows the stay from room to room: a PMS's token cannot be moved.
                resource: None,
                token_type: self.token.token_type,
                serial_number: self.token.id.to_string(),
                from: window.from,
                until: window.until,
                permissions: TokenPermissions { room: true, ..TokenPermissions::default() },
            });
            (pms.account, PlacementPlan::Wish { wish, due_at: self.now })
        })
    }
}

struct Opened {
    levels: BTreeSet<String>,
    doors: BTreeSet<DoorId>,
}

/// Whether a vendor's doors can open for a token's value at all.
#[must_use]
pub const fn holds_tokens(vendor: Vendor) -> bool {
    matches!(vendor, Vendor::Lockt)
}

/// Doors vanish and accounts fail without a word to the stays that need them.
fn next_look(now: Timestamp) -> Option<Timestamp> {
    now.duration_trunc(LOOK).ok().map(|hour| hour + LOOK)
}

fn next_instant(facts: &StayFacts, tokens: &[TokenPlan], timing: &StayTiming, now: Timestamp) -> Option<Timestamp> {
    let mut instants: Vec<Timestamp> = Vec::new();
    let live: Vec<&TokenPlan> = tokens.iter().filter(|token| token.live).collect();
    match facts.times.standing(facts.state, now) {
        Standing::Open => {
            let window = facts.times.window(facts.state, timing, now);
            let entry = facts.times.entry();
            instants.extend([window.from, window.until, entry, entry - timing.at_risk_before]);
            instants.extend(facts.times.next_prolongation(facts.state, window));
        }
        Standing::Unreadable => instants.push(facts.times.window(facts.state, timing, now).until),
        Standing::NotConfirmed | Standing::Canceled | Standing::Ended => {}
    }
    for token in live {
        if token.window.from - timing.preload <= now {
            instants.extend(next_look(now));
        }
        instants.extend([token.window.from - timing.preload, token.window.from, token.window.until]);
        instants.extend(token.doors.values().flatten());
    }
    instants.into_iter().filter(|at| *at > now).min()
}
