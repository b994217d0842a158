//! When: deadlines of requests, the cadence of polls, looks and retries, and the coalescing window.

use chrono::TimeDelta;

use super::{CommandKind, Trigger};
use crate::clock::Timestamp;

/// A wish for a deadline that cannot be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// It has passed.
    #[error("`expiresAt` must be in the future.")]
    InThePast,
    /// A door must not open long after it was asked for.
    #[error("`expiresAt` is too far away: this command may wait {0} seconds at most.")]
    TooFar(i64),
}

/// The deadline of a command of `kind` asked for at `now`: the wish if it is sensible, else the default of rule 1.
/// `None` is no deadline: what takes access away is never too late.
///
/// # Errors
/// A wish in the past or beyond the longest wait of that kind.
pub fn expiry(kind: CommandKind, wish: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>, ExpiryError> {
    let longest = Timing::longest_wait(kind);
    match wish {
        None if kind.revokes() => Ok(None),
        None => Ok(Some(now + Timing::default_wait(kind))),
        Some(at) if at <= now => Err(ExpiryError::InThePast),
        Some(at) if at > now + longest => Err(ExpiryError::TooFar(longest.num_seconds())),
        Some(at) => Ok(Some(at)),
    }
}

/// The numbers of rule 1, rule 4 and the polling cadence, in one place.
pub struct Timing;

impl Timing {
    /// Opens of one door pressed within this time of a pulse ride on that pulse (rule 4).
    pub const COALESCING_WINDOW: TimeDelta = TimeDelta::seconds(3);
    /// A command waits this long for the outcome of the one before it at the same door; then it is sent regardless.
    pub const ORDER_WAIT: TimeDelta = TimeDelta::seconds(5);
    /// How long we wait for a vendor's outcome when it names no time-out of its own.
    pub const OUTCOME_WAIT: TimeDelta = TimeDelta::seconds(60);
    /// Past the vendor's own time-out we listen this much longer.
    pub const OUTCOME_GRACE: TimeDelta = TimeDelta::seconds(3);
    /// No outcome is waited for longer than this, whatever the vendor says.
    pub const OUTCOME_WAIT_LIMIT: TimeDelta = TimeDelta::minutes(15);
    /// How long we keep looking for evidence of an unknown outcome.
    pub const LOOK_FOR: TimeDelta = TimeDelta::minutes(5);
    /// A level-triggered command with a deadline is sent this many times at most.
    pub const ATTEMPT_LIMIT: u32 = 8;
    /// A record is made again only when so many looks in a row, which take some seconds, have ended without it: a vendor
    /// that we have ceased to listen to may still be making it.
    pub const LOOKS_FOR_A_RECORD: u32 = 3;

    /// Rule 1: 15 s for what opens or moves a gate, minutes for locking.
    #[must_use]
    pub const fn default_wait(kind: CommandKind) -> TimeDelta {
        match kind {
            CommandKind::OpenDoor | CommandKind::CloseDoor | CommandKind::UnlockDoor | CommandKind::ForceUnlockDoor => {
                TimeDelta::seconds(15)
            }
            CommandKind::BookDoor | CommandKind::ForceCancelBooking | CommandKind::TakePhoto => TimeDelta::seconds(60),
            // They let somebody in as surely as an open does, if not at once.
            CommandKind::StartAutoAccess | CommandKind::ExecuteDeviceFunction => TimeDelta::seconds(15),
            CommandKind::SetAutoAccessAlwaysActive
            | CommandKind::SetOfflineAutoAccess
            | CommandKind::SetPhoneAccess
            | CommandKind::SetAnyCallerAccess
            | CommandKind::ReadDeviceVariable
            | CommandKind::ReadDeviceInformation
            | CommandKind::ReadNextCardNumber => TimeDelta::seconds(60),
            CommandKind::LockDoor
            | CommandKind::ForceLockDoor
            | CommandKind::CancelBooking
            | CommandKind::SyncDevice => TimeDelta::minutes(5),
            _ => TimeDelta::minutes(15),
        }
    }

    /// The longest wait a caller may ask for.
    #[must_use]
    pub const fn longest_wait(kind: CommandKind) -> TimeDelta {
        match kind {
            CommandKind::OpenDoor
            | CommandKind::CloseDoor
            | CommandKind::UnlockDoor
            | CommandKind::ForceUnlockDoor
            | CommandKind::StartAutoAccess
            | CommandKind::ExecuteDeviceFunction => TimeDelta::minutes(5),
            _ => TimeDelta::hours(24),
        }
    }

    /// The pause before poll number `polls + 1` of an accepted command: 0.25, 0.5, 1, 2, then every 4 s.
    #[must_use]
    pub fn poll_pause(polls: u32) -> TimeDelta {
        doubling(TimeDelta::milliseconds(250), polls, TimeDelta::seconds(4))
    }

    /// The pause before look number `looks + 1` after an unknown outcome: 1, 2, then every 4 s, so that evidence is
    /// found within 5 s of its appearance (P3).
    #[must_use]
    pub fn look_pause(looks: u32) -> TimeDelta {
        doubling(TimeDelta::seconds(1), looks, TimeDelta::seconds(4))
    }

    /// The pause before attempt number `attempts + 1` when nothing was sent: 0.2, 0.4, 0.8, 1.6, then every 3 s, and
    /// never before the vendor allows.
    #[must_use]
    pub fn retry_pause(attempts: u32, retry_after: Option<TimeDelta>) -> TimeDelta {
        let own = doubling(TimeDelta::milliseconds(200), attempts.saturating_sub(1), TimeDelta::seconds(3));
        retry_after.map_or(own, |asked| asked.max(own))
    }

    /// The pause before the next attempt of a command without a deadline: an outage of hours must not become a storm.
    #[must_use]
    pub fn patient_pause(attempts: u32, retry_after: Option<TimeDelta>) -> TimeDelta {
        let pause = Self::retry_pause(attempts, retry_after);
        if attempts > Self::ATTEMPT_LIMIT { pause.max(TimeDelta::seconds(15)) } else { pause }
    }

    /// Whether a command with this trigger may be sent again after it may have left; a record only once it was looked for.
    #[must_use]
    pub const fn may_repeat(trigger: Trigger, attempts: u32) -> bool {
        !matches!(trigger, Trigger::Edge) && attempts < Self::ATTEMPT_LIMIT
    }
}

fn doubling(first: TimeDelta, times: u32, longest: TimeDelta) -> TimeDelta {
    let factor = 1_i32.checked_shl(times.min(16)).unwrap_or(i32::MAX);
    (first * factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_bounded() {
        let now = Timestamp::default();
        let kind = CommandKind::OpenDoor;
        assert_eq!(expiry(kind, None, now), Ok(Some(now + TimeDelta::seconds(15))));
        assert_eq!(expiry(CommandKind::RemovePhone, None, now), Ok(None), "a revocation is never too late");
        assert_eq!(expiry(kind, Some(now), now), Err(ExpiryError::InThePast));
        assert_eq!(expiry(kind, Some(now + TimeDelta::hours(1)), now), Err(ExpiryError::TooFar(300)));
        assert_eq!(expiry(kind, Some(now + TimeDelta::seconds(2)), now), Ok(Some(now + TimeDelta::seconds(2))));
    }

    #[test]
    fn pauses_grow_and_level_off() {
        let polls: Vec<_> = (0..6).map(|n| Timing::poll_pause(n).num_milliseconds()).collect();
        assert_eq!(polls, [250, 500, 1000, 2000, 4000, 4000]);
        assert_eq!(Timing::look_pause(u32::MAX), TimeDelta::seconds(4));
        assert_eq!(Timing::retry_pause(1, Some(TimeDelta::seconds(9))), TimeDelta::seconds(9));
        assert_eq!(Timing::retry_pause(1, None), TimeDelta::milliseconds(200));
    }
}
