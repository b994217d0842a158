//! What hands, batteries and administrators do at Lockt without the API.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    lock::{LocktPresented, LocktVerdict},
    state::Lockt,
};
use crate::{
    answer::Circumstances,
    journal::{EffectKind, Place},
    vendors::Vendor,
};

/// A change at Lockt. Ids are distinct over all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum LocktChange {
    /// Somebody presents a credential at a door.
    Presented {
        /// Door id.
        door: u64,
        /// What is presented.
        credential: LocktPresented,
        /// After how many seconds the system records the event: locks are not always connected.
        #[serde(default)]
        recorded_after: u32,
    },
    /// The holder claims a credential in the app, or loses it.
    Claimed {
        /// Credential id.
        credential: u64,
        /// Whether it is claimed.
        claimed: bool,
    },
    /// The battery of a door.
    Battery {
        /// Door id.
        door: u64,
        /// Per cent; 0 is a lock without power; absent where there is no battery.
        percent: Option<u8>,
    },
    /// An administrator enables or disables a door.
    DoorEnabled {
        /// Door id.
        door: u64,
        /// Whether it is enabled.
        enabled: bool,
    },
    /// An administrator enables or disables a user.
    UserEnabled {
        /// User id.
        user: u64,
        /// Whether the user is enabled.
        enabled: bool,
    },
    /// An administrator sets a user's access levels.
    UserLevels {
        /// User id.
        user: u64,
        /// Ids of access levels.
        levels: Vec<u64>,
    },
    /// An administrator removes a user with all credentials.
    UserRemoved {
        /// User id.
        user: u64,
    },
    /// The endpoints marked as pending release appear for an account, or disappear.
    Pending {
        /// The account's `apiuser`.
        api_user: String,
        /// Whether they are served.
        served: bool,
    },
}

impl LocktChange {
    /// What it is about.
    pub(crate) fn subject(&self) -> String {
        match self {
            LocktChange::Presented { door, .. }
            | LocktChange::Battery { door, .. }
            | LocktChange::DoorEnabled { door, .. } => door.to_string(),
            LocktChange::Claimed { credential, .. } => credential.to_string(),
            LocktChange::UserEnabled { user, .. }
            | LocktChange::UserLevels { user, .. }
            | LocktChange::UserRemoved { user } => user.to_string(),
            LocktChange::Pending { api_user, .. } => api_user.clone(),
        }
    }
}

impl Lockt {
    /// Applies a change; nothing if what it is about does not exist.
    pub(crate) fn change(&mut self, change: LocktChange, at: &Circumstances<'_>) -> Option<()> {
        match change {
            LocktChange::Presented { door, credential, recorded_after } => {
                let delay = TimeDelta::seconds(i64::from(recorded_after));
                let verdict = self.account_with_door(door)?.present(door, &credential, at.now, delay);
                if verdict == LocktVerdict::Opens {
                    let id = door.to_string();
                    let place = Place { vendor: Vendor::Lockt, device: &id, door: Some(&id), position: None };
                    at.journal.effect(place, EffectKind::Open, at.now, None);
                }
            }
            LocktChange::Claimed { credential, claimed } => self.credential_mut(credential)?.claimed = claimed,
            LocktChange::Battery { door, percent } => {
                self.door_mut(door)?.battery = percent.map(|percent| percent.min(100));
            }
            LocktChange::DoorEnabled { door, enabled } => self.door_mut(door)?.enabled = enabled,
            LocktChange::UserEnabled { user, enabled } => {
                self.account_with_user(user)?.user_mut(user)?.enabled = enabled;
            }
            LocktChange::UserLevels { user, levels } => {
                let account = self.account_with_user(user)?;
                if levels.iter().any(|level| account.level(*level).is_none()) {
                    return None;
                }
                account.user_mut(user)?.levels = levels;
            }
            LocktChange::UserRemoved { user } => {
                self.account_with_user(user)?.remove_user(user);
            }
            LocktChange::Pending { api_user, served } => self.account_named(&api_user)?.pending = served,
        }
        Some(())
    }
}
