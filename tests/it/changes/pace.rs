//! How time passes while a command is carried out. What is waited for stands in the scene.

use chrono::TimeDelta;

/// How a test lets time pass while a command is carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// About as it does: a vendor that is slow stays slow.
    AsItPasses,
    /// On to when the command is due.
    Jumping,
    /// The same in long steps, while no answer could be hurried past its time-out: the vendor is down.
    Leaping,
}

impl Pace {
    /// The shortest step: whoever waits for a request's turn, or sweeps, waits by this clock too.
    pub(super) const fn least(self) -> TimeDelta {
        TimeDelta::milliseconds(match self {
            Self::AsItPasses => 5,
            Self::Jumping => 25,
            Self::Leaping => 250,
        })
    }
}
