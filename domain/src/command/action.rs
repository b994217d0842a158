//! What can be asked of a door or device, with the rules of its arguments.

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, text_enum};

text_enum! {
    /// The kinds of commands. A door's capabilities and a key's verbs are sets of these.
    pub enum CommandKind {
        /// Open once (a pulse): a person passes.
        OpenDoor = "OPEN_DOOR",
        /// Close a gate or garage.
        CloseDoor = "CLOSE_DOOR",
        /// Engage the bolt.
        LockDoor = "LOCK_DOOR",
        /// Release the bolt.
        UnlockDoor = "UNLOCK_DOOR",
        /// Engage the bolt regardless of state and user.
        ForceLockDoor = "FORCE_LOCK_DOOR",
        /// Release the bolt regardless of state and user, with a reason.
        ForceUnlockDoor = "FORCE_UNLOCK_DOOR",
        /// Hold a dock or locker for a while.
        BookDoor = "BOOK_DOOR",
        /// Give the booking up.
        CancelBooking = "CANCEL_BOOKING",
        /// Give anybody's booking up.
        ForceCancelBooking = "FORCE_CANCEL_BOOKING",
        /// Have the device report its state, after a power cycle if asked.
        SyncDevice = "SYNC_DEVICE",
        /// Take a picture.
        TakePhoto = "TAKE_PHOTO",
    }
}

impl CommandKind {
    /// Whether it lets somebody or something through.
    #[must_use]
    pub const fn opens(self) -> bool {
        matches!(self, Self::OpenDoor | Self::UnlockDoor | Self::ForceUnlockDoor)
    }

    /// Whether it bars the way.
    #[must_use]
    pub const fn closes(self) -> bool {
        matches!(self, Self::CloseDoor | Self::LockDoor | Self::ForceLockDoor)
    }

    /// Whether it is carried out regardless of state and user.
    #[must_use]
    pub const fn is_forced(self) -> bool {
        matches!(self, Self::ForceLockDoor | Self::ForceUnlockDoor | Self::ForceCancelBooking)
    }

    /// Whether it is asked of a device rather than of one of its doors.
    #[must_use]
    pub const fn is_for_device(self) -> bool {
        matches!(self, Self::SyncDevice | Self::TakePhoto)
    }
}

text_enum! {
    /// Why somebody forces a door (the vocabulary of Bikeep's `force-unlock`, document 003).
    pub enum ForceReason {
        /// A user is stuck: card trouble.
        StuckUserRfidIssue = "STUCK_USER_RFID_ISSUE",
        /// A user is stuck: app trouble.
        StuckUserAppIssue = "STUCK_USER_APP_ISSUE",
        /// A user is stuck by a mistake.
        StuckUserUserError = "STUCK_USER_USER_ERROR",
        /// A user is stuck for another reason; needs a comment.
        StuckUserOtherIssue = "STUCK_USER_OTHER_ISSUE",
        /// Locked with nothing in it.
        LockedEmpty = "LOCKED_EMPTY",
        /// Maintenance.
        Maintenance = "MAINTENANCE",
        /// A test.
        Testing = "TESTING",
        /// A rental vehicle is locked in.
        RentalVehicleLocked = "RENTAL_VEHICLE_LOCKED",
        /// It should not have locked.
        FalseLock = "FALSE_LOCK",
        /// Another reason; needs a comment.
        Other = "OTHER",
    }
}

/// Whether a second performance would be a second physical effect (insight 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Each performance counts: never sent again once it may have left.
    Edge,
    /// Only the resulting state counts: may be sent again.
    Level,
}

/// One requested action with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Action {
    /// See [`CommandKind::OpenDoor`].
    #[serde(rename = "OPEN_DOOR")]
    OpenDoor,
    /// See [`CommandKind::CloseDoor`].
    #[serde(rename = "CLOSE_DOOR")]
    CloseDoor,
    /// See [`CommandKind::LockDoor`].
    #[serde(rename = "LOCK_DOOR")]
    LockDoor,
    /// See [`CommandKind::UnlockDoor`].
    #[serde(rename = "UNLOCK_DOOR")]
    UnlockDoor,
    /// See [`CommandKind::ForceLockDoor`].
    #[serde(rename = "FORCE_LOCK_DOOR")]
    ForceLockDoor,
    /// See [`CommandKind::ForceUnlockDoor`].
    #[serde(rename = "FORCE_UNLOCK_DOOR")]
    ForceUnlockDoor {
        /// Why.
        reason: ForceReason,
        /// In words; needed for the two "other" reasons, at least 5 characters.
        comment: Option<String>,
    },
    /// See [`CommandKind::BookDoor`].
    #[serde(rename = "BOOK_DOOR")]
    BookDoor {
        /// Until when; the vendor's default (1 hour) if absent.
        until: Option<Timestamp>,
    },
    /// See [`CommandKind::CancelBooking`].
    #[serde(rename = "CANCEL_BOOKING")]
    CancelBooking,
    /// See [`CommandKind::ForceCancelBooking`].
    #[serde(rename = "FORCE_CANCEL_BOOKING")]
    ForceCancelBooking,
    /// See [`CommandKind::SyncDevice`].
    #[serde(rename = "SYNC_DEVICE")]
    SyncDevice {
        /// Whether to switch it off and on again.
        power_cycle: bool,
    },
    /// See [`CommandKind::TakePhoto`].
    #[serde(rename = "TAKE_PHOTO")]
    TakePhoto,
}

/// An argument that the vendor would refuse, told before anything is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// Document 003: comment rules of `force-unlock`.
    #[error("A comment of at least 5 characters is required with the reasons OTHER and STUCK_USER_OTHER_ISSUE.")]
    CommentRequired,
    /// Longer than anybody reads.
    #[error("A comment may have at most 500 characters.")]
    CommentTooLong,
    /// Document 003: `timeout_at` must be in the future.
    #[error("`until` must be in the future.")]
    UntilInThePast,
}

impl ActionError {
    /// The argument at fault, as the schema names it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::CommentRequired | Self::CommentTooLong => "comment",
            Self::UntilInThePast => "until",
        }
    }
}

impl Action {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::OpenDoor => CommandKind::OpenDoor,
            Self::CloseDoor => CommandKind::CloseDoor,
            Self::LockDoor => CommandKind::LockDoor,
            Self::UnlockDoor => CommandKind::UnlockDoor,
            Self::ForceLockDoor => CommandKind::ForceLockDoor,
            Self::ForceUnlockDoor { .. } => CommandKind::ForceUnlockDoor,
            Self::BookDoor { .. } => CommandKind::BookDoor,
            Self::CancelBooking => CommandKind::CancelBooking,
            Self::ForceCancelBooking => CommandKind::ForceCancelBooking,
            Self::SyncDevice { .. } => CommandKind::SyncDevice,
            Self::TakePhoto => CommandKind::TakePhoto,
        }
    }

    /// Whether it may be sent again after it may have left.
    ///
    /// Everything that opens is an edge, also unlocking: repeated after somebody else has locked again, it would open
    /// for the wrong person. Closing is an edge because ParqEx toggles (document 000), forced cancelling because it
    /// could hit the next person's booking.
    #[must_use]
    pub const fn trigger(&self) -> Trigger {
        match self {
            Self::LockDoor | Self::ForceLockDoor | Self::BookDoor { .. } | Self::SyncDevice { power_cycle: false } => {
                Trigger::Level
            }
            Self::OpenDoor
            | Self::CloseDoor
            | Self::UnlockDoor
            | Self::ForceUnlockDoor { .. }
            | Self::CancelBooking
            | Self::ForceCancelBooking
            | Self::SyncDevice { power_cycle: true }
            | Self::TakePhoto => Trigger::Edge,
        }
    }

    /// Checks the arguments against the vendor's rules (document 003), as of `now`.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn validate(&self, now: Timestamp) -> Result<(), ActionError> {
        match self {
            Self::ForceUnlockDoor { reason, comment } => {
                let length = comment.as_deref().map_or(0, |text| text.trim().chars().count());
                let required = matches!(reason, ForceReason::Other | ForceReason::StuckUserOtherIssue);
                if required && length < 5 {
                    Err(ActionError::CommentRequired)
                } else if length > 500 {
                    Err(ActionError::CommentTooLong)
                } else {
                    Ok(())
                }
            }
            Self::BookDoor { until: Some(until) } if *until <= now => Err(ActionError::UntilInThePast),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_required_where_the_vendor_requires_it() {
        let now = Timestamp::default();
        let force = |reason, comment: Option<&str>| {
            Action::ForceUnlockDoor { reason, comment: comment.map(str::to_owned) }.validate(now)
        };
        assert_eq!(force(ForceReason::Maintenance, None), Ok(()));
        assert_eq!(force(ForceReason::Other, None), Err(ActionError::CommentRequired));
        assert_eq!(force(ForceReason::Other, Some("  1234  ")), Err(ActionError::CommentRequired));
        assert_eq!(force(ForceReason::StuckUserOtherIssue, Some("12345")), Ok(()));
        assert_eq!(force(ForceReason::Testing, Some(&"x".repeat(501))), Err(ActionError::CommentTooLong));
    }

    #[test]
    fn whatever_opens_is_an_edge() {
        for action in [
            Action::OpenDoor,
            Action::UnlockDoor,
            Action::ForceUnlockDoor { reason: ForceReason::Testing, comment: None },
        ] {
            assert!(action.kind().opens());
            assert_eq!(action.trigger(), Trigger::Edge);
        }
    }

    #[test]
    fn an_action_is_stored_under_its_kind() {
        let action = Action::SyncDevice { power_cycle: true };
        let json = serde_json::to_value(&action).unwrap();
        assert_eq!(json["kind"], action.kind().as_str());
        assert_eq!(serde_json::from_value::<Action>(json).unwrap(), action);
    }
}
