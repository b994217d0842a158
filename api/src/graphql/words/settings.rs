//! Words about what can be configured on an intercom.

use super::words;

words! {
    /// What the line that tells of a door's bell or leaf is used for.
    SensorMode = domain::change::SensorMode {
        /// It hears the bell.
        Bell,
        /// It tells open from closed.
        OpeningSensor,
    }

    /// What an intercom's door is used for.
    DoorUse = domain::change::DoorUse {
        /// The door to the street.
        Street,
        /// The door of the home.
        Home,
        /// A garage.
        Garage,
        /// Something else.
        Other,
    }

    /// How often movement is reported.
    MovementAlarm = domain::change::MovementAlarm {
        /// At the next movement only.
        Once,
        /// At every movement.
        Always,
        /// Never.
        Off,
    }
}
