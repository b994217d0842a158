//! The rules of a change's arguments, told before anything is queued.

use super::{BATCH_LIMIT, Change};
use crate::clock::Timestamp;

/// An argument that the vendor would refuse, or that would do harm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ChangeError {
    /// The argument at fault, as the schema names it.
    pub field: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

fn wrong<T>(field: &'static str, message: impl Into<String>) -> Result<T, ChangeError> {
    Err(ChangeError { field, message: message.into() })
}

fn text(field: &'static str, value: &str, longest: usize) -> Result<(), ChangeError> {
    let length = value.trim().chars().count();
    if length == 0 || length > longest || value.chars().any(char::is_control) {
        return wrong(field, format!("`{field}` has 1 to {longest} printable characters."));
    }
    Ok(())
}

fn digits(field: &'static str, value: &str, length: std::ops::RangeInclusive<usize>) -> Result<(), ChangeError> {
    if !length.contains(&value.len()) || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong(field, format!("`{field}` has {} to {} digits and nothing else.", length.start(), length.end()));
    }
    Ok(())
}

fn batch(field: &'static str, count: usize) -> Result<(), ChangeError> {
    if count == 0 || count > BATCH_LIMIT {
        return wrong(field, format!("`{field}` holds 1 to {BATCH_LIMIT} records."));
    }
    Ok(())
}

fn period(field: &'static str, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), ChangeError> {
    match (from, until) {
        (Some(from), Some(until)) if until <= from => wrong(field, format!("`{field}` must be after its beginning.")),
        _ => Ok(()),
    }
}

fn minutes(value: u32) -> Result<(), ChangeError> {
    // A day: whoever wants longer wants AutoAccess always active, and should have to say so.
    if value == 0 || value > 24 * 60 { wrong("minutes", "`minutes` is 1 to 1440.") } else { Ok(()) }
}

impl Change {
    /// Checks the arguments, as of `now`.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self, now: Timestamp) -> Result<(), ChangeError> {
        match self {
            Self::StartAutoAccess(options) => minutes(options.minutes),
            Self::CreateAutoAccessSchedule { starts_at, minutes: length }
            | Self::UpdateAutoAccessSchedule { starts_at, minutes: length, .. } => {
                if *starts_at <= now {
                    return wrong("startsAt", "`startsAt` must be in the future.");
                }
                minutes(*length)
            }
            Self::ReadDeviceVariable { variable } => text("variable", variable, 64),
            Self::ExecuteDeviceFunction { function, argument } => {
                text("function", function, 64)?;
                argument.as_deref().map_or(Ok(()), |argument| text("argument", argument, 63))
            }
            Self::CreateDoor(settings) | Self::UpdateDoor(settings) => {
                settings.name.as_deref().map_or(Ok(()), |name| text("name", name, 100))
            }
            Self::CreateDoors { names } => {
                batch("names", names.len())?;
                names.iter().try_for_each(|name| text("names", name, 100))
            }
            Self::CreateSensor(settings) | Self::UpdateSensor { settings, .. } => {
                settings.name.as_deref().map_or(Ok(()), |name| text("name", name, 100))
            }
            Self::AuthorizePhone { number, .. } => digits("number", number, 7..=15),
            Self::ImportUsers { users, .. } => {
                batch("users", users.len())?;
                for user in users {
                    text("idNumber", &user.id_number, 100)?;
                    period("accessUntil", user.access_from, user.access_until)?;
                }
                Ok(())
            }
            Self::DisableUsers { users } => {
                batch("users", users.len())?;
                users.iter().try_for_each(|user| text("idNumber", &user.id_number, 100))
            }
            Self::CreateFobs { fobs } => {
                batch("fobs", fobs.len())?;
                for fob in fobs {
                    text("idNumber", &fob.id_number, 100)?;
                    text("name", &fob.name, 100)?;
                    digits("cardNumber", &fob.card_number, 1..=20)?;
                    period("accessUntil", fob.access_from, fob.access_until)?;
                }
                Ok(())
            }
            Self::AssignFobs { assignments } => {
                batch("assignments", assignments.len())?;
                assignments.iter().try_for_each(|fob| period("accessUntil", fob.access_from, fob.access_until))
            }
            Self::ReissueCredentials { credentials } => batch("credentialIds", credentials.len()),
            Self::AddPmsAccessToken(plan) => {
                text("serialNumber", &plan.serial_number, 100)?;
                period("validUntil", Some(plan.valid_from), Some(plan.valid_until))
            }
            Self::UpdatePmsAccessToken { update, .. } => period("validUntil", update.valid_from, update.valid_until),
            _ => Ok(()),
        }
    }
}
