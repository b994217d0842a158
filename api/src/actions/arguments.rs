//! The arguments of an order: as a database keeps them, so that a repetition compares equal, and within our bounds.
//! The vendors' own rules are `domain`'s (`Action::validate`).

use domain::{
    change::{AccessHolder, AutoAccessOptions, Change, DeviceAccessPlan, DoorSettings, SensorSettings},
    clock::{Timestamp, truncate},
    command::{Action, CommandKind},
};

use super::Refusal;

/// Electric values are volts or millivolts.
const LARGEST_VALUE: f64 = 1_000_000.0;
/// As many decimals of a value are kept.
const DECIMALS: f64 = 1_000_000.0;
/// The longest e-mail address (RFC 5321).
const LONGEST_EMAIL: usize = 254;
/// The longest name or other short text.
const LONGEST_TEXT: usize = 200;

/// The action as it is stored: times cut to microseconds, values to six decimals.
///
/// # Errors
/// A value that is none.
pub(super) fn as_stored(mut action: Action) -> Result<Action, Refusal> {
    match &mut action {
        Action::BookDoor { until } => cut(until),
        Action::Change(change) => round(change)?,
        _ => {}
    }
    Ok(action)
}

fn round(change: &mut Change) -> Result<(), Refusal> {
    match change {
        Change::StartAutoAccess(AutoAccessOptions { opening_value, tolerance, .. })
        | Change::CreateDoor(DoorSettings { opening_value, tolerance, .. })
        | Change::UpdateDoor(DoorSettings { opening_value, tolerance, .. }) => {
            value("openingValue", opening_value)?;
            value("tolerance", tolerance)?;
        }
        Change::CreateAutoAccessSchedule { starts_at, .. } | Change::UpdateAutoAccessSchedule { starts_at, .. } => {
            *starts_at = truncate(*starts_at);
        }
        Change::ImportUsers { users, .. } => {
            users.iter_mut().flat_map(|user| [&mut user.access_from, &mut user.access_until]).for_each(cut);
        }
        Change::CreateFobs { fobs } => {
            fobs.iter_mut().flat_map(|fob| [&mut fob.access_from, &mut fob.access_until]).for_each(cut);
        }
        Change::AssignFobs { assignments } => {
            assignments.iter_mut().flat_map(|fob| [&mut fob.access_from, &mut fob.access_until]).for_each(cut);
        }
        Change::AddPmsAccessToken(plan) => {
            plan.valid_from = truncate(plan.valid_from);
            plan.valid_until = truncate(plan.valid_until);
        }
        Change::UpdatePmsAccessToken { update, .. } => {
            cut(&mut update.valid_from);
            cut(&mut update.valid_until);
        }
        _ => {}
    }
    Ok(())
}

fn cut(at: &mut Option<Timestamp>) {
    *at = at.map(truncate);
}

fn value(field: &'static str, value: &mut Option<f64>) -> Result<(), Refusal> {
    if let Some(value) = value {
        if !value.is_finite() || value.abs() > LARGEST_VALUE {
            let message = format!("`{field}` is a number from -{LARGEST_VALUE} to {LARGEST_VALUE}.");
            return Err(Refusal::InvalidInput { field, message });
        }
        *value = (*value * DECIMALS).round() / DECIMALS;
    }
    Ok(())
}

/// Checks the arguments, as of `now`.
///
/// # Errors
/// The first rule that is broken.
pub(super) fn validate(action: &Action, now: Timestamp) -> Result<(), Refusal> {
    if let Action::Change(change) = action {
        changes_something(change)?;
        if let Some(holder) = holder(change) {
            email(holder)?;
        }
    }
    action.validate(now).map_err(|error| {
        let message = error.to_string();
        Refusal::InvalidInput { field: argument(action.kind(), error.field()), message }
    })
}

/// The argument of the mutation in which the argument at fault stands.
const fn argument(kind: CommandKind, field: &'static str) -> &'static str {
    match kind {
        CommandKind::ImportUsers => "users",
        CommandKind::CreateFobs => "fobs",
        CommandKind::AssignFobs => "assignments",
        CommandKind::CreateDoor | CommandKind::UpdateDoor | CommandKind::CreateSensor | CommandKind::UpdateSensor => {
            "settings"
        }
        _ => field,
    }
}

fn changes_something(change: &Change) -> Result<(), Refusal> {
    let (field, nothing) = match change {
        Change::UpdateDoor(settings) => ("settings", *settings == DoorSettings::default()),
        Change::UpdateSensor { settings, .. } => ("settings", *settings == SensorSettings::default()),
        Change::ChangeDeviceAccess { plan, .. } => ("profile", *plan == DeviceAccessPlan::default()),
        Change::UpdateAccountProfile(profile) => {
            let address = profile.address.as_ref().is_some_and(|address| *address != Default::default());
            ("displayName", profile.display_name.is_none() && profile.email.is_none() && !address)
        }
        Change::UpdatePmsAccessToken { update, .. } => ("value", *update == Default::default()),
        _ => return Ok(()),
    };
    let message = "Say what is to change.".to_owned();
    if nothing { Err(Refusal::InvalidInput { field, message }) } else { Ok(()) }
}

const fn holder(change: &Change) -> Option<&AccessHolder> {
    match change {
        Change::ChangeDeviceAccess { holder, .. }
        | Change::SuspendDeviceAccess { holder }
        | Change::ResumeDeviceAccess { holder }
        | Change::RevokeDeviceAccess { holder } => Some(holder),
        _ => None,
    }
}

fn email(holder: &AccessHolder) -> Result<(), Refusal> {
    let AccessHolder::Email(address) = holder else { return Ok(()) };
    let fits = address.len() <= LONGEST_EMAIL
        && address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !address.chars().any(|sign| sign.is_whitespace() || sign.is_control());
    let message = "`email` is an e-mail address.".to_owned();
    if fits { Ok(()) } else { Err(Refusal::InvalidInput { field: "holder", message }) }
}

/// Checks a short text that no rule of a vendor's bounds. The text itself is never told.
///
/// # Errors
/// It is empty, too long, or has signs that cannot be printed.
pub(crate) fn short_text(field: &'static str, text: &str) -> Result<(), Refusal> {
    let length = text.trim().chars().count();
    let fits = length > 0 && length <= LONGEST_TEXT && !text.chars().any(char::is_control);
    let message = format!("`{field}` has 1 to {LONGEST_TEXT} printable characters.");
    if fits { Ok(()) } else { Err(Refusal::InvalidInput { field, message }) }
}

#[cfg(test)]
mod tests {
    use domain::change::AccountProfile;

    use super::*;

    fn listening(opening_value: f64) -> Action {
        let options = AutoAccessOptions {
            minutes: 5,
            opening_value: Some(opening_value),
            tolerance: None,
            max_openings: None,
            wait_time_first: None,
        };
        Change::StartAutoAccess(options).into()
    }

    #[test]
    fn values_are_finite_and_rounded() {
        assert_eq!(as_stored(listening(1.234_567_89)), Ok(listening(1.234_568)));
        for odd in [f64::NAN, f64::INFINITY, -1e300] {
            assert!(matches!(as_stored(listening(odd)), Err(Refusal::InvalidInput { field: "openingValue", .. })));
        }
    }

    #[test]
    fn times_are_as_a_database_keeps_them() {
        let exact = Timestamp::from_timestamp_nanos(1_800_000_000_123_456_789);
        let schedule = |starts_at| Action::from(Change::CreateAutoAccessSchedule { starts_at, minutes: 1 });
        assert_eq!(as_stored(schedule(exact)), Ok(schedule(truncate(exact))));
        let book = |at| Action::BookDoor { until: Some(at) };
        assert_eq!(as_stored(book(exact)), Ok(book(truncate(exact))));
    }

    #[test]
    fn a_change_has_to_change_something() {
        let now = Timestamp::default();
        let refused = |change: Change| match validate(&change.into(), now) {
            Err(Refusal::InvalidInput { field, .. }) => Some(field),
            _ => None,
        };
        assert_eq!(refused(Change::UpdateDoor(DoorSettings::default())), Some("settings"));
        assert_eq!(refused(Change::UpdateAccountProfile(AccountProfile::default())), Some("displayName"));
        let named = DoorSettings { name: Some("Gate".to_owned()), ..DoorSettings::default() };
        assert_eq!(refused(Change::UpdateDoor(named)), None);
    }

    #[test]
    fn an_address_is_one() {
        let refused = |text: &str| {
            let holder = AccessHolder::Email(text.to_owned());
            validate(&Change::RevokeDeviceAccess { holder }.into(), Timestamp::default()).is_err()
        };
        assert!(!refused("a@b.example"));
        for text in ["", "a", "@b", "a@", "a b@c", &format!("{}@b", "a".repeat(300))] {
            assert!(refused(text), "{text}");
        }
    }
}
