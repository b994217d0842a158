//! Until when something may still open, as the schema shows it.

use async_graphql::SimpleObject;
use domain::{clock::Timestamp, placement};
use entities::{StoreError, rows::placement as row};

/// Until when something may still open, whatever is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SimpleObject)]
pub(crate) struct Exposure {
    /// Whether it may still open. False: it was read back as gone, never was there, its time is over, or it is only shown.
    may_open: bool,
    /// When its vendor ends it by itself; null if it may not open, or if its vendor keeps no times: then it may until it is
    /// taken away.
    until: Option<Timestamp>,
}

impl Exposure {
    const NOTHING: Self = Self { may_open: false, until: None };

    /// Of placements together, at `now` or later.
    ///
    /// # Errors
    /// A stored value is unreadable.
    pub(super) fn of<'a>(
        placements: impl IntoIterator<Item = &'a row::Model>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        placements.into_iter().try_fold(Self::NOTHING, |longest, row| {
            Ok(longest.or(match placement::exposure(row.state()?, &row.progress()?, now) {
                placement::Exposure::Nothing => Self::NOTHING,
                placement::Exposure::Until(until) => Self { may_open: true, until: Some(until) },
                placement::Exposure::UntilTakenAway => Self { may_open: true, until: None },
            }))
        })
    }

    /// The longer one.
    fn or(self, other: Self) -> Self {
        match (self.may_open, other.may_open) {
            (false, _) => other,
            (_, false) => self,
            (true, true) => Self { may_open: true, until: self.until.zip(other.until).map(|(one, two)| one.max(two)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_counts() {
        let until = |seconds| Exposure { may_open: true, until: Timestamp::from_timestamp(seconds, 0) };
        let endless = Exposure { may_open: true, until: None };
        assert_eq!(until(5).or(until(9)), until(9));
        assert_eq!(until(5).or(Exposure::NOTHING), until(5));
        assert_eq!(Exposure::NOTHING.or(until(5)), until(5));
        assert_eq!(endless.or(until(9)), endless);
        assert_eq!(until(9).or(endless), endless);
        assert_eq!(Exposure::NOTHING.or(Exposure::NOTHING), Exposure::NOTHING);
    }
}
