//! What can be asked of a door or device, with the rules of its arguments.

use serde::{Deserialize, Serialize};

use crate::{
    change::{Change, ChangeError},
    clock::Timestamp,
    text_enum,
};

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
        /// Have a door listen to its bell for a while: whoever rings gets in.
        StartAutoAccess = "START_AUTO_ACCESS",
        /// End that listening.
        StopAutoAccess = "STOP_AUTO_ACCESS",
        /// Have the bell always open, or no longer.
        SetAutoAccessAlwaysActive = "SET_AUTO_ACCESS_ALWAYS_ACTIVE",
        /// Have the bell open while the device is offline, or no longer.
        SetOfflineAutoAccess = "SET_OFFLINE_AUTO_ACCESS",
        /// Have movement reported once, always or never.
        SetMovementAlarm = "SET_MOVEMENT_ALARM",
        /// Let authorised telephones open a door by a call, or no longer.
        SetPhoneAccess = "SET_PHONE_ACCESS",
        /// Let any telephone open a door by a call, or no longer.
        SetAnyCallerAccess = "SET_ANY_CALLER_ACCESS",
        /// Read one value from a device.
        ReadDeviceVariable = "READ_DEVICE_VARIABLE",
        /// Read what a device's own cloud says of it.
        ReadDeviceInformation = "READ_DEVICE_INFORMATION",
        /// Call a documented function of a device.
        ExecuteDeviceFunction = "EXECUTE_DEVICE_FUNCTION",
        /// Detach a device from its account at the vendor.
        RemoveDevice = "REMOVE_DEVICE",
        /// Add a door to a device.
        CreateDoor = "CREATE_DOOR",
        /// Add doors to a card-lock system.
        CreateDoors = "CREATE_DOORS",
        /// Change a door's settings at the vendor.
        UpdateDoor = "UPDATE_DOOR",
        /// Take a door off its device.
        DeleteDoor = "DELETE_DOOR",
        /// Add a sensor to a device.
        CreateSensor = "CREATE_SENSOR",
        /// Change a sensor.
        UpdateSensor = "UPDATE_SENSOR",
        /// Take a sensor off its device.
        DeleteSensor = "DELETE_SENSOR",
        /// Register a telephone number at a device.
        AuthorizePhone = "AUTHORIZE_PHONE",
        /// Keep a telephone number from opening.
        SuspendPhone = "SUSPEND_PHONE",
        /// Let a suspended telephone number open again.
        ResumePhone = "RESUME_PHONE",
        /// Remove a telephone number from a device.
        RemovePhone = "REMOVE_PHONE",
        /// Give access to a device.
        GrantDeviceAccess = "GRANT_DEVICE_ACCESS",
        /// Change somebody's access to a device.
        ChangeDeviceAccess = "CHANGE_DEVICE_ACCESS",
        /// Suspend somebody's access to a device.
        SuspendDeviceAccess = "SUSPEND_DEVICE_ACCESS",
        /// End such a suspension.
        ResumeDeviceAccess = "RESUME_DEVICE_ACCESS",
        /// Take somebody's access to a device away.
        RevokeDeviceAccess = "REVOKE_DEVICE_ACCESS",
        /// Plan when a door will listen to its bell.
        CreateAutoAccessSchedule = "CREATE_AUTO_ACCESS_SCHEDULE",
        /// Change such a plan; the vendor makes a new record of it.
        UpdateAutoAccessSchedule = "UPDATE_AUTO_ACCESS_SCHEDULE",
        /// Drop such a plan.
        DeleteAutoAccessSchedule = "DELETE_AUTO_ACCESS_SCHEDULE",
        /// Change the account's own profile at the vendor.
        UpdateAccountProfile = "UPDATE_ACCOUNT_PROFILE",
        /// Create or update people with their cards and access levels.
        ImportUsers = "IMPORT_USERS",
        /// Let people in nowhere any more: no access levels, and an end in the past.
        DisableUsers = "DISABLE_USERS",
        /// Create fobs.
        CreateFobs = "CREATE_FOBS",
        /// Give fobs to other people, or for another period.
        AssignFobs = "ASSIGN_FOBS",
        /// Have credentials fetched anew by their holders; the old ones end.
        ReissueCredentials = "REISSUE_CREDENTIALS",
        /// Ask for the next free card number.
        ReadNextCardNumber = "READ_NEXT_CARD_NUMBER",
        /// Have the PMS show an access token at a reservation. It opens nothing by itself.
        AddPmsAccessToken = "ADD_PMS_ACCESS_TOKEN",
        /// Change a token that the PMS shows.
        UpdatePmsAccessToken = "UPDATE_PMS_ACCESS_TOKEN",
        /// Take a token off the PMS.
        DeletePmsAccessToken = "DELETE_PMS_ACCESS_TOKEN",
    }
}

impl CommandKind {
    /// Whether it lets somebody or something through at once.
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

    /// Whether it takes somebody's access away: first in line, and never too late (rules 7 and 8).
    #[must_use]
    pub const fn revokes(self) -> bool {
        matches!(
            self,
            Self::SuspendPhone
                | Self::RemovePhone
                | Self::SuspendDeviceAccess
                | Self::RevokeDeviceAccess
                | Self::DisableUsers
                | Self::DeletePmsAccessToken
                | Self::DeleteAutoAccessSchedule
                | Self::StopAutoAccess
        )
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
    /// It makes a record at the vendor: sent again only after a look that did not find it.
    Record,
}

/// One requested action with its arguments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    LockDoor {
        /// The vendor's id of the user on whose behalf it is locked (document 003, `user_id`); whoever we are without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<String>,
    },
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
    /// A change of the vendor's configuration or records. Stored under its own kind.
    #[serde(untagged)]
    Change(Box<Change>),
}

/// An argument that the vendor would refuse, told before anything is queued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// Not what a vendor gives its users as an id.
    #[error("`onBehalfOf` is a vendor's id of 1 to 100 printable characters.")]
    UserUnusable,
    /// An argument of a change.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl ActionError {
    /// The argument at fault, as the schema names it.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::CommentRequired | Self::CommentTooLong => "comment",
            Self::UntilInThePast => "until",
            Self::UserUnusable => "onBehalfOf",
            Self::Change(error) => error.field,
        }
    }
}

impl From<Change> for Action {
    fn from(change: Change) -> Self {
        Self::Change(Box::new(change))
    }
}

impl Action {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::OpenDoor => CommandKind::OpenDoor,
            Self::CloseDoor => CommandKind::CloseDoor,
            Self::LockDoor { .. } => CommandKind::LockDoor,
            Self::UnlockDoor => CommandKind::UnlockDoor,
            Self::ForceLockDoor => CommandKind::ForceLockDoor,
            Self::ForceUnlockDoor { .. } => CommandKind::ForceUnlockDoor,
            Self::BookDoor { .. } => CommandKind::BookDoor,
            Self::CancelBooking => CommandKind::CancelBooking,
            Self::ForceCancelBooking => CommandKind::ForceCancelBooking,
            Self::SyncDevice { .. } => CommandKind::SyncDevice,
            Self::TakePhoto => CommandKind::TakePhoto,
            Self::Change(change) => change.kind(),
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
            Self::LockDoor { .. }
            | Self::ForceLockDoor
            | Self::BookDoor { .. }
            | Self::SyncDevice { power_cycle: false } => Trigger::Level,
            Self::OpenDoor
            | Self::CloseDoor
            | Self::UnlockDoor
            | Self::ForceUnlockDoor { .. }
            | Self::CancelBooking
            | Self::ForceCancelBooking
            | Self::SyncDevice { power_cycle: true }
            | Self::TakePhoto => Trigger::Edge,
            Self::Change(change) => change.trigger(),
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
            Self::LockDoor { on_behalf_of: Some(user) } if !is_an_id(user) => Err(ActionError::UserUnusable),
            Self::BookDoor { until: Some(until) } if *until <= now => Err(ActionError::UntilInThePast),
            Self::Change(change) => Ok(change.validate(now)?),
            _ => Ok(()),
        }
    }
}

fn is_an_id(text: &str) -> bool {
    (1..=100).contains(&text.chars().count())
        && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace())
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
        let of_the_first_release = serde_json::json!({ "kind": "LOCK_DOOR" });
        let lock = Action::LockDoor { on_behalf_of: None };
        assert_eq!(serde_json::from_value::<Action>(of_the_first_release.clone()).unwrap(), lock);
        assert_eq!(serde_json::to_value(&lock).unwrap(), of_the_first_release);
        let action = Action::from(Change::SetPhoneAccess { enabled: true });
        let json = serde_json::to_value(&action).unwrap();
        assert_eq!(json["kind"], action.kind().as_str());
        assert_eq!(serde_json::from_value::<Action>(json).unwrap(), action);
    }
}
