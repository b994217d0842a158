//! Observations with two clocks, and the monotonic merge: an older observation never overwrites a newer one (P17).

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{LockState, Mode, Occupancy, Position};
use crate::{clock::Timestamp, text_enum};

text_enum! {
    /// How we came to know.
    pub enum Source {
        /// The vendor's answer to one of our commands.
        Command = "COMMAND",
        /// A webhook.
        Webhook = "WEBHOOK",
        /// A look at this device.
        Poll = "POLL",
        /// The inventory sync.
        Sync = "SYNC",
    }
}

/// One fact about a door: value, the hardware's clock, our clock, and how we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation<T> {
    /// What was observed.
    pub value: T,
    /// When it was so, by the hardware's or vendor's clock.
    pub observed_at: Timestamp,
    /// When we learned of it, by our clock.
    pub received_at: Timestamp,
    /// How we learned of it.
    pub source: Source,
}

impl<T> Observation<T> {
    /// After this long without a newer word an observation is called stale.
    pub const FRESH_FOR: TimeDelta = TimeDelta::minutes(15);

    /// Whether too much time has passed since we last heard for the value to be taken as current.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now - self.received_at > Self::FRESH_FOR
    }

    fn rank(&self) -> (Timestamp, Timestamp) {
        (self.observed_at, self.received_at)
    }
}

/// What one look, answer or message told of a door. Sides that it did not tell of are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DoorReading {
    /// The bolt.
    pub lock: Option<LockState>,
    /// The leaf.
    pub position: Option<Position>,
    /// The rule it follows.
    pub mode: Option<Mode>,
    /// Its use.
    pub occupancy: Option<Occupancy>,
    /// Since when, by the vendor's clock; `None` when the vendor gives no time.
    pub observed_at: Option<Timestamp>,
    /// Whether the leaf's position is measured by a sensor rather than inferred from the last command.
    pub measured: bool,
}

/// The state of a door: the newest observation of each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DoorState {
    /// The bolt.
    pub lock: Option<Observation<LockState>>,
    /// The leaf.
    pub position: Option<Observation<Position>>,
    /// The rule it follows.
    pub mode: Option<Observation<Mode>>,
    /// Its use.
    pub occupancy: Option<Observation<Occupancy>>,
}

impl DoorState {
    /// Takes a reading in. Returns whether any value changed; a merely fresher time is kept but is no change.
    pub fn merge(&mut self, reading: &DoorReading, received_at: Timestamp, source: Source) -> bool {
        // A vendor's clock may run ahead of ours: were its future kept, every later truth would look old.
        let observed_at = reading.observed_at.unwrap_or(received_at).min(received_at);
        let sides = [
            merge_side(&mut self.lock, reading.lock, observed_at, received_at, source),
            merge_side(&mut self.position, reading.position, observed_at, received_at, source),
            merge_side(&mut self.mode, reading.mode, observed_at, received_at, source),
            merge_side(&mut self.occupancy, reading.occupancy, observed_at, received_at, source),
        ];
        sides.contains(&true)
    }
}

fn merge_side<T: Copy + PartialEq>(
    held: &mut Option<Observation<T>>,
    value: Option<T>,
    observed_at: Timestamp,
    received_at: Timestamp,
    source: Source,
) -> bool {
    let Some(value) = value else { return false };
    let offered = Observation { value, observed_at, received_at, source };
    match held {
        Some(current) if offered.rank() <= current.rank() => false,
        _ => {
            let changed = held.is_none_or(|current| current.value != value);
            *held = Some(offered);
            changed
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::{prelude::*, sample::select};

    use super::*;

    fn at(second: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap_or_default()
    }

    fn reading() -> impl Strategy<Value = (DoorReading, i64)> {
        (proptest::option::of(select(LockState::ALL)), proptest::option::of(select(Position::ALL)), 0..50i64, 0..50i64)
            .prop_map(|(lock, position, observed, delay)| {
                let reading = DoorReading { lock, position, observed_at: Some(at(observed)), ..DoorReading::default() };
                (reading, observed + delay)
            })
    }

    proptest! {
        /// In whatever order readings arrive, the state ends with the newest of each side.
        #[test]
        fn order_of_arrival_does_not_matter(readings in proptest::collection::vec(reading(), 0..12), seed in any::<u64>()) {
            let mut shuffled = readings.clone();
            let count = shuffled.len().max(1);
            for index in 0..shuffled.len() {
                let other = (seed as usize).wrapping_mul(31).wrapping_add(index * 7) % count;
                shuffled.swap(index, other);
            }
            let merge = |list: &[(DoorReading, i64)]| {
                let mut state = DoorState::default();
                for (reading, received) in list {
                    state.merge(reading, at(*received), Source::Poll);
                }
                (state.lock.map(|lock| lock.rank()), state.position.map(|position| position.rank()))
            };
            prop_assert_eq!(merge(&readings), merge(&shuffled));
        }

        #[test]
        fn older_never_overwrites_newer(first in reading(), second in reading()) {
            let mut state = DoorState::default();
            state.merge(&first.0, at(first.1), Source::Webhook);
            let before = state;
            state.merge(&second.0, at(second.1), Source::Poll);
            if let (Some(old), Some(new)) = (before.lock, state.lock) {
                prop_assert!(new.rank() >= old.rank());
            }
        }
    }

    #[test]
    fn a_vendor_clock_ahead_of_ours_does_not_freeze_the_state() {
        let mut state = DoorState::default();
        let ahead =
            DoorReading { lock: Some(LockState::Locked), observed_at: Some(at(1000)), ..DoorReading::default() };
        assert!(state.merge(&ahead, at(10), Source::Poll));
        let later =
            DoorReading { lock: Some(LockState::Unlocked), observed_at: Some(at(20)), ..DoorReading::default() };
        assert!(state.merge(&later, at(20), Source::Poll));
        assert_eq!(state.lock.map(|lock| lock.value), Some(LockState::Unlocked));
    }

    #[test]
    fn stale_is_told_by_our_clock() {
        let seen = Observation { value: 1, observed_at: at(0), received_at: at(0), source: Source::Sync };
        assert!(!seen.is_stale(at(15 * 60)));
        assert!(seen.is_stale(at(15 * 60 + 1)));
    }
}
