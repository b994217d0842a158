//! What a door's state proves about a command. Absence proves nothing: a look never concludes that nothing happened.

use chrono::TimeDelta;

use super::{CommandKind, Evidence, Timing};
use crate::{
    clock::Timestamp,
    door::{DoorReading, LockState, Occupancy, Position},
};

/// The evidence in `reading`, taken at `now`, that a command of `kind` sent at `since` was carried out.
///
/// Only a state that began after the sending counts, not much later either (somebody else's doing), and only one whose
/// time is believable: a vendor with a naive clock in another zone (ParqEx) would otherwise turn an old state into proof.
#[must_use]
pub fn evidence_in(kind: CommandKind, reading: &DoorReading, since: Timestamp, now: Timestamp) -> Option<Evidence> {
    let observed_at = reading.observed_at?;
    // A clock that shows whole seconds, or milliseconds, shows their beginning.
    let latest = match observed_at.timestamp_subsec_micros() {
        0 => observed_at + TimeDelta::milliseconds(999),
        micros if micros % 1_000 == 0 => observed_at + TimeDelta::microseconds(999),
        _ => observed_at,
    };
    if latest < since || observed_at > since + Timing::LOOK_FOR || observed_at > now + TimeDelta::seconds(5) {
        return None;
    }
    let measured = |wanted: Position| reading.measured && reading.position == Some(wanted);
    let shown = match kind {
        CommandKind::OpenDoor | CommandKind::UnlockDoor | CommandKind::ForceUnlockDoor => {
            reading.lock == Some(LockState::Unlocked) || measured(Position::Open)
        }
        CommandKind::CloseDoor => measured(Position::Closed),
        CommandKind::LockDoor | CommandKind::ForceLockDoor => reading.lock == Some(LockState::Locked),
        CommandKind::BookDoor => reading.occupancy == Some(Occupancy::Booked),
        CommandKind::CancelBooking | CommandKind::ForceCancelBooking => reading.occupancy == Some(Occupancy::Free),
        // Changes are looked for among the vendor's records, not at the door.
        _ => false,
    };
    shown.then_some(Evidence::Sensor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(1_800_000_000_000 + milliseconds).unwrap()
    }

    fn unlocked(observed_at: Option<Timestamp>) -> DoorReading {
        DoorReading { lock: Some(LockState::Unlocked), observed_at, ..DoorReading::default() }
    }

    #[test]
    fn only_a_state_that_began_after_the_sending_counts() {
        let judge = |reading| evidence_in(CommandKind::OpenDoor, &reading, at(10_500), at(20_000));
        assert_eq!(judge(unlocked(Some(at(10_501)))), Some(Evidence::Sensor));
        assert_eq!(judge(unlocked(Some(at(10_500) + TimeDelta::microseconds(1)))), Some(Evidence::Sensor));
        assert_eq!(judge(unlocked(Some(at(10_499)))), None);
        assert_eq!(judge(unlocked(Some(at(10_000)))), Some(Evidence::Sensor), "whole seconds are rounded down");
        assert_eq!(judge(unlocked(Some(at(9_000)))), None);
        assert_eq!(judge(unlocked(Some(at(3_600_000)))), None, "a clock in another zone proves nothing");
        assert_eq!(judge(unlocked(None)), None);
    }

    #[test]
    fn what_began_long_after_is_somebody_elses_doing() {
        let limit = Timing::LOOK_FOR.num_milliseconds();
        let judge = |observed_at| {
            evidence_in(CommandKind::OpenDoor, &unlocked(Some(at(observed_at))), at(1), at(24 * 3_600_000))
        };
        assert_eq!(judge(limit + 1), Some(Evidence::Sensor));
        assert_eq!(judge(limit + 2), None);
    }

    #[test]
    fn an_unmeasured_position_proves_nothing() {
        let mut reading =
            DoorReading { position: Some(Position::Open), observed_at: Some(at(100)), ..DoorReading::default() };
        assert_eq!(evidence_in(CommandKind::OpenDoor, &reading, at(50), at(200)), None);
        reading.measured = true;
        assert_eq!(evidence_in(CommandKind::OpenDoor, &reading, at(50), at(200)), Some(Evidence::Sensor));
        assert_eq!(evidence_in(CommandKind::CloseDoor, &reading, at(50), at(200)), None);
    }

    #[test]
    fn an_opposite_state_never_proves() {
        let reading =
            DoorReading { lock: Some(LockState::Locked), observed_at: Some(at(100)), ..DoorReading::default() };
        assert_eq!(evidence_in(CommandKind::UnlockDoor, &reading, at(50), at(200)), None);
        assert_eq!(evidence_in(CommandKind::LockDoor, &reading, at(50), at(200)), Some(Evidence::Sensor));
    }
}
