//! Alerts: what a person must look at, and the rules about accounts, devices and lost events. One is open per kind and
//! subject; it is resolved when its cause is gone. Rules read facts and nothing else. No IO.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{account::AccountState, device::Health, text_enum};

/// A guest who arrives so soon makes urgent what is wrong with a door.
pub const ARRIVAL_AHEAD: TimeDelta = TimeDelta::hours(48);
/// A battery with less than this, in percent, is low.
pub const LOW_BATTERY: i32 = 20;

text_enum! {
    /// What it is about.
    pub enum AlertKind {
        /// A stay's code is not where it has to be.
        TokenAtRisk = "TOKEN_AT_RISK",
        /// Something that was to be taken away may still open.
        RevocationOverdue = "REVOCATION_OVERDUE",
        /// Something that was taken away is at its vendor again.
        Zombie = "ZOMBIE",
        /// Somebody changed at a vendor what we keep there.
        Drift = "DRIFT",
        /// A door's battery is low, and a guest arrives.
        LowBattery = "LOW_BATTERY",
        /// An account has to be authorised again.
        AccountReauthRequired = "ACCOUNT_REAUTH_REQUIRED",
        /// A device cannot be reached any more, or is gone.
        DeviceDead = "DEVICE_DEAD",
        /// A vendor no longer has all events: some are lost.
        EventGap = "EVENT_GAP",
    }
}

text_enum! {
    /// How soon somebody must look.
    pub enum AlertSeverity {
        /// Today.
        Notice = "NOTICE",
        /// Soon.
        Warning = "WARNING",
        /// Now.
        Critical = "CRITICAL",
    }
}

impl AlertKind {
    /// Whether it is over once somebody took note: what it tells of cannot be mended.
    #[must_use]
    pub const fn ends_with_a_note(self) -> bool {
        matches!(self, Self::EventGap)
    }

    /// Whether it tells of people: when they stay, and what lets them in.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::TokenAtRisk | Self::RevocationOverdue | Self::Zombie | Self::Drift)
    }
}

/// What a rule wants of the alert of its kind and subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// It is to be open.
    Open {
        /// How soon somebody must look.
        severity: AlertSeverity,
        /// A sentence for people, the same as long as the cause is.
        message: String,
    },
    /// It stays as it is: whether its cause is gone is not known.
    AsItIs,
    /// Its cause is gone.
    Resolved,
}

impl Wanted {
    /// Whether anything is to be written, when one of this severity is open, or none. An open one never gets milder.
    #[must_use]
    pub fn is_news(&self, open: Option<AlertSeverity>) -> bool {
        match self {
            Self::Open { severity, .. } => open.is_none_or(|open| *severity > open),
            Self::AsItIs => false,
            Self::Resolved => open.is_some(),
        }
    }
}

/// Whether an account needs a person. Silence of its vendor tells nothing of its credentials.
#[must_use]
pub fn account_reauth_required(name: &str, state: AccountState) -> Wanted {
    match state {
        AccountState::ReauthRequired => Wanted::Open {
            severity: AlertSeverity::Critical,
            message: format!("The vendor account \"{name}\" must be authorised again: nothing is sent until then."),
        },
        AccountState::Degraded => Wanted::AsItIs,
        AccountState::Connected | AccountState::Disconnected => Wanted::Resolved,
    }
}

/// What is known of a device, for its alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// How it is.
    pub health: Health,
    /// Whether complete inventories lack it, though nobody had it removed.
    pub is_missing: bool,
    /// Its charge, if it has a battery.
    pub battery_percent: Option<i32>,
    /// Whether a guest arrives at one of its doors within [`ARRIVAL_AHEAD`].
    pub is_awaited: bool,
}

/// Whether a device is out of reach for good, or gone.
#[must_use]
pub fn device_dead(device: &DeviceFacts<'_>) -> Wanted {
    let name = device.name;
    let what = match (device.is_missing, device.health) {
        (true, _) => format!("The device \"{name}\" is gone at its vendor"),
        (false, Health::Dead) => format!("The device \"{name}\" is dead"),
        (false, _) => return Wanted::Resolved,
    };
    let (severity, message) = if device.is_awaited {
        (AlertSeverity::Critical, format!("{what}, and a guest arrives at one of its doors."))
    } else {
        (AlertSeverity::Warning, format!("{what}."))
    };
    Wanted::Open { severity, message }
}

/// Whether a battery may not last until a guest is in.
#[must_use]
pub fn low_battery(device: &DeviceFacts<'_>) -> Wanted {
    if !device.is_awaited || device.battery_percent.is_none_or(|percent| percent >= LOW_BATTERY) {
        return Wanted::Resolved;
    }
    let message = format!(
        "The battery of \"{}\" is below {LOW_BATTERY} percent, and a guest arrives at one of its doors.",
        device.name
    );
    Wanted::Open { severity: AlertSeverity::Warning, message }
}

/// What is said when a vendor has lost events, of a device or a whole account.
#[must_use]
pub fn event_gap(name: &str) -> (AlertSeverity, String) {
    (AlertSeverity::Notice, format!("Some events of \"{name}\" are lost: its vendor has them no longer."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WELL: DeviceFacts<'_> = DeviceFacts {
        name: "Room 101",
        health: Health::Healthy,
        is_missing: false,
        battery_percent: Some(LOW_BATTERY),
        is_awaited: false,
    };

    fn severity(wanted: &Wanted) -> Option<AlertSeverity> {
        match wanted {
            Wanted::Open { severity, .. } => Some(*severity),
            Wanted::AsItIs | Wanted::Resolved => None,
        }
    }

    fn devices() -> impl Strategy<Value = DeviceFacts<'static>> {
        let health = prop::sample::select(Health::ALL);
        (health, any::<bool>(), prop::option::of(0..=100), any::<bool>()).prop_map(
            |(health, is_missing, battery_percent, is_awaited)| DeviceFacts {
                name: "Room 101",
                health,
                is_missing,
                battery_percent,
                is_awaited,
            },
        )
    }

    #[test]
    fn silence_tells_nothing_of_credentials() {
        let wanted = |state| account_reauth_required("Locks", state);
        assert_eq!(severity(&wanted(AccountState::ReauthRequired)), Some(AlertSeverity::Critical));
        assert_eq!(wanted(AccountState::Degraded), Wanted::AsItIs);
        assert_eq!(wanted(AccountState::Connected), Wanted::Resolved);
        assert_eq!(wanted(AccountState::Disconnected), Wanted::Resolved);
    }

    #[test]
    fn a_guest_makes_a_dead_device_critical() {
        for dead in [DeviceFacts { health: Health::Dead, ..WELL }, DeviceFacts { is_missing: true, ..WELL }] {
            assert_eq!(severity(&device_dead(&dead)), Some(AlertSeverity::Warning));
            let awaited = DeviceFacts { is_awaited: true, ..dead };
            assert_eq!(severity(&device_dead(&awaited)), Some(AlertSeverity::Critical));
        }
        for health in [Health::Healthy, Health::Unhealthy, Health::Offline, Health::Unknown] {
            assert_eq!(device_dead(&DeviceFacts { health, is_awaited: true, ..WELL }), Wanted::Resolved);
        }
    }

    #[test]
    fn a_battery_is_low_below_twenty_when_somebody_comes() {
        let at = |battery_percent, is_awaited| low_battery(&DeviceFacts { battery_percent, is_awaited, ..WELL });
        assert_eq!(severity(&at(Some(19), true)), Some(AlertSeverity::Warning));
        assert_eq!(at(Some(20), true), Wanted::Resolved);
        assert_eq!(at(Some(0), false), Wanted::Resolved);
        assert_eq!(at(None, true), Wanted::Resolved);
    }

    #[test]
    fn only_what_cannot_be_mended_ends_with_a_note() {
        let ending: Vec<_> = AlertKind::ALL.iter().filter(|kind| kind.ends_with_a_note()).collect();
        assert_eq!(ending, [&AlertKind::EventGap]);
    }

    proptest! {
        /// What was written is no news any more, an arrival never makes an alert milder, and none gets milder by itself.
        #[test]
        fn alerts_settle(device in devices(), open in prop::option::of(prop::sample::select(AlertSeverity::ALL))) {
            for rule in [device_dead, low_battery] {
                let wanted = rule(&device);
                let after = if wanted.is_news(open) { severity(&wanted) } else { open };
                prop_assert!(!wanted.is_news(after));
                if let (Some(before), Wanted::Open { .. }) = (open, &wanted) {
                    prop_assert!(after >= Some(before));
                }
                let awaited = rule(&DeviceFacts { is_awaited: true, ..device });
                prop_assert!(severity(&awaited) >= severity(&wanted));
            }
        }
    }
}
