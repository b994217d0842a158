//! What Bikeep accepts: commands per device type, the fields each needs, and the states each may start from. Changes nothing.

use axum::body::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{
    Refusal,
    device::{BikeepType, Device, Occupancy},
    state::{Account, Bikeep},
};
use crate::clock::after;

/// The nine documented commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandName {
    Lock,
    Unlock,
    Book,
    CancelBooking,
    ForceLock,
    ForceUnlock,
    ForceCancelBooking,
    SyncDevice,
    TakePhoto,
}

impl CommandName {
    const ALL: [CommandName; 9] = [
        CommandName::Lock,
        CommandName::Unlock,
        CommandName::Book,
        CommandName::CancelBooking,
        CommandName::ForceLock,
        CommandName::ForceUnlock,
        CommandName::ForceCancelBooking,
        CommandName::SyncDevice,
        CommandName::TakePhoto,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            CommandName::Lock => "lock",
            CommandName::Unlock => "unlock",
            CommandName::Book => "book",
            CommandName::CancelBooking => "cancel-booking",
            CommandName::ForceLock => "force-lock",
            CommandName::ForceUnlock => "force-unlock",
            CommandName::ForceCancelBooking => "force-cancel-booking",
            CommandName::SyncDevice => "sync-device",
            CommandName::TakePhoto => "take-photo",
        }
    }

    fn is_administrative(self) -> bool {
        matches!(
            self,
            CommandName::ForceLock
                | CommandName::ForceUnlock
                | CommandName::ForceCancelBooking
                | CommandName::SyncDevice
        )
    }

    /// The table of device types. A guard has no lock, so of the administrative commands it knows only sync-device.
    fn exists_for(self, kind: BikeepType, camera: bool) -> bool {
        let dock = matches!(kind, BikeepType::BikeDock | BikeepType::ScooterDock | BikeepType::Locker);
        match self {
            CommandName::Lock | CommandName::Book => dock,
            CommandName::Unlock => dock || kind == BikeepType::BikeHouseDoor,
            CommandName::CancelBooking => matches!(kind, BikeepType::BikeDock | BikeepType::Locker),
            CommandName::ForceLock | CommandName::ForceUnlock | CommandName::ForceCancelBooking => {
                kind != BikeepType::Guard
            }
            CommandName::SyncDevice => true,
            CommandName::TakePhoto => kind == BikeepType::Guard && camera,
        }
    }
}

/// Keys of a device's `commands` map for one account.
pub(crate) fn available(device: &Device, account: &Account) -> impl Iterator<Item = CommandName> {
    let (kind, camera, admin) = (device.kind, device.camera, account.admin);
    CommandName::ALL
        .into_iter()
        .filter(move |name| name.exists_for(kind, camera) && (admin || !name.is_administrative()))
}

/// A command that may be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) name: CommandName,
    /// For whom.
    pub(crate) user: String,
    /// End of the booking, for `book`.
    pub(crate) booked_until: Option<DateTime<Utc>>,
    pub(crate) power_cycle: bool,
}

#[derive(Debug, Deserialize)]
struct Body {
    command: Option<String>,
    reason: Option<String>,
    user_id: Option<String>,
    power_cycle: Option<bool>,
    comment: Option<String>,
    timeout_at: Option<String>,
}

const REASONS: [&str; 10] = [
    "STUCK_USER_RFID_ISSUE",
    "STUCK_USER_APP_ISSUE",
    "STUCK_USER_USER_ERROR",
    "STUCK_USER_OTHER_ISSUE",
    "LOCKED_EMPTY",
    "MAINTENANCE",
    "TESTING",
    "RENTAL_VEHICLE_LOCKED",
    "FALSE_LOCK",
    "OTHER",
];

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ERRORS.INVALID_REQUEST", message)
}

impl Bikeep {
    /// Reads and judges the body of a command.
    pub(crate) fn check_order(
        &self,
        account: usize,
        device: usize,
        body: &Bytes,
        now: DateTime<Utc>,
    ) -> Result<Order, Refusal> {
        let (Some(device), Some(account)) = (self.devices.get(device), self.accounts.get(account)) else {
            return Err(Refusal::not_found("Device"));
        };
        let body: Body = serde_json::from_slice(body).map_err(|error| invalid(format!("Invalid body: {error}")))?;
        let name = read_name(body.command.as_deref())?;
        check_available(name, device, account)?;
        let user = target_user(name, body.user_id.as_deref(), account)?;
        let booked_until = match name {
            CommandName::Book => Some(read_booking_end(body.timeout_at.as_deref(), now)?),
            _ => None,
        };
        if name == CommandName::ForceUnlock {
            check_reason(body.reason.as_deref(), body.comment.as_deref())?;
        }
        check_standing(name, device, &user, account)?;
        Ok(Order { name, user, booked_until, power_cycle: body.power_cycle.unwrap_or(false) })
    }
}

fn read_name(word: Option<&str>) -> Result<CommandName, Refusal> {
    let word = word.ok_or_else(|| invalid("command is required"))?;
    CommandName::ALL
        .into_iter()
        .find(|name| name.word() == word)
        .ok_or_else(|| Refusal::new(400, "ERRORS.INVALID_COMMAND", format!("Unknown command {word}")))
}

fn check_available(name: CommandName, device: &Device, account: &Account) -> Result<(), Refusal> {
    if !name.exists_for(device.kind, device.camera) {
        let message = format!("Command {} is not available for this device", name.word());
        return Err(Refusal::new(400, "ERRORS.INVALID_COMMAND", message));
    }
    if name.is_administrative() && !account.admin {
        return Err(Refusal::forbidden("Administrative commands are not permitted"));
    }
    Ok(())
}

/// `user_id` is only used by `lock`; anybody else than the requesting user needs ACT_ON_BEHALF_OF.
fn target_user(name: CommandName, user_id: Option<&str>, account: &Account) -> Result<String, Refusal> {
    let Some(wanted) = user_id.filter(|_| name == CommandName::Lock) else {
        return Ok(account.user.clone());
    };
    let wanted = uuid::Uuid::try_parse(wanted).map_err(|_| invalid("user_id must be a UUID"))?.to_string();
    if wanted != account.user && !account.act_on_behalf_of {
        return Err(Refusal::forbidden("ACT_ON_BEHALF_OF permission is required for this user"));
    }
    Ok(wanted)
}

fn read_booking_end(timeout_at: Option<&str>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let Some(text) = timeout_at else {
        return Ok(after(now, TimeDelta::hours(1)));
    };
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()).filter(|at| *at > now).ok_or_else(|| {
        Refusal::new(400, "ERRORS.INVALID_TIMEOUT_AT", "timeout_at must be an RFC3339 time in the future")
    })
}

fn check_reason(reason: Option<&str>, comment: Option<&str>) -> Result<(), Refusal> {
    let reason = reason.ok_or_else(|| invalid("reason is required for force-unlock"))?;
    if !REASONS.contains(&reason) {
        return Err(invalid(format!("Unknown reason {reason}")));
    }
    let needs_comment = matches!(reason, "STUCK_USER_OTHER_ISSUE" | "OTHER");
    if needs_comment && comment.is_none_or(|comment| comment.chars().count() < 5) {
        return Err(invalid("comment must be at least 5 characters"));
    }
    Ok(())
}

/// The state machine's entry conditions. The document does not say which error a violation gives; 400 is the only
/// documented status that fits.
fn check_standing(name: CommandName, device: &Device, user: &str, account: &Account) -> Result<(), Refusal> {
    let standing = &device.standing;
    let own = standing.user.as_deref() == Some(user);
    let allowed = match name {
        CommandName::Lock => match standing.value {
            Occupancy::Unlocked => true,
            Occupancy::Booked => own,
            _ => false,
        },
        CommandName::Book => standing.value == Occupancy::Unlocked,
        CommandName::Unlock => {
            if standing.value == Occupancy::Locked && standing.user.is_some() && !own && !account.act_on_behalf_of {
                return Err(Refusal::forbidden("The device is locked by another user"));
            }
            standing.value == Occupancy::Locked
        }
        CommandName::CancelBooking => standing.value == Occupancy::Booked && own,
        CommandName::ForceCancelBooking => standing.value == Occupancy::Booked,
        CommandName::ForceLock | CommandName::ForceUnlock | CommandName::SyncDevice | CommandName::TakePhoto => true,
    };
    if allowed {
        Ok(())
    } else {
        let message = format!("Command {} is not possible while the device is {}", name.word(), standing.value.word());
        Err(Refusal::new(400, "ERRORS.INVALID_STATE", message))
    }
}
