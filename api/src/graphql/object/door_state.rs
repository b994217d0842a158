//! The four sides of a door's state, each an observation: a value with two clocks, a source and its age.

use async_graphql::SimpleObject;
use domain::{
    clock::Timestamp,
    door::{self, Observation},
};

use crate::graphql::words::{DoorMode, DoorPosition, LockState, ObservationSource, Occupancy};

/// The newest observation of each side of a door. A side never observed is null; unknown is not false, and stale is not
/// fresh.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct DoorState {
    /// The bolt.
    lock: Option<LockObservation>,
    /// The leaf, bar or gate.
    position: Option<PositionObservation>,
    /// The rule that the door follows.
    mode: Option<ModeObservation>,
    /// Whether somebody uses or holds it.
    occupancy: Option<OccupancyObservation>,
}

macro_rules! observations {
    ($($(#[$doc:meta])* $name:ident of $word:ident),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, SimpleObject)]
            pub(crate) struct $name {
                /// What was observed.
                value: $word,
                /// When it was so, by the hardware's or vendor's clock.
                observed_at: Timestamp,
                /// When we learned of it, by our clock.
                received_at: Timestamp,
                /// How we learned of it.
                source: ObservationSource,
                /// Whether too much time has passed since for the value to be taken as current.
                stale: bool,
            }

            impl $name {
                fn of<T: Copy + Into<$word>>(seen: &Observation<T>, now: Timestamp) -> Self {
                    Self {
                        value: seen.value.into(),
                        observed_at: seen.observed_at,
                        received_at: seen.received_at,
                        source: seen.source.into(),
                        stale: seen.is_stale(now),
                    }
                }
            }
        )+
    };
}

observations! {
    /// An observation of the bolt.
    LockObservation of LockState,
    /// An observation of the leaf, bar or gate.
    PositionObservation of DoorPosition,
    /// An observation of the rule that a door follows.
    ModeObservation of DoorMode,
    /// An observation of a door's use.
    OccupancyObservation of Occupancy,
}

impl DoorState {
    pub(crate) fn of(state: &door::DoorState, now: Timestamp) -> Self {
        Self {
            lock: state.lock.as_ref().map(|seen| LockObservation::of(seen, now)),
            position: state.position.as_ref().map(|seen| PositionObservation::of(seen, now)),
            mode: state.mode.as_ref().map(|seen| ModeObservation::of(seen, now)),
            occupancy: state.occupancy.as_ref().map(|seen| OccupancyObservation::of(seen, now)),
        }
    }
}
