//! Until when something may still open that is, or was, at a vendor.

use super::{PlacementProgress, PlacementState, Wish};
use crate::clock::Timestamp;

/// Until when a placement may still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// It opens nothing: it is gone, was never there, its time is over, or it is only shown.
    Nothing,
    /// Until its vendor ends it by itself.
    Until(Timestamp),
    /// Until it is taken away: its vendor keeps no times.
    UntilTakenAway,
}

/// Says until when a placement may still open at `now` or later.
#[must_use]
pub fn exposure(state: PlacementState, progress: &PlacementProgress, now: Timestamp) -> Exposure {
    if state == PlacementState::Revoked {
        return Exposure::Nothing;
    }
    let may_be_there = [&progress.sent, &progress.earlier];
    let each = may_be_there.into_iter().flatten().map(|wish| match (wish, wish.keeps_times(), wish.until()) {
        (Wish::PmsToken(_), _, _) => Exposure::Nothing,
        (_, true, Some(until)) if until <= now => Exposure::Nothing,
        (_, true, Some(until)) => Exposure::Until(until),
        _ => Exposure::UntilTakenAway,
    });
    each.fold(Exposure::Nothing, |one, other| match (one, other) {
        (Exposure::UntilTakenAway, _) | (_, Exposure::UntilTakenAway) => Exposure::UntilTakenAway,
        (Exposure::Until(one), Exposure::Until(other)) => Exposure::Until(one.max(other)),
        (Exposure::Nothing, other) => other,
        (one, Exposure::Nothing) => one,
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::placement::PhoneWish;

    fn phone(until: Option<Timestamp>) -> Option<Wish> {
        Some(Wish::Phone(PhoneWish { number: "1".to_owned(), from: None, until, doors: Default::default() }))
    }

    #[test]
    fn what_is_gone_or_never_left_opens_nothing() {
        let now = Timestamp::default();
        let there = PlacementProgress { sent: phone(None), ..PlacementProgress::default() };
        assert_eq!(exposure(PlacementState::Revoked, &there, now), Exposure::Nothing);
        assert_eq!(exposure(PlacementState::Waiting, &PlacementProgress::default(), now), Exposure::Nothing);
    }

    #[test]
    fn a_vendor_without_times_never_ends_it() {
        let now = Timestamp::default();
        let there = PlacementProgress { sent: phone(Some(now - TimeDelta::hours(1))), ..PlacementProgress::default() };
        assert_eq!(exposure(PlacementState::Revoking, &there, now), Exposure::UntilTakenAway);
    }
}
