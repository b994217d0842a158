//! What to do next about a placement: from what is wished for and what is known to one move. No clock, no IO, no secret.
//! What becomes of a move is `outcome`.

use chrono::TimeDelta;

use super::{
    Desired, PlacementErrorCode, PlacementProgress, PlacementState, Wish,
    orders::{create, is_another, says_the_same, update, withdraw},
};
use crate::{
    change::Change,
    clock::Timestamp,
    record::{RecordKind, RecordRef},
};

/// An order under way is looked after this often, should nobody tell of its end.
pub(super) const ORDER_CHECK: TimeDelta = TimeDelta::seconds(30);

/// Where a placement stands: the columns that decisions read and write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What is wished for.
    pub desired: Desired,
    /// What it is to be.
    pub wish: Option<Wish>,
    /// Counts the changes of the wish, and of the value that goes with it.
    pub wish_version: i64,
    /// What is known.
    pub state: PlacementState,
    /// What is remembered.
    pub progress: PlacementProgress,
    /// The vendor's id of the record.
    pub external_id: Option<String>,
    /// What keeps it from being as wished, for programs and people.
    pub error: Option<(PlacementErrorCode, String)>,
    /// When it must be looked at; absent when nothing is to be done.
    pub due_at: Option<Timestamp>,
    /// When it was last read back as it was to be.
    pub last_confirmed_at: Option<Timestamp>,
    /// When it was to be taken away.
    pub revoke_requested_at: Option<Timestamp>,
    /// When it was read back as gone.
    pub revoked_at: Option<Timestamp>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// Order this of the vendor, as a command: see [`Standing::ordered`].
    Send(Change),
    /// The order has not left yet and is no longer wished for: call it off.
    CallOff,
    /// Read the record again: see [`Standing::read`].
    ReadBack(RecordRef),
    /// Read a replaced record again: see [`Standing::read_leftover`].
    ReadLeftover(RecordRef),
    /// Look whether this was made, though nobody knows: see [`Standing::looked`].
    Find(Change),
    /// Write this; no vendor is involved.
    Settle(Box<Standing>),
    /// Nothing before this instant.
    Wait(Timestamp),
    /// Nothing, until the wish or the vendor changes.
    Rest,
}

/// Decides what to do about a placement at `now`. `is_queued`: the order under way has not left yet, and can be called
/// off.
#[must_use]
pub fn next_move(standing: &Standing, is_queued: bool, now: Timestamp) -> Move {
    match standing.due_at {
        None => return Move::Rest,
        Some(due) if due > now => return Move::Wait(due),
        Some(_) => {}
    }
    if standing.progress.under_way {
        let outdated = is_queued && standing.order_is_outdated(now);
        return if outdated { Move::CallOff } else { Move::Wait(now + ORDER_CHECK) };
    }
    if standing.is_to_be_gone(now) { standing.towards_absent(now) } else { standing.towards_present(now) }
}

impl Standing {
    /// Whether nothing of it may open at `now`: it was withdrawn, or its time is over and its vendor keeps no times.
    #[must_use]
    pub fn is_to_be_gone(&self, now: Timestamp) -> bool {
        self.desired == Desired::Absent
            || self.wish.as_ref().is_some_and(|wish| !wish.keeps_times() && is_over(wish, now))
    }

    /// What is, or may be, at the vendor; else what would be.
    #[must_use]
    pub fn thing(&self) -> Option<&Wish> {
        self.progress.sent.as_ref().or(self.progress.earlier.as_ref()).or(self.wish.as_ref())
    }

    /// The record as its vendor knows it.
    #[must_use]
    pub fn record(&self) -> Option<RecordRef> {
        reference(self.thing()?.record_kind(), self.external_id.as_ref()?)
    }

    /// Whether anything of it may ever have reached the vendor.
    fn may_have_been_there(&self) -> bool {
        let PlacementProgress { sent, earlier, ordered_at, .. } = &self.progress;
        sent.is_some() || earlier.is_some() || ordered_at.is_some() || self.external_id.is_some()
    }

    fn order_is_outdated(&self, now: Timestamp) -> bool {
        let to_be_gone = self.is_to_be_gone(now);
        if self.progress.withdrawing {
            !to_be_gone && self.progress.leftovers.is_empty()
        } else {
            to_be_gone || self.progress.sent_version != self.wish_version
        }
    }

    fn towards_absent(&self, now: Timestamp) -> Move {
        if let Some(leftover) = self.about_leftovers() {
            return leftover;
        }
        if self.state == PlacementState::Revoked {
            // Somebody saw it at the vendor.
            return self.record().map_or(Move::Rest, Move::ReadBack);
        }
        let Some(thing) = self.thing().filter(|_| self.may_have_been_there()) else {
            return Move::Settle(Box::new(self.revoked(now)));
        };
        let nothing_there = self.progress.sent.is_none() && self.progress.earlier.is_none();
        match (self.progress.withdrawn, self.record(), withdraw(thing, self.external_id.as_deref())) {
            (true, Some(record), _) => Move::ReadBack(record),
            (false, _, Some(change)) => Move::Send(change),
            _ if nothing_there && !self.progress.withdrawn => Move::Settle(Box::new(self.revoked(now))),
            _ => self.find(thing, now),
        }
    }

    fn towards_present(&self, now: Timestamp) -> Move {
        let Some(wish) = &self.wish else { return Move::Rest };
        if let Some(from) = wish.from().filter(|from| !wish.keeps_times() && *from > now)
            && self.progress.sent.is_none()
        {
            let waiting = Self { state: PlacementState::Waiting, due_at: Some(from), ..self.clone() };
            return Move::Settle(Box::new(waiting));
        }
        let is_current = self.progress.sent_version == self.wish_version;
        match &self.progress.sent {
            None if is_over(wish, now) => Move::Rest,
            None => create(wish).map_or_else(|| Move::Settle(Box::new(self.impossible())), Move::Send),
            Some(sent) if !is_current && is_another(sent, wish) => match &self.external_id {
                Some(id) => Move::Settle(Box::new(self.replaced(id, now))),
                None => self.find(sent, now),
            },
            Some(sent) if !is_current && self.progress.sent_version > 0 && says_the_same(sent, wish) => {
                Move::Settle(Box::new(self.as_sent(wish, now)))
            }
            Some(sent) if !is_current => match (&self.external_id, wish) {
                (Some(id), _) => update(wish, id).map_or(Move::Rest, Move::Send),
                // By our mark it is the same person, whether they are known or not.
                (None, Wish::CardHolder(_)) => create(wish).map_or(Move::Rest, Move::Send),
                (None, _) => self.find(sent, now),
            },
            Some(sent) => match (self.state, self.about_leftovers()) {
                (PlacementState::Confirmed, Some(leftover)) => leftover,
                _ => self.record().map_or_else(|| self.find(sent, now), Move::ReadBack),
            },
        }
    }

    fn about_leftovers(&self) -> Option<Move> {
        let (first, thing) = (self.progress.leftovers.first()?, self.thing()?);
        if self.progress.left {
            return reference(thing.record_kind(), first).map(Move::ReadLeftover);
        }
        withdraw(thing, Some(first)).map(Move::Send)
    }

    fn find(&self, thing: &Wish, now: Timestamp) -> Move {
        create(thing).map_or(Move::Wait(now + ORDER_CHECK), Move::Find)
    }

    /// Nobody makes such a thing at this vendor: all others can be made.
    fn impossible(&self) -> Self {
        let message =
            "The vendor's API gives a key only to the account's own user; others get one in its app.".to_owned();
        Self {
            state: PlacementState::Failed,
            error: Some((PlacementErrorCode::CapabilityMissing, message)),
            due_at: None,
            ..self.clone()
        }
    }

    /// It becomes another record: made beside the one that is there, which goes when the new one is confirmed.
    fn replaced(&self, external_id: &str, now: Timestamp) -> Self {
        let mut leftovers = self.progress.leftovers.clone();
        leftovers.push(external_id.to_owned());
        let progress = PlacementProgress {
            earlier: self.progress.sent.clone(),
            sent: None,
            sent_version: 0,
            ordered_at: None,
            leftovers,
            left: false,
            ..self.progress.clone()
        };
        Self { state: PlacementState::Placing, progress, external_id: None, due_at: Some(now), ..self.clone() }
    }

    /// What the vendor keeps of it does not change.
    fn as_sent(&self, wish: &Wish, now: Timestamp) -> Self {
        let progress =
            PlacementProgress { sent: Some(wish.clone()), sent_version: self.wish_version, ..self.progress.clone() };
        Self { state: PlacementState::AtVendor, progress, error: None, due_at: Some(now), ..self.clone() }
    }
}

fn is_over(wish: &Wish, now: Timestamp) -> bool {
    wish.until().is_some_and(|until| until <= now)
}

fn reference(kind: RecordKind, id: &str) -> Option<RecordRef> {
    Some(RecordRef { kind, external_id: id.to_owned() })
}
